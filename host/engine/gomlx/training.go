package gomlx

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"

	"github.com/fkzoo/fkzoo/host/engine/device"
)

// training is a [device.Training]: the state's tensors in the layout's order, and
// behind them the scalars, all in the backend's memory.
type training struct {
	device.Job
	net    *network
	kept   *kept          // nil: slices bring their rows
	labels compute.Buffer // the job's, and an empty row behind them
	empty  int            // that row's number
	masked bool           // rows that only fill up must be left out of batch statistics

	state     []compute.Buffer
	gradients []compute.Buffer // sums of the slices so far; nil: none
	mark      compute.Buffer   // scalarNext as it was some steps ago, of which it may be the same buffer; nil: none
	programs  [pieces]*program
	answers   *answers
	pixels    []float32 // room for a slice that is filled up
	lost      error
}

// The scalars behind the state's tensors.
const (
	scalarLoss  = iota // the epoch's loss so far: the sum over filled cells
	scalarCells        // and their number
	scalarNext         // the epoch's next step, from 1; once the loss has diverged, minus the step at which it did
	scalars
)

// Train uploads the labels.
func (d *Device) Train(job device.Job) (device.Training, error) {
	net := newNetwork(d.b, job.Plan)
	t := &training{Job: job, net: net, answers: newAnswers(net), masked: job.Uneven && batchStatistics(job.Plan)}
	t.state = make([]compute.Buffer, len(job.Layout.Tensors)+scalars)
	t.Labels = nil // uploaded, they are no longer needed
	if job.Images == nil {
		return t, nil
	}
	var ok bool
	if t.kept, ok = job.Images.(*kept); !ok {
		return nil, fmt.Errorf("images: found those of another device: %T", job.Images)
	}
	width := t.width()
	t.empty = len(job.Labels) / width
	var err error
	t.labels, err = upload(d.b.Compute, append(slices.Clone(job.Labels), make([]float32, width)...), t.empty+1, width)
	return t, err
}

// width is that of a row of labels.
func (t *training) width() int { return 2 * t.Plan.Answers() }

// scalar is the place of a scalar in the state.
func (t *training) scalar(i int) int { return len(t.Layout.Tensors) + i }

// Write implements [device.Training].
func (t *training) Write(i int, values []float32) error {
	buf, err := upload(t.net.b.Compute, values, t.Layout.Tensors[i].Shape...)
	if err == nil {
		free(t.state[i])
		t.state[i] = buf
	}
	return err
}

// Read implements [device.Training].
func (t *training) Read(i int, values []float32) error {
	if t.lost != nil {
		return t.lost
	}
	return t.state[i].ToFlatData(values)
}

// SetProgress implements [device.Training].
func (t *training) SetProgress(p device.Progress) error {
	if t.lost != nil {
		return t.lost
	}
	t.forget()
	for i, v := range [scalars]float64{scalarLoss: p.LossSum, scalarCells: p.Cells, scalarNext: float64(p.Step)} {
		buf, err := upload(t.net.b.Compute, []float64{v})
		if err != nil {
			return err
		}
		free(t.state[t.scalar(i)])
		t.state[t.scalar(i)] = buf
	}
	return nil
}

// Progress implements [device.Training].
func (t *training) Progress() (p device.Progress, err error) {
	if t.lost != nil {
		return p, t.lost
	}
	var v [scalars]float64
	for i := range v {
		var readErr error
		v[i], readErr = number(t.state[t.scalar(i)])
		err = errors.Join(err, readErr)
	}
	p.LossSum, p.Cells = v[scalarLoss], v[scalarCells]
	if next := int(v[scalarNext]); next > 0 {
		p.Step = next
	} else {
		p.Diverged = -next
	}
	return p, err
}

func number(buf compute.Buffer) (float64, error) {
	var v [1]float64
	err := buf.ToFlatData(v[:])
	return v[0], err
}

// Mark implements [device.Training].
func (t *training) Mark() {
	if t.lost != nil {
		return
	}
	t.forget()
	t.mark = t.state[t.scalar(scalarNext)]
}

// Diverged implements [device.Training].
func (t *training) Diverged() (int, error) {
	if t.mark == nil {
		return 0, nil
	}
	next, err := number(t.mark)
	return max(0, int(-next)), err
}

// forget frees what was marked.
func (t *training) forget() {
	if t.mark != nil && !t.marked() {
		free(t.mark)
	}
	t.mark = nil
}

// marked tells whether what is marked is still the state's own.
func (t *training) marked() bool {
	return t.mark != nil && t.state != nil && t.state[t.scalar(scalarNext)] == t.mark
}

// Compile implements [device.Training].
func (t *training) Compile(sliced bool, answers int) error {
	needed := []piece{whole}
	if sliced {
		needed = []piece{first, more, finish}
	}
	for _, k := range needed {
		if _, err := t.program(k); err != nil {
			return err
		}
	}
	if answers == 0 {
		return nil
	}
	_, err := t.answers.program(answers)
	return err
}

// Step implements [device.Training].
func (t *training) Step(s device.Slice, settings *device.Settings) error {
	p, err := t.program(whole)
	if err != nil {
		return err
	}
	out, err := t.run(p, s, settings, t.state, t.donatedState())
	if err != nil {
		return err
	}
	t.state = out
	return nil
}

