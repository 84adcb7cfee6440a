package person

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
)

// A vertex is a point of a surface: where it is in the head's frame, at first, and in the camera's; its normal; and what is painted there
// by.
type vertex struct {
	at, n  num.Vec
	u, v   float64 // place on the head's front; elsewhere on a surface of its own
	across float64 // of the head: -1 to 1 from the person's right side over the front to the left one; 2: behind
	sx, sy float64 // in the picture
}

// A mesh is a surface of rows of vertices.
type mesh struct {
	part       part
	rows, cols int
	closed     bool // the last column is joined to the first
	double     bool // seen from both sides
	v          []vertex
}

func (m *mesh) reset(p part, rows, cols int) {
	m.part, m.rows, m.cols, m.closed, m.double = p, rows, cols, false, false
	if n := rows * cols; cap(m.v) < n {
		m.v = make([]vertex, n)
	} else {
		m.v = m.v[:n]
	}
}

func (m *mesh) at(row, col int) *vertex { return &m.v[row*m.cols+col] }

// normals finds each vertex's from its neighbours; columns run around the surface so that they point outwards.
func (m *mesh) normals() {
	for r := range m.rows {
		up, down := max(r-1, 0), min(r+1, m.rows-1)
		for c := range m.cols {
			left, right := max(c-1, 0), min(c+1, m.cols-1)
			if m.closed {
				left, right = (c+m.cols-1)%m.cols, (c+1)%m.cols
			}
			a := num.Sub(m.at(r, right).at, m.at(r, left).at)
			b := num.Sub(m.at(down, c).at, m.at(up, c).at)
			m.at(r, c).n = num.Unit(num.Cross(a, b))
		}
	}
}

// A section is a cut through the head at a height: the front's and the back's middle, and half the width, where that is largest.
type section struct{ v, front, back, width, widest float64 }

// sections are the head's, from the top to below the chin.
func (f *Face) sections() []section {
	a, b, e, n, m := f.a, f.b, f.eyes.v, f.nose.v, f.mouth.v
	s := &f.skull
	back := func(z float64) float64 { return num.Mul(z, s.deep) }
	jaw := func(v, w float64) float64 { return num.Mul(num.Mul(a, w), f.width(v)) }
	return []section{
		{s.top, -46, -47, 1, -47},
		{s.top + 0.7, -33, back(-62), num.Mul(a, 0.38), -47},
		{s.top + 3, -21, back(-76), num.Mul(a, 0.6), -47},
		{s.top + 8, -10, back(-88), num.Mul(a, 0.8), -47},
		{s.top + 17, -1 + s.forehead, back(-97), num.Mul(a, 0.94), -47},
		{e - 27, 4 + s.forehead, back(-101), a, -46},
		{e - 14, 5.5 + s.brow, back(-102), num.Mul(a, 1), -44},
		{e - 3, 2.5, back(-100), num.Mul(a, 0.985), -42},
		{e + 8, 1.5 + num.Mul(0.4, s.mid), back(-95), num.Mul(a, 0.985), -40},
		{e + 17, 3 + s.mid, back(-88), num.Mul(a, 0.965), -40},
		{n + 4, 6 + s.mid, back(-80), jaw(n+4, 0.95), -39},
		{m - 3, 8.5 + s.lips, back(-75), jaw(m-3, 0.92), -38},
		{m + 6, 7.5 + s.lips, -70, jaw(m+6, 0.87), -36},
		{b - 11, 6 + s.chin, -62, jaw(b-11, 0.78), -32},
		{b - 6, 7.5 + s.chin, -54, jaw(b-6, 0.68), -28},
		{b - 2, 6 + s.chin, -44, jaw(b-2, 0.52), -24},
		{b, 2 + s.chin, -38, jaw(b, 0.4), -21},
		{b + 1.5, -6, -32, jaw(b, 0.22), -20},
		{b + 1.8, -14, -24, 1, -19},
	}
}

// sectionAt lies between those around a height.
func sectionAt(list []section, v float64) section {
	i := 1
	for i < len(list)-1 && list[i].v < v {
		i++
	}
	p, q := &list[i-1], &list[i]
	t := num.Clamp((v-p.v)/(q.v-p.v), 0, 1)
	return section{v, num.Lerp(p.front, q.front, t), num.Lerp(p.back, q.back, t), num.Lerp(p.width, q.width, t), num.Lerp(p.widest, q.widest, t)}
}

const (
	frontCols = 84 // of the head's front, 1 more than there are steps
	backCols  = 18
)

