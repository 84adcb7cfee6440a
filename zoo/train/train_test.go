package train_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

// A training that is interrupted after any batch, once or after every one, and
// goes on from its checkpoint, gives the file that an uninterrupted one gives.
func TestResumedIsUninterrupted(t *testing.T) {
	const small = `"epochs": 3, "batch": 6`
	const rising = `"rate": {"kind": "linear", "from": 0.02, "to": 0.25}, ` // soon too large: the validation loss falls and then rises
	mirror := `, "augment": {"mirror": {"share": 0.4}, "noise": 0.05, "brightness": 0.1}`
	for _, c := range []struct {
		name    string
		members []zootest.Network
	}{
		{"momentum", []zootest.Network{zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(small+`, "optimizer": {"kind": "sgd", "momentum": 0.9, "nesterov": true}`), "")}},
		{"adam, dropout, mirror, noise", []zootest.Network{zootest.Net("net", zootest.Every, zootest.Dropout, zootest.Recipe(small+`, "optimizer": {"kind": "adam"}`+mirror), "")}},
		{"average, decaying weights", []zootest.Network{zootest.Net("net", zootest.Every, zootest.Dropout, zootest.Recipe(small+`, "optimizer": {"kind": "adamw"}, "average": {"decay": 0.8}`), "")}},
		{"early stopping", []zootest.Network{zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(rising+`"epochs": 8, "batch": 6, "stop": {"patience": 2}`), "")}},
		{"early stopping of averages", []zootest.Network{zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(rising+`"epochs": 8, "batch": 6, "stop": {"patience": 1}, "average": {"decay": 0.5}`), "")}},
		{"none held out", []zootest.Network{zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(small+`, "validation": 0`), "")}},
		{"three members", []zootest.Network{
			zootest.Net("eyes", zootest.Eyes, zootest.Dropout, zootest.Recipe(rising+`"epochs": 3, "batch": 9, "stop": {"patience": 1}`), ""),
			zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(small+`, "optimizer": {"kind": "adam"}, "average": {"decay": 0.5}`), ""),
			zootest.Net("all", zootest.Every, zootest.Linear, zootest.Recipe(small), ""),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := traintest.Options(t, zootest.Document(t, c.members...), zootest.Faces(30, zootest.Every, 7))
			w := &traintest.Watch{}
			o.Watch = w
			whole := traintest.MustTrain(t, o)
			if strings.Contains(c.name, "early stopping") && !(whole.History[0].Stopped && whole.History[0].BestEpoch < len(whole.History[0].TrainLoss)) {
				t.Fatalf("found best epoch %d of %d, want one before the last: the test tests nothing", whole.History[0].BestEpoch, len(whole.History[0].TrainLoss))
			}
			for k := 1; k < w.Batches; k++ {
				part := o
				part.Output = filepath.Join(t.TempDir(), "part.fkz")
				part.ResumePath = traintest.Interrupt(t, part, k)
				part.Resume = zootest.MustLoad(t, part.ResumePath)
				part.Document, part.Seed = nil, 99 // the checkpoint's own stand
				part.Watch = &traintest.Watch{}
				traintest.SameModel(t, fmt.Sprintf("interrupted after batch %d", k), traintest.MustTrain(t, part), whole)
			}

			// After every batch, and with a checkpoint each.
			part := o
			part.Output = filepath.Join(t.TempDir(), "part.fkz")
			part.Every = train.Every{Batches: 1}
			part.ResumePath = traintest.Interrupt(t, part, 1)
			for k := 1; k < w.Batches-1; k++ {
				part.Resume = zootest.MustLoad(t, part.ResumePath)
				traintest.Interrupt(t, part, 1)
			}
			part.Resume, part.Watch = zootest.MustLoad(t, part.ResumePath), &traintest.Watch{}
			m := traintest.MustTrain(t, part)
			traintest.SameModel(t, "interrupted after each batch", m, whole)
			if m.Run.Resumed != w.Batches-1 {
				t.Errorf("found %d resumptions, want %d", m.Run.Resumed, w.Batches-1)
			}
			if _, err := os.Stat(part.ResumePath); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the checkpoint of a finished training: %v, want none", err)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(part.Output), ".*")); len(left) > 0 {
				t.Errorf("found %v left", left)
			}
		})
	}
}

