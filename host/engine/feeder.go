package engine

import (
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
	spare []*fed
	next  chan *fed // the batch under way, nil: none
	order []int     // of the rows
	epoch int       // whose order that is
}

// fed is a batch: images [rows, height, width, channels], pixels 0 to 255, and
// their labels.
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

func newFeeder(t *Trainer) *feeder {
	e := &t.data.examples
	return &feeder{Trainer: t, epoch: -1, frame: augment.Frame{Height: e.Height, Width: e.Width, Channels: e.Channels, Axis: t.labels.axis}}
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
	return &fed{images: make([]float32, n*f.data.examples.Pixels()), labels: make([]float32, n*f.labels.width())}
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

// changes are drawn for each image of a batch.
func (f *feeder) changes(epoch, step, n int) []augment.Change {
	r := f.stepRandom(epoch, step)
	_, _ = r.Uint32(), r.Uint32() // the device's seed, see draw
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
	e := &f.data.examples
	n, width := e.Pixels(), f.labels.width()
	if dst := b.images[i*n : (i+1)*n]; len(e.Floats) > 0 {
		augment.Image(dst, e.Floats[row*n:(row+1)*n], f.frame, c)
	} else {
		augment.Image(dst, e.Bytes[row*n:(row+1)*n], f.frame, c)
	}
	f.labels.moved(b.labels[i*width:(i+1)*width], e.pointsOf(row), c.Mirror, c.Rotate != 0, c.Points(f.frame))
}
