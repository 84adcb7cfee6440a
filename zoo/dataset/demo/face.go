package demo

import "math"

// Lengths are in units of a pixel at scale 1. The head's own frame, seen from
// the front, has u to the right (to the person's left), v down, and its origin
// in the head's middle.

type point struct{ x, y float64 }

type vec struct{ x, y, z float64 }

// A turn is a rotation by a small angle.
type turn struct{ c, s float64 }

// turnBy makes a turn from the tangent of half its angle, which needs no sine.
func turnBy(halfTan float64) turn {
	d := 1 + sq(halfTan)
	return turn{(1 - sq(halfTan)) / d, mul(2, halfTan) / d}
}

// A face is everything that is random about a picture, except its noise.
type face struct {
	// Pose: where the head is in the picture and how it is turned.
	x, y, scale      float64
	roll, yaw, pitch turn

	// Head: half-axes of the ellipsoid, and how much the jaw is narrowed.
	a, b, taper float64

	eyes  eyes
	brows brows
	nose  nose
	mouth mouth
	hair  hair
	light light
	extra extra

	skin       float64 // albedo
	background background
	camera     camera

	noise noise
}

type eyes struct {
	u, v         float64 // middle of the left one; the right one is its mirror image
	half         float64 // half the width
	upper, lower float64 // height of the lids above and below the line of the corners
	tilt         turn    // raises the outer corner
	gazeU, gazeV float64
	iris, pupil  float64 // radii
	irisAlbedo   float64
	sclera       float64
	lashes       float64 // darkness
	crease       float64
	bags         float64
}

type brows struct {
	inner, outer [2]point // ends: of the left one, and of the right one mirrored
	arch         float64
	thick        float64
	albedo       float64
	strength     float64
}

type nose struct {
	v        float64 // of the tip
	out      float64 // how far the tip stands out, in half-axes
	width    float64
	bridge   float64 // height of its ridge
	tip      float64
	nostrils float64 // darkness
	foldDark float64 // of the lines from the nose to the mouth's corners
	foldU    float64
	at       point // where the tip is painted: seen through the head's surface
	wings    point
}

type mouth struct {
	v, half      float64
	smile        float64 // raises the corners
	upper, lower float64 // of the lips
	bow          float64
	open         float64
	teeth        float64 // albedo; 0: none seen
	lips         float64 // albedo, as a factor on the skin's
	skew         float64 // one corner higher
}

type hair struct {
	bald       bool
	long       bool
	albedo     float64
	line       float64 // v of the hairline in the middle
	curve      float64 // how far it comes down at the sides
	part       float64 // u of the parting
	fringe     float64
	volume     float64
	side       float64 // how far over the cheeks
	down       float64 // v to which long hair hangs
	beard      float64
	moustache  float64
	beardReach float64
}

type light struct {
	dir     vec // to the light, in the head's frame; of length 1
	ambient float64
	diffuse float64
	gloss   float64
}

type extra struct {
	glasses   bool
	rimU      float64
	rimV      float64
	rimThick  float64
	rimAlbedo float64
	lens      float64 // how dark
	glare     float64

	bar       bool // something held before the face
	from, to  point
	barRadius float64
	barAlbedo float64
}

type background struct {
	base, gradX, gradY, rough, size float64
	edge, edgeX, edgeSlope          float64
	clothes, collar, shoulder       float64
}

type camera struct {
	gain, offset, curve float64
	blur, grain         float64
	vignette            float64
	seed                uint64 // of the grain
}

// newFace draws proportions at random, and a pose with which every keypoint
// lies well inside the picture.
func newFace(r *random) *face {
	f := new(face)
	f.proportions(r)
	f.looks(r)
	for try := 0; ; try++ {
		f.pose(r)
		if f.fits() {
			break
		}
		if try == 100 { // never seen; a pose that always fits
			f.x, f.y, f.scale = Size/2, Size/2-8, 0.7
			f.roll, f.yaw, f.pitch = turnBy(0), turnBy(0), turnBy(0)
			f.settle()
			break
		}
	}
	f.lighting(r)
	f.noise.fill(r)
	return f
}