// Early stopping puts back the weights of the epoch that it says.
func TestBestWeightsArePutBack(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 7)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"rate": {"kind": "linear", "from": 0.02, "to": 0.25}, "epochs": 12, "batch": 6, "stop": {"patience": 2}`), set)
	m := traintest.MustTrain(t, o)
	h := m.History[0]
	least := slices.Min(h.ValidationLoss)
	if !h.Stopped || h.BestEpoch != slices.Index(h.ValidationLoss, least)+1 || len(h.TrainLoss) != h.BestEpoch+2 {
		t.Fatalf("found best epoch %d, stopped %v after %d, validation losses %v", h.BestEpoch, h.Stopped, len(h.TrainLoss), h.ValidationLoss)
	}
	e, _, err := measure.Evaluate(t.Context(), answertest.Open(t, m), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !zootest.Near(e.HeldOut.Loss, least, 1e-6) || zootest.Near(e.HeldOut.Loss, h.ValidationLoss[len(h.ValidationLoss)-1], 1e-6) {
		t.Errorf("found loss %g on the rows held out, want the best epoch's, %g", e.HeldOut.Loss, least)
	}
	// Without stop the last weights stay.
	o = traintest.Options(t, zootest.One(t, zootest.Linear, `"rate": {"kind": "linear", "from": 0.02, "to": 0.25}, "epochs": 12, "batch": 6`), set)
	m = traintest.MustTrain(t, o)
	if e, _, err = measure.Evaluate(t.Context(), answertest.Open(t, m), set, nil); err != nil {
		t.Fatal(err)
	}
	if h := m.History[0]; len(h.ValidationLoss) != 12 || h.BestEpoch == 12 || !zootest.Near(e.HeldOut.Loss, h.ValidationLoss[11], 1e-6) {
		t.Errorf("without stop: found loss %g, want the last epoch's, %g", e.HeldOut.Loss, h.ValidationLoss[11])
	}
}

// The digest is of what was learned: not of paths, times, machine and how often
// checkpoints were kept; data, seed and recipe are in it.
func TestDigest(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	d := func() *blueprint.Document { return zootest.One(t, zootest.Dropout, `"epochs": 2, "batch": 8`) }
	o := traintest.Options(t, d(), set)
	o.Run = model.Run{Started: "2026-01-01T00:00:00Z", Machine: "linux/amd64", Command: []string{"fkzoo", "train"}}
	want := traintest.MustTrain(t, o).Digest
	moved := *set
	moved.Source = "elsewhere/faces.zip"
	for _, c := range []struct {
		name   string
		change func(*train.Options)
		same   bool
	}{
		{"other place, machine, version", func(o *train.Options) {
			o.Data, o.Version, o.Options = &moved, "v2", []string{"a=b"}
			o.Plugin = host.PluginInfo{Name: "other", SHA256: "00"}
			o.Run = model.Run{Started: "2027", Machine: "darwin/arm64"}
			o.Every = train.Every{Batches: 1}
		}, true},
		{"no watcher", func(o *train.Options) { o.Watch = nil }, true},
		{"seed", func(o *train.Options) { o.Seed++ }, false},
		{"recipe", func(o *train.Options) { o.Document.Members[0].Recipe.Rate = blueprint.Constant(0.04) }, false},
		{"data", func(o *train.Options) { o.Data = zootest.Faces(20, zootest.Every, 2) }, false},
	} {
		o := traintest.Options(t, d(), set)
		c.change(&o)
		m := traintest.MustTrain(t, o)
		if (m.Digest == want) != c.same {
			t.Errorf("%s: found digest %s beside %s, want the same: %v", c.name, m.Digest, want, c.same)
		}
		if loaded := zootest.MustLoad(t, o.Output); loaded.Digest != m.Digest {
			t.Errorf("%s: the file's digest is %s, want %s", c.name, loaded.Digest, m.Digest)
		}
	}
	// The seed of a recipe counts where none is given, and the file says which it was.
	o = traintest.Options(t, d(), set)
	o.Document.Members[0].Recipe.Seed = 3
	o.Seed = 0
	if m := traintest.MustTrain(t, o); m.Digest != want || m.Provenance.Seed != 3 || m.Document.Members[0].Recipe.Seed != 3 {
		t.Errorf("recipe's seed: found digest %s, seed %d, want %s, 3", m.Digest, m.Provenance.Seed, want)
	}
}

// Provenance and run say what made a model.
func TestRecord(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	start := traintest.MustTrain(t, traintest.Options(t, zootest.One(t, zootest.Linear, `"epochs": 1`), set))
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"epochs": 3`), set)
	o.Plugin = host.PluginInfo{Name: "baseline", SHA256: "abc"}
	o.Options = []string{"hidden=8"}
	o.Run = model.Run{Started: "2026-01-01T00:00:00Z", Machine: "linux/amd64", Command: []string{"fkzoo", "train", "tiny"}}
	o.Start = start
	traintest.MustTrain(t, o)
	m := zootest.MustLoad(t, o.Output)
	want := model.Provenance{
		Fkzoo: "test", Plugin: model.PluginFrom{Name: "baseline", SHA256: "abc"}, Seed: 3, Backend: "go", Options: []string{"hidden=8"}, Start: start.Digest, StartData: []string{set.Checksum},
		Data: model.DataFrom{Source: "faces.csv", Checksum: set.Checksum, Rows: 20, Columns: zootest.Every},
	}
	for _, c := range zootest.Every {
		want.Data.Mean = append(want.Data.Mean, zootest.ColumnMean(set, c))
	}
	got := m.Provenance
	for i := range got.Data.Mean {
		if !zootest.Near(got.Data.Mean[i], want.Data.Mean[i], 1e-9) {
			t.Errorf("mean of %s: found %g, want %g", zootest.Every[i], got.Data.Mean[i], want.Data.Mean[i])
		}
	}
	got.Data.Mean, want.Data.Mean = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("found provenance %+v, want %+v", got, want)
	}
	if len(m.Run.Seconds) != 3 || m.Run.Started != o.Run.Started || m.Run.Machine != o.Run.Machine || !slices.Equal(m.Run.Command, o.Run.Command) || m.Run.Resumed != 0 {
		t.Errorf("found run %+v", m.Run)
	}
	if m.Epochs() != 3 {
		t.Errorf("found %d epochs, want 3", m.Epochs())
	}
}

