package person

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
)

// part is what a surface is.
type part uint8

const (
	partNone part = iota
	partHead
	partEar
	partNeck
	partTorso
	partHair
	partHat
	partRim
	parts
)

// side is how many samples a pixel has along each axis.
const side = 2

// A sample is what is seen at a point of the picture: a triangle of a mesh, and where on it.
type sample struct {
	depth  float32 // towards the camera; the background is far
	mesh   int16   // -1: the background
	corner int32   // the first vertex's number
	flip   bool    // which half of the four-sided field
	b1, b2 float32 // shares of the other two corners
}

const far = float32(-1e9)

// A raster keeps what is in front.
type raster struct {
	wide, high int // in samples
	samples    []sample
	meshes     []*mesh
	used       area
}

// area is a part of the samples: from x0, y0 to x1, y1, which are outside.
type area struct{ x0, y0, x1, y1 int }

func (r *raster) clear() {
	for y := r.used.y0; y < r.used.y1; y++ {
		row := r.samples[y*r.wide : (y+1)*r.wide]
		for x := r.used.x0; x < r.used.x1; x++ {
			row[x] = sample{depth: far, mesh: -1}
		}
	}
	r.meshes, r.used = r.meshes[:0], area{r.wide, r.high, 0, 0}
}

// add draws a mesh whose vertices are in the camera's frame and the picture.
func (r *raster) add(m *mesh) {
	id := int16(len(r.meshes))
	r.meshes = append(r.meshes, m)
	cols := m.cols - 1
	if m.closed {
		cols = m.cols
	}
	for row := range m.rows - 1 {
		for c := range cols {
			a, b, d, e := m.field(row, c)
			r.triangle(m, id, int32(row*m.cols+c), false, a, b, d)
			r.triangle(m, id, int32(row*m.cols+c), true, b, e, d)
		}
	}
}

// field is the corners of a four-sided field: upper left and right, lower left and right.
func (m *mesh) field(row, col int) (a, b, d, e *vertex) {
	next := col + 1
	if next == m.cols {
		next = 0
	}
	return m.at(row, col), m.at(row, next), m.at(row+1, col), m.at(row+1, next)
}

func (r *raster) triangle(m *mesh, id int16, corner int32, flip bool, a, b, c *vertex) {
	twice := num.Mul(b.sx-a.sx, c.sy-a.sy) - num.Mul(c.sx-a.sx, b.sy-a.sy)
	if twice <= 0 && !m.double || twice == 0 {
		return
	}
	x0, x1 := span(r.wide, a.sx, b.sx, c.sx)
	y0, y1 := span(r.high, a.sy, b.sy, c.sy)
	if x0 > x1 || y0 > y1 {
		return
	}
	r.used = area{min(r.used.x0, x0), min(r.used.y0, y0), max(r.used.x1, x1+1), max(r.used.y1, y1+1)}
	per := 1 / twice
	for y := y0; y <= y1; y++ {
		py := num.Mul(float64(y)+0.5, 1.0/side)
		for x := x0; x <= x1; x++ {
			px := num.Mul(float64(x)+0.5, 1.0/side)
			w1 := num.Mul(num.Mul(px-a.sx, c.sy-a.sy)-num.Mul(c.sx-a.sx, py-a.sy), per)
			w2 := num.Mul(num.Mul(b.sx-a.sx, py-a.sy)-num.Mul(px-a.sx, b.sy-a.sy), per)
			if w1 < 0 || w2 < 0 || w1+w2 > 1 {
				continue
			}
			z := float32(a.at.Z + num.Mul(w1, b.at.Z-a.at.Z) + num.Mul(w2, c.at.Z-a.at.Z))
			if s := &r.samples[y*r.wide+x]; z > s.depth {
				*s = sample{z, id, corner, flip, float32(w1), float32(w2)}
			}
		}
	}
}

// span is the samples between the least and the largest of three coordinates, of so many that there are.
func span(samples int, a, b, c float64) (from, to int) {
	lo, hi := num.Mul(min(a, b, c), side)-0.5, num.Mul(max(a, b, c), side)-0.5
	lo, hi = num.Clamp(lo, -1, float64(samples)+1), num.Clamp(hi, -1, float64(samples)+1)
	return max(0, int(math.Ceil(lo))), min(samples-1, int(math.Floor(hi)))
}

// seen is a point of a surface as a sample shows it.
func (r *raster) seen(s *sample) (m *mesh, x vertex) {
	m = r.meshes[s.mesh]
	row, col := int(s.corner)/m.cols, int(s.corner)%m.cols
	a, b, d, e := m.field(row, col)
	if s.flip {
		a, b = b, e
	}
	w1, w2 := float64(s.b1), float64(s.b2)
	mix := func(p, q, r float64) float64 { return p + num.Mul(w1, q-p) + num.Mul(w2, r-p) }
	x.n = num.XYZ(mix(a.n.X, b.n.X, d.n.X), mix(a.n.Y, b.n.Y, d.n.Y), mix(a.n.Z, b.n.Z, d.n.Z))
	x.u, x.v = mix(a.u, b.u, d.u), mix(a.v, b.v, d.v)
	x.across = mix(a.across, b.across, d.across)
	if max(a.across, b.across, d.across) == 2 {
		x.across = 2
	}
	return m, x
}

// hides tells whether something lies before a point of the picture, and what.
func (r *raster) hides(p num.Point, depth, tolerance float64) part {
	x, y := int(num.Mul(p.X, side)), int(num.Mul(p.Y, side))
	if x < 0 || y < 0 || x >= r.wide || y >= r.high {
		return partNone
	}
	s := &r.samples[y*r.wide+x]
	if s.mesh < 0 || float64(s.depth) <= depth+tolerance {
		return partNone
	}
	return r.meshes[s.mesh].part
}

// Hides tells whether the person drawn last is in front at a place of the picture.
func (c *Canvas) Hides(x, y float64) bool {
	i, k := int(num.Mul(x, side)), int(num.Mul(y, side))
	return i >= 0 && k >= 0 && i < c.raster.wide && k < c.raster.high && c.raster.samples[k*c.raster.wide+i].mesh >= 0
}
