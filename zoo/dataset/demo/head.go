package demo

import "math"

// relief sets up what is embossed on the head, and what is darker for lying deep.
func (c *canvas) relief(f *face) {
	e, n, m := &f.eyes, &f.nose, &f.mouth
	tip, wings := n.at, n.wings
	c.bumps = c.bumps[:0]
	c.shade = c.shade[:0]
	raise := func(u, v, halfU, halfV, high float64) {
		c.bumps = append(c.bumps, bump{u, v, 1 / halfU, 1 / halfV, high})
	}
	darken := func(u, v, halfU, halfV, by float64) {
		c.shade = append(c.shade, bump{u, v, 1 / halfU, 1 / halfV, by})
	}
	for _, s := range [2]float64{-1, 1} {
		raise(mul(s, e.u-1), e.v-1, 13, 9.5, -3)         // socket
		raise(mul(s, e.u), e.v+0.3, e.half+2, 5.5, 1.8)  // eyeball
		raise(mul(s, e.u), f.brows.inner[0].y, 17, 6, 2) // brow's ridge
		raise(mul(s, 23), e.v+20, 16, 16, 3.2)           // cheek
		raise(tip.x+mul(s, mul(0.62, n.width)), wings.y+1, 4.2, 4.2, 2)
		raise(mul(s, m.half+3), m.v, 7, 9, 1.2)
		darken(mul(s, e.u-mul(0.55, e.half)), e.v-1, 9, 7, 0.16)
		darken(mul(s, e.u), e.v+6, e.half+3, 4.5, e.bags)
		darken(tip.x+mul(s, mul(0.5, n.width)), wings.y+3.2, 2.3, 1.5, n.nostrils)
		darken(tip.x+mul(s, n.width), wings.y+1.5, 2.6, 4.5, 0.16)
	}
	c.ridge = newRidge(point{0, e.v - 5}, tip, n.bridge)
	raise(tip.x, tip.y, 7, 6.2, n.tip)
	darken(tip.x, wings.y+4.6, mul(n.width, 0.9), 3.2, 0.28)
	raise(0, m.v+0.5, m.half+5, 11, 1.8)
	raise(0, m.v+m.open+mul(0.6, m.lower), mul(m.half, 0.75), mul(m.lower, 1.1), 1.3)
	darken(0, m.v+m.open+m.lower+2.6, mul(m.half, 0.7), 3, 0.24)
	raise(0, m.v+m.open+m.lower+3.4, 9, 4, -1)
	raise(0, f.b-8, 12, 9, 2.6)
	raise(0, mul(tip.y+m.v, 0.5)+2, 2.2, 5, -0.7) // philtrum
	raise(0, e.v-26, 34, 18, 2)                   // forehead
}

// newRidge runs from between the eyes to where the tip is seen.
func newRidge(from, to point, high float64) ridge {
	r := ridge{from: from, low: mul(high, 0.35), high: mul(high, 1.15), width: 5.4, wider: 1.6}
	r.along = point{to.x - from.x, to.y - from.y}
	r.length = math.Sqrt(sq(r.along.x) + sq(r.along.y))
	r.along.x /= r.length
	r.along.y /= r.length
	return r
}

// slope is the ridge's gradient at a point.
func (r *ridge) slope(u, v float64) (gu, gv float64) {
	u, v = u-r.from.x, v-r.from.y
	along := mul(u, r.along.x) + mul(v, r.along.y)
	across := mul(v, r.along.x) - mul(u, r.along.y)
	t := clamp(along/r.length, 0, 1)
	width := r.width + mul(r.wider, t)
	past := (along - mul(t, r.length)) / 6
	q := sq(across/width) + sq(past)
	if q >= 1 {
		return 0, 0
	}
	high := lerp(r.low, r.high, t)
	sideways := mul(mul(-4, high), mul(1-q, across/sq(width)))
	forward := mul(mul(-4, high), mul(1-q, past/6))
	if past == 0 {
		forward = mul((r.high-r.low)/r.length, sq(1-q))
	}
	return mul(forward, r.along.x) - mul(sideways, r.along.y), mul(forward, r.along.y) + mul(sideways, r.along.x)
}

// A spot is a point of the head's surface and what is painted there.
type spot struct {
	u, v  float64
	n     vec     // of the ball
	tone  float64 // albedo
	gloss float64
	flat  float64 // 1: as embossed, 0: smooth, as hair is
	glow  float64 // light added on top
}