func TestStartFrom(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	from := traintest.MustTrain(t, traintest.Options(t, zootest.One(t, zootest.Dropout, `"epochs": 1`), set))
	two := traintest.MustTrain(t, traintest.Options(t, zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"epochs": 1`), ""), zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(`"epochs": 1`), "")), set))
	frozen := `"rate": 0, "epochs": 1`
	for _, c := range []struct {
		name     string
		from     *model.Model
		to       *blueprint.Document
		taken    []string // tensors, from SOURCE where that differs
		fail     string
		mentions string
	}{
		{"all", from, zootest.One(t, zootest.Dropout, frozen), []string{"net/hidden/weights", "net/hidden/bias", "net/out/weights", "net/out/bias"}, "", "net/out/bias: taken from net/out/bias"},
		{"another member's name", from, zootest.Document(t, zootest.Net("other", zootest.Every, zootest.Dropout, zootest.Recipe(frozen), "")),
			[]string{"other/hidden/weights", "other/hidden/bias", "other/out/weights", "other/out/bias"}, "", "other/out/bias: taken from net/out/bias"},
		{"another width", from, zootest.One(t, strings.ReplaceAll(zootest.Dropout, `"units": 5`, `"units": 4`), frozen), []string{"net/out/bias"}, "", "net/hidden/weights: drawn: shape [64 4], the other model's net/hidden/weights has [64 5]"},
		{"one of two", two, zootest.Document(t, zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(frozen), ""), zootest.Net("new", zootest.Eyes, zootest.Linear, zootest.Recipe(frozen), "")),
			[]string{"nose/out/weights", "nose/out/bias"}, "", "new/out/bias: drawn: the other model has none"},
		{"nothing fits", two, zootest.One(t, zootest.Linear, frozen), nil, "no tensor of the model to start from (tiny) has a name and shape that fit", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := traintest.Options(t, c.to, set)
			w := &traintest.Watch{}
			o.Start, o.Watch = c.from, w
			m, err := train.Run(t.Context(), o)
			if c.fail != "" {
				zootest.WantError(t, "train", err, nil, c.fail)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !w.Noted(c.mentions) {
				t.Errorf("found notes %q, want %q", w.Notes, c.mentions)
			}
			for name, a := range m.Weights {
				source := c.from.Weights[name]
				if source.Data == nil {
					_, rest, _ := strings.Cut(name, "/")
					source = c.from.Weights["net/"+rest]
				}
				if same := slices.Equal(a.Data, source.Data); same != slices.Contains(c.taken, name) {
					t.Errorf("%s: taken: %v", name, same)
				}
			}
		})
	}
}

// A loss that leaves the numbers ends the training with an error; what was
// learned before stays in the last checkpoint, and no model is written.
func TestDiverging(t *testing.T) {
	set := zootest.Faces(40, zootest.Every, 1)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"rate": {"kind": "step", "from": 0.01, "factor": 10000, "every": 2}, "epochs": 9, "batch": 4`), set)
	o.Every = train.Every{Batches: 2}
	w := &traintest.Watch{}
	o.Watch = w
	_, err := train.Run(t.Context(), o)
	zootest.WantError(t, "diverging", err, engine.ErrDiverged, "the training as it was at its last checkpoint is in "+model.LastPath(o.Output))
	if _, err := os.Stat(o.Output); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the model: %v, want none", err)
	}
	if w.Noted("no checkpoint") || w.Noted("goes on") {
		t.Errorf("found notes %q of a training that doesn't go on", w.Notes)
	}
	m := zootest.MustLoad(t, model.LastPath(o.Output))
	for name, a := range m.Weights {
		for _, v := range a.Data {
			if math.IsNaN(float64(v)) {
				t.Fatalf("the checkpoint's tensor %s holds a value that is not a number", name)
			}
		}
	}
	// A checkpoint finds it at once.
	o = traintest.Options(t, zootest.One(t, zootest.Linear, `"rate": {"kind": "step", "from": 0.01, "factor": 10000, "every": 1}, "epochs": 9, "batch": 1, "validation": 0`), set)
	o.Every = train.Every{Batches: 1}
	w = &traintest.Watch{}
	o.Watch = w
	_, err = train.Run(t.Context(), o)
	zootest.WantError(t, "diverging", err, engine.ErrDiverged, "the training as it was at its last checkpoint is in "+model.LastPath(o.Output))
	if last := w.Kept[len(w.Kept)-1]; w.Batches != 40*last.Epoch+last.Step+1 || w.Noted("no checkpoint") {
		t.Errorf("found %d batches, the last checkpoint %+v, notes %q, want an end one batch after it", w.Batches, last, w.Notes)
	}
	// By the last batch, after which no loss tells.
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		zootest.WantError(t, "the last batch", train.FiniteWeights(engine.Arrays{"net/out/bias": {Shape: []int{2}, Data: []float32{1, float32(v)}}}), engine.ErrDiverged, "tensor net/out/bias holds")
	}
	if err := train.FiniteWeights(engine.Arrays{"net/out/bias": {Shape: []int{2}, Data: []float32{1, -math.MaxFloat32}}}); err != nil {
		t.Error(err)
	}
	// At Ctrl-C, too.
	o = traintest.Options(t, zootest.One(t, zootest.Linear, `"rate": 10000, "epochs": 9, "batch": 1, "validation": 0`), set)
	ctx, cancel := context.WithCancel(t.Context())
	o.Watch = &traintest.Watch{OnBatch: func(n int) {
		if n == 30 {
			cancel()
		}
	}}
	_, err = train.Run(ctx, o)
	zootest.WantError(t, "interrupted when diverged", err, train.ErrInterrupted, "diverged")
	if !errors.Is(err, engine.ErrDiverged) {
		t.Errorf("error is %v, want ErrDiverged too", err)
	}
}

