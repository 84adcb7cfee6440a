package native

import (
	"fmt"
	"math"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/native/update"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// training is a [device.Training].
type training struct {
	device.Job
	name      string
	program   *program
	state     [][]float32 // the layout's tensors
	gradients [][]float32 // of the trainable parameters, in their order: sums of the step's slices so far
	slots     [][]float32 // room for one parameter's
	answers   *answers
	progress  device.Progress
	mark      int // Progress.Diverged as it was marked
	prepared  bool
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
	t := &training{Job: job, program: p, name: job.Plan.Document.Name + "/" + job.Plan.Member.Name + " training"}
	var state uint64
	for _, a := range job.Layout.Tensors {
		state += 4 * uint64(a.Shape.Size())
	}
	if err := room(t.name, job.Rows, p.bytes()+2*state); err != nil { // gradients are no larger than the state
		return nil, err
	}
	p.allocate(d.caller())
	f := &p.frame
	f.consts = make([]float32, p.consts)
	for _, a := range job.Layout.Tensors {
		t.state = append(t.state, make([]float32, a.Shape.Size()))
	}
	params := len(job.Layout.Params)
	f.params, f.gradients = t.state[:params], make([][]float32, params)
	for _, i := range job.Layout.Trainable {
		f.gradients[i] = make([]float32, len(t.state[i]))
		t.gradients = append(t.gradients, f.gradients[i])
	}
	t.slots = make([][]float32, len(job.Layout.Slots))
	if job.Images != nil {
		k, ok := job.Images.(*kept)
		if !ok {
			return nil, fmt.Errorf("images: found those of another device: %T", job.Images)
		}
		f.images, f.labels = &k.images, job.Labels
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
	f := &t.program.frame
	defer func() { t.lose(recover(), &err) }()
	if !t.prepared {
		t.program.prepare()
		t.prepared = true
	}
	t.program.slice = s
	f.slice, f.statistics = &t.program.slice, statistics
	t.program.run(s.Rows)
	t.program.slice, f.added = device.Slice{}, true
	t.progress.LossSum += f.loss
	t.progress.Cells += f.cells
	return nil
}

// lose ends the training where something panicked: the state may be half of one step and half of another.
func (t *training) lose(recovered any, err *error) {
	if recovered != nil {
		t.lost = &device.Lost{Err: fault("cannot run "+t.name, t.program.frame.layer, recovered)}
		*err = t.lost
	}
}

// Apply implements [device.Training].
func (t *training) Apply(settings *device.Settings) (err error) {
	if t.lost != nil {
		return t.lost
	}
	defer func() { t.lose(recover(), &err) }()
	l, f, o := t.Layout, &t.program.frame, t.Plan.Member.Recipe.Optimizer
	f.layer = "optimizer"
	if o.Clip != nil {
		update.Clip(f.c, f.each, t.gradients, float64(settings[device.Clip]))
	}
	move := rules[o.Kind]
	for k, i := range l.Trainable {
		for s := range t.slots {
			t.slots[s] = t.state[l.Slot(s, k)]
		}
		move(f, o, settings, l.Params[i].Decay, t.state[i], t.gradients[k], t.slots)
	}
	if l.Averaged {
		for i := range l.Params {
			update.Average(f.c, f.each, t.state[l.Average(i)], t.state[i], settings[device.AverageDecay], settings[device.AverageRest])
		}
	}
	f.added = false
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
