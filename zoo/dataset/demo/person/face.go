package person

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/film"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
)

// Lengths are in units of a pixel at scale 1. The head's own frame, seen from
// the front, has u to the right (to the person's left), v down, and its origin
// in the head's middle.

// A Face is everything that is random about a picture, except its noise.
type Face struct {
	pose

	// Head: half its width, where the chin is, and how much the jaw is narrowed.
	a, b, taper float64

	skull skull
	eyes  eyes
	brows brows
	nose  nose
	mouth mouth
	hair  hair
	Light light
	Extra extra

	Skin    float64 // albedo
	age     float64 // 0: a child's skin; 1: an old face
	tints   tints
	Clothes clothes
	Camera  film.Camera

	noise      num.Noise
	seeThrough bool // hidden points are told where they are, not at the outline
}

// A pose is where the head is in the picture and how it is turned, and how far the camera is away.
type pose struct {
	X, Y, Scale      float64
	Roll, Yaw, pitch num.Turn
	body             num.Turn // the shoulders' yaw
	near             float64
}

type skull struct {
	top                             float64 // height
	deep                            float64 // of the back, as a factor
	forehead, brow, mid, lips, chin float64 // how far these stand out
}

type eyes struct {
	u, v         float64  // middle of the left one; the right one is its mirror image
	half         float64  // half the width
	upper, lower float64  // height of the lids above and below the line of the corners
	tilt         num.Turn // raises the outer corner
	gazeU, gazeV float64
	iris, pupil  float64 // radii
	irisAlbedo   float64
	sclera       float64
	lashes       float64 // darkness
	crease       float64
	bags         float64
}

type brows struct {
	inner, outer [2]num.Point // ends: of the left one, and of the right one mirrored
	arch         float64
	thick        float64
	albedo       float64
	strength     float64
	fade         float64 // how much paler it is at its outer end
}

type nose struct {
	v        float64 // of the tip
	out      float64 // how far the tip stands out
	width    float64
	bridge   float64 // height of its ridge between the eyes
	tip      float64
	nostrils float64 // darkness
	foldDark float64 // of the lines from the nose to the mouth's corners
	foldU    float64
	wings    float64 // height
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
	dimple       float64 // how far the line between the lips runs on past the corners
	corners      float64 // darkness of their shadow
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
	crown      float64
	curl       float64
	parted     float64 // how far long hair leaves the face free
	side       float64 // how far over the cheeks
	down       float64 // v to which long hair hangs
	beard      float64
	moustache  float64
	beardReach float64
}

type light struct {
	dir, fill num.Vec // to the lights, in the camera's frame; of length 1
	ambient   float64
	diffuse   float64
	filled    float64 // the second light
	hard      float64 // 1: shadows have an edge
	gloss     float64
}

type extra struct {
	Glasses   bool
	rimU      float64
	rimV      float64
	rimThick  float64
	rimAlbedo float64
	lens      float64 // how dark
	glare     float64
	glareAt   float64
	square    float64 // 0: rims are ellipses, 1: boxes

	hat     bool
	hatLine float64 // height
	hatTone float64
	brim    float64 // how far it stands out; 0: there is none

	Props []prop
}

type clothes struct {
	tone, collar, shoulder float64
	Long                   float64 // how far down from the shoulders they are seen
	stripes, stripe        float64 // how dark, how narrow
	jacket                 bool
	shirt, tie             float64 // tie: 0: none
}

// NewFace draws proportions, looks, a pose and a light at random.
func NewFace(r *num.Random) *Face {
	f := new(Face)
	f.proportions(r)
	f.looks(r)
	f.turnHead(r)
	f.Lighting(r)
	f.held(r)
	f.Camera = film.NewCamera(r)
	f.noise.Fill(r)
	return f
}