// What can't be trained on is refused before anything is written.
func TestTrainRefuses(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	empty := zootest.Faces(20, zootest.Every, 1)
	for i := range empty.Points {
		if empty.Columns[i%len(zootest.Every)] == "nose_tip_x" {
			empty.Points[i] = float32(math.NaN())
		}
	}
	constant := zootest.Faces(20, zootest.Every, 1)
	for i := range constant.Points {
		constant.Points[i] = 3
	}
	large := zootest.Faces(2, zootest.Every, 1)
	large.Height, large.Width = 4, 16
	finished := traintest.MustTrain(t, traintest.Options(t, zootest.One(t, zootest.Linear, ``), set))
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set)
	checkpoint := traintest.Interrupt(t, o, 2)
	two := traintest.Interrupt(t, traintest.Options(t, zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"batch": 6`), ""), zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(""), "")), set), 2)
	for _, c := range []struct {
		name   string
		change func(*train.Options)
		want   string
	}{
		{"columns that the data lacks", func(o *train.Options) { o.Data = zootest.WithColumns(set, zootest.Eyes) }, "nose_tip_x"},
		{"no complete row", func(o *train.Options) {
			o.Document, o.Data = zootest.One(t, zootest.Linear, `"loss": {"kind": "mse"}`), empty
		}, "member net: faces.csv: found no row with the columns filled, want at least two"},
		{"one row", func(o *train.Options) { o.Data = zootest.Faces(1, zootest.Every, 1) }, "found one row with the columns filled"},
		{"the same points in all rows", func(o *train.Options) { o.Data = constant }, "found the same value in all rows"},
		{"images of another size", func(o *train.Options) { o.Data = large }, "images: found 4x16"},
		{"columns not resolved", func(o *train.Options) {
			o.Document = zootest.Document(t, zootest.Net("net", []string{"*"}, zootest.Linear, zootest.Recipe(""), ""))
		}, `columns: found "*"`},
		{"a second member's recipe", func(o *train.Options) {
			o.Document = zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(""), ""), zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(""), ""))
			o.Document.Members[1].Recipe.Loss.Kind = "median"
		}, `member "nose": recipe.loss.kind: found "median"`},
		{"a resumed one's second member", func(o *train.Options) {
			o.Resume = zootest.MustLoad(t, two)
			o.Resume.Document.Members[1].Recipe.Loss.Kind = "median"
		}, `member "nose": recipe.loss.kind: found "median"`},
		{"no output", func(o *train.Options) { o.Output = "" }, "output: found none"},
		{"a finished model", func(o *train.Options) { o.Resume = finished }, "the training is finished, want a checkpoint"},
		{"other data", func(o *train.Options) {
			o.Resume, o.Data = zootest.MustLoad(t, checkpoint), zootest.Faces(20, zootest.Every, 2)
		}, "found data with checksum"},
	} {
		o := traintest.Options(t, zootest.One(t, zootest.Linear, ``), set)
		c.change(&o)
		_, err := train.Run(t.Context(), o)
		zootest.WantError(t, c.name, err, nil, c.want)
		if o.Output != "" {
			if files, _ := os.ReadDir(filepath.Dir(o.Output)); len(files) > 0 {
				t.Errorf("%s: found %v, want nothing written", c.name, files)
			}
		}
	}
}

// Two rows, and a share that holds none out, are enough.
func TestFewRows(t *testing.T) {
	for _, n := range []int{2, 3} {
		set := zootest.Faces(n, zootest.Every, 4)
		for i := range set.Points {
			if math.IsNaN(float64(set.Points[i])) {
				set.Points[i] = 3
			}
		}
		m := traintest.MustTrain(t, traintest.Options(t, zootest.One(t, zootest.Linear, `"validation": 0.4, "batch": 2`), set))
		if h := m.History[0]; len(h.TrainLoss) != 4 || (len(h.ValidationLoss) == 4) != (n == 3) || (h.BestEpoch > 0) != (n == 3) {
			t.Errorf("%d rows: found %d losses, %d of validation, best epoch %d", n, len(h.TrainLoss), len(h.ValidationLoss), h.BestEpoch)
		}
		m = traintest.MustTrain(t, traintest.Options(t, zootest.One(t, zootest.Linear, `"validation": 0.4, "stop": {"patience": 1}`), set))
		if n < 3 && m.History[0].Stopped {
			t.Errorf("%d rows: stopped early without rows to judge by", n)
		}
		for name, a := range m.Weights {
			if v := a.Data[0]; math.IsNaN(float64(v)) {
				t.Errorf("%d rows: %s is %g", n, name, v)
			}
		}
	}
}

// Ctrl-C before anything was learned keeps nothing, and replaces nothing.
func TestInterruptedBeforeTheFirstBatch(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set)
	_, err := train.Run(ended, o)
	zootest.WantError(t, "at once", err, train.ErrInterrupted, "before the first batch")
	if files, _ := os.ReadDir(filepath.Dir(o.Output)); len(files) > 0 {
		t.Errorf("found %v, want nothing written", files)
	}
	path := traintest.Interrupt(t, o, 2)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o.Resume, o.ResumePath = zootest.MustLoad(t, path), path
	_, err = train.Run(ended, o)
	zootest.WantError(t, "resumed and at once", err, train.ErrInterrupted, "the training so far is in "+path)
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the checkpoint was changed (%v)", err)
	}
}

// Ctrl-C between members and during a validation leaves a checkpoint at that point.
func TestInterruptedBetween(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 1)
	d := zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"epochs": 2, "batch": 7`), ""), zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(`"epochs": 2, "batch": 7`), ""))
	o := traintest.Options(t, d, set)
	whole := traintest.MustTrain(t, o)
	for _, c := range []struct {
		after         int // epochs over all members
		member, epoch int // of the checkpoint
	}{{1, 0, 1}, {2, 1, 0}, {3, 1, 1}} {
		part := o
		part.Output = filepath.Join(t.TempDir(), "m.fkz")
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		part.Watch = &traintest.Watch{OnEpoch: func(train.EpochDone) {
			if n++; n == c.after {
				cancel()
			}
		}}
		_, err := train.Run(ctx, part)
		zootest.WantError(t, "interrupted", err, train.ErrInterrupted, "the training so far is in ")
		part.ResumePath = model.LastPath(part.Output)
		part.Resume, part.Watch = zootest.MustLoad(t, part.ResumePath), &traintest.Watch{}
		if s := part.Resume.State; s.Member != c.member || s.Epoch != c.epoch || s.Step != 0 {
			t.Errorf("after epoch %d: found member %d, epoch %d, step %d, want %d, %d, 0", c.after, s.Member, s.Epoch, s.Step, c.member, c.epoch)
		}
		traintest.SameModel(t, fmt.Sprintf("after epoch %d", c.after), traintest.MustTrain(t, part), whole)
	}
	// After the last epoch there is nothing left to interrupt.
	part := o
	part.Output = filepath.Join(t.TempDir(), "m.fkz")
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	part.Watch = &traintest.Watch{OnEpoch: func(train.EpochDone) {
		if n++; n == 4 {
			cancel()
		}
	}}
	m, err := train.Run(ctx, part)
	if err != nil {
		t.Fatal(err)
	}
	traintest.SameModel(t, "after the last epoch", m, whole)
}

