package film

import "github.com/fkzoo/fkzoo/zoo/dataset/demo/num"

// Busy adds to a backdrop what may be taken for a face and is none. typical is the size of a small face, in parts of the picture.
func (b *Backdrop) Busy(r *num.Random, typical float64) {
	size := func() float64 { return num.Mul(typical, 1+num.Mul(5, num.Sq(r.Unit()))) }
	if r.Chance(0.4) {
		b.foliage(r)
	}
	if r.Chance(0.3) {
		b.pattern(r)
	}
	if r.Chance(0.25) {
		b.lattice(r)
	}
	for range int(num.Mul(num.Sq(r.Unit()), 8)) {
		b.knob(r, r.Between(0, 1), r.Between(0, 1), size())
	}
	if r.Chance(0.25) {
		b.pet(r, r.Between(0.1, 0.9), r.Between(0.1, 0.9), size())
	}
	if r.Chance(0.3) {
		b.hand(r, r.Between(0, 1), r.Between(0, 1), size())
	}
}

// foliage is many small things of like tones.
func (b *Backdrop) foliage(r *num.Random) {
	x, y, wide := r.Unit(), r.Unit(), r.Between(0.1, 0.5)
	tone, spread, leaf := r.Between(0.1, 0.7), r.Between(0.05, 0.4), r.Between(0.004, 0.03)
	green := NewTint(r, 0.4)
	for range 30 + int(num.Mul(r.Unit(), 150)) {
		b.things = append(b.things, thing{
			x: x + r.Bell(0, wide), y: y + r.Bell(0, wide), halfX: num.Mul(leaf, r.Between(0.5, 2)), halfY: num.Mul(leaf, r.Between(0.5, 2)),
			turn: num.TurnBy(num.Mul(2, r.Unit()) - 1), round: r.Chance(0.7), tone: num.Clamp(tone+r.Bell(0, spread), 0.02, 1), tint: green,
		})
	}
}

// lattice is bars that cross: a mast, a fence, twigs, a chair's back.
func (b *Backdrop) lattice(r *num.Random) {
	x, y, wide := r.Unit(), r.Unit(), r.Between(0.1, 0.5)
	tone, thick := r.Unit(), r.Between(0.003, 0.02)
	first, second := num.Mul(2, r.Unit())-1, num.Mul(2, r.Unit())-1
	for i := range 6 + int(num.Mul(r.Unit(), 24)) {
		lean := first
		if i&1 == 1 {
			lean = second
		}
		b.things = append(b.things, thing{
			x: x + r.Bell(0, num.Mul(wide, 0.6)), y: y + r.Bell(0, num.Mul(wide, 0.6)), halfX: num.Mul(wide, r.Between(0.2, 1)), halfY: num.Mul(thick, r.Between(0.5, 1.6)),
			turn: num.TurnBy(lean + r.Bell(0, 0.06)), tone: num.Clamp(tone+r.Bell(0, 0.1), 0.02, 1), tint: White,
		})
	}
}

// pattern is the same thing many times: bricks, tiles, books, windows, dots.
func (b *Backdrop) pattern(r *num.Random) {
	x, y := r.Between(-0.3, 0.6), r.Between(-0.3, 0.6)
	stepX, stepY := r.Between(0.02, 0.15), r.Between(0.02, 0.15)
	t := thing{halfX: num.Mul(stepX, r.Between(0.2, 0.48)), halfY: num.Mul(stepY, r.Between(0.2, 0.48)), turn: num.TurnOf(1, 0), round: r.Chance(0.3), tint: NewTint(r, 0.3)}
	tone, spread, shift := r.Unit(), r.Between(0, 0.3), num.Mul(stepX, r.Unit())
	for row := range 3 + int(num.Mul(r.Unit(), 9)) {
		for column := range 3 + int(num.Mul(r.Unit(), 9)) {
			t.x, t.y = x+num.Mul(stepX, float64(column))+num.Mul(shift, float64(row&1)), y+num.Mul(stepY, float64(row))
			t.tone = num.Clamp(tone+r.Bell(0, spread), 0.02, 1)
			b.things = append(b.things, t)
		}
	}
}

// part adds a thing at a place of another, all in parts of the picture.
func (b *Backdrop) part(at num.Turn, x, y, size, u, v, halfU, halfV float64, round bool, tone float64, t Tint) {
	b.things = append(b.things, thing{
		x: x + num.Mul(size, num.Mul(at.C, u)-num.Mul(at.S, v)), y: y + num.Mul(size, num.Mul(at.S, u)+num.Mul(at.C, v)), halfX: num.Mul(size, halfU), halfY: num.Mul(size, halfV),
		turn: at, round: round, tone: num.Clamp(tone, 0.02, 1), rough: 0.25, tint: t, sharp: true,
	})
}

