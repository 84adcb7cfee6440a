package engine

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/fkzoo/fkzoo/host/engine/augment"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// feeder makes augmented batches on the host, each while the device is busy with
// the one before. A batch depends on the seed and its place alone.
type feeder struct {
	*Trainer
	frame augment.Frame
	turn  []int // the columns' places in a mirrored face; nil: none is mirrored
	from  []int // the columns' places in the data
	with  []int // each column's other coordinate among the columns, or -1
	spare []*fed
	next  chan *fed // the batch under way, nil: none
	order []int     // of the rows
	epoch int       // whose order that is
}

// fed is a batch: images [rows, height, width, channels], pixels 0 to 255, and
// labels [rows, 2*columns] as [Trainer.makeLabels] has them.
type fed struct {
	epoch, step, rows int
	images, labels    []float32
}

// augmented tells whether images are changed otherwise than by mirroring,
// which the device does itself.
func augmented(a *blueprint.Augment) bool {
	if a == nil {
		return false
	}
	for _, s := range []*blueprint.Schedule{a.Shift, a.Rotate, a.Scale, a.Brightness, a.Contrast, a.Noise} {
		if on(s) {
			return true
		}
	}
	return a.Erase != nil && on(&a.Erase.Share) && on(&a.Erase.Area)
}

// on tells whether a schedule is ever other than 0.
func on(s *blueprint.Schedule) bool { return s != nil && (s.From != 0 || s.To != 0) }

func newFeeder(t *Trainer, from, turn []int, axis float64) *feeder {
	e := t.data.examples
	f := &feeder{Trainer: t, from: from, turn: turn, epoch: -1, frame: augment.Frame{Height: e.Height, Width: e.Width, Channels: e.Channels, Axis: axis}}
	place := map[string]int{}
	for i, c := range t.Plan.Columns {
		place[c] = i
	}
	for _, c := range t.Plan.Columns {
		other, ok := place[blueprint.Partner(c)]
		if !ok {
			other = -1
		}
		f.with = append(f.with, other)
	}
	return f
}

// take gives the batch at a place, and has the one behind it made meanwhile.
func (f *feeder) take(epoch, step int) *fed {
	var b *fed
	if f.next != nil {
		b, f.next = <-f.next, nil
	}
	if b == nil || b.epoch != epoch || b.step != step {
		if b != nil {
			f.spare = append(f.spare, b)
		}
		b = f.now(epoch, step)
	}
	if step++; step == f.StepsPerEpoch() {
		epoch, step = epoch+1, 0
	}
	if epoch < f.Epochs {
		next := make(chan *fed, 1)
		f.next = next
		into, rows := f.blank(), f.place(epoch, step)
		go func() { next <- f.fill(into, epoch, step, rows) }()
	}
	return b
}

// give takes a batch's memory back.
func (f *feeder) give(b *fed) { f.spare = append(f.spare, b) }

func (f *feeder) now(epoch, step int) *fed {
	return f.fill(f.blank(), epoch, step, f.place(epoch, step))
}

func (f *feeder) blank() *fed {
	if n := len(f.spare); n > 0 {
		b := f.spare[n-1]
		f.spare = f.spare[:n-1]
		return b
	}
	n := f.batchSize()
	return &fed{images: make([]float32, n*f.data.examples.pixels()), labels: make([]float32, n*2*len(f.from))}
}

// place are the rows of a batch.
func (f *feeder) place(epoch, step int) []int {
	if f.epoch != epoch {
		f.order, f.epoch = order(f.Rows, f.Seed, f.Plan.Member.Name, epoch), epoch
	}
	return f.order[step*f.batchSize() : min((step+1)*f.batchSize(), len(f.order))]
}

// fill makes a batch, on all processors where it is worth that.
func (f *feeder) fill(b *fed, epoch, step int, rows []int) *fed {
	b.epoch, b.step, b.rows = epoch, step, len(rows)
	changes := f.changes(epoch, step, len(rows))
	const share = 16 // images that are worth a goroutine
	workers := max(1, min(runtime.GOMAXPROCS(0), len(rows)/share))
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < len(rows); i += workers {
				f.row(b, i, rows[i], changes[i])
			}
		})
	}
	all.Wait()
	return b
}