// A member's end is kept before the next one starts, and named by whatever ends
// the training later; going on from there gives the same model.
func TestMemberDone(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 1)
	d := zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"epochs": 2, "batch": 7`), ""),
		zootest.Net("nose", zootest.Nose, zootest.Dropout, zootest.Recipe(`"epochs": 2, "batch": 7, "optimizer": {"kind": "adam"}, "average": {"decay": 0.5}`), ""))
	o := traintest.Options(t, d, set)
	whole := traintest.MustTrain(t, o)
	part := o
	part.Output, part.Every = filepath.Join(t.TempDir(), "m.fkz"), train.Every{Epochs: 100}
	kept := filepath.Join(t.TempDir(), "kept.fkz")
	part.Watch = &traintest.Watch{OnMember: func(m train.MemberStart) {
		if m.Index == 1 {
			if err := os.Link(model.LastPath(part.Output), kept); err != nil {
				t.Fatal(err)
			}
		}
	}}
	traintest.SameModel(t, "with checkpoints", traintest.MustTrain(t, part), whole)
	m := zootest.MustLoad(t, kept)
	if s := m.State; s.Member != 1 || s.Epoch != 0 || s.Step != 0 || len(m.History[0].TrainLoss) != 2 {
		t.Errorf("found state %+v and history %+v, want member 1 not begun", s, m.History)
	}
	part.Output, part.Resume, part.ResumePath, part.Watch = filepath.Join(t.TempDir(), "m.fkz"), m, kept, &traintest.Watch{}
	traintest.SameModel(t, "resumed", traintest.MustTrain(t, part), whole)

	part = o
	part.Document = zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"epochs": 2, "batch": 7`), ""),
		zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(`"rate": 10000, "epochs": 9, "batch": 1`), ""))
	part.Output, part.Every, part.Watch = filepath.Join(t.TempDir(), "m.fkz"), train.Every{Epochs: 100}, &traintest.Watch{}
	_, err := train.Run(t.Context(), part)
	zootest.WantError(t, "a second member that diverges", err, engine.ErrDiverged, "at its last checkpoint is in "+model.LastPath(part.Output))
}

// A checkpoint holds each array once: the model's weights are the training's,
// or its averages.
func TestCheckpointTensors(t *testing.T) {
	for changes, want := range map[string][]string{
		`"batch": 6`: {"net/out/bias", "net/out/weights", "training/optimizer/velocity/net/out/bias", "training/optimizer/velocity/net/out/weights"},
		`"batch": 20, "stop": {"patience": 3}, "average": {"decay": 0.5}, "optimizer": {"kind": "adam"}`: {
			"best/net/out/bias", "best/net/out/weights", "net/out/bias", "net/out/weights",
			"training/net/out/bias", "training/net/out/weights",
			"training/optimizer/mean/net/out/bias", "training/optimizer/mean/net/out/weights",
			"training/optimizer/square/net/out/bias", "training/optimizer/square/net/out/weights",
		},
	} {
		f, err := format.Open(traintest.Interrupt(t, traintest.Options(t, zootest.One(t, zootest.Linear, changes), zootest.Faces(20, zootest.Every, 1)), 2))
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, x := range f.Infos() {
			found = append(found, x.Name)
		}
		_ = f.Close()
		if !slices.Equal(found, want) {
			t.Errorf("%s: found tensors %q, want %q", changes, found, want)
		}
	}
}

// Checkpoints come as often as asked.
func TestEvery(t *testing.T) {
	for _, c := range []struct {
		name  string
		every train.Every
		want  []int // batches done at each
	}{
		{"never", train.Every{}, nil},
		{"2 epochs", train.Every{Epochs: 2}, []int{6, 12}},
		{"2 batches", train.Every{Batches: 2}, []int{2, 4, 6, 8, 10, 12, 14}},
		{"4 batches", train.Every{Batches: 4}, []int{4, 8, 12}},
		{"each moment", train.Every{Time: 1}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}},
	} {
		o := traintest.Options(t, zootest.One(t, zootest.Linear, `"epochs": 5, "batch": 8, "validation": 0`), zootest.Faces(20, zootest.Every, 1))
		o.Every = c.every
		var found []int
		look := func() { // after the moment for a checkpoint has passed
			if m, err := model.Load(model.LastPath(o.Output)); err == nil {
				if at := m.State.Epoch*3 + m.State.Step; len(found) == 0 || found[len(found)-1] != at {
					found = append(found, at)
				}
			}
		}
		o.Watch = &traintest.Watch{OnBatch: func(int) { look() }}
		traintest.MustTrain(t, o)
		if !slices.Equal(found, c.want) {
			t.Errorf("%s: found checkpoints after batches %v, want %v", c.name, found, c.want)
		}
	}
}

