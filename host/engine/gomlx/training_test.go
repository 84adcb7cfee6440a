package gomlx

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/gomlxtest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// normed has batch normalization of maps, of small ones, of rows and of rows of
// rows, at a branch too, and dropout between.
const normed = `
	{"name": "c1", "kind": "conv2d", "filters": 4, "padding": "same", "bias": "none"}, {"name": "b1", "kind": "batch_norm", "activation": "relu"},
	{"name": "o1", "kind": "dropout", "rate": 0.2}, {"name": "p1", "kind": "max_pool"},
	{"name": "c2", "kind": "conv2d", "filters": 4, "padding": "same", "bias": "none"}, {"name": "b2", "kind": "batch_norm"},
	{"name": "s", "kind": "add", "inputs": ["p1", "b2"], "activation": "relu"}, {"name": "p2", "kind": "max_pool"},
	{"name": "t", "kind": "reshape", "shape": [9, 4]}, {"name": "b3", "kind": "batch_norm", "activation": "tanh"}, {"name": "f", "kind": "flatten"},
	{"name": "h", "kind": "dense", "units": 7}, {"name": "b4", "kind": "batch_norm", "activation": "silu"}, {"name": "o2", "kind": "dropout"},
	{"name": "y", "kind": "dense", "units": "columns"}`

// trial is a plan with images, labels and weights, for trainings of one step.
type trial struct {
	plan    *blueprint.Plan
	layout  *device.Layout
	images  device.Images
	labels  []float32
	weights [][]float32
	fed     bool // slices bring their rows
}

func newTrial(t *testing.T, size, count int, layers string, fed bool) *trial {
	t.Helper()
	plan := enginetest.Plan(t, enginetest.Document(size, size, "unit", layers, enginetest.Plain(enginetest.SGD+`, "average": {"decay": 0.5}`)), "a_x", "a_y", "b_x")
	c := &trial{plan: plan, layout: device.NewLayout(plan), weights: enginetest.Weights(plan, 3), fed: fed,
		images: device.Images{Count: count, Height: size, Width: size, Channels: 1}}
	for i := range count * size * size {
		c.images.Bytes = append(c.images.Bytes, uint8(i*i*37+i*11))
	}
	for i := range count {
		c.labels = append(c.labels, float32(i%5)/4, float32(i%3)/3, 0, 1, 1, 0) // one cell in three is empty
	}
	return c
}

// slice is the first rows from a place on.
func (c *trial) slice(from, rows int) device.Slice {
	s := device.Slice{Seed: [2]uint32{7, 9}, First: from, Rows: rows, Cells: 2 * c.images.Count}
	if c.fed {
		n := c.images.Pixels()
		s.Pixels, s.Labels = make([]float32, rows*n), c.labels[from*6:(from+rows)*6]
		for i := range s.Pixels {
			s.Pixels[i] = float32(c.images.Bytes[from*n+i])
		}
		return s
	}
	for i := range rows {
		s.Index, s.Label, s.Flips = append(s.Index, int32(from+i)), append(s.Label, int32(from+i)), append(s.Flips, 0)
	}
	return s
}

// state opens a training of slices of so many rows, has steps make a step of it,
// and gives the state and the epoch's loss behind it.
func (c *trial) state(t *testing.T, on Backend, rows int, uneven bool, steps func(device.Training) error) ([][]float32, device.Progress) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d := New(on)
	job := device.Job{Plan: c.plan, Layout: c.layout, Rows: rows, Uneven: uneven}
	if !c.fed {
		kept, err := d.Keep(c.images)
		must(err)
		defer kept.Close()
		job.Images, job.Labels = kept, c.labels
	}
	tr, err := d.Train(job)
	must(err)
	defer tr.Close()
	for i, of := range c.layout.Tensors {
		values := make([]float32, of.Shape.Size())
		if of.Role != device.Slot {
			values = c.weights[of.Param]
		}
		must(tr.Write(i, values))
	}
	must(tr.SetProgress(device.Progress{Step: 1}))
	must(steps(tr))
	var out [][]float32
	for i, of := range c.layout.Tensors {
		values := make([]float32, of.Shape.Size())
		must(tr.Read(i, values))
		out = append(out, values)
	}
	p, err := tr.Progress()
	must(err)
	return out, p
}

func (c *trial) settings() *device.Settings {
	return device.SettingsAt(&c.plan.Member.Recipe, blueprint.Progress{Epochs: 2, StepsPerEpoch: 1})
}

