package gomlx

import (
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/formula"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// answers are a network's programs for answering images, by the number of rows.
// They may be used from several goroutines.
type answers struct {
	net      *network
	mu       sync.Mutex
	programs map[int]func() (*program, error)
}

func newAnswers(net *network) *answers {
	return &answers{net: net, programs: map[int]func() (*program, error){}}
}

// program gives the program for that many rows, which the first to ask compiles.
func (a *answers) program(rows int) (*program, error) {
	a.mu.Lock()
	get, ok := a.programs[rows]
	if !ok {
		get = sync.OnceValues(func() (*program, error) { return a.compile(rows) })
		a.programs[rows] = get
	}
	a.mu.Unlock()
	return get()
}

func (a *answers) compile(rows int) (*program, error) {
	net := a.net
	all, err := steps(net.plan)
	if err != nil {
		return nil, err
	}
	in := net.plan.Document.Input
	return compile(net.b, fmt.Sprintf("%s/%s prediction", net.plan.Document.Name, net.plan.Member.Name), func(g *Graph) []*Node {
		b := net.builder(g, false, net.declare(g))
		x := floats(g, "images", rows, in.Height, in.Width, in.Channels)
		return []*Node{forward(b, all, formula.Scaled(x, in.Scaling), net.plan.Output)}
	})
}

// answer answers images with weights in the backend's memory.
func (a *answers) answer(weights []compute.Buffer, pixels []float32, rows int) ([]float32, error) {
	prog, err := a.program(rows)
	if err != nil {
		return nil, err
	}
	in := a.net.plan.Document.Input
	x, err := upload(a.net.b.Compute, pixels, rows, in.Height, in.Width, in.Channels)
	if err != nil {
		return nil, err
	}
	defer free(x)
	inputs := append(append(make([]compute.Buffer, 0, len(weights)+1), weights...), x)
	out, err := prog.run(inputs, make([]bool, len(inputs)))
	if err != nil {
		return nil, err
	}
	defer free(out...)
	return download(out[0])
}

// close frees the programs. None may be in use.
func (a *answers) close() {
	for _, get := range a.programs {
		p, _ := get()
		p.close()
	}
	a.programs = map[int]func() (*program, error){}
}

// loaded is a network with weights of its own: [device.Network].
type loaded struct {
	*answers
	weights []compute.Buffer
	life    sync.RWMutex // held for reading while an answer is made
	closed  bool
}

// Load uploads weights.
func (d *Device) Load(plan *blueprint.Plan, weights [][]float32) (device.Network, error) {
	net := newNetwork(d.b, plan)
	buffers, err := net.load(weights)
	if err != nil {
		return nil, err
	}
	return &loaded{answers: newAnswers(net), weights: buffers}, nil
}

// Answer implements [device.Network].
func (n *loaded) Answer(pixels []float32, rows int) ([]float32, error) {
	n.life.RLock()
	defer n.life.RUnlock()
	if n.closed {
		return nil, device.ErrClosed
	}
	return n.answer(n.weights, pixels, rows)
}

// Close implements [device.Network].
func (n *loaded) Close() {
	n.life.Lock()
	defer n.life.Unlock()
	if n.closed {
		return
	}
	n.closed = true
	free(n.weights...)
	n.answers.close()
}
