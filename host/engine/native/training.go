package native

import (
	"fmt"
	"math"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/native/update"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// training is a [device.Training].
type training struct {
	device.Job
	name      string
	program   *built
	caller    *work.Caller
	state     [][]float32 // the layout's tensors
	gradients [][]float32 // of the trainable parameters, in their order: sums of the step's slices so far
	slots     [][]float32 // room for one parameter's
	answers   *answers
	progress  device.Progress
	mark      int // Progress.Diverged as it was marked
	prepared  bool
	added     bool // gradients are added to what is there: it isn't the step's first slice
	lost      error
}

// Train makes the plan's program and its memory.
func (d *Device) Train(job device.Job) (device.Training, error) {
	if err := d.Check(job.Plan); err != nil {
		return nil, err
	}
	p, err := build(d.set, d.pool.Threads(), job.Plan, true, job.Rows)
	if err != nil {
		return nil, err
	}
	t := &training{Job: job, program: p, caller: d.pool.Caller(), name: job.Plan.Document.Name + "/" + job.Plan.Member.Name + " training"}
	var state uint64
	for _, a := range job.Layout.Tensors {
		state += 4 * uint64(a.Shape.Size())
	}
	if err := room(t.name, job.Rows, p.Bytes()+2*state); err != nil { // gradients are no larger than the state
		return nil, err
	}
	p.Allocate(t.caller, make([]float32, p.Constants()))
	for _, a := range job.Layout.Tensors {
		t.state = append(t.state, make([]float32, a.Shape.Size()))
	}
	params := len(job.Layout.Params)
	p.params, p.gradients = t.state[:params], make([][]float32, params)
	for _, i := range job.Layout.Trainable {
		p.gradients[i] = make([]float32, len(t.state[i]))
		t.gradients = append(t.gradients, p.gradients[i])
	}
	t.slots = make([][]float32, len(job.Layout.Slots))
	if job.Images != nil {
		k, ok := job.Images.(*kept)
		if !ok {
			return nil, fmt.Errorf("images: found those of another device: %T", job.Images)
		}
		p.images, p.labels = &k.images, job.Labels
	}
	current := make([][]float32, params)
	for i := range current {
		current[i] = t.state[job.Layout.Current(i)]
	}
	t.answers = newAnswers(d, job.Plan, current)
	return t, nil
}

// Write implements [device.Training].
func (t *training) Write(i int, values []float32) error {
	if len(values) != len(t.state[i]) {
		return fmt.Errorf("found %d values, want %d", len(values), len(t.state[i]))
	}
	copy(t.state[i], values)
	t.changed()
	return nil
}

// changed notes that the parameters aren't what they were.
func (t *training) changed() {
	t.prepared = false
	t.answers.stale()
}

// Read implements [device.Training].
func (t *training) Read(i int, values []float32) error {
	if t.lost != nil {
		return t.lost
	}
	copy(values, t.state[i])
	return nil
}

// SetProgress implements [device.Training].
func (t *training) SetProgress(p device.Progress) error {
	t.progress, t.mark = p, 0
	return t.lost
}

// Progress implements [device.Training].
func (t *training) Progress() (device.Progress, error) { return t.progress, t.lost }

// Mark implements [device.Training].
func (t *training) Mark() { t.mark = t.progress.Diverged }

// Diverged implements [device.Training].
func (t *training) Diverged() (int, error) { return t.mark, t.lost }

// Compile implements [device.Training]: there is nothing to do.
func (t *training) Compile(bool, int) error { return t.lost }

// Step implements [device.Training].
func (t *training) Step(s device.Slice, settings *device.Settings) error {
	if err := t.pass(s, true); err != nil {
		return err
	}
	return t.Apply(settings)
}

// Gradients implements [device.Training].
func (t *training) Gradients(s device.Slice) error { return t.pass(s, false) }

// pass goes forward and backward on a slice.
func (t *training) pass(s device.Slice, statistics bool) (err error) {
	if t.lost != nil {
		return t.lost
	}
	if s.Rows < 1 || s.Rows > t.Rows {
		return fmt.Errorf("%s: found a slice of %d rows, want 1 to %d", t.name, s.Rows, t.Rows)
	}
	p := t.program
	defer func() {
		if r := recover(); r != nil {
			t.lose(p.Origin(), r, &err)
		}
	}()
	if !t.prepared {
		p.Prepare()
		t.prepared = true
	}
	p.slice, p.statistics = s, statistics
	p.Run(s.Rows, t.added)
	p.slice, t.added = device.Slice{}, true
	t.progress.LossSum += p.loss
	t.progress.Cells += p.cells
	return nil
}

// lose ends the training where something panicked: the state may be half of one step and half of another.
func (t *training) lose(layer string, recovered any, err *error) {
	t.lost = &device.Lost{Err: fault("cannot run "+t.name, layer, recovered)}
	*err = t.lost
}

// Apply implements [device.Training].
func (t *training) Apply(settings *device.Settings) (err error) {
	if t.lost != nil {
		return t.lost
	}
	defer func() {
		if r := recover(); r != nil {
			t.lose("optimizer", r, &err)
		}
	}()
	l, c, each, o := t.Layout, t.caller, t.program.each, t.Plan.Member.Recipe.Optimizer
	if o.Clip != nil {
		update.Clip(c, each, t.gradients, float64(settings[device.Clip]))
	}
	move := rules[o.Kind]
	for k, i := range l.Trainable {
		for s := range t.slots {
			t.slots[s] = t.state[l.Slot(s, k)]
		}
		move(c, each, o, settings, l.Params[i].Decay, t.state[i], t.gradients[k], t.slots)
	}
	if l.Averaged {
		for i := range l.Params {
			update.Average(c, each, t.state[l.Average(i)], t.state[i], settings[device.AverageDecay], settings[device.AverageRest])
		}
	}
	t.added = false
	t.changed()
	t.endStep()
	return nil
}

// endStep notes whether the loss has diverged. Once it has, it stays so.
func (t *training) endStep() {
	p := &t.progress
	if p.Diverged > 0 {
		return
	}
	good := math.Abs(p.LossSum) < math.MaxFloat64
	if t.MaxLoss > 0 {
		good = good && p.LossSum <= max(p.Cells, 1)*t.MaxLoss
	}
	if good {
		p.Step++
	} else {
		p.Diverged, p.Step = p.Step, 0
	}
}

// Answer implements [device.Training].
func (t *training) Answer(pixels []float32, rows int) ([]float32, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	return t.answers.answer(pixels, rows)
}

// Close gives the training's memory up.
func (t *training) Close() {
	t.program, t.state, t.gradients, t.answers = nil, nil, nil, nil
	t.lost = device.ErrClosed
}

var _ device.Training = (*training)(nil)

// imageSize is how many values an image of a plan has.
func imageSize(plan *blueprint.Plan) int {
	in := plan.Document.Input
	return in.Height * in.Width * in.Channels
}
