package demo

import "math"

// A canvas draws one face after the other.
type canvas struct {
	light [Size * Size]float64 // what reaches the camera, 0 to about 1
	blur  [Size * Size]float64
	bumps []bump
	shade []bump
	ridge ridge
}

// A bump is a round raise of the skin, (1-q)^2 high where q is the squared
// distance from its middle in units of its half-axes; or a darkening of that form.
type bump struct {
	u, v, perU, perV, high float64 // perU, perV: one over the half-axes
}

// A ridge is the nose's: a bump stretched along a line, rising on the way.
type ridge struct {
	from, along  point // along is of length 1
	length       float64
	low, high    float64 // height at the line's two ends
	width, wider float64 // half the width at the first end, and what it gains
}

// draw writes the picture of f, [Size, Size], to out.
func (c *canvas) draw(f *face, out []uint8) {
	c.relief(f)
	for y := range Size {
		for x := range Size {
			c.light[y*Size+x] = c.pixel(f, float64(x)+0.5, float64(y)+0.5)
		}
	}
	c.soften(f.camera.blur)
	f.develop(c.light[:], out)
}

// pixel is the light from one point of the picture: the background, and before
// it body, hair, ears and head, each with its share of coverage.
func (c *canvas) pixel(f *face, px, py float64) float64 {
	dx, dy := (px-f.x)/f.scale, (py-f.y)/f.scale
	p := point{mul(f.roll.c, dx) + mul(f.roll.s, dy), mul(f.roll.c, dy) - mul(f.roll.s, dx)}

	// The head's outline, as a distance good enough near it.
	x, y := p.x/mul(f.a, f.width(p.y)), p.y/f.b
	r := math.Sqrt(sq(x) + sq(y))
	head := f.cover(mul(r-1, f.a))
	var l float64
	if head < 1 {
		l = f.backdrop(px, py)
		l = f.body(l, p)
		l = f.mane(l, p)
		l = f.neck(l, p)
		l = f.ears(l, p)
	}
	if head > 0 {
		l = lerp(l, c.head(f, p), head)
	}
	if f.extra.bar {
		l = f.bar(l, px, py)
	}
	return l
}

// cover is how much of a pixel lies inside of an edge at signed distance d
// (negative inside), in the head's units.
func (f *face) cover(d float64) float64 { return clamp(0.5-mul(d, f.scale), 0, 1) }

func (f *face) backdrop(px, py float64) float64 {
	g := &f.background
	l := g.base + mul(g.gradX, px/48-1) + mul(g.gradY, py/48-1)
	l += mul(g.rough, f.noise.at(mul(px, g.size), mul(py, g.size)))
	l += mul(mul(g.rough, 0.3), f.noise.at(mul(px, mul(g.size, 3))+7, mul(py, mul(g.size, 3))))
	if g.edge != 0 {
		l += mul(g.edge, clamp(px-g.edgeX-mul(g.edgeSlope, py-48)+0.5, 0, 1))
	}
	return clamp(l, 0.02, 1)
}

// body is shoulders in clothes.
func (f *face) body(l float64, p point) float64 {
	g := &f.background
	ax := math.Abs(p.x)
	top := f.b + g.shoulder + mul(0.004, sq(ax)) - mul(0.3, clamp(mul(f.a, 0.8)-ax, -20, 20))
	d := top - p.y
	if d > 2 {
		return l
	}
	cloth := mul(g.clothes, 0.75+mul(0.2, f.noise.at(mul(p.x, 0.06), mul(p.y, 0.06)))+mul(0.08, f.noise.at(mul(p.x, 0.4), mul(p.y, 0.4))))
	cloth = mul(cloth, clamp(1-mul(0.25, step(0, 5, d+5)), 0, 1)) // a seam of shadow
	cloth = mul(cloth, f.light.ambient+mul(0.7, f.light.diffuse))
	return lerp(l, cloth, f.cover(d))
}

// mane is the hair that is seen around the head.
func (f *face) mane(l float64, p point) float64 {
	h := &f.hair
	if h.bald {
		return l
	}
	a, b := f.a+mul(0.55, h.volume)+1, f.b+mul(0.8, h.volume)
	y := p.y + mul(0.2, h.volume)
	ragged := mul(1.5, f.noise.at(mul(p.x, 0.16), mul(p.y, 0.16)))
	d := mul(math.Sqrt(sq(p.x/a)+sq(y/b))-1, a) + ragged
	if h.long {
		if p.y > 0 {
			wide := a + mul(0.06, p.y)
			d = max(math.Abs(p.x)-wide+ragged, p.y-h.down+mul(4, ragged))
		}
	} else {
		d = max(d, p.y-mul(0.1, f.b)+ragged)
	}
	if d > 2.5 {
		return l
	}
	tone := mul(f.strand(p.x, p.y), f.light.ambient+mul(f.light.diffuse, clamp(0.45+mul(0.5, mul(f.light.dir.x, p.x/a))-mul(0.35, mul(-f.light.dir.y, p.y/b)), 0.1, 1)))
	return lerp(l, tone, clamp(0.5-mul(mul(d, f.scale), 0.4), 0, 1))
}

