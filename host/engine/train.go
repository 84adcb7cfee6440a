package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/backend"
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

// Resident are examples' images on a backend, shared by its trainers.
type Resident struct {
	b        *backend.Backend
	examples Examples
	images   compute.Buffer // [rows, height, width, channels], uint8 or float32
	dtype    dtypes.DType
}

// Upload puts the images on the backend once, for all members.
func Upload(b *backend.Backend, e Examples) (*Resident, error) {
	if err := e.check(e.Height, e.Width, e.Channels); err != nil {
		return nil, err
	}
	if e.Count == 0 {
		return nil, errors.New("images: found none, want at least 1")
	}
	if len(e.Points) != e.Count*len(e.Columns) {
		return nil, fmt.Errorf("points: found %d values, want %d for %d rows of %d columns", len(e.Points), e.Count*len(e.Columns), e.Count, len(e.Columns))
	}
	r := &Resident{b: b, examples: e, dtype: dtypes.Uint8}
	var err error
	if len(e.Floats) > 0 {
		r.dtype = dtypes.Float32
		r.images, err = upload(b.Compute(), e.Floats, e.Count, e.Height, e.Width, e.Channels)
	} else {
		r.images, err = upload(b.Compute(), e.Bytes, e.Count, e.Height, e.Width, e.Channels)
	}
	return r, err
}

// Close frees the images' memory on the backend.
func (r *Resident) Close() { free(r.images) }

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
	net      *network
	data     *Resident
	labels   compute.Buffer // [rows or twice as many, 2*columns]: targets, then 1 for filled cells; the mirrored rows behind the others
	mirrored bool
	feeder   *feeder          // where images are augmented on the host; the device then has neither labels nor images
	names    []string         // of state's tensors
	state    []compute.Buffer // tensors by names, then the scalars
	earlier  compute.Buffer   // scalarNext as it was some steps ago, of which it may be the same buffer; nil: none
	filled   []int32          // cells of each row of labels
	atOnce   int              // rows of a batch, see [rowsAtOnce]
	programs map[piece]*program
	forward  *Predictor
	epoch    int
	step     int
	lost     error // the step that failed and took the state with it
}

// The scalars behind the state's tensors.
const (
	scalarLoss  = iota // the epoch's loss so far: the sum over filled cells
	scalarCells        // and their number
	scalarNext         // the epoch's next step, from 1; once the loss has diverged, minus the step at which it did
	scalars
)

// lookEvery is how many steps there are between two looks at whether the loss has
// diverged. Each look is at the step of the look before: it doesn't wait for the
// device, which has the steps since then under way.
const lookEvery = 16