func (f *Face) proportions(r *num.Random) {
	f.a = r.Between(37, 43.5)
	f.b = r.Between(54, 62)
	f.taper = r.Between(0.02, 0.26)
	f.skull = skull{
		top: -r.Between(52, 60), deep: r.Between(0.9, 1.08), forehead: r.Bell(0, 1.3), brow: r.Bell(0, 0.9), mid: r.Bell(0, 1.1),
		lips: r.Bell(0, 1.2), chin: r.Bell(0, 1.7),
	}

	e := &f.eyes
	e.u = r.Between(16.5, 20)
	e.v = r.Between(-6, -1)
	e.half = r.Between(6, 8)
	open := r.Between(0.65, 1.2)
	if r.Chance(0.07) {
		open = r.Between(0.12, 0.4) // blinking
	}
	e.upper = num.Mul(r.Between(2.6, 3.7), open)
	e.lower = num.Mul(r.Between(1.5, 2.3), open)
	e.tilt = num.TurnBy(r.Bell(0.035, 0.04))
	e.gazeU = r.Bell(0, 1.3)
	e.gazeV = r.Bell(-0.3, 0.4)
	e.iris = r.Between(2.9, 3.6)
	e.pupil = num.Mul(e.iris, r.Between(0.35, 0.55))

	b := &f.brows
	rise := r.Between(8, 14)
	innerU := r.Between(7.5, 13)
	outerU := e.u + e.half + r.Between(5, 10)
	slope := r.Bell(0, 1.7)
	for side := range 2 { // nearly alike, never quite
		b.inner[side] = num.XY(innerU+r.Bell(0, 0.3), e.v-rise+slope+r.Bell(0, 0.5))
		b.outer[side] = num.XY(outerU+r.Bell(0, 0.3), e.v-rise-slope+r.Between(0.5, 2.5)+r.Bell(0, 0.5))
	}
	b.arch = r.Between(0.8, 3.8)
	b.thick = r.Between(1.1, 2.4)
	b.fade = r.Between(0.1, 0.95)

	n := &f.nose
	n.v = e.v + r.Between(17, 25)
	n.out = r.Between(5, 10.5)
	n.width = r.Between(6.2, 9.4)
	n.bridge = r.Between(1.2, 4.6)
	n.tip = r.Between(1.5, 3.2)

	m := &f.mouth
	m.v = n.v + r.Between(13.5, 20.5)
	m.half = r.Between(11.5, 17)
	m.smile = r.Bell(-0.7, 1.7)
	if r.Chance(0.35) {
		m.smile += r.Between(1, 4)
		m.half += r.Between(0.5, 2.5)
	}
	m.upper = r.Between(1.5, 4)
	m.lower = r.Between(3, 6.5)
	m.bow = r.Between(0, 0.35)
	if r.Chance(0.62) {
		m.open = num.Mul(r.Between(1, 9), r.Between(0.4, 1))
		if r.Chance(0.14) {
			m.open = r.Between(8, 16)
		}
		if r.Chance(0.6) {
			m.teeth = r.Between(0.5, 0.95)
		}
	}
	f.b += num.Mul(0.6, m.open)
	m.skew = r.Bell(0, 0.5)
	m.dimple, m.corners = r.Between(0.3, 2.6), r.Between(0.05, 0.4)
	// Room for a chin, and for a lip below the nose.
	m.v = min(m.v, f.b-9-m.lower-num.Mul(0.65, m.open))
	n.v = min(n.v, m.v-m.upper-num.Mul(0.35, m.open)-5.5)
	n.wings = n.v + r.Between(-1.6, 0.8)
}

// looks draws what does not move any keypoint.
func (f *Face) looks(r *num.Random) {
	f.head(r)
	f.tones(r)
	f.colour(r)
	f.worn(r)
	f.dress(r)
}

// head draws skin and hair.
func (f *Face) head(r *num.Random) {
	f.Skin = r.Between(0.3, 0.84)
	switch p := r.Unit(); {
	case p < 0.5:
		f.Skin = r.Between(0.56, 0.84)
	case p < 0.7:
		f.Skin = r.Between(0.15, 0.32)
	}
	f.age = r.Unit()

	h := &f.hair
	h.albedo = r.Between(0.04, 0.3)
	if r.Chance(0.3) {
		h.albedo = r.Between(0.3, 0.85)
	}
	if f.age > 0.6 && r.Chance(0.5) {
		h.albedo = r.Between(0.4, 0.95) // grey
	}
	h.bald = r.Chance(0.07)
	if r.Chance(0.3) {
		h.curl = r.Unit()
	}
	h.long = r.Chance(0.4)
	h.line = f.brows.inner[0].Y - r.Between(11, 22)
	h.curve = r.Between(8, 30)
	h.part = r.Bell(0, 14)
	if r.Chance(0.25) {
		h.fringe = r.Between(2, 9)
	}
	h.volume = r.Between(0.5, 7)
	h.crown = r.Unit()
	h.parted = r.Unit()
	if h.long {
		h.volume = r.Between(2, 9)
	}
	h.side = r.Between(0.84, 0.98)
	h.down = r.Between(30, 110)
	if !h.long && r.Chance(0.3) {
		h.beard = r.Between(0.15, 0.9)
		h.moustache = num.Mul(h.beard, r.Between(0.6, 1.1))
	} else if !h.long && r.Chance(0.1) {
		h.moustache = r.Between(0.3, 0.9)
	}
	h.beardReach = r.Between(0.55, 0.8)
}