// head is the light from the head's surface at p, a point of the plane.
func (c *canvas) head(f *face, p point) float64 {
	n := f.unturn(f.ball(p))
	s := spot{u: mul(n.x, f.a), v: mul(n.y, f.b), n: n, tone: f.skin, gloss: f.light.gloss, flat: 1}
	f.paintSkin(&s)
	for i := range c.shade {
		s.tone = mul(s.tone, 1-c.shade[i].at(s.u, s.v))
	}
	if n.z > 0.05 {
		f.paintBeard(&s)
		f.paintMouth(&s)
		f.paintEye(&s)
		f.paintBrow(&s)
	}
	f.paintHair(&s)
	l := c.lit(f, &s)
	if f.extra.glasses {
		l = f.glasses(l, &s)
	}
	return l
}

func (b *bump) at(u, v float64) float64 {
	y := sq(mul(v-b.v, b.perV))
	if y >= 1 {
		return 0
	}
	q := sq(mul(u-b.u, b.perU)) + y
	if q >= 1 {
		return 0
	}
	return mul(b.high, sq(1-q))
}

// lit is Lambert's cosine on the embossed surface, wrapped a little around the
// edge of the shadow, and a gloss.
func (c *canvas) lit(f *face, s *spot) float64 {
	gu, gv := c.ridge.slope(s.u, s.v)
	for i := range c.bumps {
		b := &c.bumps[i]
		y := mul(s.v-b.v, b.perV)
		if y <= -1 || y >= 1 {
			continue
		}
		x := mul(s.u-b.u, b.perU)
		if q := sq(x) + sq(y); q < 1 {
			k := mul(mul(-4, b.high), 1-q)
			gu += mul(mul(k, x), b.perU)
			gv += mul(mul(k, y), b.perV)
		}
	}
	// A face is flatter than a ball.
	n := vec{mul(0.85, s.n.x) - mul(s.flat, gu), mul(0.7, s.n.y) - mul(s.flat, gv), s.n.z + 0.12}
	length := math.Sqrt(sq(n.x) + sq(n.y) + sq(n.z))
	d := &f.light.dir
	cos := (mul(n.x, d.x) + mul(n.y, d.y) + mul(n.z, d.z)) / length
	cos = clamp((cos+0.2)/1.2, 0, 1)
	l := mul(s.tone, f.light.ambient+mul(f.light.diffuse, cos))
	// Halfway between the light and the camera, which is along z before the turn.
	h := clamp(mul(cos+n.z/length, 0.5), 0, 1)
	h = sq(sq(sq(h)))
	return l + mul(mul(s.gloss, 0.35), sq(h)) + s.glow
}

func (f *face) paintSkin(s *spot) {
	s.tone = mul(s.tone, 1+mul(0.06, f.noise.at(mul(s.u, 0.09), mul(s.v, 0.09)))+mul(0.035, f.noise.at(mul(s.u, 0.5), mul(s.v, 0.5)+5)))
	// The fold from the nose's wing past the mouth's corner.
	n, m := &f.nose, &f.mouth
	from := n.wings.y
	if t := (s.v - from) / (m.v + 3 - from); t > 0 && t < 1 {
		at := lerp(n.width+1, mul(m.half+3.5, n.foldU), mul(t, 1.4-mul(0.4, t)))
		u := math.Abs(s.u - mul(n.at.x, 1-t))
		d := (u - at) / 2.2
		if d > -1 && d < 1 {
			s.tone = mul(s.tone, 1-mul(n.foldDark, mul(sq(1-sq(d)), mul(mul(4, t), 1-t))))
		}
	}
}

func (f *face) paintBeard(s *spot) {
	h, m := &f.hair, &f.mouth
	if h.beard == 0 && h.moustache == 0 {
		return
	}
	grain := 1 + mul(0.5, f.noise.at(mul(s.u, 0.9), mul(s.v, 0.5)))
	var k float64
	au := math.Abs(s.u)
	if h.beard > 0 {
		// Below a line from the sideburns to the mouth.
		line := lerp(m.v-1, f.eyes.v+16, step(mul(m.half, 1.1), mul(f.a, 0.95), au))
		k = mul(h.beard, step(line-3, line+5, s.v))
	}
	if h.moustache > 0 {
		t := au / (m.half + 2)
		top := lerp(f.nose.wings.y+5, m.v, sq(min(t, 1)))
		k = max(k, mul(h.moustache, mul(step(top-1.5, top+1.5, s.v), mul(step(m.v+2, m.v, s.v), step(1.15, 0.9, t)))))
	}
	s.tone = lerp(s.tone, h.albedo, clamp(mul(mul(k, grain), 0.85), 0, 0.95))
	s.gloss = mul(s.gloss, 1-k)
}