// stepRandom is the source of a step's random numbers.
func (t *Trainer) stepRandom(epoch, step int) *rand.Rand {
	position := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(epoch)), uint64(step))
	return stream(t.Seed, "step", t.Plan.Member.Name, string(position))
}

// flips are the images of a step that are mirrored.
func (t *Trainer) flips(r *rand.Rand, epoch, step, n int) []uint8 {
	a := t.recipe().Augment
	if a == nil || a.Mirror == nil {
		return make([]uint8, n)
	}
	share := 0.5
	if a.Mirror.Share != nil {
		share = a.Mirror.Share.At(t.progress(epoch, step))
	}
	return choose(n, share, r)
}

func (t *Trainer) progress(epoch, step int) blueprint.Progress {
	return blueprint.Progress{Epoch: epoch, Epochs: t.Epochs, Step: epoch*t.StepsPerEpoch() + step, StepsPerEpoch: t.StepsPerEpoch()}
}

// changes are drawn for each image of a batch.
func (f *feeder) changes(epoch, step, n int) []augment.Change {
	r := f.stepRandom(epoch, step)
	_, _ = r.Uint32(), r.Uint32() // the device's seed, see stepInputs
	flips := f.flips(r, epoch, step, n)
	a, at := f.recipe().Augment, f.progress(epoch, step)
	value := func(s *blueprint.Schedule) float64 {
		if s == nil {
			return 0
		}
		return s.At(at)
	}
	by := augment.Ranges{
		Shift: value(a.Shift), Rotate: value(a.Rotate), Scale: value(a.Scale),
		Brightness: value(a.Brightness), Contrast: value(a.Contrast), Noise: value(a.Noise),
	}
	if a.Erase != nil {
		by.EraseShare, by.EraseArea = a.Erase.Share.At(at), a.Erase.Area.At(at)
	}
	out := make([]augment.Change, n)
	for i := range out {
		out[i] = augment.Draw(r, flips[i] == 1, by)
	}
	return out
}

// row makes one image and its labels.
func (f *feeder) row(b *fed, i, row int, c augment.Change) {
	e := f.data.examples
	n := e.pixels()
	if dst := b.images[i*n : (i+1)*n]; len(e.Floats) > 0 {
		augment.Image(dst, e.Floats[row*n:(row+1)*n], f.frame, c)
	} else {
		augment.Image(dst, e.Bytes[row*n:(row+1)*n], f.frame, c)
	}
	columns := f.Plan.Columns
	labels := b.labels[i*2*len(columns) : (i+1)*2*len(columns)]
	clear(labels)
	points := e.Points[row*len(e.Columns) : (row+1)*len(e.Columns)]
	scale, offset := f.Plan.Member.Affine(f.Plan.Document.Input)
	move := c.Points(f.frame)
	// In place of a coordinate that isn't known, and on which nothing depends where
	// nothing turns.
	centre := [2]float64{f.frame.Axis / 2, (f.frame.Axis - float64(f.frame.Width) + float64(f.frame.Height)) / 2}
	source := func(k int) (float64, bool) {
		if k < 0 {
			return 0, false
		}
		if c.Mirror {
			k = f.turn[k]
		}
		v := float64(points[f.from[k]])
		return v, v == v
	}
	for k, column := range columns {
		v, filled := source(k)
		if !filled {
			continue
		}
		other, known := source(f.with[k])
		if !known && c.Rotate != 0 {
			continue // half a point has no place in a turned image
		}
		got, inside := v, true
		switch {
		case blueprint.IsX(column):
			if !known {
				other = centre[1]
			}
			got, _, inside = move(v, other)
		case blueprint.IsY(column):
			if !known {
				other = centre[0]
			}
			_, got, inside = move(other, v)
		}
		if inside {
			labels[k], labels[len(columns)+k] = float32((got-offset)/scale), 1
		}
	}
}
