package person

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/film"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
)

// relief sets up what is embossed on the head, and what is darker for lying deep.
func (c *Canvas) relief(f *Face) {
	e, n, m := &f.eyes, &f.nose, &f.mouth
	tip, wings := num.XY(0, n.v), num.XY(0, n.wings)
	c.bumps = c.bumps[:0]
	c.shade = c.shade[:0]
	raise := func(u, v, halfU, halfV, high float64) {
		c.bumps = append(c.bumps, bump{u, v, 1 / halfU, 1 / halfV, high})
	}
	darken := func(u, v, halfU, halfV, by float64) {
		c.shade = append(c.shade, bump{u, v, 1 / halfU, 1 / halfV, by})
	}
	for _, s := range [2]float64{-1, 1} {
		raise(num.Mul(s, e.u-1), e.v-1, 13, 9.5, -3)         // socket
		raise(num.Mul(s, e.u), e.v+0.3, e.half+2, 5.5, 1.8)  // eyeball
		raise(num.Mul(s, e.u), f.brows.inner[0].Y, 17, 6, 2) // brow's ridge
		raise(num.Mul(s, 23), e.v+20, 16, 16, 3.2)           // cheek
		raise(tip.X+num.Mul(s, num.Mul(0.62, n.width)), wings.Y+1, 4.2, 4.2, 2)
		raise(num.Mul(s, m.half+3), m.v, 7, 9, 1.2)
		darken(num.Mul(s, e.u-num.Mul(0.55, e.half)), e.v-1, 9, 7, 0.16)
		darken(num.Mul(s, e.u), e.v+6, e.half+3, 4.5, e.bags)
		darken(tip.X+num.Mul(s, num.Mul(0.5, n.width)), wings.Y+3.2, 2.3, 1.5, n.nostrils)
		darken(num.Mul(s, m.half+1.2), m.middle(s)+0.4, 3.4, 3, m.corners)
		darken(tip.X+num.Mul(s, n.width), wings.Y+1.5, 2.6, 4.5, 0.16)
	}
	c.ridge = newRidge(num.XY(0, e.v-5), tip, n.bridge, n.out)
	raise(tip.X, tip.Y, 7, 6.2, n.tip)
	darken(tip.X, wings.Y+4.6, num.Mul(n.width, 0.9), 3.2, 0.28)
	raise(0, m.v+0.5, m.half+5, 11, 1.8)
	raise(0, m.v+num.Mul(0.65, m.open)+num.Mul(0.6, m.lower), num.Mul(m.half, 0.75), num.Mul(m.lower, 1.1), 1.3)
	darken(0, m.v+num.Mul(0.65, m.open)+m.lower+2.6, num.Mul(m.half, 0.7), 3, 0.24)
	raise(0, m.v+num.Mul(0.65, m.open)+m.lower+3.4, 9, 4, -1)
	raise(0, f.b-8, 12, 9, 2.6)
	raise(0, num.Mul(tip.Y+m.v, 0.5)+2, 2.2, 5, -0.7) // philtrum
	raise(0, e.v-26, 34, 18, 2)                       // forehead
}

// newRidge runs from between the eyes to where the tip is seen.
func newRidge(from, to num.Point, low, high float64) ridge {
	r := ridge{from: from, low: low, high: high, width: 6.4, wider: 3.2}
	r.along = num.XY(to.X-from.X, to.Y-from.Y)
	r.length = math.Sqrt(num.Sq(r.along.X) + num.Sq(r.along.Y))
	r.along.X /= r.length
	r.along.Y /= r.length
	return r
}

// raised is the ridge's at a point.
func (r *ridge) raised(u, v float64) float64 {
	u, v = u-r.from.X, v-r.from.Y
	along := num.Mul(u, r.along.X) + num.Mul(v, r.along.Y)
	across := num.Mul(v, r.along.X) - num.Mul(u, r.along.Y)
	t := num.Clamp(along/r.length, 0, 1)
	width := r.width + num.Mul(r.wider, t)
	reach := 6.5
	if along < 0 {
		reach = 11 // it begins gently
	}
	past := (along - num.Mul(t, r.length)) / reach
	q := num.Sq(across/width) + num.Sq(past)
	if q >= 1 {
		return 0
	}
	return num.Mul(num.Lerp(r.low, r.high, num.Mul(t, 0.6+num.Mul(0.4, t))), num.Sq(1-q))
}

// A spot is a point of a surface and what is painted there.
type spot struct {
	u, v   float64
	across float64
	n      num.Vec // normal, in the camera's frame
	tone   float64 // albedo
	gloss  float64
	glow   float64 // light added on top
	tint   film.Tint
}