// strand is the hair's albedo, with streaks that run down.
func (f *face) strand(u, v float64) float64 {
	n := f.noise.at(mul(u, 0.4)+mul(0.08, v), mul(v, 0.05)) + mul(0.7, f.noise.at(mul(u, 1.1), mul(v, 0.09)+9))
	return mul(f.hair.albedo, 1+mul(0.3, n))
}

func (f *face) neck(l float64, p point) float64 {
	half := mul(f.a, 0.66)
	if p.y < mul(f.b, 0.3) || math.Abs(p.x) > half+4+mul(0.1, p.y) {
		return l
	}
	flare := mul(0.02, sq(mul(max(p.y-f.b, 0), 0.4)))
	d := math.Abs(p.x) - half - flare
	collar := f.b + f.background.shoulder - 4 + mul(f.background.collar, 10-mul(0.02, sq(p.x)))
	d = max(d, p.y-collar)
	if d > 1 {
		return l
	}
	x := clamp(p.x/half, -1, 1)
	n := math.Sqrt(1 - mul(0.9, sq(x)))
	lit := clamp(mul(f.light.dir.x, x)+mul(f.light.dir.z, n), 0, 1)
	shadow := 1 - mul(0.55, 1-step(mul(f.b, 0.95), mul(f.b, 1.35), p.y))
	return lerp(l, mul(mul(f.skin, f.light.ambient+mul(mul(f.light.diffuse, lit), 0.85)), shadow), f.cover(d))
}

func (f *face) ears(l float64, p point) float64 {
	if f.hair.long {
		return l
	}
	for _, side := range [2]float64{-1, 1} {
		n := f.turned(vec{side, 0.1, -0.12})
		x, y := mul(n.x, f.a)+mul(side, 2.5), mul(n.y, f.b)
		if math.Abs(p.x-x) > 8 || math.Abs(p.y-y) > 14 {
			continue
		}
		ex, ey := (p.x-x-mul(mul(side, 0.12), y-p.y))/5.5, (p.y-y)/11
		q := math.Sqrt(sq(ex) + sq(ey))
		inner := 1 - mul(0.4, step(0.85, 0.3, q))
		lit := f.light.ambient + mul(f.light.diffuse, clamp(0.5+mul(0.4, mul(side, f.light.dir.x)), 0, 1))
		l = lerp(l, mul(mul(mul(f.skin, 0.92), lit), inner), f.cover(mul(q-1, 5.5)))
	}
	return l
}

// bar is something held between the face and the camera: a finger, a pen, a
// microphone.
func (f *face) bar(l, px, py float64) float64 {
	x := &f.extra
	dx, dy := x.to.x-x.from.x, x.to.y-x.from.y
	t := (mul(px-x.from.x, dx) + mul(py-x.from.y, dy)) / (sq(dx) + sq(dy))
	t = clamp(t, 0, 1)
	ex, ey := px-x.from.x-mul(t, dx), py-x.from.y-mul(t, dy)
	r := math.Sqrt(sq(ex)+sq(ey)) / x.barRadius
	if r > 1.3 {
		return l
	}
	round := math.Sqrt(1 - mul(0.85, min(sq(r), 1)))
	return lerp(l, mul(x.barAlbedo, f.light.ambient+mul(mul(f.light.diffuse, round), 0.8)), clamp(0.5-mul(r-1, x.barRadius), 0, 1))
}

// soften is the lens: part of a 3x3 binomial blur.
func (c *canvas) soften(part float64) {
	for y := range Size {
		for x := range Size {
			left, right := y*Size+max(x-1, 0), y*Size+min(x+1, Size-1)
			c.blur[y*Size+x] = mul(c.light[left]+c.light[right], 0.25) + mul(c.light[y*Size+x], 0.5)
		}
	}
	for y := range Size {
		up, down := max(y-1, 0)*Size, min(y+1, Size-1)*Size
		for x := range Size {
			at := y*Size + x
			b := mul(c.blur[up+x]+c.blur[down+x], 0.25) + mul(c.blur[at], 0.5)
			c.light[at] = lerp(c.light[at], b, part)
		}
	}
}

// develop makes grey values of light: exposure, contrast, grain.
func (f *face) develop(light []float64, out []uint8) {
	c := &f.camera
	grain := newRandom(c.seed, 0)
	for at, l := range light {
		x, y := float64(at%Size)/48-1, float64(at/Size)/48-1
		l = mul(l, 1-mul(c.vignette, mul(sq(x)+sq(y), 0.5)))
		l = mul(l-0.45, c.gain) + 0.45 + c.offset
		l = clamp(l, 0, 1)
		l += mul(c.curve, mul(l, 1-l))
		w := grain.Uint64()
		n := float64(w&0xffff) + float64(w>>16&0xffff) + float64(w>>32&0xffff) + float64(w>>48)
		v := mul(l, 255) + mul(mul((n-2*65536)/65536, 1.7320508075688772), c.grain)
		out[at] = uint8(clamp(v, 0, 255) + 0.5)
	}
}