// tones draws how dark eyes, brows, nose and mouth are.
func (f *Face) tones(r *num.Random) {
	h, e := &f.hair, &f.eyes
	e.irisAlbedo = r.Between(0.08, 0.4)
	e.sclera = r.Between(0.75, 1)
	e.lashes = r.Between(0.45, 0.95)
	e.crease = r.Between(0, 0.4)
	e.bags = r.Between(0, 0.16) + num.Mul(0.14, num.Sq(f.age))
	f.brows.albedo = num.Clamp(num.Mul(h.albedo, r.Between(0.5, 1)), 0.04, 0.45)
	f.brows.strength = r.Between(0.6, 1)
	f.nose.nostrils = r.Between(0.45, 0.85)
	f.nose.foldDark = r.Between(0, 0.22) + num.Mul(0.2, num.Sq(f.age))
	f.nose.foldU = r.Between(0.8, 1.15)
	f.mouth.lips = r.Between(0.62, 0.92)
	if h.long && r.Chance(0.35) {
		f.mouth.lips = r.Between(0.4, 0.62)
	}
}

// worn draws what is on the face or before it.
func (f *Face) worn(r *num.Random) {
	x := &f.Extra
	if x.Glasses = r.Chance(0.22); x.Glasses {
		x.rimU = f.eyes.half + r.Between(2.5, 5)
		x.rimV = r.Between(6, 9.5)
		x.rimThick = r.Between(0.5, 1.3)
		x.rimAlbedo = r.Between(0.02, 0.3)
		if r.Chance(0.2) {
			x.rimThick, x.rimAlbedo = r.Between(0.2, 0.6), r.Between(0.3, 0.9) // of wire
		}
		x.lens = r.Between(0, 0.15)
		if r.Chance(0.12) {
			x.lens = r.Between(0.6, 0.92)
		}
		if r.Chance(0.4) {
			x.glare = r.Between(0.1, 0.6)
			x.glareAt = r.Between(30, 90)
		}
		x.square = r.Unit()
	}
	if x.hat = r.Chance(0.1); x.hat {
		x.hatLine = f.brows.inner[0].Y - r.Between(3, 16)
		x.hatTone = r.Between(0.04, 0.9)
		if r.Chance(0.5) {
			x.brim = r.Between(8, 24)
		}
	}
}

func (f *Face) dress(r *num.Random) {
	g := &f.Clothes
	g.tone = r.Between(0.03, 0.95)
	g.Long = 75
	g.collar = r.Between(0.5, 1.5)
	g.shoulder = r.Between(6, 22)
	if r.Chance(0.25) {
		g.stripes, g.stripe = r.Between(0.2, 0.7), r.Between(0.1, 0.6)
	}
	if g.jacket = r.Chance(0.3); g.jacket {
		g.shirt = r.Between(0.5, 1)
		g.tone = r.Between(0.03, 0.4)
		if r.Chance(0.6) {
			g.tie = r.Between(0.05, 0.8)
		}
	}
}

func (f *Face) Lighting(r *num.Random) {
	l := &f.Light
	l.dir = num.Unit(num.XYZ(r.Bell(0, 0.7), r.Bell(-0.45, 0.4), r.Between(0.35, 1.1)))
	l.fill = num.Unit(num.XYZ(r.Bell(0, 1), r.Bell(-0.2, 0.6), r.Between(0, 1)))
	l.ambient = r.Between(0.15, 0.6)
	l.diffuse = r.Between(0.3, 0.95)
	l.filled = num.Mul(r.Between(0, 0.5), r.Unit())
	l.hard = r.Unit()
	l.gloss = num.Mul(r.Between(0, 0.5), r.Unit())
	f.Brighten()
}

// Brighten sees to it that no exposure leaves the face in the dark.
func (f *Face) Brighten() {
	l := &f.Light
	if seen := num.Mul(f.Skin, l.ambient+num.Mul(0.6, l.diffuse)); seen < 0.25 {
		up := 0.25 / seen
		l.ambient, l.diffuse = num.Mul(l.ambient, up), num.Mul(l.diffuse, up)
	}
}

