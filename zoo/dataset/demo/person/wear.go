package person

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
)

// ear is an ellipsoid at the side of the head; u and v are its own, from -1 to 1.
func (c *Canvas) ear(f *Face, way float64) *mesh {
	m := c.mesh()
	cut := c.cutAt(f.eyes.v + 8)
	middle := num.XYZ(num.Mul(way, cut.width+0.4), f.eyes.v+8, cut.widest-3)
	c.rings = c.rings[:0]
	const rows = 8
	for i := range rows + 1 {
		t := num.Mul(float64(i), 2.0/rows) - 1
		r := math.Sqrt(max(1-num.Sq(t), 0.0004))
		c.rings = append(c.rings, ring{num.XYZ(middle.X, middle.Y+num.Mul(t, 10.5), middle.Z+num.Mul(t, -1.5)), num.Mul(3.2, r), num.Mul(5.6, r)})
	}
	ringMesh(m, partEar, 10, c.rings)
	for i := range m.v {
		x := &m.v[i]
		x.u, x.v = (x.at.Z-middle.Z)/5.6, (x.at.Y-middle.Y)/10.5
		x.at.X += num.Mul(way, num.Mul(-0.45, min(x.at.Z-middle.Z, 2))) // it stands off behind
	}
	return m
}

// neckRows is how many rings neck and torso have.
const neckRows = 14

func (c *Canvas) neck(f *Face) *mesh {
	m := c.mesh()
	c.rings = c.rings[:0]
	top, bottom := f.mouth.v+2, f.b+60
	for i := range neckRows {
		t := float64(i) / (neckRows - 1)
		c.rings = append(c.rings, ring{num.XYZ(0, num.Lerp(top, bottom, t), -50-num.Mul(6, t)), num.Mul(f.a, 0.62+num.Mul(0.16, num.Sq(t))), 21 + num.Mul(6, t)})
	}
	ringMesh(m, partNeck, 28, c.rings)
	return m
}

// neckTurn turns the neck's upper end with the head, the lower one with the shoulders.
func (f *Face) neckTurn(x *vertex, at num.Vec) num.Vec {
	t := num.Step(f.mouth.v, f.b+45, x.v)
	a, b := f.inView(at), f.bodily(at)
	return num.XYZ(num.Lerp(a.X, b.X, t), num.Lerp(a.Y, b.Y, t), num.Lerp(a.Z, b.Z, t))
}

func (c *Canvas) torso(f *Face) *mesh {
	m := c.mesh()
	c.rings = c.rings[:0]
	top := f.b + f.Clothes.shoulder - 4
	for i := range neckRows {
		t := float64(i) / (neckRows - 1)
		wide := num.Lerp(num.Mul(f.a, 0.72), num.Mul(f.a, 2.35), num.Step(0, 1, math.Sqrt(t)))
		c.rings = append(c.rings, ring{num.XYZ(0, top+num.Mul(f.Clothes.Long, num.Mul(t, 0.35+num.Mul(0.65, t))), -58), wide, 24 + num.Mul(20, t)})
	}
	ringMesh(m, partTorso, 32, c.rings)
	return m
}

// curtain is long hair that hangs at the sides and behind.
func (c *Canvas) curtain(f *Face) *mesh {
	m := c.mesh()
	h := &f.hair
	const rows, cols = 16, 30
	m.reset(partHair, rows, cols)
	m.double = true
	top, gap := f.eyes.v-24, num.Lerp(0.62, 1.06, h.parted)
	for r := range rows {
		t := float64(r) / (rows - 1)
		for k := range cols {
			x := m.at(r, k)
			// From one edge of the face around the back to the other.
			q := 1 + gap + num.Mul(num.Mul(4-num.Mul(2, gap), float64(k)), 1.0/(cols-1))
			var s, co float64
			switch {
			case q < 2:
				s, co = round(q - 1)
			case q < 4:
				s, co = round(3 - q)
				co = -co
			default:
				s, co = round(q - 5)
			}
			down := h.down + num.Mul(7, f.noise.At(float64(k), 0.7))
			wide := f.a + num.Mul(h.volume, 0.55+num.Mul(0.6, t)) + num.Mul(1.2, f.noise.At(num.Mul(float64(k), 0.9), num.Mul(t, 3)))
			x.at = num.XYZ(num.Mul(wide, s), num.Lerp(top, max(down, f.eyes.v+10), t), -46+num.Mul(num.Lerp(48, 56, t)+h.volume, co))
			x.u, x.v, x.across = num.Mul(float64(k), 3), x.at.Y, 2
		}
	}
	m.normals()
	return m
}

// hatCols is how many columns a hat has.
const hatCols = 40

func (c *Canvas) hat(f *Face) *mesh {
	m := c.mesh()
	c.rings = c.rings[:0]
	const rows = 12
	for i := range rows {
		t := float64(i) / (rows - 1)
		v := num.Lerp(f.skull.top-5, f.Extra.hatLine, t)
		cut := c.cutAt(max(v+4, f.skull.top))
		off := 2.5 + num.Mul(f.hair.volume, 0.7)
		g := ring{num.XYZ(0, v, (cut.front+cut.back)/2), cut.width + off, num.Mul(cut.front-cut.back, 0.5) + off}
		if i == 0 {
			g.rx, g.rz = 1, 1
		}
		c.rings = append(c.rings, g)
	}
	ringMesh(m, partHat, hatCols, c.rings)
	return m
}

