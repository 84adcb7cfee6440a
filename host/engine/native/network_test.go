package native

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// probe is a whole network in training: its loss is sum(answer * dy).
type probe struct {
	*built
	weights []device.Param
	dy      []float32
}

func newProbe(t *testing.T, d *Device, plan *blueprint.Plan, rows int) *probe {
	t.Helper()
	b := newBuilder(d.set, d.pool.Threads(), plan, true, rows)
	tape := b.forward()
	y := b.values[plan.Output]
	dy := b.Rows(y.Shape())
	p := &probe{weights: device.Params(plan)}
	b.Emit(instr{Uses: []*tensor{dy}, Run: func(f *frame) { copy(f.Of(dy), p.dy) }})
	b.backward(tape, dy)
	p.built = b.finish(d, y, rows)
	p.slice = device.Slice{Seed: [2]uint32{9, 1}, Rows: rows}
	r := rand.New(rand.NewPCG(3, 4))
	in := plan.Document.Input
	for range rows * in.Height * in.Width * in.Channels {
		p.slice.Pixels = append(p.slice.Pixels, float32(r.IntN(256)))
	}
	for range rows * len(plan.Columns) {
		p.dy = append(p.dy, float32(r.NormFloat64()))
	}
	for _, q := range p.weights {
		p.gradients = append(p.gradients, make([]float32, q.Shape.Size()))
	}
	return p
}

// loss gives sum(answer * dy), and leaves the gradients.
func (p *probe) loss(weights [][]float32) float64 {
	p.params = weights
	p.Prepare()
	p.Run(p.Rows(), false)
	sum := 0.0
	for i, v := range p.Values(p.result, p.Rows()) {
		sum += float64(v) * float64(p.dy[i])
	}
	return sum
}

// The gradient of every tensor of whole networks, along itself and along a random direction, is that of finite differences.
func TestGradientsAgreeWithDifferences(t *testing.T) {
	for _, c := range []struct {
		name string
		plan *blueprint.Plan
	}{
		{"net6", enginetest.Plan(t, enginetest.Document(22, 22, "unit", enginetest.SmallNet6("tanh"), enginetest.Plain(enginetest.SGD)), "a_x", "a_y", "b_x")},
		{"branches", enginetest.Plan(t, enginetest.Document(8, 8, "standardize", enginetest.Branches, enginetest.Plain(enginetest.SGD)), "a_x", "a_y", "b_x")},
	} {
		devices(t, func(t *testing.T, d *Device) {
			p := newProbe(t, d, c.plan, 5)
			weights := enginetest.Weights(c.plan, 5)
			r := rand.New(rand.NewPCG(5, 6))
			p.loss(weights)
			var gradients [][]float32
			for _, g := range p.gradients {
				gradients = append(gradients, slices.Clone(g))
			}
			for i, q := range p.weights {
				if !q.Trainable {
					continue
				}
				g := gradients[i]
				random := make([]float32, len(g))
				for k := range random {
					random[k] = float32(r.NormFloat64())
				}
				p.compare(t, c.name+": "+q.Key+" along itself", weights, i, g, g)
				p.compare(t, c.name+": "+q.Key+" along a random direction", weights, i, g, random)
			}
		})
	}
}

// compare takes the difference of the loss a small step ahead and behind. The loss has an error of about 1e-7 in float32, so that the
// step can't be smaller.
func (p *probe) compare(t *testing.T, what string, weights [][]float32, tensor int, gradient, along []float32) {
	t.Helper()
	length, want, size := 0.0, 0.0, 0.0
	for i, v := range along {
		length += float64(v) * float64(v)
		want += float64(v) * float64(gradient[i])
		size += float64(gradient[i]) * float64(gradient[i])
	}
	length, size = math.Sqrt(length), math.Sqrt(size)
	if size == 0 {
		return
	}
	const step = 5e-4
	var loss [2]float64
	for i, sign := range []float64{1, -1} {
		moved := slices.Clone(weights)
		moved[tensor] = slices.Clone(weights[tensor])
		for k := range along {
			moved[tensor][k] += float32(sign * step * float64(along[k]) / length)
		}
		loss[i] = p.loss(moved)
	}
	got := (loss[0] - loss[1]) / (2 * step)
	if want /= length; math.Abs(got-want) > 0.02*size+5e-4 {
		t.Errorf("%s: found a slope of %g, the gradient says %g (its length is %g)", what, got, want, size)
	}
}

