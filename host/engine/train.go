package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// ErrDiverged is returned when the loss is no longer a finite number, or beyond
// the Config's MaxLoss.
var ErrDiverged = errors.New("training diverged")

// Examples are the rows that a member may be trained on, on the host.
type Examples struct {
	Images
	Columns []string  // of Points
	Points  []float32 // [rows, columns], pixels; NaN: an empty cell
}

// pointsOf are a row's.
func (e *Examples) pointsOf(row int) []float32 {
	return e.Points[row*len(e.Columns) : (row+1)*len(e.Columns)]
}

// Resident are examples' images on a backend, shared by its trainers.
type Resident struct {
	device   device.Device
	examples Examples
	images   device.Kept
}

// Upload puts the images on the backend once, for all members.
func Upload(b *backend.Backend, e Examples) (*Resident, error) { return upload(deviceOf(b), e) }

func upload(d device.Device, e Examples) (*Resident, error) {
	if err := e.Check(e.Height, e.Width, e.Channels); err != nil {
		return nil, err
	}
	if e.Count == 0 {
		return nil, errors.New("images: found none, want at least 1")
	}
	if len(e.Points) != e.Count*len(e.Columns) {
		return nil, fmt.Errorf("points: found %d values, want %d for %d rows of %d columns", len(e.Points), e.Count*len(e.Columns), e.Count, len(e.Columns))
	}
	r := &Resident{device: d, examples: e}
	var err error
	r.images, err = r.device.Keep(e.Images)
	return r, err
}

// Close frees the images' memory on the backend.
func (r *Resident) Close() { r.images.Close() }

// Config is what a member's training starts from.
type Config struct {
	Plan   *blueprint.Plan
	Rows   []int // of the data: those trained on
	Epochs int
	Seed   uint64
	// MaxLoss is the mean loss of an epoch so far beyond which it has diverged; 0:
	// only what isn't finite has.
	MaxLoss float64
	// Weights are the first weights by tensor name; nil: drawn by the seed.
	Weights Arrays
	// State continues an earlier training; nil: from the start.
	State *State
}

// State is all that the rest of a training depends on, beside its Config and
// data. Random numbers follow from the seed and the position.
type State struct {
	Epoch int // epochs done
	Step  int // steps done in the epoch under way
	// LossSum and Cells are the epoch's loss so far: the sum over filled cells,
	// and their number.
	LossSum, Cells float64
	// Tensors are the weights, optimizer/SLOT/NAME for what the optimizer keeps,
	// and average/NAME for the moving average.
	Tensors Arrays
}

// Trainer trains one member. It must not be used from several goroutines at once.
type Trainer struct {
	Config
	data    *Resident
	layout  *device.Layout
	labels  *labels
	filled  []int32         // cells of each row of labels; nil where there is a feeder
	feeder  *feeder         // where images are augmented on the host; the device then has no labels
	run     device.Training // nil: closed
	atOnce  int             // rows of a slice
	answers answerer
	epoch   int
	step    int
	lost    error // the step that failed and took the state with it, or ErrClosed
}

// lookEvery is how many steps there are between two looks at whether the loss has
// diverged. Each look is at the step of the look before: it doesn't wait for the
// device, which has the steps since then under way.
const lookEvery = 16

// NewTrainer prepares a member's training.
func NewTrainer(data *Resident, c Config) (*Trainer, error) {
	return newTrainer(data, c, data.device.SliceRows(c.Plan))
}

// newTrainer is NewTrainer with so many rows at once.
func newTrainer(data *Resident, c Config, atOnce int) (*Trainer, error) {
	in := c.Plan.Document.Input
	if err := data.examples.Check(in.Height, in.Width, in.Channels); err != nil {
		return nil, err
	}
	if len(c.Rows) == 0 {
		return nil, errors.New("found no rows to train on, want at least 1")
	}
	if err := data.examples.CheckRows(c.Rows); err != nil {
		return nil, err
	}
	t := &Trainer{Config: c, data: data, layout: device.NewLayout(c.Plan), answers: answerer{plan: c.Plan}}
	t.atOnce = min(atOnce, t.batchSize())
	if err := t.open(); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Trainer) recipe() *blueprint.Recipe { return &t.Plan.Member.Recipe }