func (f *face) paintMouth(s *spot) {
	m := &f.mouth
	t := s.u / m.half
	if t <= -1.1 || t >= 1.1 || s.v < m.v-14 || s.v > m.v+18 {
		return
	}
	tt := clamp(t, -1, 1)
	middle := m.middle(tt)
	top, bottom := m.upperEdge(tt), m.lowerEdge(tt)
	past := mul(math.Abs(t)-1, m.half)
	lips := f.cover(max(top-s.v, s.v-bottom, past))
	if lips > 0 {
		tone := mul(f.skin, m.lips)
		if s.v < middle {
			tone = mul(tone, 0.86) // the upper lip looks down
		}
		tone = mul(tone, 1+mul(0.08, f.noise.at(mul(s.u, 1.1), mul(s.v, 0.3))))
		s.tone = lerp(s.tone, tone, lips)
		s.gloss += mul(0.25, lips)
	}
	gap := mul(m.open, 1-sq(tt))
	if m.open > 0 {
		inside := f.cover(max(middle-s.v, s.v-middle-gap, past))
		dark := 0.06
		if m.teeth > 0 {
			teeth := f.cover(s.v - middle - mul(0.75, gap))
			dark = lerp(dark, mul(m.teeth, 1-mul(0.55, sq(tt))), teeth)
		}
		s.tone = lerp(s.tone, dark, inside)
	}
	// The line between the lips, and its shadow at the corners.
	d := math.Abs(s.v-middle) - mul(0.55, 1-mul(0.4, sq(tt)))
	if m.open > 1.2 {
		d += 0.4
	}
	s.tone = mul(s.tone, 1-mul(0.6, f.cover(max(d, past-0.3))))
}

func (f *face) paintEye(s *spot) {
	e := &f.eyes
	side := 1.0
	if s.u < 0 {
		side = -1
	}
	du, dv := mul(side, s.u)-e.u, s.v-e.v
	t := (mul(du, e.tilt.c) - mul(dv, e.tilt.s)) / e.half
	y := mul(du, e.tilt.s) + mul(dv, e.tilt.c)
	if t < -1.4 || t > 1.4 || y < -9 || y > 8 {
		return
	}
	tt := clamp(t, -1, 1)
	arc := 1 - sq(tt)
	// The upper lid is highest a little to the inside.
	up := mul(-e.upper, mul(arc, 1-mul(0.15, tt)))
	down := mul(e.lower, mul(arc, 1+mul(0.12, tt)))
	past := mul(math.Abs(t)-1, e.half)
	ball := f.cover(max(up-y, y-down, past))
	if ball > 0 {
		iu, iv := mul(t, e.half)-mul(side, e.gazeU), y-e.gazeV+mul(0.15, e.upper)
		r := math.Sqrt(sq(iu) + sq(iv))
		tone := mul(e.sclera, 1-mul(0.25, sq(tt)))
		rim := mul(e.irisAlbedo, 0.6+mul(0.5, step(e.iris, e.pupil, r)))
		tone = lerp(tone, rim, f.cover(r-e.iris))
		tone = lerp(tone, 0.02, f.cover(r-e.pupil))
		tone = mul(tone, 1-mul(0.45, f.cover(y-up-1.4))) // the lid's shadow
		s.tone = lerp(s.tone, tone, ball)
		glint := sq(iu-mul(2, f.light.dir.x)) + sq(iv+1.1)
		s.glow += mul(mul(ball, 0.7), clamp(1.1-glint, 0, 1))
		s.flat = lerp(s.flat, 0.4, ball)
	}
	// Lashes: a dark line on the upper lid, a fainter one below.
	line := f.cover(max(math.Abs(y-up)-mul(0.75, 0.5+mul(0.5, mul(t, 0.5)+0.5)), past-0.4))
	s.tone = mul(s.tone, 1-mul(e.lashes, line))
	line = f.cover(max(math.Abs(y-down)-0.3, past))
	s.tone = mul(s.tone, 1-mul(mul(e.lashes, 0.4), line))
	fold := up - 2.3 - mul(0.5, arc)
	line = mul(clamp(1-math.Abs(y-fold), 0, 1), clamp(mul(-past, 0.4), 0, 1))
	s.tone = mul(s.tone, 1-mul(e.crease, line))
}