// NewTrainer prepares a member's training.
func NewTrainer(data *Resident, c Config) (*Trainer, error) {
	t := &Trainer{Config: c, data: data, net: newNetwork(data.b, c.Plan), programs: map[piece]*program{}}
	t.atOnce = rowsAtOnce(c.Plan, data.b.Kind())
	t.forward = &Predictor{net: t.net, programs: map[int]*program{}}
	in := c.Plan.Document.Input
	if err := data.examples.check(in.Height, in.Width, in.Channels); err != nil {
		return nil, err
	}
	if len(c.Rows) == 0 {
		return nil, errors.New("found no rows to train on, want at least 1")
	}
	if err := data.examples.checkRows(c.Rows); err != nil {
		return nil, err
	}
	if err := t.upload(); err != nil {
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

// Close frees the trainer's memory on the backend.
func (t *Trainer) Close() {
	free(t.labels)
	t.forget()
	free(t.state...)
	for _, p := range t.programs {
		p.close()
	}
	t.forward.Close()
	t.labels, t.state, t.programs = nil, nil, map[piece]*program{}
}

// upload puts labels and state on the device.
func (t *Trainer) upload() error {
	if err := t.prepareLabels(); err != nil {
		return err
	}
	t.names = t.stateNames()
	tensors, err := t.start()
	if err != nil {
		return err
	}
	for i, name := range t.names {
		shape := t.shapeOf(i)
		a, ok := tensors[name]
		if !ok {
			return fmt.Errorf("tensor %s: missing, want shape %v", name, shape)
		}
		if !sameShape(a.Shape, shape) || int64(len(a.Data)) != shape.Size() {
			return fmt.Errorf("tensor %s: found shape %v with %d values, want %v", name, a.Shape, len(a.Data), shape)
		}
		buf, err := upload(t.net.b.Compute(), a.Data, shape...)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", name, err)
		}
		t.state = append(t.state, buf)
	}
	var sum, cells float64
	if t.State != nil {
		sum, cells = t.State.LossSum, t.State.Cells
	}
	t.State, t.Weights = nil, nil // their memory is no longer needed
	return t.resetLoss(sum, cells)
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
	first := len(t.names) - t.averages()
	for i, name := range t.names {
		switch {
		case i < len(t.net.params):
			if a, ok := weights[name]; ok {
				out[name] = a
			}
		case i < first:
			shape := t.shapeOf(i)
			out[name] = Array{Shape: shape, Data: make([]float32, shape.Size())}
		default:
			out[name] = out[t.names[i-first]]
		}
	}
	return out, nil
}

// stateNames are the state's tensors: parameters, the optimizer's slots of the
// trainable ones, and the averages.
func (t *Trainer) stateNames() []string {
	var names []string
	for _, p := range t.net.params {
		names = append(names, p.tensor)
	}
	for _, slot := range slots(t.recipe().Optimizer.Kind) {
		for _, p := range t.net.params {
			if p.Trainable {
				names = append(names, "optimizer/"+slot+"/"+p.tensor)
			}
		}
	}
	if t.recipe().Average != nil {
		for _, p := range t.net.params {
			names = append(names, "average/"+p.tensor)
		}
	}
	return names
}

// averages is the number of tensors of the moving average.
func (t *Trainer) averages() int {
	if t.recipe().Average == nil {
		return 0
	}
	return len(t.net.params)
}

// shapeOf is the shape of the state's tensor number i.
func (t *Trainer) shapeOf(i int) blueprint.Shape {
	if i < len(t.net.params) {
		return t.net.params[i].Shape
	}
	if from := len(t.names) - t.averages(); i >= from {
		return t.net.params[i-from].Shape
	}
	trainable := t.trainable()
	return t.net.params[trainable[(i-len(t.net.params))%len(trainable)]].Shape
}

// trainable are the indices of the trainable parameters.
func (t *Trainer) trainable() []int {
	var out []int
	for i, p := range t.net.params {
		if p.Trainable {
			out = append(out, i)
		}
	}
	return out
}

func (t *Trainer) resetLoss(sum, cells float64) error {
	n := len(t.names)
	t.forget()
	if len(t.state) > n {
		free(t.state[n:]...)
		t.state = t.state[:n]
	}
	for _, v := range [scalars]float64{scalarLoss: sum, scalarCells: cells, scalarNext: float64(t.step + 1)} {
		buf, err := upload(t.net.b.Compute(), []float64{v})
		if err != nil {
			return err
		}
		t.state = append(t.state, buf)
	}
	return nil
}

// prepareLabels puts the labels on the device, or prepares the feeder that makes
// them for each batch.
func (t *Trainer) prepareLabels() error {
	from, turn, axis, err := t.places()
	if err != nil {
		return err
	}
	t.mirrored = turn != nil
	if augmented(t.recipe().Augment) {
		t.feeder = newFeeder(t, from, turn, axis)
		return nil
	}
	labels := t.makeLabels(from, turn, axis)
	width := 2 * len(t.Plan.Columns)
	for at := 0; at < len(labels); at += width {
		t.filled = append(t.filled, int32(filledCells(labels[at:at+width], width)))
	}
	t.labels, err = upload(t.net.b.Compute(), labels, len(labels)/width, width)
	return err
}

// places says where the member's columns are in the data and, unless nil, which
// of them each becomes in a mirrored face, where x becomes axis - x.
func (t *Trainer) places() (from, turn []int, axis float64, err error) {
	e := t.data.examples
	axis = float64(e.Width)
	for _, c := range t.Plan.Columns {
		i := slices.Index(e.Columns, c)
		if i < 0 {
			return nil, nil, 0, fmt.Errorf("column %s: not in the data", c)
		}
		from = append(from, i)
	}
	if a := t.recipe().Augment; a != nil && a.Mirror != nil {
		axis = a.Mirror.AxisOf(e.Width)
		if turn, err = a.Mirror.Permutation(t.Plan.Columns); err != nil {
			return nil, nil, 0, fmt.Errorf("recipe.augment.mirror: %w", err)
		}
	}
	return from, turn, axis, nil
}

// makeLabels gives each row's targets, y = (pixels - offset) / scale, and which
// cells are filled: [rows, 2*columns]. Where turn, the columns' places in a
// mirrored face, isn't nil, mirrored rows follow.
func (t *Trainer) makeLabels(from, turn []int, axis float64) []float32 {
	e := t.data.examples
	columns := t.Plan.Columns
	scale, offset := t.Plan.Member.Affine(t.Plan.Document.Input)
	width := 2 * len(columns)
	out := make([]float32, e.Count*width)
	put := func(row []float32, i int, v float32) {
		if v == v { // filled
			row[i], row[len(columns)+i] = float32((float64(v)-offset)/scale), 1
		}
	}
	for r := range e.Count {
		points := e.Points[r*len(e.Columns) : (r+1)*len(e.Columns)]
		for i, c := range from {
			put(out[r*width:], i, points[c])
		}
	}
	if turn == nil {
		return out
	}
	out = append(out, make([]float32, e.Count*width)...)
	for r := range e.Count {
		points := e.Points[r*len(e.Columns) : (r+1)*len(e.Columns)]
		for i := range columns {
			v := points[from[turn[i]]]
			if blueprint.IsX(columns[i]) {
				v = float32(axis - float64(v))
			}
			put(out[(e.Count+r)*width:], i, v)
		}
	}
	return out
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
	next, err := t.scalar(scalarNext)
	if err == nil {
		err = t.diverged(next)
	}
	if err != nil {
		return EpochLoss{}, err
	}
	sum, cells, err := t.Loss()
	if err != nil {
		return EpochLoss{}, err
	}
	t.epoch, t.step = t.epoch+1, 0
	return EpochLoss{Loss: sum / max(cells, 1)}, t.resetLoss(0, 0)
}

// look looks at whether the loss had diverged at the look before, and keeps what
// the next is to look at.
func (t *Trainer) look() error {
	earlier := t.earlier
	t.earlier = t.state[len(t.names)+scalarNext]
	if earlier == nil {
		return nil
	}
	defer free(earlier)
	next, err := read(earlier)
	if err != nil {
		return err
	}
	return t.diverged(next)
}

// forget frees what the next look would be at.
func (t *Trainer) forget() {
	if t.earlier != nil && !t.isEarlier() {
		free(t.earlier)
	}
	t.earlier = nil
}

// isEarlier tells whether what the next look is at is still the state's own.
func (t *Trainer) isEarlier() bool {
	at := len(t.names) + scalarNext
	return at < len(t.state) && t.state[at] == t.earlier
}

// diverged is an error where scalarNext says so.
func (t *Trainer) diverged(next float64) error {
	if next > 0 {
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
		ErrDiverged, t.epoch+1, loss, what, int(-next), t.StepsPerEpoch())
}

// Loss reads the epoch's sums so far: of the loss over the filled cells, and
// their number. It waits for the steps that are under way.
func (t *Trainer) Loss() (sum, cells float64, err error) {
	if t.lost != nil {
		return 0, 0, t.lost
	}
	if sum, err = t.scalar(scalarLoss); err == nil {
		cells, err = t.scalar(scalarCells)
	}
	return sum, cells, err
}

// scalar reads one of the numbers behind the state's tensors.
func (t *Trainer) scalar(i int) (float64, error) { return read(t.state[len(t.names)+i]) }

func read(buf compute.Buffer) (float64, error) {
	var v [1]float64
	err := buf.ToFlatData(v[:])
	return v[0], err
}

// train makes one step on these rows.
func (t *Trainer) train(rows []int) error {
	b := t.draw(rows)
	defer t.release(b)
	if len(rows) > t.atOnce {
		return t.trainSlices(b)
	}
	p, err := t.program(piece{rows: len(rows)})
	if err != nil {
		return err
	}
	out, err := t.runOn(p, b, slice{to: len(rows)}, t.state, t.donatedState())
	if err != nil {
		return err
	}
	t.state = out
	return nil
}

// runOn runs a program on rows of a batch: given are its first inputs, of which
// those may be used up that donate says; the batch's follow. An error ends the
// training: the state's memory may be gone.
func (t *Trainer) runOn(p *program, b *batch, s slice, given []compute.Buffer, donate []bool) ([]compute.Buffer, error) {
	small, err := t.stepInputs(b, s)
	defer free(small...)
	if err != nil {
		return nil, t.lose(err)
	}
	inputs := slices.Clone(given)
	if t.feeder == nil {
		inputs = append(inputs, t.data.images, t.labels)
	}
	inputs = append(inputs, small...)
	out, err := p.run(inputs, append(donate, make([]bool, len(inputs)-len(donate))...))
	return out, t.lose(err)
}

// donatedState says what of the state a step may use up: all, but for what the
// next look is at.
func (t *Trainer) donatedState() []bool {
	out := donated(len(t.state))
	out[len(t.names)+scalarNext] = !t.isEarlier()
	return out
}

// lose notes that the state is gone where a step failed.
func (t *Trainer) lose(err error) error {
	if err != nil {
		t.state, t.lost = nil, fmt.Errorf("epoch %d, batch %d: %w", t.epoch+1, t.step+1, err)
		return t.lost
	}
	return nil
}

// batch is what a step depends on beside the state.
type batch struct {
	rows         int
	seed         []uint32
	settings     []float32
	index, label []int32 // of images and labels on the device
	flips        []uint8 // 1: the image is mirrored
	fed          *fed    // instead of those three
	cells        int     // filled
}

// draw makes the batch of the step under way.
func (t *Trainer) draw(rows []int) *batch {
	r := t.stepRandom(t.epoch, t.step)
	b := &batch{rows: len(rows), seed: []uint32{r.Uint32(), r.Uint32()}, settings: hyper(t.recipe(), t.progress(t.epoch, t.step))}
	if t.feeder != nil {
		b.fed = t.feeder.take(t.epoch, t.step)
		width := 2 * len(t.Plan.Columns)
		b.cells = filledCells(b.fed.labels[:b.rows*width], width)
		return b
	}
	b.flips = t.flips(r, t.epoch, t.step, len(rows))
	b.index, b.label = make([]int32, len(rows)), make([]int32, len(rows))
	for i, row := range rows {
		b.index[i] = int32(row)
		b.label[i] = int32(row + int(b.flips[i])*t.data.examples.Count)
		b.cells += int(t.filled[b.label[i]])
	}
	return b
}

// release gives the batch's memory back.
func (t *Trainer) release(b *batch) {
	if b.fed != nil {
		t.feeder.give(b.fed)
	}
}

// stepInputs are the random seed, the settings (for a slice: its first row's
// place in the batch, and the batch's filled cells), and the rows: their
// numbers, those of their labels, and which of them are mirrored; or, from the
// feed, images and labels.
func (t *Trainer) stepInputs(b *batch, s slice) ([]compute.Buffer, error) {
	device := t.net.b.Compute()
	var out []compute.Buffer
	add := func(buf compute.Buffer, err error) error { out = append(out, buf); return err }
	err := add(upload(device, b.seed, 2))
	if n := s.to - s.from; n < b.rows {
		err = errors.Join(err, add(upload(device, []uint64{uint64(s.from)})), add(upload(device, []float32{float32(b.cells)})))
	} else {
		err = errors.Join(err, add(upload(device, b.settings, hyperCount)))
	}
	n := s.to - s.from
	if b.fed != nil {
		e, width := t.data.examples, 2*len(t.Plan.Columns)
		return out, errors.Join(err,
			add(upload(device, b.fed.images[s.from*e.pixels():s.to*e.pixels()], n, e.Height, e.Width, e.Channels)),
			add(upload(device, b.fed.labels[s.from*width:s.to*width], n, width)),
		)
	}
	return out, errors.Join(err,
		add(upload(device, b.index[s.from:s.to], n, 1)),
		add(upload(device, b.label[s.from:s.to], n, 1)),
		add(upload(device, b.flips[s.from:s.to], n)),
	)
}

// piece names one of a trainer's programs: a step on a batch of so many rows, or
// a part of one on a slice.
type piece struct {
	rows int // 0: the update after the last slice
	kind pieceKind
}

type pieceKind int

const (
	whole  pieceKind = iota // forward, backward, update
	first                   // forward and backward: gradients
	more                    // the same, added to those of the slices before
	finish                  // the update
)

// program gives a program, compiled when first asked for.
func (t *Trainer) program(k piece) (*program, error) {
	p := t.programs[k]
	if p == nil {
		all, err := steps(t.Plan)
		if err != nil {
			return nil, err
		}
		build := map[pieceKind]func(*Graph, []step, piece) []*Node{whole: t.buildStep, first: t.buildSlice, more: t.buildSlice, finish: t.buildUpdate}[k.kind]
		p, err = compile(t.net.b, fmt.Sprintf("%s/%s training", t.Plan.Document.Name, t.Plan.Member.Name), func(g *Graph) []*Node { return build(g, all, k) })
		if err != nil {
			return nil, err
		}
		t.programs[k] = p
	}
	return p, nil
}

// buildStep is a whole step.
func (t *Trainer) buildStep(g *Graph, all []step, k piece) []*Node {
	state, sum, cells, next := t.declareState(g)
	s := t.declareBatch(g, k)
	b := t.net.builder(g, true, state[:len(t.net.params)])
	total, count := t.pass(b, all, s)
	return t.finished(b, state, Add(sum, total), Add(cells, count), next, s.settings)
}

// declareState declares all of the state.
func (t *Trainer) declareState(g *Graph) (state []*Node, sum, cells, next *Node) {
	for i, name := range t.names {
		state = append(state, floats(g, name, t.shapeOf(i)...))
	}
	sum, cells = declareLoss(g)
	return state, sum, cells, Parameter(g, "next step", shapes.Make(dtypes.Float64))
}

func declareLoss(g *Graph) (sum, cells *Node) {
	scalar := shapes.Make(dtypes.Float64)
	return Parameter(g, "loss sum", scalar), Parameter(g, "loss cells", scalar)
}

// pass goes forward and backward, leaves the gradients in b, and gives the loss's
// sum over the filled cells, and their number.
func (t *Trainer) pass(b *builder, all []step, s stepNodes) (sum, cells *Node) {
	b.seed, b.first = s.seed, s.first
	width := 2 * len(t.Plan.Columns)
	target := Slice(s.labels, AxisRange(), AxisRange(0, width/2))
	filled := Slice(s.labels, AxisRange(), AxisRange(width/2, width))

	answer := forward(b, all, scaled(s.images, t.Plan.Document.Input.Scaling), t.Plan.Output)
	sum, cells, d := lossOf(t.recipe().Loss, answer, target, filled, s.cells)
	backward(b, all, d, t.Plan.Output)
	return ConvertDType(sum, dtypes.Float64), ConvertDType(cells, dtypes.Float64)
}

// finished gives the outputs of a step: the state behind the update by b's gradients.
func (t *Trainer) finished(b *builder, state []*Node, sum, cells, next, settings *Node) []*Node {
	out := t.updateState(b, state, func(i int) *Node { return Reshape(Slice(settings, AxisElem(i))) })
	good := LessThan(Abs(sum), Const(b.g, math.MaxFloat64))
	if t.MaxLoss > 0 {
		good = LogicalAnd(good, LessOrEqual(sum, MulScalar(MaxScalar(cells, 1.0), t.MaxLoss)))
	}
	good = LogicalAnd(good, GreaterThan(next, ScalarZero(b.g, dtypes.Float64))) // once diverged, it stays so
	return append(out, sum, cells, Where(good, AddScalar(next, 1.0), Neg(Abs(next))))
}

// stepNodes are a step's inputs beside the state, as stepInputs gives them.
type stepNodes struct {
	seed         *Node
	settings     *Node // of a whole step
	first, cells *Node // of a slice
	images       *Node // [size, height, width, channels], pixels 0 to 255
	labels       *Node // [size, 2*columns]
}

// declareBatch declares the inputs and takes the batch out of what is on the
// device, if it is there.
func (t *Trainer) declareBatch(g *Graph, k piece) stepNodes {
	e, size := t.data.examples, k.rows
	width := 2 * len(t.Plan.Columns)
	var s stepNodes
	small := func() {
		s.seed = Parameter(g, "seed", shapes.Make(dtypes.Uint32, 2))
		if k.kind == whole {
			s.settings = floats(g, "settings", hyperCount)
			return
		}
		s.first = Parameter(g, "first row", shapes.Make(dtypes.Uint64))
		s.cells = floats(g, "filled cells")
	}
	if t.feeder != nil {
		small()
		s.images = floats(g, "images", size, e.Height, e.Width, e.Channels)
		s.labels = floats(g, "labels", size, width)
		return s
	}
	images := Parameter(g, "images", shapes.Make(t.data.dtype, e.Count, e.Height, e.Width, e.Channels))
	labelRows := e.Count
	if t.mirrored {
		labelRows *= 2
	}
	labels := floats(g, "labels", labelRows, width)
	small()
	index := Parameter(g, "index", shapes.Make(dtypes.Int32, size, 1))
	label := Parameter(g, "label", shapes.Make(dtypes.Int32, size, 1))
	flips := Parameter(g, "flips", shapes.Make(dtypes.Uint8, size))
	s.images, s.labels = ConvertDType(Gather(images, index), dtypes.Float32), Gather(labels, label)
	if t.mirrored {
		turned := Equal(flips, Const(g, uint8(1)))
		s.images = Where(BroadcastToDims(Reshape(turned, size, 1, 1, 1), s.images.Shape().Dimensions...), Reverse(s.images, 2), s.images)
	}
	return s
}

// fillGradients gives those layers a gradient that the answer doesn't depend on.
func (t *Trainer) fillGradients(b *builder) {
	for _, i := range t.trainable() {
		if key := t.net.params[i].key; b.gradients[key] == nil {
			b.gradients[key] = ZerosLike(b.params[key])
		}
	}
}

// updateState gives the state after the step.
func (t *Trainer) updateState(b *builder, state []*Node, h func(int) *Node) []*Node {
	o := t.recipe().Optimizer
	out := slices.Clone(state)
	trainable := t.trainable()
	var learned []string
	for _, i := range trainable {
		key := t.net.params[i].key
		learned = append(learned, key)
	}
	t.fillGradients(b)
	if o.Clip != nil {
		clip(b.gradients, learned, h(hyperClip))
	}
	first, count := len(t.net.params), len(slots(o.Kind))
	for k, i := range trainable {
		p := t.net.params[i]
		mine := make([]*Node, count)
		for s := range mine {
			mine[s] = state[first+s*len(trainable)+k]
		}
		w, kept := update(o, p.Decay, state[i], b.gradients[p.key], mine, h)
		out[i] = w
		for s := range kept {
			out[first+s*len(trainable)+k] = kept[s]
		}
	}
	for i, p := range t.net.params {
		if u := b.updates[p.key]; u != nil {
			out[i] = u
		}
	}
	if n := t.averages(); n > 0 {
		decay, rest := h(hyperAverage), h(hyperAverageRest)
		for i := range n {
			at := len(state) - n + i
			out[at] = Add(Mul(state[at], decay), Mul(out[i], rest))
		}
	}
	return out
}

// current are the device's weights that validation and the model see: the
// averages where there are some.
func (t *Trainer) current() []compute.Buffer {
	n := len(t.net.params)
	if t.averages() > 0 {
		return t.state[len(t.names)-n : len(t.names)]
	}
	return t.state[:n]
}

// Predict answers the images of these rows as [Predictor.Predict] does, with
// the weights as they are now.
func (t *Trainer) Predict(ctx context.Context, im Images, rows []int) ([]float32, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	return t.forward.predict(ctx, t.current(), im, rows, nil)
}

// Current gives the weights as they are now: averaged where the recipe says so.
func (t *Trainer) Current() (Arrays, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	out := Arrays{}
	for i, buf := range t.current() {
		a, err := download(buf)
		if err != nil {
			return nil, err
		}
		out[t.net.params[i].tensor] = a
	}
	return out, nil
}

// Snapshot gives the state, to be continued from later; that of a training that
// has diverged is an error that wraps ErrDiverged.
func (t *Trainer) Snapshot() (*State, error) {
	if t.lost != nil {
		return nil, t.lost
	}
	next, err := t.scalar(scalarNext)
	if err == nil {
		err = t.diverged(next)
	}
	if err != nil {
		return nil, err
	}
	s := &State{Epoch: t.epoch, Step: t.step, Tensors: Arrays{}}
	if s.LossSum, s.Cells, err = t.Loss(); err != nil {
		return nil, err
	}
	for i, name := range t.names {
		if s.Tensors[name], err = download(t.state[i]); err != nil {
			return nil, err
		}
		for _, v := range s.Tensors[name].Data {
			if math.IsNaN(float64(v)) {
				return nil, fmt.Errorf("%w: tensor %s holds a value that is not a number", ErrDiverged, name)
			}
		}
	}
	return s, nil
}
