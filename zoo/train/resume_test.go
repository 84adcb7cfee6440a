package train_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

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
			goesOn(t, path, set, c.change, c.want)
		})
	}
}

// goesOn changes a checkpoint, and wants the training to go on from it, or an error.
func goesOn(t *testing.T, path string, set *dataset.Set, change func(m *model.Model), want string) {
	t.Helper()
	m := zootest.MustLoad(t, path)
	change(m)
	made := filepath.Join(t.TempDir(), "made.fkz")
	err := m.Save(made, false)
	if err == nil {
		if m, err = model.Load(made); err == nil {
			o := traintest.Options(t, nil, set)
			o.Resume = m
			_, err = train.Run(t.Context(), o)
		}
	}
	if want == "" {
		if err != nil {
			t.Error(err)
		}
		return
	}
	zootest.WantError(t, "made-up state", err, nil, want)
	if err != nil && strings.Contains(err.Error(), "internal fault") {
		t.Errorf("error is %v, want one without a panic behind it", err)
	}
}

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

// A checkpoint of kernels that compute otherwise in their last digits, or of go before it had any, goes on with a note.
func TestResumeWithOtherKernels(t *testing.T) {
	here := zootest.GoBackend(t).Kernels()
	for _, c := range []struct{ found, want, noted string }{
		{here, here, ""},
		{"other", "other, " + here, "began with kernels other and goes on with " + here},
		{"other, " + here, "other, " + here, ""},
		{"", here, "began on backend go of an earlier fkzoo, which computed otherwise"},
	} {
		o := traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), zootest.Faces(20, zootest.Every, 1))
		path := traintest.Interrupt(t, o, 2)
		w := &traintest.Watch{}
		o.Resume, o.ResumePath, o.Watch = zootest.MustLoad(t, path), path, w
		o.Resume.Provenance.Kernels = c.found
		if m := traintest.MustTrain(t, o); m.Provenance.Kernels != c.want {
			t.Errorf("%q: found the kernels %q, want %q", c.found, m.Provenance.Kernels, c.want)
		}
		if noted := w.Noted("last digits"); noted != (c.noted != "") || noted && !w.Noted(c.noted) {
			t.Errorf("%q: found the notes %q, want %q", c.found, w.Notes, c.noted)
		}
	}
}