func (t *Trainer) batchSize() int { return min(t.recipe().Batch, len(t.Rows)) }

// StepsPerEpoch is the number of batches, the last of which may be smaller.
func (t *Trainer) StepsPerEpoch() int { return (len(t.Rows) + t.batchSize() - 1) / t.batchSize() }

// Position says how many epochs are done, and how many steps of the next.
func (t *Trainer) Position() (epoch, step int) { return t.epoch, t.step }

// Close frees the trainer's memory on the backend. What is asked afterwards is
// answered by ErrClosed, but for the position.
func (t *Trainer) Close() {
	if t.run != nil {
		t.run.Close()
		t.run = nil
	}
	t.lost = cmp.Or(t.lost, ErrClosed)
}

// open gives the device what it needs, and the state from which training goes on.
func (t *Trainer) open() error {
	var err error
	if t.labels, err = newLabels(t.Plan, &t.data.examples); err != nil {
		return err
	}
	job := device.Job{
		Plan: t.Plan, Layout: t.layout, Rows: t.atOnce, MaxLoss: t.MaxLoss,
		Uneven: len(t.Rows)%t.batchSize() != 0 || t.batchSize()%t.atOnce != 0,
	}
	if augmented(t.recipe().Augment) {
		t.feeder = newFeeder(t)
	} else {
		job.Images, job.Labels, job.Mirrored = t.data.images, t.labels.all(&t.data.examples), t.labels.turn != nil
		for at, width := 0, t.labels.width(); at < len(job.Labels); at += width {
			t.filled = append(t.filled, int32(t.labels.filledCells(job.Labels[at:at+width])))
		}
	}
	tensors, err := t.start()
	if err != nil {
		return err
	}
	if t.run, err = t.data.device.Train(job); err != nil {
		return err
	}
	t.answers.answer = t.run.Answer
	for i, want := range t.layout.Tensors {
		a, err := tensors.take(want.Name, want.Shape)
		if err != nil {
			return err
		}
		if err := t.run.Write(i, a.Data); err != nil {
			return fmt.Errorf("tensor %s: %w", want.Name, err)
		}
	}
	p := device.Progress{Step: t.step + 1}
	if t.State != nil {
		p.LossSum, p.Cells = t.State.LossSum, t.State.Cells
	}
	t.State, t.Weights = nil, nil // their memory is no longer needed
	return t.run.SetProgress(p)
}

// Compile does beforehand what the first epoch, and the first answers to so many
// images (0: none), would else spend on compiling; see [backend.Backend.Compiles].
func (t *Trainer) Compile(answers int) error {
	if t.lost != nil {
		return t.lost
	}
	if answers > 0 {
		answers = BatchFor(answers)
	}
	return t.run.Compile(t.atOnce < t.batchSize(), answers)
}

// take gives a tensor of this shape.
func (arrays Arrays) take(name string, shape blueprint.Shape) (Array, error) {
	a, ok := arrays[name]
	if !ok {
		return a, fmt.Errorf("tensor %s: missing, want shape %v", name, shape)
	}
	if !slices.Equal(a.Shape, shape) || int64(len(a.Data)) != shape.Size() {
		return a, fmt.Errorf("tensor %s: found shape %v with %d values, want %v", name, a.Shape, len(a.Data), shape)
	}
	return a, nil
}

// start gives the state's tensors from which training goes on: those of an
// earlier state, or the first weights, with the optimizer's slots at zero and
// the averages at the weights.
func (t *Trainer) start() (Arrays, error) {
	if s := t.State; s != nil {
		if s.Epoch < 0 || s.Step < 0 || s.Step > t.StepsPerEpoch() {
			return nil, fmt.Errorf("state: found epoch %d and step %d, want epochs from 0 and steps from 0 to %d", s.Epoch, s.Step, t.StepsPerEpoch())
		}
		t.epoch, t.step = s.Epoch, s.Step
		return s.Tensors, nil
	}
	weights := t.Weights
	if weights == nil {
		weights = InitialWeights(t.Plan, t.Seed)
	}
	out := Arrays{}
	for _, want := range t.layout.Tensors {
		switch a, ok := weights[t.layout.Params[want.Param].Tensor]; {
		case want.Role == device.Slot:
			out[want.Name] = Array{Shape: want.Shape, Data: make([]float32, want.Shape.Size())}
		case ok:
			out[want.Name] = a
		}
	}
	return out, nil
}