// A slice with fewer rows than its program takes gives what a program of its own
// gives, but for the order of sums. One that is full gives the same bytes as where
// none has fewer; but for XLA, which joins operations otherwise where some are left
// out of batch statistics.
func TestRowsThatFillUpTeachNothing(t *testing.T) {
	const count, full = 5, 8
	for _, c := range []struct {
		name string
		*trial
		quick bool // enough for backends that compile for long
	}{
		{"normed", newTrial(t, 12, count, normed, false), false},
		{"normed, fed", newTrial(t, 12, count, normed, true), true},
		{"plain", newTrial(t, 22, count, enginetest.SmallNet6("relu"), false), true},
		{"plain, fed", newTrial(t, 22, count, enginetest.SmallNet6("relu"), true), false},
	} {
		gomlxtest.Each(t, func(t *testing.T, on Backend) {
			if on.Name != gomlxtest.Name && !c.quick {
				return
			}
			exact := 0.0
			if on.Name != gomlxtest.Name && batchStatistics(c.plan) {
				exact = 2e-5
			}
			once := func(tr device.Training) error { return tr.Step(c.slice(0, count), c.settings()) }
			want, wantLoss := c.state(t, on, count, false, once)
			for _, k := range []struct {
				name   string
				rows   int
				uneven bool
				steps  func(device.Training) error
				far    float64
			}{
				{"full", count, true, once, exact},
				{"filled up", full, true, once, 2e-5},
				{"in slices", 2, true, func(tr device.Training) error {
					for from := 0; from < count; from += 2 {
						if err := tr.Gradients(c.slice(from, min(2, count-from))); err != nil {
							return err
						}
					}
					return tr.Apply(c.settings())
				}, 2e-5},
			} {
				if k.rows < count && batchStatistics(c.plan) {
					continue
				}
				got, loss := c.state(t, on, k.rows, k.uneven, k.steps)
				if math.Abs(loss.LossSum-wantLoss.LossSum) > k.far*wantLoss.LossSum || loss.Cells != wantLoss.Cells || loss.Step != 2 {
					t.Errorf("%s, %s: found %+v, want %+v", c.name, k.name, loss, wantLoss)
				}
				for i, of := range c.layout.Tensors {
					moved, off := 0.0, 0.0
					for n, w := range want[i] {
						before := float32(0)
						if of.Role != device.Slot {
							before = c.weights[of.Param][n]
						}
						moved, off = max(moved, math.Abs(float64(w-before))), max(off, math.Abs(float64(w-got[i][n])))
					}
					if same := slices.Equal(got[i], want[i]); off > k.far*max(moved, 1e-2) || k.far == 0 && !same {
						t.Errorf("%s, %s: tensor %s is off by %g, having moved by %g", c.name, k.name, of.Name, off, moved)
					}
				}
			}
		})
	}
}

// A part of a step that can't be compiled is an error before the first slice: no
// half of a step is left, and the training goes on.
func TestNoHalfStep(t *testing.T) {
	const count = 4
	gomlxtest.Each(t, func(t *testing.T, on Backend) {
		c := newTrial(t, 6, count, enginetest.OneDense, false)
		inSlices := func(tr device.Training) error {
			for from := 0; from < count; from += 2 {
				if err := tr.Gradients(c.slice(from, 2)); err != nil {
					return err
				}
			}
			return tr.Apply(c.settings())
		}
		want, wantLoss := c.state(t, on, 2, false, inSlices)
		got, loss := c.state(t, on, 2, false, func(opened device.Training) error {
			tr := opened.(*training)
			for _, k := range []piece{first, finish} {
				if _, err := tr.program(k); err != nil {
					return err
				}
			}
			was := forms["dense"]
			delete(forms, "dense")
			err := tr.Gradients(c.slice(0, 2))
			forms["dense"] = was
			if p, _ := tr.Progress(); !errors.Is(err, device.ErrUnsupported) || tr.gradients != nil || p != (device.Progress{Step: 1}) {
				t.Errorf("found error %v, %d sums and %+v, want %v and none", err, len(tr.gradients), p, device.ErrUnsupported)
			}
			return inSlices(tr)
		})
		if !reflect.DeepEqual(got, want) || loss != wantLoss {
			t.Errorf("found %+v, want the step that would have been, with %+v", loss, wantLoss)
		}
	})
}