// headMesh builds the head: rows of cuts, whose front carries what is embossed on it, and hair that stands out.
func (c *Canvas) headMesh(f *Face, m *mesh) {
	list := f.sections()
	heights := c.heights[:0]
	for v := f.skull.top; v < f.eyes.v-20; v += 2.6 {
		heights = append(heights, v)
	}
	for v := f.eyes.v - 20; v < f.b-3; v += 1.5 {
		heights = append(heights, v)
	}
	for _, d := range []float64{-3, -1.6, -0.5, 0.6, 1.4, 1.8} {
		heights = append(heights, f.b+d)
	}
	c.heights = heights
	cuts := c.cuts[:0]
	for _, v := range heights {
		cuts = append(cuts, sectionAt(list, v))
	}
	for range 3 { // round where cuts meet
		before := cuts[0]
		for i := 1; i < len(cuts)-1; i++ {
			p, q, r := before, cuts[i], cuts[i+1]
			before = q
			cuts[i].front = num.Mul(p.front+r.front, 0.25) + num.Mul(q.front, 0.5)
			cuts[i].back = num.Mul(p.back+r.back, 0.25) + num.Mul(q.back, 0.5)
			cuts[i].width = num.Mul(p.width+r.width, 0.25) + num.Mul(q.width, 0.5)
			cuts[i].widest = num.Mul(p.widest+r.widest, 0.25) + num.Mul(q.widest, 0.5)
		}
	}
	c.cuts = cuts
	m.reset(partHead, len(heights), frontCols+backCols)
	m.closed = true
	for r := range cuts {
		for k := range m.cols {
			*m.at(r, k) = c.headVertex(f, &cuts[r], k)
		}
	}
	m.normals()
}

// round gives a point of a circle's half: q from -1 to 1.
func round(q float64) (s, c float64) {
	d := 1 + num.Sq(q)
	return num.Mul(2, q) / d, (1 - num.Sq(q)) / d
}

func (c *Canvas) headVertex(f *Face, cut *section, col int) vertex {
	var x vertex
	x.v = cut.v
	if col < frontCols {
		s, k := round(num.Mul(2, float64(col))/(frontCols-1) - 1)
		x.at = f.frontAt(cut, s, k)
		x.u, x.across = x.at.X, s
		x.at.Z += num.Mul(c.raised(x.u, x.v), num.Step(0.995, 0.9, math.Abs(s)))
	} else {
		s, k := round(1 - num.Mul(2, float64(col-frontCols+1))/(backCols+1))
		x.at = num.XYZ(num.Mul(cut.width, s), cut.v, cut.widest+num.Mul(cut.back-cut.widest, k))
		x.u, x.across = x.at.X, 2
	}
	if out := f.hairOut(&x); out > 0 {
		d := num.Unit(num.XYZ(x.at.X, num.Mul(0.8, x.at.Y+12), x.at.Z+48))
		x.at = num.XYZ(x.at.X+num.Mul(d.X, out), x.at.Y+num.Mul(d.Y, out), x.at.Z+num.Mul(d.Z, out))
	}
	return x
}

// frontAt is a point of a cut's front, without what is embossed: s across, k the circle's other coordinate. A face is flatter than a
// cylinder.
func (f *Face) frontAt(cut *section, s, k float64) num.Vec {
	return num.XYZ(num.Mul(cut.width, s), cut.v, cut.widest+num.Mul(cut.front-cut.widest, num.Mul(k, 1.32-num.Mul(0.32, k))))
}

// surface is the point of the head's front at a place, as headMesh has it.
func (c *Canvas) surface(f *Face, p num.Point) num.Vec {
	cut := c.cutAt(p.Y)
	s := num.Clamp(p.X/cut.width, -1, 1)
	at := f.frontAt(&cut, s, math.Sqrt(1-num.Sq(s)))
	at.Z += num.Mul(c.raised(p.X, p.Y), num.Step(0.995, 0.9, math.Abs(s)))
	return at
}

func (c *Canvas) cutAt(v float64) section { return sectionAt(c.cuts, v) }

// raised is how far what is embossed stands out of the head's front.
func (c *Canvas) raised(u, v float64) float64 {
	h := c.ridge.raised(u, v)
	for i := range c.bumps {
		h += c.bumps[i].at(u, v)
	}
	return h
}

// hairOut is how far hair stands out at a point of the head.
func (f *Face) hairOut(x *vertex) float64 {
	h := &f.hair
	if h.bald {
		return 0
	}
	d := f.hairEdge(x.u, x.v, x.across)
	lift := h.volume
	if x.v < f.skull.top+20 {
		lift = num.Mul(lift, 1+num.Mul(0.3, h.crown))
	}
	return num.Mul(lift, num.Step(1, -7, d)) + num.Mul(num.Mul(0.8+num.Mul(3, h.curl), f.noise.At(num.Mul(x.u, 0.2), num.Mul(x.v, 0.2))), num.Step(0, -7, d))
}

// ring makes a mesh of ellipses: for each row a middle, half-axes, and the part of the circle that there is.
type ring struct {
	middle num.Vec
	rx, rz float64
}

// ringMesh joins rings, closed around; row by row from the top.
func ringMesh(m *mesh, p part, cols int, rings []ring) {
	m.reset(p, len(rings), cols)
	m.closed = true
	for r, g := range rings {
		for k := range cols {
			x := m.at(r, k)
			q := num.Mul(4, float64(k)) / float64(cols)
			var s, co float64
			if q < 2 {
				s, co = round(q - 1)
			} else {
				s, co = round(3 - q)
				co = -co
			}
			x.at = num.XYZ(g.middle.X+num.Mul(g.rx, s), g.middle.Y, g.middle.Z+num.Mul(g.rz, co))
			x.u, x.v, x.across = x.at.X, x.at.Y, 2
		}
	}
	m.normals()
}