// head paints a point of the head.
func (c *Canvas) head(f *Face, s *spot) {
	s.tone, s.gloss = f.Skin, f.Light.gloss
	f.paintSkin(s)
	if s.across != 2 {
		for i := range c.shade {
			s.tone = num.Mul(s.tone, 1-c.shade[i].at(s.u, s.v))
		}
		f.paintBeard(s)
		f.paintMouth(s)
		f.paintEye(s)
		f.paintBrow(s)
	}
	f.paintHair(s)
}

func (b *bump) at(u, v float64) float64 {
	y := num.Sq(num.Mul(v-b.v, b.perV))
	if y >= 1 {
		return 0
	}
	q := num.Sq(num.Mul(u-b.u, b.perU)) + y
	if q >= 1 {
		return 0
	}
	return num.Mul(b.high, num.Sq(1-q))
}

// lit is Lambert's cosine of two lights, wrapped around the edge of the shadow as far as they are soft, light from all around, more of it
// from above, and a gloss.
func (f *Face) lit(s *spot) float64 {
	n, g := num.Unit(s.n), &f.Light
	wrap := num.Mul(0.45, 1-g.hard)
	cos := num.Clamp((num.Dot(n, g.dir)+wrap)/(1+wrap), 0, 1)
	fill := num.Clamp((num.Dot(n, g.fill)+0.3)/1.3, 0, 1)
	l := num.Mul(s.tone, num.Mul(g.ambient, 0.85-num.Mul(0.25, n.Y))+num.Mul(g.diffuse, cos)+num.Mul(g.filled, fill))
	// Halfway between the light and the camera.
	h := num.Clamp(num.Dot(n, num.Unit(num.XYZ(g.dir.X, g.dir.Y, g.dir.Z+1))), 0, 1)
	h = num.Sq(num.Sq(num.Sq(h)))
	return l + num.Mul(num.Mul(s.gloss, 0.4), num.Mul(num.Sq(h), cos)) + s.glow
}

func (f *Face) paintSkin(s *spot) {
	s.tone = num.Mul(s.tone, 1+num.Mul(0.06, f.noise.At(num.Mul(s.u, 0.09), num.Mul(s.v, 0.09)))+num.Mul(0.035, f.noise.At(num.Mul(s.u, 0.5), num.Mul(s.v, 0.5)+5)))
	f.paintWrinkles(s)
	// The fold from the nose's wing past the mouth's corner.
	n, m := &f.nose, &f.mouth
	from := n.wings
	if t := (s.v - from) / (m.v + 3 - from); t > 0 && t < 1 {
		at := num.Lerp(n.width+1, num.Mul(m.half+3.5, n.foldU), num.Mul(t, 1.4-num.Mul(0.4, t)))
		u := math.Abs(s.u)
		d := (u - at) / 2.2
		if d > -1 && d < 1 {
			s.tone = num.Mul(s.tone, 1-num.Mul(n.foldDark, num.Mul(num.Sq(1-num.Sq(d)), num.Mul(num.Mul(4, t), 1-t))))
		}
	}
}

// paintWrinkles paints the lines of the forehead, and roughens old skin.
func (f *Face) paintWrinkles(s *spot) {
	if f.age < 0.35 || s.across == 2 {
		return
	}
	old := f.age - 0.35
	s.tone = num.Mul(s.tone, 1+num.Mul(num.Mul(0.22, old), f.noise.At(num.Mul(s.u, 0.3)+3, num.Mul(s.v, 0.3))))
	top := f.brows.inner[0].Y - 4
	if s.v > top || s.v < top-18 {
		return
	}
	wave := num.Mul(s.v, 0.33) + num.Mul(0.5, f.noise.At(num.Mul(s.u, 0.05), num.Mul(s.v, 0.04)+11))
	d := math.Abs(wave-math.Floor(wave)-0.5) / 0.22
	if d < 1 {
		s.tone = num.Mul(s.tone, 1-num.Mul(num.Mul(0.35, old), num.Mul(1-d, num.Step(34, 22, math.Abs(s.u)))))
	}
}

func (f *Face) paintBeard(s *spot) {
	h, m := &f.hair, &f.mouth
	if h.beard == 0 && h.moustache == 0 {
		return
	}
	grain := 1 + num.Mul(0.5, f.noise.At(num.Mul(s.u, 0.9), num.Mul(s.v, 0.5)))
	var k float64
	au := math.Abs(s.u)
	if h.beard > 0 {
		// Below a line from the sideburns to the mouth.
		line := num.Lerp(m.v-1, f.eyes.v+16, num.Step(num.Mul(m.half, 1.1), num.Mul(f.a, 0.95), au))
		k = num.Mul(h.beard, num.Step(line-3, line+5, s.v))
	}
	if h.moustache > 0 {
		t := au / (m.half + 2)
		top := num.Lerp(f.nose.wings+5, m.v, num.Sq(min(t, 1)))
		k = max(k, num.Mul(h.moustache, num.Mul(num.Step(top-1.5, top+1.5, s.v), num.Mul(num.Step(m.v+2, m.v, s.v), num.Step(1.15, 0.9, t)))))
	}
	w := num.Clamp(num.Mul(num.Mul(k, grain), 0.85), 0, 0.95)
	s.tone = num.Lerp(s.tone, h.albedo, w)
	s.tint = film.Mixed(s.tint, f.tints.hair, w)
	s.gloss = num.Mul(s.gloss, 1-k)
}

