// Package person draws people: a head as a surface in space, in proportions drawn at random, turned, lit and painted, with hair, ears, neck
// and clothes, and what may be worn or held before it. It tells where a face's keypoints then are. It must not know pictures' sets.
package person

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/film"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
)

// A Canvas draws one picture after the other, of one size.
type Canvas struct {
	*film.Picture
	lens    []bool
	raster  raster
	meshes  [24]mesh
	used    int
	heights []float64
	cuts    []section
	rings   []ring
	bumps   []bump
	shade   []bump
	ridge   ridge
}

// NewCanvas makes one for people in a picture.
func NewCanvas(p *film.Picture) *Canvas {
	c := &Canvas{Picture: p, lens: make([]bool, p.Width*p.Height*side*side)}
	c.raster.wide, c.raster.high = p.Width*side, p.Height*side
	c.raster.samples = make([]sample, c.raster.wide*c.raster.high)
	c.raster.used = area{0, 0, c.raster.wide, c.raster.high}
	return c
}

// A bump is a round raise of the skin, (1-q)^2 high where q is the squared
// distance from its middle in units of its half-axes; or a darkening of that form.
type bump struct {
	u, v, perU, perV, high float64 // perU, perV: one over the half-axes
}

// A ridge is the nose's: a bump stretched along a line, rising on the way.
type ridge struct {
	from, along  num.Point // along is of length 1
	length       float64
	low, high    float64 // height at the line's two ends
	width, wider float64 // half the width at the first end, and what it gains
}

// Begin makes a face's head, before it is placed in the picture.
func (c *Canvas) Begin(f *Face) {
	c.used = 0
	c.relief(f)
	c.headMesh(f, c.mesh())
}

// mesh is one that isn't used yet.
func (c *Canvas) mesh() *mesh {
	c.used++
	return &c.meshes[c.used-1]
}

// Person draws the head that was begun, and what belongs to it, over what is there.
func (c *Canvas) Person(f *Face) {
	c.raster.clear()
	c.show(f, &c.meshes[0], nil)
	for _, way := range [2]float64{-1, 1} {
		c.show(f, c.ear(f, way), nil)
	}
	c.show(f, c.neck(f), f.neckTurn)
	c.show(f, c.torso(f), func(_ *vertex, at num.Vec) num.Vec { return f.bodily(at) })
	if f.hair.long && !f.hair.bald {
		c.show(f, c.curtain(f), nil)
	}
	if f.Extra.hat {
		c.show(f, c.hat(f), nil)
		if f.Extra.brim > 0 {
			c.show(f, c.brim(f), nil)
		}
	}
	if f.Extra.Glasses {
		for _, m := range c.glasses(f) {
			c.show(f, m, nil)
		}
		c.lenses(f)
	}
	in := c.raster.used
	for y := in.y0 / side; y < (in.y1+side-1)/side; y++ {
		for x := in.x0 / side; x < (in.x1+side-1)/side; x++ {
			c.pixel(f, x, y)
		}
	}
	f.props(c)
}

// show turns a mesh as the head is turned, or in a way of its own, and draws it.
func (c *Canvas) show(f *Face, m *mesh, turn func(x *vertex, at num.Vec) num.Vec) {
	for i := range m.v {
		x := &m.v[i]
		if turn == nil {
			x.at, x.n = f.inView(x.at), f.turned(x.n)
		} else {
			tip := turn(x, num.XYZ(x.at.X+x.n.X, x.at.Y+x.n.Y, x.at.Z+x.n.Z))
			x.at = turn(x, x.at)
			x.n = num.Sub(tip, x.at)
		}
		p := f.picture(x.at)
		x.sx, x.sy = p.X, p.Y
	}
	c.raster.add(m)
}

// pixel puts the light from a pixel of the picture in its place: the mean of its samples, those of one surface taken together.
func (c *Canvas) pixel(f *Face, x, y int) {
	var sum [3]float64
	var done [side * side]bool
	behind := 0.0
	for i := range side * side {
		if done[i] {
			continue
		}
		s := c.sampleOf(x, y, i)
		if s.mesh < 0 {
			behind++
			continue
		}
		var at vertex
		count := 0.0
		for k := i; k < side*side; k++ {
			if t := c.sampleOf(x, y, k); !done[k] && t.mesh == s.mesh {
				done[k] = true
				count++
				_, v := c.raster.seen(t)
				if count == 1 {
					at.across = v.across
				}
				at.u, at.v = at.u+v.u, at.v+v.v
				at.n = num.XYZ(at.n.X+v.n.X, at.n.Y+v.n.Y, at.n.Z+v.n.Z)
			}
		}
		at.u, at.v = at.u/count, at.v/count
		l, tint := c.surfaceLight(f, c.raster.meshes[s.mesh], &at)
		for p := range c.Planes {
			sum[p] += num.Mul(num.Mul(count, l), c.Part(tint, p))
		}
	}
	if behind == side*side {
		return
	}
	share := c.lensShare(f, x, y)
	for p := range c.Planes {
		l := (sum[p] + num.Mul(behind, c.Planes[p][y*c.Width+x])) / (side * side)
		c.Planes[p][y*c.Width+x] = f.lensLight(l, share, float64(x), float64(y))
	}
}

