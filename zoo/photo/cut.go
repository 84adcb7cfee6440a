package photo

import (
	"image"
	"math"
)

// A point is a place in a picture: pixel i covers the interval from i to i+1.
type point struct{ x, y float64 }

// A similarity turns, scales and moves: (x, y) becomes (ax - by + u, bx + ay + v).
type similarity struct{ a, b, u, v float64 }

func (s similarity) of(p point) point {
	return point{s.a*p.x - s.b*p.y + s.u, s.b*p.x + s.a*p.y + s.v}
}

// scale is the factor by which lengths grow.
func (s similarity) scale() float64 { return math.Hypot(s.a, s.b) }

// inverse leads back.
func (s similarity) inverse() similarity {
	d := s.a*s.a + s.b*s.b
	a, b := s.a/d, -s.b/d
	return similarity{a, b, -(a*s.u - b*s.v), -(b*s.u + a*s.v)}
}

// then is s and next behind it.
func (s similarity) then(next similarity) similarity {
	p := next.of(point{s.u, s.v})
	return similarity{next.a*s.a - next.b*s.b, next.b*s.a + next.a*s.b, p.x, p.y}
}

// fit is the similarity that brings some points nearest to others, by the sum of squares (Umeyama 1991, in the plane); false where the
// points are one.
func fit(from, to []point) (similarity, bool) {
	var f, t point
	n := float64(len(from))
	for i := range from {
		f, t = point{f.x + from[i].x/n, f.y + from[i].y/n}, point{t.x + to[i].x/n, t.y + to[i].y/n}
	}
	var a, b, d float64
	for i := range from {
		x, y := from[i].x-f.x, from[i].y-f.y
		p, q := to[i].x-t.x, to[i].y-t.y
		a += x*p + y*q
		b += x*q - y*p
		d += x*x + y*y
	}
	if !(d > 0) || a == 0 && b == 0 {
		return similarity{}, false
	}
	s := similarity{a: a / d, b: b / d}
	s.u, s.v = t.x-(s.a*f.x-s.b*f.y), t.y-(s.b*f.x+s.a*f.y)
	return s, true
}

// A stack is a grey picture and its halves, quarters and so on, each pixel the mean of four, so that a cut-out need not look at every
// pixel of a large face.
type stack []*image.Gray

func newStack(m *image.Gray) stack {
	s := stack{m}
	for {
		m := s[len(s)-1]
		if max(m.Rect.Dx(), m.Rect.Dy()) < 64 || min(m.Rect.Dx(), m.Rect.Dy()) < 2 {
			return s
		}
		s = append(s, half(m))
	}
}

// half gives each pixel the mean of four; an odd last row or column is left out.
func half(m *image.Gray) *image.Gray {
	w, h := m.Rect.Dx()/2, m.Rect.Dy()/2
	out := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		top, bottom, to := m.Pix[2*y*m.Stride:][:2*w], m.Pix[(2*y+1)*m.Stride:][:2*w], out.Pix[y*out.Stride:][:w]
		for x := range to {
			to[x] = uint8((int(top[2*x]) + int(top[2*x+1]) + int(bottom[2*x]) + int(bottom[2*x+1]) + 2) >> 2)
		}
	}
	return out
}

// cut writes the part of the picture that s brings into an image of h x w. What lies outside of the picture repeats its edge.
func (p stack) cut(s similarity, h, w int, out []uint8) {
	back := s.inverse()
	level := 0
	for back.scale() >= 2 && level+1 < len(p) {
		level++
		back = back.then(similarity{0.5, 0, 0, 0})
	}
	m := p[level]
	// Of what is still smaller than a pixel here the mean of 2x2 places is taken.
	for y := range h {
		for x := range w {
			sum := 0.0
			for k := range 4 {
				q := back.of(point{float64(x) + 0.25 + 0.5*float64(k&1), float64(y) + 0.25 + 0.5*float64(k>>1)})
				sum += between(m, q.x-0.5, q.y-0.5)
			}
			out[y*w+x] = uint8(sum/4 + 0.5)
		}
	}
}

// between is the picture's value at a place between pixels.
func between(m *image.Gray, x, y float64) float64 {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	x, y = min(max(x, 0), float64(w-1)), min(max(y, 0), float64(h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, w-1), min(y0+1, h-1)
	fx, fy := x-float64(x0), y-float64(y0)
	top, bottom := m.Pix[y0*m.Stride:], m.Pix[y1*m.Stride:]
	return (float64(top[x0])*(1-fx)+float64(top[x1])*fx)*(1-fy) + (float64(bottom[x0])*(1-fx)+float64(bottom[x1])*fx)*fy
}