func TestOutput(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	new := func() train.Options { return traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set) }
	write := func(path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	o := new()
	write(o.Output)
	_, err := train.Run(t.Context(), o)
	zootest.WantError(t, "exists", err, format.ErrExists, "m.fkz: exists already")
	o.Force = true
	traintest.MustTrain(t, o)
	zootest.MustLoad(t, o.Output)

	o = new()
	write(model.LastPath(o.Output))
	_, err = train.Run(t.Context(), o)
	zootest.WantError(t, "a checkpoint exists", err, format.ErrExists, "the checkpoint of an earlier training")

	o = new()
	o.Output = filepath.Join(filepath.Dir(o.Output), "missing", "m.fkz")
	_, err = train.Run(t.Context(), o)
	zootest.WantError(t, "no folder", err, os.ErrNotExist, "missing")

	for _, folder := range []func(string) string{func(s string) string { return s }, model.LastPath} {
		o = new()
		o.Force = true
		if err := os.Mkdir(folder(o.Output), 0o777); err != nil {
			t.Fatal(err)
		}
		_, err = train.Run(t.Context(), o)
		zootest.WantError(t, "a folder", err, nil, "is a folder")
	}

	if runtime.GOOS != "windows" {
		o = new()
		if err := os.Symlink("nowhere", o.Output); err != nil {
			t.Fatal(err)
		}
		_, err = train.Run(t.Context(), o)
		zootest.WantError(t, "a symbolic link to nothing", err, format.ErrExists, "exists already")
	}
	if runtime.GOOS == "linux" { // where nobody can write, root neither
		o = new()
		o.Output = "/proc/m.fkz"
		_, err = train.Run(t.Context(), o)
		zootest.WantError(t, "a folder without writing", err, nil, "/proc/m.fkz: cannot write beside it")
	}
}

// Two trainings to one output don't mix: the second is refused, and the first goes on.
func TestBusy(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set)
	// What a killed training left behind doesn't count.
	if err := os.WriteFile(filepath.Join(filepath.Dir(o.Output), ".m.fkz.lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	second := o
	second.Force = true
	o.Watch = &traintest.Watch{OnBatch: func(n int) {
		if n == 2 {
			_, err := train.Run(t.Context(), second)
			zootest.WantError(t, "second", err, train.ErrBusy, "m.fkz: another training is writing it now")
		}
	}}
	want := traintest.MustTrain(t, o).Digest
	if got := traintest.MustTrain(t, second).Digest; got != want {
		t.Errorf("after the first: found digest %s, want %s", got, want)
	}
}

// A checkpoint that can't be written costs no training.
func TestCheckpointFails(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set)
	want := traintest.MustTrain(t, o).Digest
	o.Force, o.Every = true, train.Every{Batches: 1}
	w := &traintest.Watch{}
	w.OnBatch = func(n int) {
		switch n {
		case 3:
			_ = os.Remove(model.LastPath(o.Output))
			if err := os.Mkdir(model.LastPath(o.Output), 0o777); err != nil {
				t.Error(err)
			}
		case 8:
			_ = os.Remove(model.LastPath(o.Output))
		}
	}
	o.Watch = w
	if got := traintest.MustTrain(t, o).Digest; got != want {
		t.Errorf("found digest %s, want %s", got, want)
	}
	if !w.Noted("no checkpoint") || !w.Noted("; the training goes on") {
		t.Errorf("found notes %q", w.Notes)
	}
}

// What can't be written where it should be is written elsewhere, and the error says where.
func TestElsewhere(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR")) // on Windows
	set := zootest.Faces(20, zootest.Every, 1)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set)
	want := traintest.MustTrain(t, o)

	moved := func(name string, err error) *model.Model {
		t.Helper()
		var e *train.ElsewhereError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), e.Path) {
			t.Fatalf("%s: error is %v, want an ElsewhereError that names the file", name, err)
		}
		m := zootest.MustLoad(t, e.Path)
		if e.Partial != (m.State != nil) {
			t.Errorf("%s: found partial %v", name, e.Partial)
		}
		return m
	}

	// Somebody's file has taken the name: it stays, and the model is beside it.
	o = traintest.Options(t, o.Document, set)
	taken := o.Output
	o.Watch = &traintest.Watch{OnBatch: func(n int) {
		if n == 5 {
			if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
				t.Error(err)
			}
		}
	}}
	_, err := train.Run(t.Context(), o)
	traintest.SameModel(t, "name taken", moved("name taken", err), want)
	zootest.WantError(t, "name taken", err, format.ErrExists, "the finished model is in "+strings.TrimSuffix(taken, ".fkz")+"-2.fkz")
	if b, _ := os.ReadFile(taken); string(b) != "precious" {
		t.Errorf("the other file holds %q", b)
	}

	// Nothing can be written any more: the last checkpoint stays, and is named.
	full := traintest.Options(t, o.Document, set)
	full.Force, full.Every = true, train.Every{Batches: 1}
	temporary := os.Getenv("TMPDIR")
	full.Watch = &traintest.Watch{OnBatch: func(n int) {
		if n == 5 {
			t.Setenv("TMPDIR", filepath.Join(temporary, "none"))
			t.Setenv("TMP", filepath.Join(temporary, "none"))
			if err := os.Mkdir(full.Output, 0o777); err != nil {
				t.Error(err)
			}
		}
	}}
	_, err = train.Run(t.Context(), full)
	zootest.WantError(t, "nowhere", err, nil, "nor can it be kept elsewhere")
	zootest.WantError(t, "nowhere", err, nil, "the training as it was at its last checkpoint is in "+model.LastPath(full.Output))
	t.Setenv("TMPDIR", temporary)
	t.Setenv("TMP", temporary)
	if err := os.Remove(full.Output); err != nil {
		t.Fatal(err)
	}
	full.Resume, full.ResumePath, full.Watch = zootest.MustLoad(t, model.LastPath(full.Output)), model.LastPath(full.Output), nil
	traintest.SameModel(t, "resumed after nowhere", traintest.MustTrain(t, full), want)

	// The folder is gone.
	gone := func(at int, then func()) train.Options {
		o := traintest.Options(t, o.Document, set)
		folder := filepath.Join(filepath.Dir(o.Output), "sub")
		if err := os.Mkdir(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		o.Output = filepath.Join(folder, "m.fkz")
		o.Watch = &traintest.Watch{OnBatch: func(n int) {
			if n == at {
				if err := os.RemoveAll(folder); err != nil {
					t.Error(err)
				}
				then()
			}
		}}
		return o
	}
	if runtime.GOOS == "windows" {
		return // the lock's file is open
	}
	_, err = train.Run(t.Context(), gone(5, func() {}))
	traintest.SameModel(t, "no folder", moved("no folder", err), want)

	ctx, cancel := context.WithCancel(t.Context())
	o = gone(5, cancel)
	_, err = train.Run(ctx, o)
	zootest.WantError(t, "interrupted without a folder", err, train.ErrInterrupted, "the training so far is in ")
	part := moved("interrupted", err)
	o = traintest.Options(t, o.Document, set)
	o.Resume = part
	traintest.SameModel(t, "resumed", traintest.MustTrain(t, o), want)
}

