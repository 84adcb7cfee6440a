package engine

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// PredictBatch is how many images are predicted at a time if nobody says
// otherwise, fewer where there are fewer: memory stays flat, and each backend is
// near its best speed.
const PredictBatch = 64

// Predictor answers images with one member's network. It must not be used from
// several goroutines at once.
type Predictor struct {
	// Batch is how many images are predicted at a time, always: what lacks is
	// filled with zeros, so that images that come in parts need one program. 0 is
	// the least power of two that holds a call's images, at most PredictBatch.
	Batch int

	net      *network
	weights  []compute.Buffer
	programs map[int]*program // by batch; where it isn't given powers of two, so that there are few
	pixels   []float32
}

// NewPredictor puts a member's weights on a backend.
func NewPredictor(b *backend.Backend, plan *blueprint.Plan, weights Arrays) (*Predictor, error) {
	p := &Predictor{net: newNetwork(b, plan), programs: map[int]*program{}}
	var err error
	if p.weights, err = p.net.load(weights); err != nil {
		return nil, err
	}
	return p, nil
}

// Close frees the predictor's memory on the backend.
func (p *Predictor) Close() {
	free(p.weights...)
	for _, prog := range p.programs {
		prog.close()
	}
	p.weights, p.programs = nil, map[int]*program{}
}

// Predict answers the images of these rows (nil: all) with coordinates in
// pixels of the network's input, [rows, columns]. tick, which may be nil, is
// told how many rows are done.
func (p *Predictor) Predict(ctx context.Context, im Images, rows []int, tick func(done int)) ([]float32, error) {
	return p.predict(ctx, p.weights, im, rows, tick)
}

func (p *Predictor) predict(ctx context.Context, weights []compute.Buffer, im Images, rows []int, tick func(done int)) ([]float32, error) {
	plan := p.net.plan
	in := plan.Document.Input
	if err := im.check(in.Height, in.Width, in.Channels); err != nil {
		return nil, err
	}
	if rows == nil {
		rows = make([]int, im.Count)
		for i := range rows {
			rows[i] = i
		}
	}
	if err := im.checkRows(rows); err != nil {
		return nil, err
	}
	scale, offsets := plan.Affine()
	columns := len(plan.Columns)
	out := make([]float32, len(rows)*columns)
	batch := p.Batch
	if batch == 0 {
		batch = BatchFor(len(rows))
	}
	for from := 0; from < len(rows); from += batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := rows[from:min(from+batch, len(rows))]
		y, err := p.batch(weights, im, part, batch)
		if err != nil {
			return nil, err
		}
		for i := range part {
			for c := range columns {
				out[(from+i)*columns+c] = float32(float64(y[i*columns+c])*scale + offsets[c])
			}
		}
		if tick != nil {
			tick(from + len(part))
		}
	}
	return out, nil
}

// BatchFor is the batch in which that many images are predicted.
func BatchFor(images int) int {
	batch := 1
	for batch < min(PredictBatch, images) {
		batch *= 2
	}
	return batch
}

// batch answers up to size images; what is missing is filled with zeros, since
// no image's answer depends on another's.
func (p *Predictor) batch(weights []compute.Buffer, im Images, rows []int, size int) ([]float32, error) {
	prog := p.programs[size]
	if prog == nil {
		var err error
		if prog, err = p.compile(size); err != nil {
			return nil, err
		}
		p.programs[size] = prog
	}
	n := im.pixels()
	if len(p.pixels) != size*n {
		p.pixels = make([]float32, size*n)
	}
	clear(p.pixels[len(rows)*n:])
	im.fill(p.pixels, rows)
	x, err := upload(p.net.b.Compute(), p.pixels, size, im.Height, im.Width, im.Channels)
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
	y, err := download(out[0])
	return y.Data, err
}

func (p *Predictor) compile(size int) (*program, error) {
	plan := p.net.plan
	all, err := steps(plan)
	if err != nil {
		return nil, err
	}
	in := plan.Document.Input
	return compile(p.net.b, fmt.Sprintf("%s/%s prediction", plan.Document.Name, plan.Member.Name), func(g *Graph) []*Node {
		b := p.net.builder(g, false, p.net.declare(g))
		x := floats(g, "images", size, in.Height, in.Width, in.Channels)
		return []*Node{forward(b, all, scaled(x, in.Scaling), plan.Output)}
	})
}