// trial is a plan's training on made-up data.
type trial struct {
	device.Training
	slice    device.Slice
	settings *device.Settings
}

func newTrial(t testing.TB, d *Device, plan *blueprint.Plan, rows int) *trial {
	t.Helper()
	in, columns := plan.Document.Input, len(plan.Columns)
	images := device.Images{Count: rows, Height: in.Height, Width: in.Width, Channels: in.Channels}
	for i := range rows * images.Pixels() {
		images.Bytes = append(images.Bytes, uint8(i*i*37+i*11))
	}
	kept, err := d.Keep(images)
	if err != nil {
		t.Fatal(err)
	}
	c := &trial{slice: device.Slice{Seed: [2]uint32{7, 9}, Rows: rows, Cells: rows * columns}}
	var labels []float32
	for i := range rows {
		for k := range columns {
			labels = append(labels, float32((i+k)%5)/4)
		}
		labels = append(labels, slices.Repeat([]float32{1}, columns)...)
		c.slice.Index, c.slice.Label, c.slice.Flips = append(c.slice.Index, int32(i)), append(c.slice.Label, int32(i)), append(c.slice.Flips, uint8(i%2))
	}
	layout := device.NewLayout(plan)
	c.settings = device.SettingsAt(&plan.Member.Recipe, blueprint.Progress{Epochs: 2, StepsPerEpoch: 1})
	if c.Training, err = d.Train(device.Job{Plan: plan, Layout: layout, Rows: rows, Images: kept, Labels: labels, Mirrored: true}); err != nil {
		t.Fatal(err)
	}
	weights := enginetest.Weights(plan, 3)
	for i, of := range layout.Tensors {
		values := weights[of.Param]
		if of.Role == device.Slot {
			values = make([]float32, len(values))
		}
		if err := c.Write(i, values); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.SetProgress(device.Progress{Step: 1}); err != nil {
		t.Fatal(err)
	}
	return c
}

// all is a recipe of all that a step does.
const all = `, "optimizer": {"kind": "adamw", "clip": 0.5}, "rate": 0.001, "average": {"decay": 0.9}`

// A step allocates nothing: not of a network with every kind of layer, nor one done in slices.
func TestStepsAllocateNothing(t *testing.T) {
	d := New(kernel.Sets()[0], 2)
	defer d.Close()
	branches := enginetest.Plan(t, enginetest.Document(8, 8, "standardize", enginetest.Branches, enginetest.Plain(all)), "a_x", "a_y", "b_x")
	net6 := enginetest.Plan(t, enginetest.Document(22, 22, "unit", enginetest.SmallNet6("relu"), enginetest.Plain(enginetest.SGD)), "a_x", "a_y", "b_x")
	for name, c := range map[string]*trial{"branches": newTrial(t, d, branches, 5), "net6": newTrial(t, d, net6, 5)} {
		part := c.slice
		part.Rows, part.Index, part.Label, part.Flips = 2, part.Index[:2], part.Label[:2], part.Flips[:2]
		for what, f := range map[string]func() error{
			"step": func() error { return c.Step(c.slice, c.settings) },
			"slices": func() error {
				for range 2 {
					if err := c.Gradients(part); err != nil {
						return err
					}
				}
				return c.Apply(c.settings)
			},
		} {
			got := testing.AllocsPerRun(10, func() {
				if err := f(); err != nil {
					t.Fatal(err)
				}
			})
			if got > 0 {
				t.Errorf("%s, %s: found %v allocations, want none", name, what, got)
			}
		}
	}
}

// Trainings and networks at once, several callers of one network among them, share the workers and get what each alone gets.
func TestManyAtOnce(t *testing.T) {
	d := New(kernel.Sets()[0], 3)
	defer d.Close()
	plan := enginetest.Plan(t, enginetest.Document(8, 8, "standardize", enginetest.Branches, enginetest.Plain(all)), "a_x", "a_y", "b_x")
	steps := func(c *trial) []float32 {
		for range 5 {
			if err := c.Step(c.slice, c.settings); err != nil {
				t.Error(err)
			}
		}
		out := make([]float32, len(enginetest.Weights(plan, 3)[0]))
		if err := c.Read(0, out); err != nil {
			t.Error(err)
		}
		return out
	}
	want := steps(newTrial(t, d, plan, 5))
	network, err := d.Load(plan, enginetest.Weights(plan, 4))
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	pixels := make([]float32, 70*64)
	for i := range pixels {
		pixels[i] = float32(i * i % 256)
	}
	var answers [71][]float32
	for rows := 1; rows <= 70; rows += 23 {
		if answers[rows], err = network.Answer(pixels, rows); err != nil {
			t.Fatal(err)
		}
	}
	var wait sync.WaitGroup
	for range 2 {
		c := newTrial(t, d, plan, 5)
		wait.Go(func() {
			if got := steps(c); !slices.Equal(got, want) {
				t.Error("a training beside others found other weights")
			}
		})
		for rows := 1; rows <= 70; rows += 23 {
			wait.Go(func() {
				for range 5 {
					got, err := network.Answer(pixels, rows)
					if err != nil || !slices.Equal(got, answers[rows]) {
						t.Errorf("%d rows beside others: found other answers, error %v", rows, err)
					}
				}
			})
		}
	}
	wait.Wait()
}

// What can't be done is an error that says in which layer.
func TestFaults(t *testing.T) {
	d := New(kernel.Sets()[0], 2)
	defer d.Close()
	layers := `{"name": "first", "kind": "conv2d", "filters": 2}, {"name": "second", "kind": "conv2d", "filters": 3}, {"name": "third", "kind": "flatten"}, {"name": "fourth", "kind": "dense", "units": 1}`
	for _, c := range []struct {
		layer string
		spoil func(p *blueprint.Plan)
	}{
		{"second", func(p *blueprint.Plan) { p.Nodes[1].In[0] = blueprint.Shape{1, 1, 2} }},
		{"third", func(p *blueprint.Plan) { p.Nodes[2].Out = blueprint.Shape{7} }},
		{"fourth", func(p *blueprint.Plan) { p.Nodes[3].Params[1].Name = "bais" }},
	} {
		plan := enginetest.Plan(t, enginetest.Document(6, 6, "unit", layers, enginetest.Plain(enginetest.SGD)), "a_x")
		c.spoil(plan)
		if err := d.Check(plan); err == nil || !strings.Contains(err.Error(), `layer "`+c.layer+`"`) {
			t.Errorf("found error %v, want one that names layer %s", err, c.layer)
		}
	}
	plan := enginetest.Plan(t, enginetest.Document(6, 6, "unit", layers, enginetest.Plain(enginetest.SGD)), "a_x")
	if _, err := d.Load(plan, nil); err == nil {
		t.Error("no weights: found no error")
	}
	c := newTrial(t, d, plan, 3)
	c.slice.Index[1] = 77 // no such image
	for range 2 {
		var lost *device.Lost
		if err := c.Step(c.slice, c.settings); !asLost(err, &lost) {
			t.Errorf("a row that isn't there: found error %v, want a *device.Lost", err)
		}
	}
	if err := c.Read(0, nil); err == nil {
		t.Error("a training that is lost gives its state")
	}
}

func asLost(err error, to **device.Lost) bool {
	l, ok := err.(*device.Lost)
	*to = l
	return ok
}