func (f *face) proportions(r *random) {
	f.a = r.between(36.5, 42)
	f.b = r.between(53, 60)
	f.taper = r.between(0.02, 0.26)

	e := &f.eyes
	e.u = r.between(16.5, 20)
	e.v = r.between(-6, -1)
	e.half = r.between(6, 8)
	open := r.between(0.65, 1.2)
	if r.chance(0.07) {
		open = r.between(0.12, 0.4) // blinking
	}
	e.upper = mul(r.between(2.6, 3.7), open)
	e.lower = mul(r.between(1.5, 2.3), open)
	e.tilt = turnBy(r.bell(0.035, 0.04))
	e.gazeU = r.bell(0, 1.3)
	e.gazeV = r.bell(-0.3, 0.4)
	e.iris = r.between(2.9, 3.6)
	e.pupil = mul(e.iris, r.between(0.35, 0.55))

	b := &f.brows
	rise := r.between(8.5, 12.5)
	innerU := r.between(6.5, 10.5)
	outerU := e.u + e.half + r.between(2, 4.5)
	slope := r.bell(0, 1.7)
	for side := range 2 { // nearly alike, never quite
		b.inner[side] = point{innerU + r.bell(0, 0.3), e.v - rise + slope + r.bell(0, 0.5)}
		b.outer[side] = point{outerU + r.bell(0, 0.3), e.v - rise - slope + r.between(0.5, 2.5) + r.bell(0, 0.5)}
	}
	b.arch = r.between(0.8, 3.8)
	b.thick = r.between(1.1, 2.3)

	n := &f.nose
	n.v = e.v + r.between(22, 29)
	n.out = r.between(0.12, 0.24)
	n.width = r.between(6.2, 9)
	n.bridge = r.between(1.7, 3.6)
	n.tip = r.between(2.6, 4.6)

	m := &f.mouth
	m.v = n.v + r.between(11, 16)
	m.half = r.between(11.5, 17)
	m.smile = r.bell(1.2, 1.8)
	if r.chance(0.35) {
		m.smile += r.between(1, 3)
		m.half += r.between(0.5, 2.5)
	}
	m.upper = r.between(1.8, 3.8)
	m.lower = r.between(2.6, 5)
	m.bow = r.between(0, 0.35)
	if r.chance(0.35) {
		m.open = r.between(1, 6)
		if r.chance(0.75) {
			m.teeth = r.between(0.6, 0.95)
		}
	}
	m.skew = r.bell(0, 0.5)
	// Room for a chin, and for a lip below the nose.
	m.v = min(m.v, f.b-11-m.lower-m.open)
	n.v = min(n.v, m.v-m.upper-7)
}

// looks draws what does not move any keypoint.
func (f *face) looks(r *random) {
	f.head(r)
	f.tones(r)
	f.worn(r)
	f.scene(r)
}

// head draws skin and hair.
func (f *face) head(r *random) {
	f.skin = r.between(0.34, 0.86)
	if r.chance(0.5) {
		f.skin = r.between(0.58, 0.86)
	}

	h := &f.hair
	h.albedo = r.between(0.04, 0.3)
	if r.chance(0.3) {
		h.albedo = r.between(0.3, 0.85)
	}
	h.bald = r.chance(0.07)
	h.long = r.chance(0.4)
	h.line = f.brows.inner[0].y - r.between(11, 22)
	h.curve = r.between(8, 30)
	h.part = r.bell(0, 14)
	if r.chance(0.25) {
		h.fringe = r.between(2, 9)
	}
	h.volume = r.between(2, 10)
	h.side = r.between(0.84, 0.98)
	h.down = r.between(30, 110)
	if !h.long && r.chance(0.3) {
		h.beard = r.between(0.15, 0.9)
		h.moustache = mul(h.beard, r.between(0.6, 1.1))
	} else if !h.long && r.chance(0.1) {
		h.moustache = r.between(0.3, 0.9)
	}
	h.beardReach = r.between(0.55, 0.8)
}

// tones draws how dark eyes, brows, nose and mouth are.
func (f *face) tones(r *random) {
	h, e := &f.hair, &f.eyes
	e.irisAlbedo = r.between(0.08, 0.4)
	e.sclera = r.between(0.75, 1)
	e.lashes = r.between(0.45, 0.95)
	e.crease = r.between(0, 0.4)
	e.bags = r.between(0, 0.22)
	f.brows.albedo = clamp(mul(h.albedo, r.between(0.5, 1)), 0.04, 0.45)
	f.brows.strength = r.between(0.6, 1)
	f.nose.nostrils = r.between(0.45, 0.85)
	f.nose.foldDark = r.between(0, 0.22)
	f.nose.foldU = r.between(0.8, 1.15)
	f.mouth.lips = r.between(0.62, 0.92)
	if h.long && r.chance(0.35) {
		f.mouth.lips = r.between(0.4, 0.62)
	}
}