func (f *Face) paintMouth(s *spot) {
	m := &f.mouth
	t := s.u / m.half
	if t <= -1.1 || t >= 1.1 || s.v < m.v-14 || s.v > m.v+18 {
		return
	}
	tt := num.Clamp(t, -1, 1)
	middle := m.middle(tt) - m.rise(tt)
	top, bottom := m.upperEdge(tt), m.lowerEdge(tt)
	past := num.Mul(math.Abs(t)-1, m.half)
	lips := f.cover(max(top-s.v, s.v-bottom, past))
	if lips > 0 {
		tone := num.Mul(f.Skin, m.lips)
		if s.v < middle {
			tone = num.Mul(tone, 0.86) // the upper lip looks down
		}
		tone = num.Mul(tone, 1+num.Mul(0.08, f.noise.At(num.Mul(s.u, 1.1), num.Mul(s.v, 0.3))))
		s.tone = num.Lerp(s.tone, tone, lips)
		s.tint = film.Mixed(s.tint, f.tints.lips, num.Mul(lips, 0.7))
		s.gloss += num.Mul(0.25, lips)
	}
	gap := num.Mul(m.open, 1-num.Sq(tt))
	if m.open > 0 {
		inside := f.cover(max(middle-s.v, s.v-middle-gap, past))
		dark := 0.06
		if m.teeth > 0 {
			teeth := f.cover(s.v - middle - num.Mul(0.75, gap))
			dark = num.Lerp(dark, num.Mul(m.teeth, 1-num.Mul(0.55, num.Sq(tt))), teeth)
		}
		s.tone = num.Lerp(s.tone, dark, inside)
		s.tint = film.Mixed(s.tint, film.White, num.Mul(inside, 0.7))
	}
	// The line between the lips, and its shadow at the corners.
	// It runs on past the lips.
	d := math.Abs(s.v-middle) - num.Mul(0.55, 1-num.Mul(0.4, num.Sq(tt)))
	if m.open > 1.2 {
		d += 0.4
	}
	s.tone = num.Mul(s.tone, 1-num.Mul(0.6, f.cover(max(d, past-m.dimple))))
}

func (f *Face) paintEye(s *spot) {
	e := &f.eyes
	side := 1.0
	if s.u < 0 {
		side = -1
	}
	du, dv := num.Mul(side, s.u)-e.u, s.v-e.v
	t := (num.Mul(du, e.tilt.C) - num.Mul(dv, e.tilt.S)) / e.half
	y := num.Mul(du, e.tilt.S) + num.Mul(dv, e.tilt.C)
	if t < -1.4 || t > 1.4 || y < -9 || y > 8 {
		return
	}
	tt := num.Clamp(t, -1, 1)
	arc := 1 - num.Sq(tt)
	// The upper lid is highest a little to the inside.
	up := num.Mul(-e.upper, num.Mul(arc, 1-num.Mul(0.15, tt)))
	down := num.Mul(e.lower, num.Mul(arc, 1+num.Mul(0.12, tt)))
	past := num.Mul(math.Abs(t)-1, e.half)
	ball := f.cover(max(up-y, y-down, past))
	if ball > 0 {
		iu, iv := num.Mul(t, e.half)-num.Mul(side, e.gazeU), y-e.gazeV+num.Mul(0.15, e.upper)
		r := math.Sqrt(num.Sq(iu) + num.Sq(iv))
		tone := num.Mul(e.sclera, 1-num.Mul(0.25, num.Sq(tt)))
		rim := num.Mul(e.irisAlbedo, 0.6+num.Mul(0.5, num.Step(e.iris, e.pupil, r)))
		tone = num.Lerp(tone, rim, f.cover(r-e.iris))
		s.tint = film.Mixed(s.tint, film.Mixed(film.White, f.tints.iris, f.cover(r-e.iris)), ball)
		tone = num.Lerp(tone, 0.02, f.cover(r-e.pupil))
		tone = num.Mul(tone, 1-num.Mul(0.45, f.cover(y-up-1.4))) // the lid's shadow
		s.tone = num.Lerp(s.tone, tone, ball)
		glint := num.Sq(iu-num.Mul(2, f.Light.dir.X)) + num.Sq(iv+1.1)
		s.glow += num.Mul(num.Mul(ball, 0.7), num.Clamp(1.1-glint, 0, 1))
	}
	// Lashes: a dark line on the upper lid, a fainter one below.
	line := f.cover(max(math.Abs(y-up)-num.Mul(0.75, 0.5+num.Mul(0.5, num.Mul(t, 0.5)+0.5)), past-0.9))
	s.tone = num.Mul(s.tone, 1-num.Mul(e.lashes, line))
	line = f.cover(max(math.Abs(y-down)-0.3, past-0.7))
	s.tone = num.Mul(s.tone, 1-num.Mul(num.Mul(e.lashes, 0.4), line))
	fold := up - 2.3 - num.Mul(0.5, arc)
	line = num.Mul(num.Clamp(1-math.Abs(y-fold), 0, 1), num.Clamp(num.Mul(-past, 0.4), 0, 1))
	s.tone = num.Mul(s.tone, 1-num.Mul(e.crease, line))
}