func (f *face) paintBrow(s *spot) {
	b := &f.brows
	side, k := 1.0, 0
	if s.u < 0 {
		side, k = -1, 1
	}
	in, out := b.inner[k], b.outer[k]
	dx, dy := out.x-in.x, out.y-in.y
	u, v := mul(side, s.u)-in.x, s.v-in.y
	t := (mul(u, dx) + mul(v, dy)) / (sq(dx) + sq(dy))
	if t < -0.25 || t > 1.25 {
		return
	}
	length := math.Sqrt(sq(dx) + sq(dy))
	tt := clamp(t, 0, 1)
	y := (mul(v, dx)-mul(u, dy))/length + mul(mul(b.arch, 6.75), mul(sq(tt), 1-tt))
	half := mul(b.thick, 1-mul(0.6, sq(tt)))
	past := mul(max(-t, t-1), length)
	d := math.Abs(y) - half
	if past > 0 {
		d = math.Sqrt(sq(past)+sq(y)) - mul(half, 0.1) // it ends where the keypoint is
	}
	ragged := mul(0.5, f.noise.at(mul(s.u, 1.2)+mul(0.5, s.v), mul(s.v, 0.6)))
	w := mul(clamp(0.5-mul(mul(d+ragged, f.scale), 0.8), 0, 1), b.strength)
	s.tone = lerp(s.tone, mul(b.albedo, 1+mul(0.3, ragged)), w)
	s.gloss = mul(s.gloss, 1-w)
}

func (f *face) paintHair(s *spot) {
	h := &f.hair
	if h.bald {
		return
	}
	x := s.n.x
	d := s.v - h.line - mul(h.curve, sq(x)) - mul(h.fringe, mul(f.noise.at(mul(s.u, 0.3), 3.5), 0.7))
	// The parting draws the line up on one side.
	part := (s.u - h.part) / 16
	if part > -1 && part < 1 {
		d += mul(mul(5, 1-math.Abs(part)), 1-math.Abs(part))
	}
	ragged := mul(1.6, f.noise.at(mul(s.u, 0.28), mul(s.v, 0.14))) + mul(0.7, f.noise.at(mul(s.u, 0.9), mul(s.v, 0.2)))
	d += ragged
	edge := mul(h.side-math.Abs(x), f.a) + ragged
	if h.long {
		d = min(d, edge)
	} else if s.v < f.eyes.v+10 || h.beard > 0.3 {
		d = min(d, edge+2)
	}
	if s.n.z < 0 {
		d = min(d, -2)
	}
	w := clamp(0.5-mul(mul(d, f.scale), 0.3), 0, 1)
	if w == 0 {
		// A shadow under the hair.
		if d < 5 {
			s.tone = mul(s.tone, 1-mul(0.12, 1-d/5))
		}
		return
	}
	s.tone = lerp(s.tone, f.strand(s.u+mul(0.02, mul(s.u, s.v)), s.v), w)
	s.flat = 1 - w
	s.gloss = lerp(s.gloss, 0.25, w)
}

// glasses are two rims, a bridge and the temples, seen before the face.
func (f *face) glasses(l float64, s *spot) float64 {
	x, e := &f.extra, &f.eyes
	au := math.Abs(s.u)
	du, dv := au-e.u-0.5, s.v-e.v-1.5
	if s.n.z < 0.1 || math.Abs(dv) > 14 {
		return l
	}
	// Between an ellipse and a box.
	qu, qv := sq(du/x.rimU), sq(dv/x.rimV)
	r := math.Sqrt(math.Sqrt(sq(qu) + sq(qv)))
	d := mul(r-1, x.rimV)
	if d < 1 {
		in := f.cover(d)
		l = mul(l, 1-mul(x.lens, in))
		if x.glare > 0 {
			g := clamp(1-math.Abs(du+mul(0.8, dv)-2)/3, 0, 1)
			l += mul(mul(x.glare, in), g)
		}
	}
	rim := math.Abs(d) - x.rimThick
	if au < e.u-x.rimU+2 {
		rim = min(rim, math.Abs(dv+2.5+mul(mul(0.06, sq(au)-9), -1))-x.rimThick) // bridge
	}
	if du > x.rimU-1 {
		rim = min(rim, math.Abs(dv+2)-x.rimThick) // temple
	}
	return lerp(l, x.rimAlbedo, f.cover(rim))
}