// worn draws what is on the face or before it.
func (f *face) worn(r *random) {
	x := &f.extra
	if x.glasses = r.chance(0.16); x.glasses {
		x.rimU = f.eyes.half + r.between(2.5, 5)
		x.rimV = r.between(6, 9.5)
		x.rimThick = r.between(0.5, 1.3)
		x.rimAlbedo = r.between(0.02, 0.3)
		x.lens = r.between(0, 0.15)
		if r.chance(0.12) {
			x.lens = r.between(0.6, 0.92)
		}
		if r.chance(0.4) {
			x.glare = r.between(0.1, 0.6)
		}
	}
	if x.bar = r.chance(0.06); x.bar {
		// From outside the picture to somewhere at a cheek, the chin or the brow.
		x.from = point{48 + mul(r.sign(), r.between(20, 70)), 96 + r.between(5, 20)}
		if r.chance(0.25) {
			x.from.y = -r.between(5, 20)
		}
		x.to = point{r.between(20, 76), r.between(30, 90)}
		x.barRadius = r.between(3, 9)
		x.barAlbedo = r.between(0.05, 0.9)
	}
}

// scene draws what is behind the face, and how the picture was taken.
func (f *face) scene(r *random) {
	g := &f.background
	g.base = r.between(0.05, 0.95)
	g.gradX, g.gradY = r.bell(0, 0.15), r.bell(0, 0.15)
	g.rough = r.between(0, 0.25)
	g.size = r.between(0.04, 0.3)
	if r.chance(0.4) {
		g.edge = r.bell(0, 0.3)
		g.edgeX = r.between(0, 96)
		g.edgeSlope = r.bell(0, 0.4)
	}
	g.clothes = r.between(0.03, 0.95)
	g.collar = r.between(0.5, 1.5)
	g.shoulder = r.between(6, 22)

	c := &f.camera
	c.gain = r.between(0.75, 1.25)
	c.offset = r.bell(0, 0.06)
	c.curve = r.bell(0, 0.25)
	c.blur = r.unit()
	c.grain = mul(sq(r.unit()), 7)
	c.vignette = r.between(0, 0.3)
	c.seed = r.Uint64()
}

func (f *face) pose(r *random) {
	f.roll = turnBy(clamp(r.bell(0, 0.08), -0.2, 0.2)) // within 23 degrees, mostly within 10
	f.yaw = turnBy(clamp(r.bell(0, 0.1), -0.21, 0.21)) // within 24 degrees
	f.pitch = turnBy(clamp(r.bell(0, 0.05), -0.12, 0.12))
	f.scale = r.between(0.74, 1.08)
	// The middle of the features, not that of the head, is near the picture's.
	f.x, f.y = 0, 0
	middle := f.place(point{0, 14})
	f.x = Size/2 + r.bell(0, 5) - middle.x
	f.y = Size/2 + r.bell(0, 5) - middle.y
	f.settle()
}

// settle finds where the nose, which stands out of the ellipsoid, is painted on it.
func (f *face) settle() {
	n := &f.nose
	n.at = f.through(f.lift(point{0, n.v}, n.out))
	n.wings = f.through(f.lift(point{0, n.v + 1.5}, mul(n.out, 0.55)))
}

func (f *face) lighting(r *random) {
	d := vec{r.bell(0, 0.55), r.bell(-0.35, 0.35), 1}
	length := math.Sqrt(sq(d.x) + sq(d.y) + sq(d.z))
	d = vec{d.x / length, d.y / length, d.z / length}
	d = f.roll.inPlane(d, -1)
	f.light.dir = f.unturn(d)
	f.light.ambient = r.between(0.2, 0.55)
	f.light.diffuse = r.between(0.55, 0.95)
	// No exposure leaves a face in the dark.
	if seen := mul(f.skin, f.light.ambient+mul(0.7, f.light.diffuse)); seen < 0.3 {
		up := 0.3 / seen
		f.light.ambient = mul(f.light.ambient, up)
		f.light.diffuse = mul(f.light.diffuse, up)
	}
	f.light.gloss = r.between(0, 0.3)
}

func (t turn) inPlane(d vec, way float64) vec {
	s := mul(t.s, way)
	return vec{mul(t.c, d.x) - mul(s, d.y), mul(s, d.x) + mul(t.c, d.y), d.z}
}

// turned gives a point on the unit ball after the head's yaw and pitch.
func (f *face) turned(p vec) vec {
	y := mul(f.pitch.c, p.y) + mul(f.pitch.s, p.z)
	z := mul(f.pitch.c, p.z) - mul(f.pitch.s, p.y)
	return vec{mul(f.yaw.c, p.x) + mul(f.yaw.s, z), y, mul(f.yaw.c, z) - mul(f.yaw.s, p.x)}
}

// unturn is the inverse of turned.
func (f *face) unturn(p vec) vec {
	x := mul(f.yaw.c, p.x) - mul(f.yaw.s, p.z)
	z := mul(f.yaw.s, p.x) + mul(f.yaw.c, p.z)
	return vec{x, mul(f.pitch.c, p.y) - mul(f.pitch.s, z), mul(f.pitch.s, p.y) + mul(f.pitch.c, z)}
}

