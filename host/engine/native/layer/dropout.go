package layer

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Dropout sets a share Rate of the values to zero and multiplies the others by Keep. Which ones is a matter of key, Stream and position
// alone, by the formula in the comment of host/engine/device.
type Dropout struct {
	Rate     float64
	Keep     float32 // what kept values are multiplied by: 1/(1-Rate), or 1
	Stream   uint32
	Row      int // values of a row of the batch
	Channels int // the last axis
	workers  []worker
	x, y     []float32
	start    uint64
	limit    uint64
	n        int
}

const (
	weyl32 = 0x9e3779b9
	weyl64 = 0x9e3779b97f4a7c15
	mul64  = 0xd6e8feb86659fd93
)

// NewDropout makes a Dropout for a pool of so many threads at most.
func NewDropout(set *kernel.Set, threads int, rate float64, rescale bool, stream uint32, row, channels int) (*Dropout, error) {
	if !(rate >= 0 && rate < 1) {
		return nil, fmt.Errorf("dropout: found rate %v, want at least 0 and less than 1", rate)
	}
	d := &Dropout{Rate: rate, Keep: 1, Stream: stream, Row: row, Channels: channels, workers: newWorkers(set, threads)}
	if rescale {
		d.Keep = float32(1 / (1 - rate))
	}
	return d, nil
}

func mix32(x uint32) uint32 {
	x = (x ^ x>>16) * 0x7feb352d
	x = (x ^ x>>15) * 0x846ca68b
	return x ^ x>>16
}

func seed32(key []uint32, stream uint32) uint32 {
	s := mix32(stream)
	for _, word := range key {
		s = mix32(s*weyl32 + word)
	}
	return s
}

// lanes is how many channels share a hash.
func (d *Dropout) lanes() int { return 2 - d.Channels%2 }

// Apply sets y to the values that are kept of x, n rows of the batch, the first of which has the number first in it; y may be x. The
// gradient is the same of dy.
func (d *Dropout) Apply(c *work.Caller, key [2]uint32, first uint64, n int, x, y []float32) {
	high, low := seed32(key[:], d.Stream), seed32(key[:], d.Stream^weyl32)
	d.start = uint64(high)<<32 + uint64(low) + first*uint64(d.Row/d.lanes())*weyl64
	d.limit = uint64(math.Round(d.Rate*(1<<53))) << 11
	d.x, d.y, d.n = x, y, n*d.Row
	c.Run((d.n+chunk-1)/chunk, (*dropoutTask)(d))
	d.x, d.y = nil, nil
}

type dropoutTask Dropout

// Do drops whole pixels' channels: those that begin in its chunk.
func (d *dropoutTask) Do(part, id int) {
	c := d.Channels
	first := (part*chunk + c - 1) / c
	last := (min((part+1)*chunk, d.n) + c - 1) / c
	if first == last {
		return
	}
	half := c / (*Dropout)(d).lanes()
	h := d.start + uint64(first)*uint64(half)*weyl64
	x, y := d.x[first*c:last*c], d.y[first*c:last*c]
	if half == c {
		for i, v := range x {
			if y[i] = 0; (h^h>>32)*mul64 >= d.limit {
				y[i] = v * d.Keep
			}
			h += weyl64
		}
		return
	}
	w := &d.workers[id]
	w.dropout = kernel.Dropout{X: unsafe.Pointer(&x[0]), Y: unsafe.Pointer(&y[0]), Pixels: last - first, Half: half,
		Hash: h, Step: weyl64, Mul: mul64, Limit: d.limit, Keep: d.Keep}
	w.set.Dropout(&w.dropout)
}