// Nothing in a damaged or made-up state ends in a panic or a wrong model.
func TestDamagedStates(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	d := zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"epochs": 2, "batch": 6`), ""),
		zootest.Net("net", zootest.Every, zootest.Dropout, zootest.Recipe(`"epochs": 4, "batch": 6, "optimizer": {"kind": "adam"}, "average": {"decay": 0.5}, "stop": {"patience": 3}`), ""))
	path := traintest.Interrupt(t, traintest.Options(t, d, set), 2*3+2*3+1) // member 1, epoch 2, batch 1
	change := func(arrays engine.Arrays, name string, a *engine.Array) {
		if _, ok := arrays[name]; !ok {
			t.Fatalf("found no tensor %s, have %v", name, slices.Sorted(maps.Keys(arrays)))
		}
		if a == nil {
			delete(arrays, name)
		} else {
			arrays[name] = *a
		}
	}
	wrong := &engine.Array{Shape: []int{2}, Data: make([]float32, 2)}
	for _, c := range []struct {
		name   string
		change func(m *model.Model)
		want   string // "": it goes on
	}{
		{"as it is", func(m *model.Model) {}, ""},
		{"no weights", func(m *model.Model) { change(m.State.Tensors, "net/out/weights", nil) }, "tensor net/out/weights: missing"},
		{"no optimizer's", func(m *model.Model) { change(m.State.Tensors, "optimizer/mean/net/out/bias", nil) }, "tensor optimizer/mean/net/out/bias: missing"},
		{"no average", func(m *model.Model) { change(m.Weights, "net/out/bias", nil) }, "tensor net/out/bias: missing"},
		{"a tensor more", func(m *model.Model) { m.State.Tensors["average/net/out/bias"] = *wrong }, ""},
		{"wrong shape", func(m *model.Model) { change(m.State.Tensors, "optimizer/square/net/out/bias", wrong) }, "tensor optimizer/square/net/out/bias: found shape [2]"},
		{"no best", func(m *model.Model) { m.State.Best = nil }, "tensor best/net/hidden/bias: missing"},
		{"a part of the best", func(m *model.Model) { change(m.State.Best, "net/out/bias", nil) }, "tensor best/net/out/bias: missing"},
		{"best of a wrong shape", func(m *model.Model) { change(m.State.Best, "net/out/bias", wrong) }, "tensor best/net/out/bias: found shape [2]"},
		{"best of another", func(m *model.Model) { m.State.Best["mouth/out/bias"] = *wrong }, "tensor best/mouth/out/bias: no parameter"},
		{"best of the one before, wrong", func(m *model.Model) { m.State.Best["eyes/out/bias"] = *wrong }, "tensor best/eyes/out/bias: found shape [2]"},
		{"a part of the one before", func(m *model.Model) { m.State.Final["eyes/out/bias"] = m.Weights["eyes/out/bias"] }, "tensor final/eyes/out/weights: missing"},
		{"best of the one before, which has none", func(m *model.Model) {
			for _, name := range []string{"eyes/out/bias", "eyes/out/weights"} {
				m.State.Final[name] = m.Weights[name]
			}
			m.History[0].BestEpoch = 0
		}, "of member eyes, want none where no epoch is the best"},
		{"the end of one under way", func(m *model.Model) { m.State.Final["net/out/bias"] = m.Weights["net/out/bias"] }, "tensor final/net/out/bias: no parameter"},
		{"member below", func(m *model.Model) { m.State.Member = -1 }, "found member -1"},
		{"member above", func(m *model.Model) { m.State.Member = 2 }, "found member 2"},
		{"the member before", func(m *model.Model) { m.State.Member = 0 }, "want none before member eyes is done"},
		{"epoch below", func(m *model.Model) { m.State.Epoch = -1 }, "found epoch -1"},
		{"epoch above", func(m *model.Model) { m.State.Epoch = 3 }, "found epoch 3 of member net, want 2 as in its history"},
		{"step below", func(m *model.Model) { m.State.Step = -1 }, "step -1"},
		{"step above", func(m *model.Model) { m.State.Step = 4 }, "found epoch 2 and step 4"},
		{"step far above", func(m *model.Model) { m.State.Step = math.MaxInt }, "step 9223372036854775807"},
		{"cells below", func(m *model.Model) { m.State.Cells = -1 }, "-1 cells"},
		{"loss not a number", func(m *model.Model) { m.State.LossSum = math.NaN() }, "state.loss_sum: found NaN"},
		{"no history", func(m *model.Model) { m.History = nil }, "found the history of 0 members, want 2"},
		{"another's history", func(m *model.Model) { m.History[0].Member = "nose" }, `found the history of "nose" in place 1, want that of eyes`},
		{"a stopped member", func(m *model.Model) { m.History[1].Stopped = true }, "found member net stopped"},
		{"history longer than the recipe", func(m *model.Model) {
			h := &m.History[1]
			for range 3 {
				h.TrainLoss, h.Rate = append(h.TrainLoss, 1), append(h.Rate, 1)
				h.ValidationLoss, h.RMSEPixels = append(h.ValidationLoss, 1), append(h.RMSEPixels, 1)
			}
			m.State.Epoch = 5
		}, "found epoch 5 and batch 1, want at most 4 epochs"},
		{"rates lost", func(m *model.Model) { m.History[1].Rate = nil }, "found 0 rates"},
		{"validation lost", func(m *model.Model) { m.History[1].ValidationLoss = m.History[1].ValidationLoss[:1] }, "found 1 validation losses"},
		{"pixels lost", func(m *model.Model) { m.History[1].RMSEPixels = nil }, "found 0 values of rmse_pixels"},
		{"best epoch above", func(m *model.Model) { m.History[1].BestEpoch = 3 }, "found best epoch 3"},
		{"other data", func(m *model.Model) { m.Provenance.Data.Checksum = "" }, "found data with checksum"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := zootest.MustLoad(t, path)
			c.change(m)
			made := filepath.Join(t.TempDir(), "made.fkz")
			err := m.Save(made, false)
			if err == nil {
				if m, err = model.Load(made); err == nil {
					o := traintest.Options(t, nil, set)
					o.Resume = m
					_, err = train.Run(t.Context(), o)
				}
			}
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			zootest.WantError(t, "made-up state", err, nil, c.want)
			if err != nil && strings.Contains(err.Error(), "internal fault") {
				t.Errorf("error is %v, want one without a panic behind it", err)
			}
		})
	}
}

// Resuming on another backend or version is recorded.
func TestResumedElsewhere(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set)
	path := traintest.Interrupt(t, o, 2)
	// What a newer version said of a tensor isn't true of the tensor that comes after it.
	meta, tensors, err := format.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range tensors {
		tensors[i].Extra = map[string]any{"later": true}
	}
	if err := format.Write(path, meta, tensors, format.Options{Force: true}); err != nil {
		t.Fatal(err)
	}
	w := &traintest.Watch{}
	o.Resume, o.ResumePath, o.Version, o.Watch = zootest.MustLoad(t, path), path, "newer", w
	o.Resume.Provenance.Backend = "cuda"
	m := traintest.MustTrain(t, o)
	if _, tensors, err := format.Load(o.Output); err != nil || len(tensors) != 2 || tensors[0].Extra != nil {
		t.Errorf("found %d tensors, the first with %v (%v), want 2 and nothing", len(tensors), tensors[0].Extra, err)
	}
	if m.Provenance.Backend != "cuda, go" || m.Provenance.Fkzoo != "test, newer" || !w.Noted("began on backend cuda and goes on with go") {
		t.Errorf("found backend %q, fkzoo %q, notes %q", m.Provenance.Backend, m.Provenance.Fkzoo, w.Notes)
	}
}

// A member that the engine can't train is refused before the first of them is trained.
func TestUnsupportedMember(t *testing.T) {
	kinds := blueprint.Kinds
	t.Cleanup(func() { blueprint.Kinds = kinds })
	unheard := *blueprint.KindByName("flatten")
	unheard.Name = "unheard"
	blueprint.Kinds = append(slices.Clone(kinds), unheard)
	o := traintest.Options(t, zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"batch": 7`), ""),
		zootest.Net("nose", zootest.Nose, strings.Replace(zootest.Linear, `"flatten"`, `"unheard"`, 1), zootest.Recipe(`"batch": 7`), "")), zootest.Faces(30, zootest.Every, 1))
	w := &traintest.Watch{}
	o.Watch = w
	_, err := train.Run(t.Context(), o)
	zootest.WantError(t, "a second member that isn't supported", err, engine.ErrUnsupported, "member nose: ")
	zootest.WantError(t, "a second member that isn't supported", err, engine.ErrUnsupported, "kind unheard: ")
	if w.Batches > 0 || len(w.Starts) > 0 {
		t.Errorf("found %d batches trained, want none", w.Batches)
	}
}

// Columns whose answers will mean little are told of before the training.
func TestWarnColumns(t *testing.T) {
	set := zootest.Faces(20, []string{"eye_x", "eye_y", "spot"}, 4)
	for r := range set.Len() {
		set.Row(r)[1] = float32(math.NaN())
	}
	set.Checksum = set.Sum()
	o := traintest.Options(t, zootest.Document(t, zootest.Net("net", set.Columns, zootest.Linear, zootest.Recipe(`"epochs": 1, "loss": {"kind": "mse", "rows": "filled"}, "augment": {"noise": 0.1}`), "")), set)
	w := &traintest.Watch{}
	o.Watch = w
	traintest.MustTrain(t, o)
	for _, want := range []string{"net: no cell of eye_y is filled", "net: the names of spot end in neither _x nor _y"} {
		if !slices.ContainsFunc(w.Notes, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("found %q told, want %q", w.Notes, want)
		}
	}
}