// width is how wide the head is at height v, as a part of the ellipsoid's width.
func (f *face) width(v float64) float64 {
	if v <= 0 {
		return 1
	}
	return 1 - mul(f.taper, sq(min(v/f.b, 1.2)))
}

// lift takes a point of the head's front, standing out by some half-axes, to
// the plane of the picture: still upright, at scale 1, around the head's middle.
func (f *face) lift(p point, out float64) point {
	n := vec{p.x / f.a, p.y / f.b, 0}
	n.z = math.Sqrt(max(1-sq(n.x)-sq(n.y), 0)) + out
	n = f.turned(n)
	y := mul(n.y, f.b)
	return point{mul(mul(n.x, f.a), f.width(y)), y}
}

// through is the inverse of lift without standing out.
func (f *face) through(p point) point {
	n := f.ball(p)
	n = f.unturn(n)
	return point{mul(n.x, f.a), mul(n.y, f.b)}
}

// ball is the point of the turned unit ball behind a point of the plane.
func (f *face) ball(p point) vec {
	x, y := p.x/mul(f.a, f.width(p.y)), p.y/f.b
	return vec{x, y, math.Sqrt(max(1-sq(x)-sq(y), 0))}
}

// place takes a point of the head's front to the picture.
func (f *face) place(p point) point { return f.picture(f.lift(p, 0)) }

func (f *face) picture(p point) point {
	return point{
		f.x + mul(f.scale, mul(f.roll.c, p.x)-mul(f.roll.s, p.y)),
		f.y + mul(f.scale, mul(f.roll.s, p.x)+mul(f.roll.c, p.y)),
	}
}

// point is a point of an eye: t from -1, the inner corner, to 1, the outer one,
// and y below the line between them. side is 1 for the person's left.
func (e *eyes) point(side, t, y float64) point {
	t = mul(t, e.half)
	return point{mul(side, e.u+mul(t, e.tilt.c)+mul(y, e.tilt.s)), e.v - mul(t, e.tilt.s) + mul(y, e.tilt.c)}
}

// middle is the height of the lips' line at t, -1 to 1, from corner to corner.
func (m *mouth) middle(t float64) float64 { return m.v - mul(m.smile, sq(t)) - mul(m.skew, t) }

// upperEdge is the top of the upper lip, above middle.
func (m *mouth) upperEdge(t float64) float64 {
	dip := 1 - min(sq(mul(t, 4)), 1)
	return m.middle(t) - mul(mul(m.upper, 1-sq(t)), 1+m.bow-mul(mul(1.6, m.bow), sq(dip)))
}

// lowerEdge is the bottom of the lower lip.
func (m *mouth) lowerEdge(t float64) float64 {
	return m.middle(t) + mul(m.lower+m.open, 1-sq(t))
}

// marks are Kaggle's 15 keypoints, in Kaggle's order, on the head's front.
func (f *face) marks() [15]point {
	e, b, m := &f.eyes, &f.brows, &f.mouth
	center := (e.lower - e.upper) / 2
	return [15]point{
		e.point(1, 0, center), e.point(-1, 0, center),
		e.point(1, -1, 0), e.point(1, 1, 0),
		e.point(-1, -1, 0), e.point(-1, 1, 0),
		b.inner[0], b.outer[0],
		{-b.inner[1].x, b.inner[1].y}, {-b.outer[1].x, b.outer[1].y},
		{0, f.nose.v},
		{m.half, m.middle(1)}, {-m.half, m.middle(-1)},
		{0, m.upperEdge(0)}, {0, m.lowerEdge(0)},
	}
}

// keypoints are the marks in pixels of the picture.
func (f *face) keypoints() [15]point {
	points := f.marks()
	for i, p := range points {
		if points[i] = f.place(p); i == noseTip {
			points[i] = f.picture(f.lift(p, f.nose.out))
		}
	}
	return points
}

const noseTip = 10

// fits says whether every keypoint is at least two pixels inside the picture,
// and on the side of the head that is seen.
func (f *face) fits() bool {
	for _, p := range f.marks() {
		n := vec{p.x / f.a, p.y / f.b, 0}
		n.z = math.Sqrt(max(1-sq(n.x)-sq(n.y), 0))
		if f.turned(n).z < 0.15 {
			return false
		}
	}
	for _, p := range f.keypoints() {
		if p.x < 2 || p.x > Size-2 || p.y < 2 || p.y > Size-2 {
			return false
		}
	}
	return true
}
