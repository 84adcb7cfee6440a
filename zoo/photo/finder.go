package photo

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"
	"sync"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// What a finder looks at: a picture whose longer side has at most so many pixels, and that by steps smaller until it has few.
const (
	longest  = 1024
	shortest = 96
	stepDown = 3
)

// overlap is the part of what two boxes cover above which they are one face's.
const overlap = 0.3

// A Finder finds faces with a network whose answer is boxes, at several sizes of the picture. It may be asked by many goroutines at once.
// Close it, before its backend.
type Finder struct {
	model   *model.Model
	backend *backend.Backend
	step    int // sizes are whole numbers of so many pixels

	mu   sync.Mutex
	open []*sized // most recently used first
}

// sized is the network for images of one size.
type sized struct {
	height, width int
	users         int
	predictor     *engine.Predictor
	grid          blueprint.Grid
}

// mostSizes are kept for the next picture.
const mostSizes = 6

// NewFinder makes a finder of a model of one member, whose layers take images of any size.
func NewFinder(b *backend.Backend, m *model.Model) (*Finder, error) {
	if len(m.Document.Members) != 1 || !m.Document.Members[0].Boxes() || m.Document.Input.Channels != 1 {
		return nil, fmt.Errorf("finder %s: found a network that answers points or takes colours, want one of grey pictures that answers boxes", m.Document.Name)
	}
	f := &Finder{model: m, backend: b, step: 32}
	if b.Compiles() {
		f.step = 256 // each size is compiled for
	}
	return f, nil
}

// Close frees the networks. Nobody may be asking, then or later.
func (f *Finder) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.open {
		s.predictor.Close()
	}
	f.open = nil
}

// find gives boxes whose score is at least as much, in pixels of the picture, best first.
func (f *Finder) find(ctx context.Context, p stack, least float64) ([]blueprint.Box, error) {
	var all []blueprint.Box
	w, h := p[0].Rect.Dx(), p[0].Rect.Dy()
	for scale := min(1, longest/float64(max(w, h))); ; scale /= stepDown {
		found, err := f.at(ctx, p, scale, least)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		if scale*float64(max(w, h)) < shortest*stepDown {
			break
		}
	}
	return blueprint.Distinct(all, overlap), nil
}

// at finds faces in the picture of another size.
func (f *Finder) at(ctx context.Context, p stack, scale, least float64) ([]blueprint.Box, error) {
	w := float64(p[0].Rect.Dx()) * scale
	h := float64(p[0].Rect.Dy()) * scale
	up := func(v float64) int { return max(1, int(math.Ceil(v/float64(f.step)))) * f.step }
	s, err := f.take(up(h), up(w))
	if err != nil {
		return nil, err
	}
	defer f.give(s)
	pixels := make([]uint8, s.height*s.width)
	p.shrink(scale, s.height, s.width, pixels)
	im := engine.Images{Count: 1, Height: s.height, Width: s.width, Channels: 1, Bytes: pixels}
	y, err := s.predictor.PredictIn(ctx, 1, im, nil, nil)
	if err != nil {
		return nil, err
	}
	found := s.grid.Found(y, least, overlap)
	for i := range found {
		b := &found[i]
		b.X, b.Y, b.Width, b.Height = b.X/scale, b.Y/scale, b.Width/scale, b.Height/scale
	}
	return slices.DeleteFunc(found, func(b blueprint.Box) bool {
		x, y := b.X+b.Width/2, b.Y+b.Height/2
		return x < 0 || y < 0 || x > float64(p[0].Rect.Dx()) || y > float64(p[0].Rect.Dy())
	}), nil
}

// take gives the network for a size, which nobody closes until it is given back.
func (f *Finder) take(height, width int) (*sized, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := slices.IndexFunc(f.open, func(s *sized) bool { return s.height == height && s.width == width })
	if at < 0 {
		d := f.model.Document.Clone()
		d.Input.Height, d.Input.Width = height, width
		plan, err := blueprint.NewPlan(d, 0, nil)
		if err != nil {
			return nil, fmt.Errorf("finder %s for a picture of %dx%d: %w", d.Name, width, height, err)
		}
		p, err := engine.NewPredictor(f.backend, plan, f.model.Weights)
		if err != nil {
			return nil, err
		}
		f.open = append(f.open, &sized{height: height, width: width, predictor: p, grid: plan.Grid()})
		at = len(f.open) - 1
	}
	s := f.open[at]
	s.users++
	f.open = slices.Insert(slices.Delete(f.open, at, at+1), 0, s)
	for i := len(f.open) - 1; i >= 0 && len(f.open) > mostSizes; i-- {
		if f.open[i].users == 0 {
			f.open[i].predictor.Close()
			f.open = slices.Delete(f.open, i, i+1)
		}
	}
	return s, nil
}

func (f *Finder) give(s *sized) {
	f.mu.Lock()
	s.users--
	f.mu.Unlock()
}

// shrink writes the whole picture at another size into an image of h x w, from its upper left corner; the rest repeats its edge.
func (p stack) shrink(scale float64, h, w int, out []uint8) {
	level := 0
	for scale <= 0.5 && level+1 < len(p) {
		level++
		scale *= 2
	}
	resize(p[level], scale, h, w, out)
}

// resize takes the mean of what each pixel covers, between pixels by a straight line.
func resize(m *image.Gray, scale float64, h, w int, out []uint8) {
	if scale == 1 {
		for y := range h {
			row := m.Pix[min(y, m.Rect.Dy()-1)*m.Stride:][:m.Rect.Dx()]
			n := copy(out[y*w:(y+1)*w], row)
			for x := n; x < w; x++ {
				out[y*w+x] = row[len(row)-1]
			}
		}
		return
	}
	// Both axes apart: each pixel is the sum of at most three by their shares.
	columns, rows := shares(w, m.Rect.Dx(), scale), shares(h, m.Rect.Dy(), scale)
	lines := make([]float32, m.Rect.Dy()*w)
	for y := range m.Rect.Dy() {
		row, to := m.Pix[y*m.Stride:], lines[y*w:(y+1)*w]
		for x := range to {
			c := &columns[x]
			to[x] = c.of[0]*float32(row[c.at[0]]) + c.of[1]*float32(row[c.at[1]]) + c.of[2]*float32(row[c.at[2]])
		}
	}
	for y := range h {
		r := &rows[y]
		a, b, c := lines[r.at[0]*w:][:w], lines[r.at[1]*w:][:w], lines[r.at[2]*w:][:w]
		to := out[y*w : (y+1)*w]
		for x := range to {
			to[x] = uint8(r.of[0]*a[x] + r.of[1]*b[x] + r.of[2]*c[x] + 0.5)
		}
	}
}

// A share is what a pixel takes of three.
type share struct {
	at [3]int
	of [3]float32
}

// shares are those of n pixels of an axis of so many, of which each covers 1/scale, 1 to 2.
func shares(n, from int, scale float64) []share {
	out := make([]share, n)
	for i := range out {
		lo, hi := float64(i)/scale, float64(i+1)/scale
		first := int(lo)
		var sum float64
		var of [3]float64
		for k := range of {
			of[k] = max(0, min(hi, float64(first+k+1))-max(lo, float64(first+k)))
			sum += of[k]
		}
		for k := range of {
			out[i].at[k] = min(first+k, from-1)
			out[i].of[k] = float32(of[k] / sum)
		}
	}
	return out
}
