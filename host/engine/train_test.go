package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// document writes a blueprint of one member, named net, for all columns.
func document(height, width int, scaling, layers, recipe string) string {
	return fmt.Sprintf(`{"blueprint": 1, "name": "test", "input": {"height": %d, "width": %d, "channels": 1, "scaling": %q},
		"members": [{"name": "net", "columns": ["*"], "layers": [%s], "recipe": %s}]}`, height, width, scaling, layers, recipe)
}

// plain is a recipe of small batches; more is added to it.
func plain(more string) string {
	return `{"loss": {"kind": "mse", "rows": "filled"}, "batch": 4, "epochs": 2, "validation": 0` + more + `}`
}

const (
	sgd  = `, "optimizer": {"kind": "sgd"}, "rate": 0.1`
	adam = `, "optimizer": {"kind": "adam"}, "rate": 0.01`
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

func mustUpload(t testing.TB, on *backend.Backend, e Examples) *Resident {
	t.Helper()
	r, err := Upload(on, e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func mustTrainer(t testing.TB, data *Resident, c Config) *Trainer {
	t.Helper()
	tr, err := NewTrainer(data, c)
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
	r := theReference(t)
	for _, kind := range blueprint.Optimizers.Names() {
		if !slices.ContainsFunc(r.Trainings, func(c refTraining) bool { return strings.Contains(string(c.Recipe), `"kind":"`+kind+`"`) }) {
			t.Errorf("optimizer %s: not in reference.json.gz", kind)
		}
	}
	columns := []string{"a_x", "a_y", "b_x", "b_y"}
	backendtest.Each(t, func(t *testing.T, on *backend.Backend) {
		for _, c := range r.Trainings {
			t.Run(c.Name, func(t *testing.T) {
				var layers []string
				for _, l := range c.Layers {
					layers = append(layers, string(l))
				}
				plan := mustPlan(t, document(6, 6, c.Scaling, strings.Join(layers, ","), string(c.Recipe)), columns...)
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
					weights["net/"+name] = a.array(t)
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
					near(t, name, s.Tensors[name], c.State[name].array(t), 2e-5)
				}
			})
		}
	})
}

// everything is a network and recipe with all that draws random numbers or
// keeps a state.
var everything = document(8, 8, "unit", `
	{"name": "c", "kind": "conv2d", "filters": 2, "activation": "relu"}, {"name": "p", "kind": "max_pool"},
	{"name": "b", "kind": "batch_norm"}, {"name": "o1", "kind": "dropout", "rate": 0.25}, {"name": "f", "kind": "flatten"},
	{"name": "h", "kind": "dense", "units": 5, "activation": "tanh"}, {"name": "o2", "kind": "dropout"}, {"name": "y", "kind": "dense", "units": "columns"}`,
	plain(adam+`, "augment": {"mirror": {}, "rotate": 15, "scale": 0.1, "shift": 1, "brightness": 0.1,
		"contrast": {"kind": "linear", "from": 0.1, "to": 0.2}, "noise": 0.05, "erase": {"share": 0.5, "area": 0.2}},
		"average": {"decay": 0.9}`))

// Stopped by its context in the middle of an epoch and continued from the
// snapshot, a training gives the same bits as one that ran through.
func TestContinuedTrainingIsTheSame(t *testing.T) {
	columns := []string{"left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y"}
	plan := mustPlan(t, everything, columns...)
	backendtest.Each(t, func(t *testing.T, on *backend.Backend) {
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
		share(continued, whole)
		if loss := mustEpoch(t, continued); loss != second {
			t.Errorf("continued: found a loss of %v, want %v", loss, second)
		}
		sameState(t, "continued", mustSnapshot(t, continued), want)

		c.State, c.Seed = nil, 8
		other := mustTrainer(t, data, c)
		share(other, whole)
		if mustEpoch(t, other) == first {
			t.Errorf("another seed gives the same loss")
		}
	})
}

// share spares a trainer of the same plan the compilation.
func share(to, from *Trainer) { to.programs = from.programs }

// One dense layer, of known weights: what training does can be said exactly.
const oneDense = `{"name": "f", "kind": "flatten"}, {"name": "y", "kind": "dense", "units": "columns"}`

// An image has one bright pixel, and the network knows where that is. It is
// right about mirrored images too, as long as their labels are mirrored.
func TestMirroredImagesAndLabelsFit(t *testing.T) {
	const width, count = 6, 9
	e := Examples{Images: Images{Count: count, Height: 1, Width: width, Channels: 1, Bytes: make([]uint8, count*width)}, Columns: []string{"nose_x"}}
	know := Arrays{"net/y/weights": {Shape: []int{width, 1}}, "net/y/bias": {Shape: []int{1}, Data: []float32{0}}}
	for i := range width {
		know["net/y/weights"] = Array{Shape: []int{width, 1}, Data: append(know["net/y/weights"].Data, (float32(i)+0.5-width/2)/(width/2))}
	}
	for r := range count {
		at := r * 5 % 3 // on the left half: mirrored ones are on the right
		e.Bytes[r*width+at] = 255
		e.Points = append(e.Points, float32(at)+0.5)
	}
	recipe := func(share string) string {
		return `{"loss": {"kind": "mae"}, "optimizer": {"kind": "sgd"}, "rate": 0, "epochs": 1, "batch": 5, "validation": 0, "augment": {"mirror": ` + share + `}}`
	}
	backendtest.Each(t, func(t *testing.T, on *backend.Backend) {
		data := mustUpload(t, on, e)
		for _, c := range []struct {
			share string
			want  int
		}{
			{`{}`, 2 + 2}, // half of 5 and of 4, rounded down
			{`{"share": 1}`, 9},
			{`{"share": 0.6}`, 3 + 2},
		} {
			plan := mustPlan(t, document(1, width, "unit", oneDense, recipe(c.share)), e.Columns...)
			tr := mustTrainer(t, data, Config{Plan: plan, Rows: upTo(count), Epochs: 1, Seed: 3, Weights: know})
			if loss := mustEpoch(t, tr); loss > 1e-6 {
				t.Errorf("share %s: found a loss of %g, want 0", c.share, loss)
			}
			if got := mirroredRows(t, tr); got != c.want {
				t.Errorf("share %s: found %d mirrored of %d, want %d", c.share, got, count, c.want)
			}
		}
	})
}

// mirroredRows counts the labels of mirrored rows that an epoch's steps take.
func mirroredRows(t *testing.T, tr *Trainer) int {
	t.Helper()
	n := 0
	rows, size := order(tr.Rows, tr.Seed, "net", 0), tr.batchSize()
	tr.epoch = 0
	for tr.step = 0; tr.step < tr.StepsPerEpoch(); tr.step++ {
		part := rows[tr.step*size : min((tr.step+1)*size, len(rows))]
		b := tr.draw(part)
		in, err := tr.stepInputs(b, slice{to: len(part)})
		if err != nil {
			t.Fatal(err)
		}
		label, flips := make([]int32, len(part)), make([]uint8, len(part))
		if err := errors.Join(in[3].ToFlatData(label), in[4].ToFlatData(flips)); err != nil {
			t.Fatal(err)
		}
		for i, r := range part {
			if int(label[i]) != r+int(flips[i])*tr.data.examples.Count {
				t.Errorf("row %d: found the label %d, flipped %d", r, label[i], flips[i])
			}
			n += int(flips[i])
		}
		free(in...)
	}
	tr.step = 0
	return n
}

func TestLabels(t *testing.T) {
	empty := float32(math.NaN())
	columns := []string{"left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y", "nose_x", "nose_y"}
	e := Examples{Images: Images{Count: 2, Height: 8, Width: 8, Channels: 1}, Columns: append([]string{"unused"}, columns...),
		Points: []float32{9, 6, 1, 2, 3, 4, 5, 9, empty, 1, 2, empty, 4, empty}}
	for _, c := range []struct {
		name, mirror, member string
		want                 []float32 // of both rows, then mirrored: targets, then which are filled
	}{
		{"plain", ``, `["*"]`, []float32{
			.5, -.75, -.5, -.25, 0, .25, 1, 1, 1, 1, 1, 1,
			0, -.75, -.5, 0, 0, 0, 0, 1, 1, 0, 1, 0}},
		{"columns in another order", ``, `["nose_y", "left_eye_x"]`, []float32{.25, .5, 1, 1, 0, 0, 0, 0}},
		{"mirrored", `, "augment": {"mirror": {}}`, `["*"]`, []float32{
			.5, -.75, -.5, -.25, 0, .25, 1, 1, 1, 1, 1, 1,
			0, -.75, -.5, 0, 0, 0, 0, 1, 1, 0, 1, 0,
			.5, -.25, -.5, -.75, 0, .25, 1, 1, 1, 1, 1, 1,
			.5, 0, 0, -.75, 0, 0, 1, 0, 0, 1, 1, 0}},
		{"axis and pairs given", `, "augment": {"mirror": {"axis": 7, "pairs": []}}`, `["left_eye_x", "nose_y"]`, []float32{
			.5, .25, 1, 1, 0, 0, 0, 0,
			-.75, .25, 1, 1, 0, 0, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := mustPlan(t, strings.Replace(document(8, 8, "raw", oneDense, plain(sgd+c.mirror)), `["*"]`, c.member, 1), columns...)
			tr := &Trainer{Config: Config{Plan: plan}, data: &Resident{examples: e}}
			from, turn, axis, err := tr.places()
			if err != nil {
				t.Fatal(err)
			}
			if got := tr.makeLabels(from, turn, axis); !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		n     int
		share float64
		want  int
	}{{10, 0.5, 5}, {5, 0.5, 2}, {1, 0.5, 0}, {100, 0.29, 29}, {7, 1, 7}, {3, 0.33, 0}} {
		n := 0
		for _, v := range choose(c.n, c.share, stream(1, "test")) {
			n += int(v)
		}
		if n != c.want {
			t.Errorf("a share of %g of %d: found %d, want %d", c.share, c.n, n, c.want)
		}
	}
	often := make([]int, 10)
	for i := range 1000 {
		for k, v := range choose(10, 0.5, stream(uint64(i), "test")) {
			often[k] += int(v)
		}
	}
	for k, n := range often {
		if n < 420 || n > 580 { // five standard deviations
			t.Errorf("place %d: found it chosen %d times of 1000, want about 500", k, n)
		}
	}
}

// Each epoch has every row once, in an order of its own.
func TestOrder(t *testing.T) {
	rows := []int{3, 5, 8, 13, 21, 34, 55, 89}
	first, second := order(rows, 1, "net", 0), order(rows, 1, "net", 1)
	for _, o := range [][]int{first, second} {
		if got := slices.Sorted(slices.Values(o)); !slices.Equal(got, rows) {
			t.Errorf("found the rows %v, want %v", got, rows)
		}
	}
	if slices.Equal(first, second) || slices.Equal(first, order(rows, 1, "other", 0)) || slices.Equal(first, order(rows, 2, "net", 0)) {
		t.Errorf("found the order %v for another epoch, member or seed too", first)
	}
	if !slices.Equal(first, order(rows, 1, "net", 0)) {
		t.Errorf("found another order for the same epoch, member and seed")
	}
}

// The loss of an epoch is the mean over the filled cells, as computed from the
// answers. With a rate of 0 the weights stay.
func TestEpochLossIsTheMeanOverFilledCells(t *testing.T) {
	columns := []string{"a_x", "a_y", "b_x"}
	e := faces(10, 3, 3, columns)
	rows := []int{0, 2, 3, 4, 5, 6, 7, 8, 9}
	backendtest.Each(t, func(t *testing.T, on *backend.Backend) {
		plan := mustPlan(t, document(3, 3, "unit", oneDense, `{"loss": {"kind": "wing"}, "optimizer": {"kind": "sgd"}, "rate": 0, "epochs": 1, "batch": 4, "validation": 0}`), columns...)
		tr := mustTrainer(t, mustUpload(t, on, e), Config{Plan: plan, Rows: rows, Epochs: 1, Seed: 1})
		answer, err := tr.Predict(context.Background(), e.Images, rows)
		if err != nil {
			t.Fatal(err)
		}
		sum, n := 0.0, 0
		for i, r := range rows {
			for k := range columns {
				if v := float64(e.Points[r*len(columns)+k]); !math.IsNaN(v) {
					sum += CellLoss(plan.Member.Recipe.Loss, (float64(answer[i*len(columns)+k])-v)/1.5)
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
	backendtest.Each(t, func(t *testing.T, on *backend.Backend) {
		plan := mustPlan(t, document(3, 3, "unit", oneDense, plain(sgd)), e.Columns...)
		tr := mustTrainer(t, mustUpload(t, on, e), Config{Plan: plan, Rows: upTo(3), Epochs: 1, Seed: 1})
		before := mustSnapshot(t, tr)
		if loss := mustEpoch(t, tr); loss != 0 {
			t.Errorf("found a loss of %g, want 0", loss)
		}
		before.Epoch = 1
		sameState(t, "weights", mustSnapshot(t, tr), before)
	})
}

// The epoch and the first batch whose loss isn't finite are named.
func TestTrainingThatDivergesSaysSo(t *testing.T) {
	e := faces(4, 3, 3, []string{"a_x"})
	e.Points = []float32{1, 2, 3, 1}
	backendtest.Each(t, func(t *testing.T, on *backend.Backend) {
		plan := mustPlan(t, document(3, 3, "raw", oneDense, `{"loss": {"kind": "mse"}, "optimizer": {"kind": "sgd"}, "rate": 1e4, "epochs": 9, "batch": 1, "validation": 0}`), e.Columns...)
		tr := mustTrainer(t, mustUpload(t, on, e), Config{Plan: plan, Rows: upTo(4), Epochs: 9, Seed: 1})
		first := 0
		for epoch := range 9 {
			_, err := tr.Epoch(context.Background(), func(done, _ int) {
				sum, _, err := tr.Loss()
				if err != nil {
					t.Fatal(err)
				}
				if first == 0 && !finite(sum) {
					first = done
				}
			})
			if err == nil {
				continue
			}
			want := fmt.Sprintf("epoch %d is", epoch+1)
			if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("from batch %d of 4 on", first)) {
				t.Errorf("found error %v, want %v with %q and batch %d", err, ErrDiverged, want, first)
			}
			return
		}
		t.Error("found no error, want ErrDiverged")
	})
}

// A training that diverges within a long epoch ends before the epoch does, with
// the first batch named, and gives no state to go on from.
func TestDivergingEndsWithinTheEpoch(t *testing.T) {
	const rows = 300
	e := faces(rows, 3, 3, []string{"a_x"})
	backendtest.Each(t, func(t *testing.T, on *backend.Backend) {
		for _, c := range []struct {
			name, rate string
			batch      int // done in slices of one row
			maxLoss    float64
			said       string
		}{
			{"not a number", "1e-5", 1, 0, "the loss of epoch 1 is NaN from batch "},
			{"in slices", "1e-5", 2, 1e6, ", and has been more than 1e+06, from where no training comes back, from batch "},
			{"beyond the limit", "1e-5", 1, 1e6, ", and has been more than 1e+06, from where no training comes back, from batch "},
		} {
			plan := mustPlan(t, document(3, 3, "raw", oneDense, `{"loss": {"kind": "mse"}, "optimizer": {"kind": "sgd"}, "rate": `+c.rate+fmt.Sprintf(`, "epochs": 9, "batch": %d, "validation": 0}`, c.batch)), e.Columns...)
			tr := mustTrainer(t, mustUpload(t, on, e), Config{Plan: plan, Rows: upTo(rows), Epochs: 9, Seed: 1, MaxLoss: c.maxLoss})
			tr.atOnce = 1
			first, last := 0, 0
			_, err := tr.Epoch(context.Background(), func(done, _ int) {
				last = done
				sum, cells, err := tr.Loss()
				if err != nil {
					t.Fatal(err)
				}
				if loss := sum / cells; first == 0 && (!finite(loss) || c.maxLoss > 0 && loss > c.maxLoss) {
					first = done
				}
			})
			if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), fmt.Sprintf("%s%d of %d on", c.said, first, rows/c.batch)) {
				t.Errorf("%s: found error %v, want %v, %q and batch %d", c.name, err, ErrDiverged, c.said, first)
			}
			if first == 0 || last > first+2*lookEvery {
				t.Errorf("%s: diverged in batch %d, ended after batch %d, want at most %d more", c.name, first, last, 2*lookEvery)
			}
			if _, err := tr.Snapshot(); !errors.Is(err, ErrDiverged) {
				t.Errorf("%s: the state: found error %v, want %v", c.name, err, ErrDiverged)
			}
		}
	})
}

// Layers that the answer doesn't depend on keep their weights, the averages
// follow the weights that there are.
func TestUnusedLayersStay(t *testing.T) {
	e := faces(4, 3, 3, []string{"a_x", "b_x"})
	backendtest.Each(t, func(t *testing.T, on *backend.Backend) {
		layers := `{"name": "f", "kind": "flatten"}, {"name": "u1", "kind": "dense", "units": 3}, {"name": "u2", "kind": "batch_norm"}, {"name": "y", "kind": "dense", "units": "columns", "inputs": ["f"]}`
		plan := mustPlan(t, document(3, 3, "unit", layers, plain(adam+`, "average": {"decay": 0}`)), e.Columns...)
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

func TestBadTrainingsAreRefused(t *testing.T) {
	on := backendtest.Open(t, "go")
	e := faces(4, 3, 3, []string{"a_x", "a_y"})
	data := mustUpload(t, on, e)
	plan := func(recipe string) *blueprint.Plan {
		return mustPlan(t, document(3, 3, "unit", oneDense, plain(recipe)), "a_x", "a_y")
	}
	good := InitialWeights(plan(sgd), 1)
	with := func(name string, a *Array) Arrays {
		out := maps.Clone(good)
		if delete(out, name); a != nil {
			out[name] = *a
		}
		return out
	}
	state := func(epoch, step int, tensors Arrays) *State {
		return &State{Epoch: epoch, Step: step, Tensors: tensors}
	}
	for _, c := range []struct {
		want   string
		config Config
	}{
		{"found no rows to train on", Config{Plan: plan(sgd)}},
		{"rows: found row 4, want 0 to 3", Config{Plan: plan(sgd), Rows: []int{0, 4}}},
		{"rows: found row -1, want 0 to 3", Config{Plan: plan(sgd), Rows: []int{-1}}},
		{"images: found 3x3 with 1 channels, want 5x3 with 1", Config{Plan: mustPlan(t, document(5, 3, "unit", oneDense, plain(sgd)), "a_x"), Rows: upTo(4)}},
		{"column b_x: not in the data", Config{Plan: mustPlan(t, document(3, 3, "unit", oneDense, plain(sgd)), "b_x"), Rows: upTo(4)}},
		{"tensor net/y/bias: missing, want shape [2]", Config{Plan: plan(sgd), Rows: upTo(4), Weights: with("net/y/bias", nil)}},
		{"tensor net/y/bias: found shape [3] with 3 values, want [2]", Config{Plan: plan(sgd), Rows: upTo(4), Weights: with("net/y/bias", &Array{[]int{3}, make([]float32, 3)})}},
		{"tensor net/y/bias: found shape [2] with 1 values, want [2]", Config{Plan: plan(sgd), Rows: upTo(4), Weights: with("net/y/bias", &Array{[]int{2}, make([]float32, 1)})}},
		{"tensor optimizer/velocity/net/y/weights: missing", Config{Plan: plan(sgd), Rows: upTo(4), State: state(0, 0, good)}},
		{"state: found epoch 0 and step 2, want epochs from 0 and steps from 0 to 1", Config{Plan: plan(sgd), Rows: upTo(4), State: state(0, 2, good)}},
		{"state: found epoch -1 and step 0", Config{Plan: plan(sgd), Rows: upTo(4), State: state(-1, 0, good)}},
	} {
		tr, err := NewTrainer(data, c.config)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("found error %v, want %q", err, c.want)
		}
		if strings.Contains(c.want, "not supported") && !errors.Is(err, ErrUnsupported) {
			t.Errorf("found error %v, want ErrUnsupported", err)
		}
		if err == nil {
			tr.Close()
		}
	}
	if tr, err := NewTrainer(data, Config{Plan: plan(sgd + `, "augment": {"shift": 0, "erase": {"share": 0, "area": 0.1}}`), Rows: upTo(4)}); err != nil {
		t.Errorf("augmentation that is off: found error %v", err)
	} else {
		tr.Close()
	}

	for _, c := range []struct {
		want   string
		change func(e *Examples)
	}{
		{"images: found none", func(e *Examples) { e.Count, e.Bytes, e.Points = 0, nil, nil }},
		{"images: found 36 values, want 45 for 5 images", func(e *Examples) { e.Count = 5 }},
		{"points: found 7 values, want 8 for 4 rows of 2 columns", func(e *Examples) { e.Points = e.Points[:7] }},
		{"images: found 72 values", func(e *Examples) { e.Floats = make([]float32, 36) }},
	} {
		bad := e
		c.change(&bad)
		r, err := Upload(on, bad)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("found error %v, want %q", err, c.want)
		}
		if err == nil {
			r.Close()
		}
	}
}

// What GoMLX or the kernel refuses while a graph is built becomes an error that
// names the layer. A plan that the blueprint has checked gives none, so that
// this one is spoilt afterwards.
func TestFailingGraphNamesTheLayer(t *testing.T) {
	e := faces(4, 6, 6, []string{"a_x"})
	layers := `{"name": "first", "kind": "conv2d", "filters": 2}, {"name": "second", "kind": "conv2d", "filters": 3}, {"name": "third", "kind": "flatten"}, {"name": "fourth", "kind": "dense", "units": 1}`
	backendtest.Each(t, func(t *testing.T, on *backend.Backend) {
		data := mustUpload(t, on, e)
		for _, c := range []struct {
			layer string
			spoil func(p *blueprint.Plan)
		}{
			{"second", func(p *blueprint.Plan) { p.Nodes[1].Params[0].Shape = blueprint.Shape{3, 3, 1, 3} }}, // the kernel's
			{"third", func(p *blueprint.Plan) { p.Nodes[2].Out = blueprint.Shape{7} }},                       // GoMLX's
			{"fourth", func(p *blueprint.Plan) { p.Nodes[3].Params[1].Name = "bais" }},                       // the engine's
		} {
			plan := mustPlan(t, document(6, 6, "unit", layers, plain(sgd)), e.Columns...)
			c.spoil(plan)
			tr := mustTrainer(t, data, Config{Plan: plan, Rows: upTo(4), Epochs: 1, Seed: 1})
			_, err := tr.Epoch(context.Background(), nil)
			want := `layer "` + c.layer + `"`
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "training graph") || strings.Contains(err.Error(), "\n") {
				t.Errorf("training: found error %v, want one line with %s", err, want)
			}
			if _, err := tr.Predict(context.Background(), e.Images, nil); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "prediction graph") {
				t.Errorf("prediction: found error %v, want %s", err, want)
			}
		}
	})
}

// Two hundred steps take no more memory than fifty.
func TestMemoryDoesNotGrow(t *testing.T) {
	e := faces(8, 4, 4, []string{"a_x", "a_y"})
	backendtest.Each(t, func(t *testing.T, on *backend.Backend) {
		plan := mustPlan(t, document(4, 4, "unit", oneDense, plain(adam)), e.Columns...)
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