func (c *Canvas) sampleOf(x, y, i int) *sample {
	return &c.raster.samples[(y*side+i/side)*c.raster.wide+x*side+i%side]
}

func (c *Canvas) lensShare(f *Face, x, y int) float64 {
	if !f.Extra.Glasses {
		return 0
	}
	n := 0.0
	for i := range side * side {
		if c.lens[(y*side+i/side)*c.raster.wide+x*side+i%side] {
			n++
		}
	}
	return n / (side * side)
}

// surfaceLight is the light from a point of a surface, and its colour.
func (c *Canvas) surfaceLight(f *Face, m *mesh, x *vertex) (float64, film.Tint) {
	s := spot{u: x.u, v: x.v, across: x.across, n: x.n, gloss: num.Mul(f.Light.gloss, 0.5), tint: f.tints.skin}
	if m.double && s.n.Z < 0 {
		s.n = num.XYZ(-s.n.X, -s.n.Y, -s.n.Z)
	}
	switch m.part {
	case partHead:
		c.head(f, &s)
	case partEar:
		inner := num.Step(0.95, 0.3, math.Sqrt(num.Sq(s.u)+num.Sq(s.v)))
		s.tone = num.Mul(num.Mul(f.Skin, 0.95), 1-num.Mul(0.4, inner))
	case partNeck:
		s.tone = num.Mul(f.Skin, 1-num.Mul(0.45, num.Step(f.b+22, f.b-4, s.v)))
	case partTorso:
		f.paintCloth(&s)
	case partHair:
		s.tone, s.tint = f.strand(s.u, s.v), f.tints.hair
		s.gloss = 0.2
	case partHat:
		s.tone = num.Mul(f.Extra.hatTone, 1+num.Mul(0.12, f.noise.At(num.Mul(s.u, 0.5), num.Mul(s.v, 0.5))))
		s.gloss, s.tint = 0, f.tints.hat
	case partRim:
		s.tone, s.tint = f.Extra.rimAlbedo, f.tints.rim
	}
	return f.lit(&s), s.tint
}

// paintCloth paints clothes, and the skin within their collar.
func (f *Face) paintCloth(s *spot) {
	g := &f.Clothes
	collar := f.b + g.shoulder - 2 + num.Mul(g.collar, 10-num.Mul(0.02, num.Sq(s.u)))
	if s.v < collar {
		s.tone = f.Skin
		return
	}
	s.tint = f.tints.cloth
	s.tone = num.Mul(g.tone, 0.85+num.Mul(0.2, f.noise.At(num.Mul(s.u, 0.06), num.Mul(s.v, 0.06)))+num.Mul(0.08, f.noise.At(num.Mul(s.u, 0.4), num.Mul(s.v, 0.4))))
	if g.stripes > 0 {
		s.tone = num.Mul(s.tone, 1-num.Mul(g.stripes, num.Step(0.1, 0.5, f.noise.At(num.Mul(s.u, g.stripe), num.Mul(s.v, num.Mul(g.stripe, 0.1))))))
	}
	s.gloss = 0
	if s.v < collar+2 {
		s.tone = num.Mul(s.tone, 0.75) // a seam of shadow
	}
	// A shirt in the jacket's opening, and a tie.
	if g.jacket && math.Abs(s.u) < num.Mul(0.75, f.b+g.shoulder+44-s.v) {
		s.tone, s.tint = g.shirt, f.tints.shirt
		if g.tie > 0 && math.Abs(s.u) < 3+num.Mul(0.06, s.v-f.b) {
			s.tone, s.tint = g.tie, f.tints.tie
		}
	}
}

// cover is how much of a pixel lies inside of an edge at signed distance d
// (negative inside), in the head's units.
func (f *Face) cover(d float64) float64 { return num.Clamp(0.5-num.Mul(d, f.Scale), 0, 1) }

// strand is the hair's albedo, with streaks that run down, or curls.
func (f *Face) strand(u, v float64) float64 {
	n := f.noise.At(num.Mul(u, 0.4)+num.Mul(0.08, v), num.Mul(v, 0.05)) + num.Mul(0.7, f.noise.At(num.Mul(u, 1.1), num.Mul(v, 0.09)+9))
	if f.hair.curl > 0 {
		n = num.Lerp(n, num.Mul(1.6, f.noise.At(num.Mul(u, 0.33), num.Mul(v, 0.33)))+num.Mul(0.6, f.noise.At(num.Mul(u, 0.9), num.Mul(v, 0.9))), f.hair.curl)
	}
	return num.Mul(f.hair.albedo, max(0.2, 1+num.Mul(0.35, n)))
}
