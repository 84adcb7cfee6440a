package train_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

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
		Fkzoo: "test", Plugin: model.PluginFrom{Name: "baseline", SHA256: "abc"}, Seed: 3, Backend: "go", Kernels: zootest.GoBackend(t).Kernels(), Options: []string{"hidden=8"}, Start: start.Digest, StartData: []string{set.Checksum},
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

// Ctrl-C between members and during a validation leaves a checkpoint at that point.

// A member's end is kept before the next one starts, and named by whatever ends

// the training later; going on from there gives the same model.

// A checkpoint holds each array once: the model's weights are the training's,

// or its averages.

// Checkpoints come as often as asked.

// Two trainings to one output don't mix: the second is refused, and the first goes on.

// A checkpoint that can't be written costs no training.

// What can't be written where it should be is written elsewhere, and the error says where.

// Nothing in a damaged or made-up state ends in a panic or a wrong model.

// Resuming on another backend or version is recorded.

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
