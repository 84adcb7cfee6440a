package native

import (
	"fmt"
	"slices"
	"sync"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// answers are a network's programs for answering images: one for each caller at a time, with memory of its own; those that want the same
// of the weights share it. It may be used from several goroutines.
type answers struct {
	d      *Device
	plan   *blueprint.Plan
	params [][]float32

	mu        sync.Mutex
	idle      []*built
	constants *constants // those of the largest program
}

// constants are what is made of the weights, which of them depends on how many rows a program takes: for more, more of them are packed.
type constants struct {
	values   []float32
	prepared bool // they are made of the parameters as they are
}

func newAnswers(d *Device, plan *blueprint.Plan, params [][]float32) *answers {
	return &answers{d: d, plan: plan, params: params}
}

// most is how many images a program takes at once; more are taken one such batch after the other.
const most = 64

// stale notes that the parameters aren't what they were. No answer may be under way.
func (a *answers) stale() {
	for _, p := range a.idle {
		p.constants.prepared = false
	}
	if a.constants != nil {
		a.constants.prepared = false
	}
}

// take gives a program for so many rows.
func (a *answers) take(rows int) (p *built, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, err = a.find(rows)
	if err != nil || p.constants.prepared {
		return p, err
	}
	defer func() {
		if r := recover(); r != nil {
			err = fault("cannot prepare "+a.name(), p.Origin(), r)
		}
	}()
	p.Prepare()
	p.constants.prepared = true
	return p, err
}

// find gives an idle program that is large enough, or makes one, in place of one that isn't.
func (a *answers) find(rows int) (*built, error) {
	for i, p := range a.idle {
		if p.Rows() >= rows {
			a.idle = slices.Delete(a.idle, i, i+1)
			return p, nil
		}
	}
	if n := len(a.idle); n > 0 {
		a.idle = a.idle[:n-1]
	}
	p, err := build(a.d.set, a.d.pool.Threads(), a.plan, false, rows)
	if err != nil {
		return nil, err
	}
	if err := room(a.name(), rows, p.Bytes()); err != nil {
		return nil, err
	}
	p.constants = a.constantsOf(p.Constants())
	p.Allocate(a.d.pool.Caller(), p.constants.values)
	p.params = a.params
	return p, nil
}

// constantsOf gives those of so many values. Programs with as many want the same: for more rows more is packed, and never less. Smaller
// ones are left to the programs that have them.
func (a *answers) constantsOf(n int) *constants {
	if a.constants != nil && len(a.constants.values) == n {
		return a.constants
	}
	c := &constants{values: make([]float32, n)}
	if a.constants == nil || len(a.constants.values) < n {
		a.constants = c
	}
	return c
}

func (a *answers) name() string {
	return a.plan.Document.Name + "/" + a.plan.Member.Name + " prediction"
}

func (a *answers) give(p *built) {
	a.mu.Lock()
	a.idle = append(a.idle, p)
	a.mu.Unlock()
}

// answer implements [device.Network.Answer].
func (a *answers) answer(pixels []float32, rows int) (out []float32, err error) {
	size, columns := imageSize(a.plan), a.plan.Answers()
	if rows < 1 || len(pixels) < rows*size {
		return nil, fmt.Errorf("%s: found %d pixel values for %d images, want at least 1 image of %d values", a.name(), len(pixels), rows, size)
	}
	p, err := a.take(min(rows, most))
	if err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil { // else another may have the program by now
			out, err = nil, fault("cannot run "+a.name(), p.Origin(), r)
		}
	}()
	out = make([]float32, rows*columns)
	for from := 0; from < rows; from += most {
		n := min(most, rows-from)
		p.answerInto(pixels[from*size:][:n*size], n, out[from*columns:][:n*columns])
	}
	a.give(p)
	return out, nil
}

// answerInto answers images.
func (p *built) answerInto(pixels []float32, rows int, out []float32) {
	p.slice = device.Slice{Pixels: pixels, Rows: rows}
	p.Run(rows, false)
	p.slice.Pixels = nil
	copy(out, p.Values(p.result, rows))
}

// loaded is a network with weights of its own: [device.Network].
type loaded struct {
	*answers
	life   sync.RWMutex // held for reading while an answer is made
	closed bool
}

// Load implements [device.Device].
func (d *Device) Load(plan *blueprint.Plan, weights [][]float32) (device.Network, error) {
	params := device.Params(plan)
	if len(weights) != len(params) {
		return nil, fmt.Errorf("weights: found %d arrays, want %d", len(weights), len(params))
	}
	for i, p := range params {
		if int64(len(weights[i])) != p.Shape.Size() {
			return nil, fmt.Errorf("tensor %s: found %d values, want %v", p.Tensor, len(weights[i]), p.Shape)
		}
	}
	return &loaded{answers: newAnswers(d, plan, slices.Clone(weights))}, nil
}

// Answer implements [device.Network].
func (n *loaded) Answer(pixels []float32, rows int) ([]float32, error) {
	n.life.RLock()
	defer n.life.RUnlock()
	if n.closed {
		return nil, device.ErrClosed
	}
	return n.answer(pixels, rows)
}

// Close implements [device.Network].
func (n *loaded) Close() {
	n.life.Lock()
	defer n.life.Unlock()
	n.closed = true
	n.answers = nil
}

var (
	_ device.Device  = (*Device)(nil)
	_ device.Network = (*loaded)(nil)
)