func (f *Face) paintBrow(s *spot) {
	b := &f.brows
	side, k := 1.0, 0
	if s.u < 0 {
		side, k = -1, 1
	}
	in, out := b.inner[k], b.outer[k]
	dx, dy := out.X-in.X, out.Y-in.Y
	u, v := num.Mul(side, s.u)-in.X, s.v-in.Y
	t := (num.Mul(u, dx) + num.Mul(v, dy)) / (num.Sq(dx) + num.Sq(dy))
	if t < -0.25 || t > 1.25 {
		return
	}
	length := math.Sqrt(num.Sq(dx) + num.Sq(dy))
	tt := num.Clamp(t, 0, 1)
	y := (num.Mul(v, dx)-num.Mul(u, dy))/length + num.Mul(num.Mul(b.arch, 6.75), num.Mul(num.Sq(tt), 1-tt))
	half := num.Mul(b.thick, 1-num.Mul(0.6, num.Sq(tt)))
	past := num.Mul(max(-t, t-1), length)
	d := math.Abs(y) - half
	if past > 0 {
		d = math.Sqrt(num.Sq(past)+num.Sq(y)) - num.Mul(half, 0.1) // it ends where the keypoint is
	}
	ragged := num.Mul(0.5, f.noise.At(num.Mul(s.u, 1.2)+num.Mul(0.5, s.v), num.Mul(s.v, 0.6)))
	w := num.Mul(num.Clamp(0.5-num.Mul(num.Mul(d+ragged, f.Scale), 0.8), 0, 1), num.Mul(b.strength, 1-num.Mul(b.fade, num.Sq(tt))))
	s.tone = num.Lerp(s.tone, num.Mul(b.albedo, 1+num.Mul(0.3, ragged)), w)
	s.tint = film.Mixed(s.tint, f.tints.hair, w)
	s.gloss = num.Mul(s.gloss, 1-w)
}

// hairEdge is how far a point of the head lies from the hair's edge: negative within.
func (f *Face) hairEdge(u, v, across float64) float64 {
	h := &f.hair
	if across == 2 {
		if h.long {
			return -8
		}
		return v - f.nose.v - 4
	}
	d := v - h.line - num.Mul(h.curve, num.Sq(across)) - num.Mul(h.fringe, num.Mul(f.noise.At(num.Mul(u, 0.3), 3.5), 0.7))
	// The parting draws the line up on one side.
	part := (u - h.part) / 16
	if part > -1 && part < 1 {
		d += num.Mul(num.Mul(5, 1-math.Abs(part)), 1-math.Abs(part))
	}
	edge := num.Mul(h.side-math.Abs(across), f.a)
	switch {
	case h.long:
		d = min(d, edge)
	case v < f.eyes.v+12 || h.beard > 0.3:
		d = min(d, edge+2)
	}
	return d
}

func (f *Face) paintHair(s *spot) {
	h := &f.hair
	if h.bald {
		return
	}
	ragged := num.Mul(1.6+num.Mul(2, h.curl), f.noise.At(num.Mul(s.u, 0.28), num.Mul(s.v, 0.14))) + num.Mul(0.7, f.noise.At(num.Mul(s.u, 0.9), num.Mul(s.v, 0.2)))
	d := f.hairEdge(s.u, s.v, s.across) + ragged
	w := num.Clamp(0.5-num.Mul(num.Mul(d, f.Scale), 0.3), 0, 1)
	if w == 0 {
		// A shadow under the hair.
		if d < 5 {
			s.tone = num.Mul(s.tone, 1-num.Mul(0.12, 1-d/5))
		}
		return
	}
	s.tone = num.Lerp(s.tone, f.strand(s.u+num.Mul(0.02, num.Mul(s.u, s.v)), s.v), w)
	s.tint = film.Mixed(s.tint, f.tints.hair, w)
	s.gloss = num.Lerp(s.gloss, 0.25, w)
	s.glow = num.Mul(s.glow, 1-w)
}