// EpochLoss is what an epoch's training gave.
type EpochLoss struct {
	Loss float64 // mean over the filled cells, while the weights changed
}

// Epoch trains to the end of the epoch under way. When ctx ends, it stops
// after the batch under way and returns ctx's error; the state then is that
// after the batch. When the loss has diverged, it stops some batches later, at
// the epoch's end at the latest, with an error that wraps ErrDiverged and names
// the first. tick, which may be nil, is told the steps done and in all.
func (t *Trainer) Epoch(ctx context.Context, tick func(done, total int)) (EpochLoss, error) {
	if t.lost != nil {
		return EpochLoss{}, t.lost
	}
	rows := order(t.Rows, t.Seed, t.Plan.Member.Name, t.epoch)
	size, total := t.batchSize(), t.StepsPerEpoch()
	for t.step < total {
		if err := ctx.Err(); err != nil {
			return EpochLoss{}, err
		}
		from := t.step * size
		if err := t.train(rows[from:min(from+size, len(rows))]); err != nil {
			return EpochLoss{}, err
		}
		t.step++
		if tick != nil {
			tick(t.step, total)
		}
		if t.step%lookEvery == 0 {
			if err := t.look(); err != nil {
				return EpochLoss{}, err
			}
		}
	}
	p, err := t.run.Progress()
	if err == nil {
		err = t.diverged(p.Diverged)
	}
	if err != nil {
		return EpochLoss{}, err
	}
	t.epoch, t.step = t.epoch+1, 0
	return EpochLoss{Loss: p.LossSum / max(p.Cells, 1)}, t.run.SetProgress(device.Progress{Step: 1})
}

// look looks at whether the loss had diverged at the look before.
func (t *Trainer) look() error {
	step, err := t.run.Diverged()
	if err != nil {
		return err
	}
	t.run.Mark()
	return t.diverged(step)
}

// diverged is an error where the loss has diverged at a step; 0: it hasn't.
func (t *Trainer) diverged(step int) error {
	if step == 0 {
		return nil
	}
	sum, cells, err := t.Loss()
	if err != nil {
		return err
	}
	loss := sum / max(cells, 1)
	what := ""
	if finite(loss) { // by now: it may have been more
		what = fmt.Sprintf(", and has been more than %.3g, from where no training comes back,", t.MaxLoss)
	}
	return fmt.Errorf("%w: the loss of epoch %d is %.4g%s from batch %d of %d on: a smaller learning rate may help",
		ErrDiverged, t.epoch+1, loss, what, step, t.StepsPerEpoch())
}

// Loss reads the epoch's sums so far: of the loss over the filled cells, and
// their number. It waits for the steps that are under way.
func (t *Trainer) Loss() (sum, cells float64, err error) {
	if t.lost != nil {
		return 0, 0, t.lost
	}
	p, err := t.run.Progress()
	return p.LossSum, p.Cells, err
}

// train makes one step on these rows.
func (t *Trainer) train(rows []int) error {
	b := t.draw(rows)
	defer t.release(b)
	err := t.take(b)
	if lost := (*device.Lost)(nil); errors.As(err, &lost) {
		t.lost = fmt.Errorf("epoch %d, batch %d: %w", t.epoch+1, t.step+1, err)
		return t.lost
	}
	return err
}

