package engine

import (
	"context"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// faces are random images and points, with a cell in five empty.
func faces(count, height, width int, columns []string) Examples {
	r := rand.New(rand.NewPCG(1, 2))
	e := Examples{Images: Images{Count: count, Height: height, Width: width, Channels: 1}, Columns: columns}
	for range count * height * width {
		e.Bytes = append(e.Bytes, uint8(r.IntN(256)))
	}
	for range count * len(columns) {
		v := float32(r.Float64() * float64(width))
		if r.IntN(5) == 0 {
			v = float32(math.NaN())
		}
		e.Points = append(e.Points, v)
	}
	return e
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func mustUpload(t testing.TB, on device.Device, e Examples) *Resident {
	t.Helper()
	r, err := upload(on, e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func mustTrainer(t testing.TB, data *Resident, c Config) *Trainer {
	t.Helper()
	return mustTrain(t, data, c, data.device.SliceRows(c.Plan))
}

// mustTrain has so many rows at once.
func mustTrain(t testing.TB, data *Resident, c Config, atOnce int) *Trainer {
	t.Helper()
	tr, err := newTrainer(data, c, atOnce)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

func mustEpoch(t testing.TB, tr *Trainer) float64 {
	t.Helper()
	l, err := tr.Epoch(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return l.Loss
}

func mustSnapshot(t testing.TB, tr *Trainer) *State {
	t.Helper()
	s, err := tr.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sameState fails where two states differ in a bit.
func sameState(t *testing.T, what string, got, want *State) {
	t.Helper()
	if got.Epoch != want.Epoch || got.Step != want.Step || got.LossSum != want.LossSum || got.Cells != want.Cells {
		t.Errorf("%s: found epoch %d, step %d, loss %g of %g cells, want %d, %d, %g of %g", what, got.Epoch, got.Step, got.LossSum, got.Cells, want.Epoch, want.Step, want.LossSum, want.Cells)
	}
	if len(got.Tensors) != len(want.Tensors) {
		t.Errorf("%s: found %d tensors, want %d", what, len(got.Tensors), len(want.Tensors))
	}
	for name, w := range want.Tensors {
		if g := got.Tensors[name]; !slices.Equal(g.Shape, w.Shape) || !slices.Equal(g.Data, w.Data) {
			t.Errorf("%s: tensor %s differs", what, name)
		}
	}
}

// Some steps of each optimizer, with schedules, clipping, averages, empty cells
// and a smaller last batch, weight by weight.
func TestOptimizersAgreeWithPyTorch(t *testing.T) {
	r := enginetest.TheReference(t)
	for _, kind := range blueprint.Optimizers.Names() {
		if !slices.ContainsFunc(r.Trainings, func(c enginetest.RefTraining) bool { return strings.Contains(string(c.Recipe), `"kind":"`+kind+`"`) }) {
			t.Errorf("optimizer %s: not in reference.json.gz", kind)
		}
	}
	columns := []string{"a_x", "a_y", "b_x", "b_y"}
	eachDevice(t, func(t *testing.T, on device.Device) {
		for _, c := range r.Trainings {
			t.Run(c.Name, func(t *testing.T) {
				var layers []string
				for _, l := range c.Layers {
					layers = append(layers, string(l))
				}
				plan := enginetest.Plan(t, enginetest.Document(6, 6, c.Scaling, strings.Join(layers, ","), string(c.Recipe)), columns...)
				e := Examples{Images: Images{Count: len(c.Images) / 36, Height: 6, Width: 6, Channels: 1}, Columns: columns}
				for _, v := range c.Images {
					e.Bytes = append(e.Bytes, uint8(v))
				}
				for _, v := range c.Points {
					if v == nil {
						e.Points = append(e.Points, float32(math.NaN()))
					} else {
						e.Points = append(e.Points, float32(*v))
					}
				}
				weights := Arrays{}
				for name, a := range c.Weights {
					weights["net/"+name] = Array(a.Tensor(t))
				}
				tr := mustTrainer(t, mustUpload(t, on, e), Config{Plan: plan, Rows: upTo(e.Count), Epochs: plan.Member.Recipe.Epochs, Seed: 1, Weights: weights})
				for _, rows := range c.Batches { // in the reference's order, not the seed's
					if err := tr.train(rows); err != nil {
						t.Fatal(err)
					}
					if tr.step++; tr.step == tr.StepsPerEpoch() {
						tr.epoch, tr.step = tr.epoch+1, 0
					}
				}
				s := mustSnapshot(t, tr)
				if math.Abs(s.LossSum-c.LossSum) > 1e-5*c.LossSum || s.Cells != c.Cells {
					t.Errorf("found a loss of %g over %g cells, want %g over %g", s.LossSum, s.Cells, c.LossSum, c.Cells)
				}
				if len(s.Tensors) != len(c.State) {
					t.Errorf("found the tensors %v, want %v", slices.Sorted(maps.Keys(s.Tensors)), slices.Sorted(maps.Keys(c.State)))
				}
				for _, name := range slices.Sorted(maps.Keys(c.State)) {
					enginetest.Near(t, name, enginetest.Tensor(s.Tensors[name]), c.State[name].Tensor(t), 2e-5)
				}
			})
		}
	})
}

// everything is a network and recipe with all that draws random numbers or
// keeps a state.
var everything = enginetest.Document(8, 8, "unit", `
	{"name": "c", "kind": "conv2d", "filters": 2, "activation": "relu"}, {"name": "p", "kind": "max_pool"},
	{"name": "b", "kind": "batch_norm"}, {"name": "o1", "kind": "dropout", "rate": 0.25}, {"name": "f", "kind": "flatten"},
	{"name": "h", "kind": "dense", "units": 5, "activation": "tanh"}, {"name": "o2", "kind": "dropout"}, {"name": "y", "kind": "dense", "units": "columns"}`,
	enginetest.Plain(enginetest.Adam+`, "augment": {"mirror": {}, "rotate": 15, "scale": 0.1, "shift": 1, "brightness": 0.1,
		"contrast": {"kind": "linear", "from": 0.1, "to": 0.2}, "noise": 0.05, "erase": {"share": 0.5, "area": 0.2}},
		"average": {"decay": 0.9}`))

// Stopped by its context in the middle of an epoch and continued from the
// snapshot, a training gives the same bits as one that ran through.
func TestContinuedTrainingIsTheSame(t *testing.T) {
	columns := []string{"left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y"}
	plan := enginetest.Plan(t, everything, columns...)
	eachDevice(t, func(t *testing.T, on device.Device) {
		data := mustUpload(t, on, faces(10, 8, 8, columns))
		c := Config{Plan: plan, Rows: []int{0, 1, 2, 3, 4, 5, 6, 7, 9}, Epochs: 2, Seed: 7}
		whole := mustTrainer(t, data, c)
		if n := whole.StepsPerEpoch(); n != 3 {
			t.Fatalf("found %d steps an epoch, want 3 for 9 rows in batches of 4", n)
		}
		first, second := mustEpoch(t, whole), mustEpoch(t, whole)
		want := mustSnapshot(t, whole)

		cut := mustTrainer(t, data, c)
		if again := mustEpoch(t, cut); again != first {
			t.Errorf("the same seed: found a loss of %v, want %v", again, first)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var ticks []int
		_, err := cut.Epoch(ctx, func(done, total int) {
			if ticks = append(ticks, done); done == 2 {
				cancel()
			}
		})
		if epoch, step := cut.Position(); !errors.Is(err, context.Canceled) || epoch != 1 || step != 2 || !slices.Equal(ticks, []int{1, 2}) {
			t.Fatalf("stopped: found error %v at epoch %d, step %d after the ticks %v, want %v at 1, 2 after [1 2]", err, epoch, step, ticks, context.Canceled)
		}
		c.State = mustSnapshot(t, cut)
		sameState(t, "unchanged snapshot", mustSnapshot(t, cut), c.State)
		continued := mustTrainer(t, data, c)
		if loss := mustEpoch(t, continued); loss != second {
			t.Errorf("continued: found a loss of %v, want %v", loss, second)
		}
		sameState(t, "continued", mustSnapshot(t, continued), want)

		c.State, c.Seed = nil, 8
		other := mustTrainer(t, data, c)
		if mustEpoch(t, other) == first {
			t.Errorf("another seed gives the same loss")
		}
	})
}

// The loss of an epoch is the mean over the filled cells, as computed from the
// answers. With a rate of 0 the weights stay.
func TestEpochLossIsTheMeanOverFilledCells(t *testing.T) {
	columns := []string{"a_x", "a_y", "b_x"}
	e := faces(10, 3, 3, columns)
	rows := []int{0, 2, 3, 4, 5, 6, 7, 8, 9}
	eachDevice(t, func(t *testing.T, on device.Device) {
		plan := enginetest.Plan(t, enginetest.Document(3, 3, "unit", enginetest.OneDense, `{"loss": {"kind": "wing"}, "optimizer": {"kind": "sgd"}, "rate": 0, "epochs": 1, "batch": 4, "validation": 0}`), columns...)
		tr := mustTrainer(t, mustUpload(t, on, e), Config{Plan: plan, Rows: rows, Epochs: 1, Seed: 1})
		answer, err := tr.Predict(context.Background(), e.Images, rows)
		if err != nil {
			t.Fatal(err)
		}
		sum, n, loss := 0.0, 0, LossOf(plan.Member.Recipe.Loss)
		for i, r := range rows {
			for k := range columns {
				if v := float64(e.Points[r*len(columns)+k]); !math.IsNaN(v) {
					sum += loss((float64(answer[i*len(columns)+k]) - v) / 1.5)
					n++
				}
			}
		}
		if got, want := mustEpoch(t, tr), sum/float64(n); math.Abs(got-want) > 1e-6 {
			t.Errorf("found a loss of %g, want %g", got, want)
		}
		if epoch, step := tr.Position(); epoch != 1 || step != 0 {
			t.Errorf("found the position %d, %d, want 1, 0", epoch, step)
		}
	})
}

// A batch without a filled cell changes nothing and costs nothing.
func TestEmptyCellsTeachNothing(t *testing.T) {
	e := faces(3, 3, 3, []string{"a_x"})
	for i := range e.Points {
		e.Points[i] = float32(math.NaN())
	}
	eachDevice(t, func(t *testing.T, on device.Device) {
		plan := enginetest.Plan(t, enginetest.Document(3, 3, "unit", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), e.Columns...)
		tr := mustTrainer(t, mustUpload(t, on, e), Config{Plan: plan, Rows: upTo(3), Epochs: 1, Seed: 1})
		before := mustSnapshot(t, tr)
		if loss := mustEpoch(t, tr); loss != 0 {
			t.Errorf("found a loss of %g, want 0", loss)
		}
		before.Epoch = 1
		sameState(t, "weights", mustSnapshot(t, tr), before)
	})
}

// Layers that the answer doesn't depend on keep their weights, the averages
// follow the weights that there are.
func TestUnusedLayersStay(t *testing.T) {
	e := faces(4, 3, 3, []string{"a_x", "b_x"})
	eachDevice(t, func(t *testing.T, on device.Device) {
		layers := `{"name": "f", "kind": "flatten"}, {"name": "u1", "kind": "dense", "units": 3}, {"name": "u2", "kind": "batch_norm"}, {"name": "y", "kind": "dense", "units": "columns", "inputs": ["f"]}`
		plan := enginetest.Plan(t, enginetest.Document(3, 3, "unit", layers, enginetest.Plain(enginetest.Adam+`, "average": {"decay": 0}`)), e.Columns...)
		tr := mustTrainer(t, mustUpload(t, on, e), Config{Plan: plan, Rows: upTo(4), Epochs: 1, Seed: 1})
		before := mustSnapshot(t, tr)
		mustEpoch(t, tr)
		after := mustSnapshot(t, tr)
		for name, a := range before.Tensors {
			changed := !slices.Equal(a.Data, after.Tensors[name].Data)
			if want := strings.Contains(name, "/y/"); changed != want {
				t.Errorf("tensor %s: changed %v, want %v", name, changed, want)
			}
		}
		current, err := tr.Current()
		if err != nil {
			t.Fatal(err)
		}
		for name, a := range current { // with a decay of 0 the average is the weight
			if !slices.Equal(a.Data, after.Tensors[name].Data) || !slices.Equal(a.Data, after.Tensors["average/"+name].Data) {
				t.Errorf("tensor %s: found an average that is not the weight", name)
			}
		}
	})
}

// Two hundred steps take no more memory than fifty.
func TestMemoryDoesNotGrow(t *testing.T) {
	e := faces(8, 4, 4, []string{"a_x", "a_y"})
	eachDevice(t, func(t *testing.T, on device.Device) {
		plan := enginetest.Plan(t, enginetest.Document(4, 4, "unit", enginetest.OneDense, enginetest.Plain(enginetest.Adam)), e.Columns...)
		tr := mustTrainer(t, mustUpload(t, on, e), Config{Plan: plan, Rows: upTo(8), Epochs: 1000, Seed: 1})
		measure := func() (heap int64, buffers int64) {
			if _, err := tr.Predict(context.Background(), e.Images, nil); err != nil {
				t.Fatal(err)
			}
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc), deviceBuffers()
		}
		run := func(epochs int) {
			for range epochs {
				mustEpoch(t, tr)
			}
		}
		run(25)
		heap, buffers := measure()
		run(100)
		heap2, buffers2 := measure()
		if heap2-heap > 256<<10 {
			t.Errorf("found %d bytes more on the heap after 200 more steps, want at most 256 KiB", heap2-heap)
		}
		if buffers2 != buffers {
			t.Errorf("found %d device buffers after 200 more steps, want %d", buffers2, buffers)
		}
	})
}