// turnHead draws how the head is turned, and the camera's distance.
func (f *Face) turnHead(r *num.Random) {
	widest := 0.14 // of the tangent of half the angle: 16 degrees
	switch p := r.Unit(); {
	case p > 0.82:
		widest = 0.84 // 80 degrees
	case p > 0.42:
		widest = 0.42 // 46 degrees
	}
	yaw := num.Mul(widest, num.Mul(2, r.Unit())-1)
	f.Yaw = num.TurnBy(yaw)
	f.pitch = num.TurnBy(num.Clamp(r.Bell(0, 0.14), -0.42, 0.42)) // within 45 degrees
	f.Roll = num.TurnBy(num.Clamp(r.Bell(0, 0.1), -0.27, 0.27))   // within 30 degrees
	f.body = num.TurnBy(num.Mul(yaw, r.Between(0, 0.8)))
	f.near = 1 / r.Between(280, 1400)
	f.eyes.gazeU = num.Clamp(f.eyes.gazeU-num.Mul(num.Mul(yaw, r.Unit()), 5), -3, 3)
}

// Frame cuts the picture out around the face as data sets do: a square of 1.12 to 1.5 times its extent.
func (c *Canvas) Frame(f *Face, r *num.Random) {
	lo, hi := c.Extent(f)
	extent := num.Mul(max(hi.X-lo.X, hi.Y-lo.Y), r.Between(1.12, 1.5))
	f.Scale = float64(c.Width) / extent
	f.X = num.Mul(float64(c.Width), 0.5) - num.Mul(f.Scale, (lo.X+hi.X)/2) + r.Bell(0, 2.2)
	f.Y = num.Mul(float64(c.Width), 0.5) - num.Mul(f.Scale, (lo.Y+hi.Y)/2) + r.Bell(0, 2.2)
}

// Extent is how far the face reaches, from brows to chin and at its sides, at scale 1.
func (c *Canvas) Extent(f *Face) (lo, hi num.Point) {
	f.X, f.Y, f.Scale = 0, 0, 1
	lo, hi = num.XY(1e9, 1e9), num.XY(-1e9, -1e9)
	add := func(at num.Vec) {
		p, _ := f.project(at)
		lo = num.XY(min(lo.X, p.X), min(lo.Y, p.Y))
		hi = num.XY(max(hi.X, p.X), max(hi.Y, p.Y))
	}
	for _, m := range f.marks() {
		add(c.surface(f, m))
	}
	for _, v := range []float64{f.eyes.v, f.nose.v, f.mouth.v, f.b - 11, f.b - 2, f.b} {
		cut := c.cutAt(v)
		for _, s := range []float64{-0.98, 0, 0.98} {
			add(f.frontAt(&cut, s, math.Sqrt(1-num.Sq(s))))
		}
	}
	return lo, hi
}

// pivot is how far behind the face the head turns.
const pivot = 34

// turned gives a direction of the head's frame in the camera's.
func (f *Face) turned(p num.Vec) num.Vec {
	y := num.Mul(f.pitch.C, p.Y) + num.Mul(f.pitch.S, p.Z)
	z := num.Mul(f.pitch.C, p.Z) - num.Mul(f.pitch.S, p.Y)
	p = num.XYZ(num.Mul(f.Yaw.C, p.X)+num.Mul(f.Yaw.S, z), y, num.Mul(f.Yaw.C, z)-num.Mul(f.Yaw.S, p.X))
	return num.XYZ(num.Mul(f.Roll.C, p.X)-num.Mul(f.Roll.S, p.Y), num.Mul(f.Roll.S, p.X)+num.Mul(f.Roll.C, p.Y), p.Z)
}

// bodily is the same for the shoulders, which turn by themselves.
func (f *Face) bodily(p num.Vec) num.Vec {
	return num.XYZ(num.Mul(f.body.C, p.X)+num.Mul(f.body.S, p.Z), p.Y, num.Mul(f.body.C, p.Z)-num.Mul(f.body.S, p.X))
}

// inView gives a point of the head in the camera's frame.
func (f *Face) inView(at num.Vec) num.Vec {
	at.Z += pivot
	at = f.turned(at)
	at.Z -= pivot
	return at
}

// picture gives a point of the camera's frame in the picture.
func (f *Face) picture(at num.Vec) num.Point {
	k := num.Mul(f.Scale, 1/(1-num.Mul(f.near, at.Z)))
	return num.XY(f.X+num.Mul(k, at.X), f.Y+num.Mul(k, at.Y))
}

// project gives a point of the head in the picture, and its depth.
func (f *Face) project(at num.Vec) (num.Point, float64) {
	at = f.inView(at)
	return f.picture(at), at.Z
}

// width is how wide the jaw is at height v, as a part of what it is above.
func (f *Face) width(v float64) float64 {
	if v <= 0 {
		return 1
	}
	return 1 - num.Mul(f.taper, num.Sq(min(v/f.b, 1.2)))
}