// knob is something round with spots: a clock, a socket, a wheel, a plate, a ball.
func (b *Backdrop) knob(r *num.Random, x, y, size float64) {
	at, t := num.TurnBy(num.Mul(0.4, r.Bell(0, 0.5))), NewTint(r, 0.4)
	tone := r.Between(0.05, 0.95)
	round := r.Chance(0.7)
	b.part(at, x, y, size, 0, 0, r.Between(0.35, 0.55), r.Between(0.35, 0.55), round, tone, t)
	b.things[len(b.things)-1].shadeX, b.things[len(b.things)-1].shadeY = r.Bell(0, 0.3), r.Bell(0, 0.3)
	if r.Chance(0.3) { // a ring within
		b.part(at, x, y, size, 0, 0, 0.3, 0.3, round, r.Unit(), t)
	}
	for range int(num.Mul(r.Unit(), 6)) {
		b.part(at, x, y, size, r.Between(-0.35, 0.35), r.Between(-0.35, 0.35), num.Mul(r.Unit(), 0.14)+0.02, num.Mul(r.Unit(), 0.14)+0.02, r.Chance(0.6), r.Unit(), t)
	}
}

// pet is an animal's head: round, with ears, eyes and a nose.
func (b *Backdrop) pet(r *num.Random, x, y, size float64) {
	fur := Tint{1.2, 1, 0.75}.Even()
	at, tone := num.TurnBy(r.Bell(0, 0.12)), r.Between(0.08, 0.9)
	b.part(at, x, y, size, 0, 0.9, 0.5, 0.7, true, num.Mul(tone, 0.9), fur)
	point := r.Chance(0.6)
	for _, s := range [2]float64{-1, 1} {
		tip := 0.4
		if !point {
			tip = 0.3
		}
		b.part(at.Further(num.Mul(s, 0.25)), x, y, size, num.Mul(s, 0.34), -num.Mul(tip, 1.1), 0.12, r.Between(0.2, 0.32), true, num.Mul(tone, r.Between(0.5, 1)), fur)
	}
	b.part(at, x, y, size, 0, 0, 0.5, 0.45, true, tone, fur)
	b.part(at, x, y, size, 0, 0.2, 0.26, 0.2, true, min(num.Mul(tone, r.Between(0.8, 1.8)), 1), fur)
	eye, bright := r.Between(0.05, 0.1), r.Between(0.2, 0.9)
	for _, s := range [2]float64{-1, 1} {
		b.part(at, x, y, size, num.Mul(s, 0.21), -0.07, eye, num.Mul(eye, r.Between(0.7, 1)), true, bright, fur)
		b.part(at, x, y, size, num.Mul(s, 0.21), -0.07, num.Mul(eye, r.Between(0.2, 0.8)), num.Mul(eye, 0.75), true, 0.03, White)
	}
	b.part(at, x, y, size, 0, 0.13, 0.07, 0.05, true, r.Between(0.03, 0.4), White)
	b.part(at, x, y, size, 0, 0.24, 0.01, 0.07, false, 0.05, White)
}

// hand is skin that is no face's: a palm with fingers, an arm.
func (b *Backdrop) hand(r *num.Random, x, y, size float64) {
	skin, at, tone := Tint{1.28, 0.94, 0.7}.Even(), num.TurnBy(r.Between(-0.8, 0.8)), r.Between(0.2, 0.8)
	b.part(at, x, y, size, 0, 0, 0.3, 0.35, true, tone, skin)
	for i := range 4 {
		b.part(at, x, y, size, num.Mul(float64(i), 0.15)-0.22, -0.45, 0.065, r.Between(0.2, 0.35), true, num.Mul(tone, r.Between(0.85, 1.1)), skin)
	}
	if r.Chance(0.7) {
		b.part(at, x, y, size, 0, 0.9, 0.2, 0.7, false, num.Mul(tone, 0.95), skin)
	}
}

// Kinds are the kinds of pictures without people that [Backdrop.Only] knows.
func Kinds() []string { return []string{"walls", "textures", "things", "animals", "text"} }

// Only leaves a wall, and puts things of one kind before it; false for a kind that isn't known.
func (b *Backdrop) Only(kind string, r *num.Random) bool {
	b.things, b.letters = nil, false
	place := func() (x, y float64) { return r.Between(0.1, 0.9), r.Between(0.1, 0.9) }
	switch kind {
	case "walls":
	case "textures":
		b.foliage(r)
		b.pattern(r)
		b.lattice(r)
	case "things":
		b.Busy(r, 0.1)
		for range 6 {
			x, y := place()
			b.knob(r, x, y, r.Between(0.08, 0.5))
			b.hand(r, y, x, r.Between(0.08, 0.4))
		}
	case "animals":
		for range 3 {
			x, y := place()
			b.pet(r, x, y, r.Between(0.1, 0.5))
		}
	case "text":
		b.letters = true
		b.letterHigh = r.Between(7, 40)
	default:
		return false
	}
	return true
}
