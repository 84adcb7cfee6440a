package film

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
)

// A Backdrop is what is behind the people in a picture: a wall, things before it, and letters that were put over the picture.
type Backdrop struct {
	base, gradX, gradY, rough, size float64
	tint                            Tint
	things                          []thing
	soft                            float64 // how far out of focus
	letters                         bool
	letterTone, letterHigh          float64
	line                            float64
	seed                            uint64
	noise                           num.Noise
}

// A thing is a box or an ellipse of one tone.
type thing struct {
	x, y, halfX, halfY float64 // in pixels
	turn               num.Turn
	round              bool
	tone, rough        float64
	shadeX, shadeY     float64 // how the tone changes from edge to edge
	tint               Tint
	sharp              bool // as near as the people
}

// NewBackdrop draws what there is at random.
func NewBackdrop(r *num.Random) *Backdrop {
	b := &Backdrop{
		base: r.Between(0.03, 0.95), gradX: r.Bell(0, 0.15), gradY: r.Bell(0, 0.15), rough: r.Between(0, 0.25), size: r.Between(0.04, 0.3),
		soft: num.Mul(r.Unit(), 4), tint: NewTint(r, 0.25), seed: r.Uint64(),
	}
	b.noise.Fill(r)
	b.letters = r.Chance(0.1)
	b.letterTone, b.letterHigh, b.line = r.Unit(), r.Between(7, 15), r.Between(0, 1)
	n := 0
	if r.Chance(0.65) {
		n = 1 + int(num.Mul(num.Sq(r.Unit()), 14))
	}
	for range n {
		t := thing{
			x: r.Between(-0.1, 1.1), y: r.Between(-0.1, 1.1), halfX: num.Mul(num.Sq(r.Unit()), 0.5) + 0.01, halfY: num.Mul(num.Sq(r.Unit()), 0.5) + 0.01,
			turn: num.TurnBy(num.Mul(r.Bell(0, 0.3), r.Unit())), round: r.Chance(0.3), tone: r.Between(0.02, 1), rough: num.Mul(r.Unit(), 0.3),
			tint: NewTint(r, 0.4),
		}
		if r.Chance(0.5) {
			t.shadeX, t.shadeY = r.Bell(0, 0.3), r.Bell(0, 0.3)
		}
		if r.Chance(0.3) {
			t.halfY = r.Between(0.3, 1.2) // a post, a door, a window's frame
		}
		b.things = append(b.things, t)
	}
	return b
}

// Bare leaves nothing but a wall of one tone.
func (b *Backdrop) Bare() {
	b.base, b.gradX, b.gradY, b.rough, b.things, b.letters = 0.5, 0, 0, 0, nil, false
}

// Paint fills the canvas. scale is that of the picture's nearest face, in pixels to a unit.
func (b *Backdrop) Paint(c *Picture, scale float64) {
	w, h := float64(c.Width), float64(c.Height)
	size := num.Mul(b.size, 96/max(w, h))
	for y := range c.Height {
		for x := range c.Width {
			px, py := float64(x)+0.5, float64(y)+0.5
			l := b.base + num.Mul(b.gradX, num.Mul(2, px)/w-1) + num.Mul(b.gradY, num.Mul(2, py)/h-1)
			l += num.Mul(b.rough, b.noise.At(num.Mul(px, size), num.Mul(py, size)))
			l += num.Mul(num.Mul(b.rough, 0.3), b.noise.At(num.Mul(px, num.Mul(size, 3))+7, num.Mul(py, num.Mul(size, 3))))
			c.Put(x, y, num.Clamp(l, 0.02, 1), b.tint, 1)
		}
	}
	soft := num.Mul(b.soft, max(scale, 0.25))
	for i := range b.things {
		if b.things[i].sharp {
			b.paintThing(c, &b.things[i], 0)
			continue
		}
		b.paintThing(c, &b.things[i], soft)
	}
}

func (b *Backdrop) paintThing(c *Picture, t *thing, soft float64) {
	side := float64(max(c.Width, c.Height))
	mx, my, hx, hy := num.Mul(t.x, float64(c.Width)), num.Mul(t.y, float64(c.Height)), num.Mul(t.halfX, side), num.Mul(t.halfY, side)
	reach := hx + hy + soft + 1
	for y := max(0, int(my-reach)); y < min(c.Height, int(my+reach)+1); y++ {
		for x := max(0, int(mx-reach)); x < min(c.Width, int(mx+reach)+1); x++ {
			dx, dy := float64(x)+0.5-mx, float64(y)+0.5-my
			u := num.Mul(t.turn.C, dx) + num.Mul(t.turn.S, dy)
			v := num.Mul(t.turn.C, dy) - num.Mul(t.turn.S, dx)
			d := max(math.Abs(u)-hx, math.Abs(v)-hy)
			if t.round {
				d = num.Mul(math.Sqrt(num.Sq(u/hx)+num.Sq(v/hy))-1, min(hx, hy))
			}
			if share := num.Step(soft+1, -soft-1, d+d); share > 0 {
				tone := num.Mul(t.tone, 1+num.Mul(t.rough, b.noise.At(num.Mul(u, 0.35), num.Mul(v, 0.35)))+num.Mul(t.shadeX, u/hx)+num.Mul(t.shadeY, v/hy))
				c.Put(x, y, num.Clamp(tone, 0.01, 1.1), t.tint, share)
			}
		}
	}
}

// Caption puts a line of letters, or what looks like them, over the picture.
func (b *Backdrop) Caption(c *Picture) {
	if !b.letters {
		return
	}
	r := num.NewRandom(b.seed, 1)
	high := b.letterHigh
	top := float64(c.Height) - num.Mul(high, 1.3)
	if b.line < 0.2 {
		top = num.Mul(high, 0.3)
	}
	for x := num.Mul(r.Between(-0.5, 0.7), float64(c.Width)); x < float64(c.Width); {
		wide := num.Mul(high, r.Between(0.25, 0.6))
		if r.Chance(0.85) {
			for range 2 + int(num.Mul(r.Unit(), 3)) { // strokes
				sx, sy := x+num.Mul(wide, r.Unit()), top+num.Mul(high, r.Unit())
				if r.Chance(0.5) {
					b.stroke(c, sx, top, sx+num.Mul(high, 0.13), top+high)
				} else {
					b.stroke(c, x, sy, x+wide, sy+num.Mul(high, 0.13))
				}
			}
		}
		x += wide + num.Mul(high, 0.2)
	}
}

func (b *Backdrop) stroke(c *Picture, x0, y0, x1, y1 float64) {
	for y := max(0, int(y0)); y < min(c.Height, int(y1)+1); y++ {
		high := min(float64(y+1), y1) - max(float64(y), y0)
		for x := max(0, int(x0)); x < min(c.Width, int(x1)+1); x++ {
			share := num.Mul(high, min(float64(x+1), x1)-max(float64(x), x0))
			c.Put(x, y, b.letterTone, White, num.Clamp(share, 0, 1))
		}
	}
}