// point is a point of an eye: t from -1, the inner corner, to 1, the outer one,
// and y below the line between them. side is 1 for the person's left.
func (e *eyes) point(side, t, y float64) num.Point {
	t = num.Mul(t, e.half)
	return num.XY(num.Mul(side, e.u+num.Mul(t, e.tilt.C)+num.Mul(y, e.tilt.S)), e.v-num.Mul(t, e.tilt.S)+num.Mul(y, e.tilt.C))
}

// middle is the height of the lips' line at t, -1 to 1, from corner to corner.
func (m *mouth) middle(t float64) float64 {
	return m.v - num.Mul(m.smile, num.Sq(t)) - num.Mul(m.skew, t)
}

// rise is how far the lips' line lies above that of the corners where the mouth is open.
func (m *mouth) rise(t float64) float64 { return num.Mul(num.Mul(0.35, m.open), 1-num.Sq(t)) }

// upperEdge is the top of the upper lip, above middle.
func (m *mouth) upperEdge(t float64) float64 {
	dip := 1 - min(num.Sq(num.Mul(t, 4)), 1)
	return m.middle(t) - num.Mul(num.Mul(m.upper, 1-num.Sq(t)), 1+m.bow-num.Mul(num.Mul(1.6, m.bow), num.Sq(dip))) - m.rise(t)
}

// lowerEdge is the bottom of the lower lip.
func (m *mouth) lowerEdge(t float64) float64 {
	return m.middle(t) + num.Mul(m.lower+m.open, 1-num.Sq(t)) - m.rise(t)
}

// marks are Kaggle's 15 keypoints, in Kaggle's order, on the head's front.
func (f *Face) marks() [15]num.Point {
	e, b, m := &f.eyes, &f.brows, &f.mouth
	center := (e.lower - e.upper) / 2
	// Annotators mark brows along their upper part.
	raised := func(p num.Point) num.Point { return num.XY(p.X, p.Y-num.Mul(0.7, b.thick)) }
	return [15]num.Point{
		e.point(1, 0, center), e.point(-1, 0, center),
		e.point(1, -1, 0), e.point(1, 1, 0),
		e.point(-1, -1, 0), e.point(-1, 1, 0),
		raised(b.inner[0]), raised(b.outer[0]),
		raised(num.XY(-b.inner[1].X, b.inner[1].Y)), raised(num.XY(-b.outer[1].X, b.outer[1].Y)),
		num.XY(0, f.nose.v),
		num.XY(m.half, m.middle(1)), num.XY(-m.half, m.middle(-1)),
		num.XY(0, m.upperEdge(0)), num.XY(0, m.lowerEdge(0)),
	}
}

// Keypoints are the marks in pixels of the picture. One that the head itself hides is where annotators put it: at the outline, the
// nearest to it that is seen towards the face's middle.
func (c *Canvas) Keypoints(f *Face) [15]num.Point {
	const tolerance, steps = 2.2, 24
	points := f.marks()
	for i, mark := range points {
		var p num.Point
		for k := steps; k >= 0; k-- {
			var depth float64
			p, depth = f.project(c.surface(f, num.XY(num.Mul(mark.X, float64(k)/steps), mark.Y)))
			if f.seeThrough || c.raster.hides(p, depth, tolerance) != partHead {
				break
			}
		}
		points[i] = p
	}
	return points
}

// tints are the colours of a person.
type tints struct {
	skin, lips, hair, iris, cloth, shirt, tie, hat, rim film.Tint
}

func (f *Face) colour(r *num.Random) {
	warm := r.Between(0.7, 1.3)
	f.tints = tints{
		skin:  film.Tint{1 + num.Mul(0.28, warm), 1 - num.Mul(0.06, warm), 1 - num.Mul(0.3, warm)}.Even(),
		lips:  film.Tint{1.5, 0.82, 0.85}.Even(),
		hair:  film.Tint{1 + r.Between(0, 0.35), 1, 1 - r.Between(0.05, 0.4)}.Even(),
		iris:  film.NewTint(r, 0.35),
		cloth: film.NewTint(r, 0.7), shirt: film.NewTint(r, 0.2), tie: film.NewTint(r, 0.8), hat: film.NewTint(r, 0.7), rim: film.NewTint(r, 0.3),
	}
}

// Turn turns the head to the person's left, and down, by angles of which the tangents of the halves are given.
func (f *Face) Turn(yaw, pitch float64) {
	f.Yaw, f.pitch, f.Roll = num.TurnBy(yaw), num.TurnBy(pitch), num.TurnBy(0)
	f.body = num.TurnBy(num.Mul(yaw, 0.2))
}