// brim is a hat's, over the forehead.
func (c *Canvas) brim(f *Face) *mesh {
	m := c.mesh()
	const cols = 18
	m.reset(partHat, 2, cols)
	m.double = true
	base := c.rings[len(c.rings)-1]
	for k := range cols {
		s, co := round(num.Mul(1.5, float64(k)/(cols-1)) - 0.75)
		for r := range 2 {
			x := m.at(r, k)
			out := num.Mul(float64(r), num.Mul(f.Extra.brim, co))
			x.at = num.XYZ(num.Mul(base.rx, s), base.middle.Y-1+num.Mul(0.25, out), base.middle.Z+num.Mul(base.rz, co)+out)
			x.u, x.v, x.across = x.at.X, x.at.Z, 2
		}
	}
	m.normals()
	return m
}

// lensPlane is how far before the eyes glasses sit at a distance from the middle.
func (c *Canvas) lensPlane(f *Face, u float64) float64 {
	return c.surface(f, num.XY(0, f.eyes.v-3)).Z + 2.5 - num.Mul(0.006, num.Sq(u))
}

// rim is a point of a rim, between an ellipse and a box, at an angle that round's argument and half say, grown by some.
func (c *Canvas) rim(f *Face, way float64, i, cols int, grow float64) num.Vec {
	e, x := &f.eyes, &f.Extra
	q := num.Mul(4, float64(i)) / float64(cols)
	s, co := round(q - 1)
	if q >= 2 {
		s, co = round(3 - q)
		co = -co
	}
	box := 1 / math.Sqrt(math.Sqrt(num.Sq(num.Sq(s))+num.Sq(num.Sq(co))))
	box = num.Lerp(1, box, x.square)
	u := num.Mul(way, e.u+0.5) + num.Mul(num.Mul(x.rimU+grow, box), s)
	return num.XYZ(u, e.v+1.5+num.Mul(num.Mul(x.rimV+grow, box), co), c.lensPlane(f, u))
}

// glasses are two rims, a bridge and the temples.
func (c *Canvas) glasses(f *Face) []*mesh {
	e, x := &f.eyes, &f.Extra
	var list []*mesh
	ribbon := func(cols int, closed bool, place func(row, col int) num.Vec) {
		m := c.mesh()
		m.reset(partRim, 2, cols)
		m.double, m.closed = true, closed
		for r := range 2 {
			for k := range cols {
				v := m.at(r, k)
				v.at = place(r, k)
				v.u, v.v, v.across = v.at.X, v.at.Y, 2
			}
		}
		m.normals()
		list = append(list, m)
	}
	for _, way := range [2]float64{-1, 1} {
		ribbon(20, true, func(r, k int) num.Vec { return c.rim(f, way, k, 20, num.Mul(x.rimThick, 1-float64(r))) })
		outer := e.u + 0.5 + x.rimU
		cut := c.cutAt(e.v)
		ribbon(5, false, func(r, k int) num.Vec {
			t := float64(k) / 4
			return num.XYZ(num.Mul(way, num.Lerp(outer, cut.width+1, t)), e.v-2+num.Mul(4, t)+num.Mul(num.Mul(1.4, x.rimThick), float64(r)), num.Lerp(c.lensPlane(f, outer), cut.widest-2, t))
		})
	}
	inner := e.u + 0.5 - x.rimU
	ribbon(5, false, func(r, k int) num.Vec {
		u := num.Lerp(-inner, inner, float64(k)/4)
		return num.XYZ(u, e.v-1.5-num.Mul(0.6, 1-num.Sq(u/max(inner, 1)))+num.Mul(num.Mul(1.3, x.rimThick), float64(r)), c.lensPlane(f, u)+0.4)
	})
	return list
}

// lenses notes where a lens is in front.
func (c *Canvas) lenses(f *Face) {
	clear(c.lens)
	for _, way := range [2]float64{-1, 1} {
		const cols = 20
		middle := num.XYZ(num.Mul(way, f.eyes.u+0.5), f.eyes.v+1.5, 0)
		middle.Z = c.lensPlane(f, middle.X)
		center, depth := f.project(middle)
		for k := range cols {
			a, za := f.project(c.rim(f, way, k, cols, 0))
			b, zb := f.project(c.rim(f, way, (k+1)%cols, cols, 0))
			c.lensPart(center, a, b, max(depth, za, zb))
		}
	}
}

func (c *Canvas) lensPart(a, b, d num.Point, depth float64) {
	area := num.Mul(b.X-a.X, d.Y-a.Y) - num.Mul(d.X-a.X, b.Y-a.Y)
	if area == 0 {
		return
	}
	x0, x1 := span(c.raster.wide, a.X, b.X, d.X)
	y0, y1 := span(c.raster.high, a.Y, b.Y, d.Y)
	for y := y0; y <= y1; y++ {
		py := num.Mul(float64(y)+0.5, 1.0/side)
		for x := x0; x <= x1; x++ {
			px := num.Mul(float64(x)+0.5, 1.0/side)
			w1 := (num.Mul(px-a.X, d.Y-a.Y) - num.Mul(d.X-a.X, py-a.Y)) / area
			w2 := (num.Mul(b.X-a.X, py-a.Y) - num.Mul(px-a.X, b.Y-a.Y)) / area
			if w1 >= 0 && w2 >= 0 && w1+w2 <= 1 && float64(c.raster.samples[y*c.raster.wide+x].depth) < depth+1 {
				c.lens[y*c.raster.wide+x] = true
			}
		}
	}
}

// lensLight is what comes through a lens, and is mirrored by it.
func (f *Face) lensLight(l, share, x, y float64) float64 {
	if share == 0 {
		return l
	}
	e := &f.Extra
	l = num.Mul(l, 1-num.Mul(e.lens, share))
	if e.glare > 0 {
		g := num.Clamp(1-math.Abs(num.Mul(0.7, x+num.Mul(0.8, y))-e.glareAt)/5, 0, 1)
		l += num.Mul(num.Mul(e.glare, share), g)
	}
	return l
}