// Gradients implements [device.Training].
func (t *training) Gradients(s device.Slice) error {
	k := first
	if t.gradients != nil {
		k = more
	}
	for needed := first; needed < pieces; needed++ { // what can't be compiled is known before sums are made
		if _, err := t.program(needed); err != nil {
			return err
		}
	}
	p := t.programs[k]
	n := len(t.net.params)
	sums := t.state[t.scalar(scalarLoss):t.scalar(scalarNext)]
	given := slices.Concat(t.state[:n], sums, t.gradients)
	out, err := t.run(p, s, nil, given, append(make([]bool, n), donated(len(given)-n)...))
	if err != nil {
		return err
	}
	copy(sums, out[:len(sums)])
	t.gradients = out[len(sums):]
	return nil
}

// Apply implements [device.Training].
func (t *training) Apply(settings *device.Settings) error {
	update, err := t.program(finish)
	if err != nil {
		return err
	}
	if t.lost != nil {
		return t.lost
	}
	given, err := upload(t.net.b.Compute, settings[:], device.SettingCount)
	if err != nil {
		return t.lose(err)
	}
	defer free(given)
	inputs := append(slices.Concat(t.state, t.gradients), given)
	out, err := update.run(inputs, slices.Concat(t.donatedState(), donated(len(t.gradients)), []bool{false}))
	if err != nil {
		return t.lose(err)
	}
	t.state, t.gradients = out, nil
	return nil
}

// run runs a program on a slice: given are its first inputs, of which those may
// be used up that donate says; the slice's follow. An error ends the training:
// the state's memory may be gone.
func (t *training) run(p *program, s device.Slice, settings *device.Settings, given []compute.Buffer, donate []bool) ([]compute.Buffer, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	small, err := t.inputs(s, settings)
	defer free(small...)
	if err != nil {
		return nil, t.lose(err)
	}
	inputs := slices.Clone(given)
	if t.kept != nil {
		inputs = append(inputs, t.kept.buffer, t.labels)
	}
	inputs = append(inputs, small...)
	out, err := p.run(inputs, append(donate, make([]bool, len(inputs)-len(donate))...))
	if err != nil {
		return nil, t.lose(err)
	}
	return out, nil
}

// inputs are the random seed, the settings (for a part of a step: the first row's
// place in the batch, and the batch's filled cells), which rows count, where that
// matters, and the rows: their numbers, those of their labels, and which of them
// are mirrored; or the images and labels that the slice brings.
func (t *training) inputs(s device.Slice, settings *device.Settings) (out []compute.Buffer, err error) {
	b := t.net.b.Compute
	add := func(buf compute.Buffer, uploadErr error) { out, err = append(out, buf), errors.Join(err, uploadErr) }
	add(upload(b, s.Seed[:], 2))
	if settings != nil {
		add(upload(b, settings[:], device.SettingCount))
	} else {
		add(upload(b, []uint64{uint64(s.First)}))
		add(upload(b, []float32{float32(s.Cells)}))
	}
	if t.masked {
		real := make([]float32, t.Rows)
		for i := range s.Rows {
			real[i] = 1
		}
		add(upload(b, real, t.Rows))
	}
	if t.kept != nil {
		add(upload(b, filledUp(s.Index, t.Rows), t.Rows, 1))
		add(upload(b, append(slices.Clone(s.Label), slices.Repeat([]int32{int32(t.empty)}, t.Rows-s.Rows)...), t.Rows, 1))
		add(upload(b, filledUp(s.Flips, t.Rows), t.Rows))
		return out, err
	}
	in, pixels, labels := t.Plan.Document.Input, s.Pixels, s.Labels
	if size := in.Height * in.Width * in.Channels; s.Rows < t.Rows {
		if t.pixels == nil {
			t.pixels = make([]float32, t.Rows*size)
		}
		for at := 0; at < t.Rows; at += s.Rows {
			copy(t.pixels[at*size:], pixels)
		}
		pixels = t.pixels
		labels = append(slices.Clone(labels), make([]float32, (t.Rows-s.Rows)*t.width())...)
	}
	add(upload(b, pixels, t.Rows, in.Height, in.Width, in.Channels))
	add(upload(b, labels, t.Rows, t.width()))
	return out, err
}

// filledUp repeats values until there are n.
func filledUp[T any](values []T, n int) []T {
	if len(values) == n {
		return values
	}
	out := make([]T, n)
	for at := 0; at < n; at += len(values) {
		copy(out[at:], values)
	}
	return out
}

// donatedState says what of the state a step may use up: all, but for what is
// marked.
func (t *training) donatedState() []bool {
	out := donated(len(t.state))
	out[t.scalar(scalarNext)] = !t.marked()
	return out
}

func donated(n int) []bool { return slices.Repeat([]bool{true}, n) }

// lose notes that the state is gone.
func (t *training) lose(err error) error {
	t.forget()
	t.state, t.gradients, t.lost = nil, nil, &device.Lost{Err: err}
	return t.lost
}

// Answer implements [device.Training].
func (t *training) Answer(pixels []float32, rows int) ([]float32, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	weights := make([]compute.Buffer, len(t.net.params))
	for i := range weights {
		weights[i] = t.state[t.Layout.Current(i)]
	}
	return t.answers.answer(weights, pixels, rows)
}

// Close frees the training's memory.
func (t *training) Close() {
	t.forget()
	free(t.labels)
	free(t.state...)
	free(t.gradients...)
	for _, p := range t.programs {
		p.close()
	}
	t.answers.close()
	t.labels, t.state, t.gradients, t.programs = nil, nil, nil, [pieces]*program{}
}