// take makes one step on a batch, slice by slice where it is more than one: each
// cell's gradient is divided by the filled cells of the whole batch, and dropout
// drops what it would there, so that slices change nothing but the order of the
// sums.
func (t *Trainer) take(b *batch) error {
	if t.atOnce == t.batchSize() {
		return t.run.Step(b.Slice, b.settings)
	}
	for from := 0; from < b.Rows; from += t.atOnce {
		if err := t.run.Gradients(t.cut(b, from, min(from+t.atOnce, b.Rows))); err != nil {
			return err
		}
	}
	return t.run.Apply(b.settings)
}

// batch is what a step depends on beside the state.
type batch struct {
	device.Slice // all rows
	settings     *device.Settings
	fed          *fed // where the rows come from, if they aren't the device's
}

// draw makes the batch of the step under way.
func (t *Trainer) draw(rows []int) *batch {
	r := t.stepRandom(t.epoch, t.step)
	b := &batch{settings: device.SettingsAt(t.recipe(), t.progress(t.epoch, t.step))}
	b.Rows, b.Seed = len(rows), [2]uint32{r.Uint32(), r.Uint32()}
	if t.feeder != nil {
		b.fed = t.feeder.take(t.epoch, t.step)
		b.Pixels, b.Labels = b.fed.images[:b.Rows*t.data.examples.Pixels()], b.fed.labels[:b.Rows*t.labels.width()]
		b.Cells = t.labels.filledCells(b.Labels)
		return b
	}
	b.Flips = t.flips(r, t.epoch, t.step, len(rows))
	b.Index, b.Label = make([]int32, len(rows)), make([]int32, len(rows))
	for i, row := range rows {
		b.Index[i] = int32(row)
		b.Label[i] = int32(row + int(b.Flips[i])*t.data.examples.Count)
		b.Cells += int(t.filled[b.Label[i]])
	}
	return b
}

// cut gives a run of a batch's rows.
func (t *Trainer) cut(b *batch, from, to int) device.Slice {
	s := b.Slice
	s.First, s.Rows = from, to-from
	if b.fed != nil {
		pixels, width := t.data.examples.Pixels(), t.labels.width()
		s.Pixels, s.Labels = s.Pixels[from*pixels:to*pixels], s.Labels[from*width:to*width]
	} else {
		s.Index, s.Label, s.Flips = s.Index[from:to], s.Label[from:to], s.Flips[from:to]
	}
	return s
}

// release gives the batch's memory back.
func (t *Trainer) release(b *batch) {
	if b.fed != nil {
		t.feeder.give(b.fed)
	}
}

// Predict answers the images of these rows as [Predictor.Predict] does, with
// the weights as they are now.
func (t *Trainer) Predict(ctx context.Context, im Images, rows []int) ([]float32, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	return t.answers.all(ctx, im, rows, 0, nil)
}

// read gives a tensor of the state.
func (t *Trainer) read(i int) (Array, error) {
	shape := t.layout.Tensors[i].Shape
	a := Array{Shape: slices.Clone(shape), Data: make([]float32, shape.Size())}
	return a, t.run.Read(i, a.Data)
}

// Current gives the weights as they are now: averaged where the recipe says so.
func (t *Trainer) Current() (Arrays, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	out := Arrays{}
	for i, p := range t.layout.Params {
		a, err := t.read(t.layout.Current(i))
		if err != nil {
			return nil, err
		}
		out[p.Tensor] = a
	}
	return out, nil
}

// Snapshot gives the state, to be continued from later; that of a training that
// has diverged is an error that wraps ErrDiverged.
func (t *Trainer) Snapshot() (*State, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	p, err := t.run.Progress()
	if err == nil {
		err = t.diverged(p.Diverged)
	}
	if err != nil {
		return nil, err
	}
	s := &State{Epoch: t.epoch, Step: t.step, LossSum: p.LossSum, Cells: p.Cells, Tensors: Arrays{}}
	for i, of := range t.layout.Tensors {
		a, err := t.read(i)
		if err != nil {
			return nil, err
		}
		for _, v := range a.Data {
			if math.IsNaN(float64(v)) {
				return nil, fmt.Errorf("%w: tensor %s holds a value that is not a number", ErrDiverged, of.Name)
			}
		}
		s.Tensors[of.Name] = a
	}
	return s, nil
}
