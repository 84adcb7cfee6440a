package person

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/film"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
)

// A prop is something held before the face, round along a line: a finger, a microphone, a pen, a strand of hair.
type prop struct {
	from, to num.Point // in the head's units, from its middle, as the picture lies
	radius   float64
	albedo   float64
	rough    float64
	tint     film.Tint
}

// held draws what is before the face.
func (f *Face) held(r *num.Random) {
	add := func(p prop) { f.Extra.Props = append(f.Extra.Props, p) }
	switch p := r.Unit(); {
	case p < 0.09: // a microphone
		top := num.XY(r.Bell(0, 10), f.mouth.v+r.Between(1, 26))
		foot := num.XY(top.X+r.Bell(0, 18), top.Y+r.Between(30, 70))
		tone := r.Between(0.02, 0.3)
		add(prop{top, foot, r.Between(1.6, 4.5), num.Mul(tone, r.Between(0.7, 2)), 0, film.White})
		add(prop{top, num.XY(top.X, top.Y+r.Between(0, 8)), r.Between(5, 11), tone, 0.4, film.White})
	case p < 0.16: // fingers
		at := num.XY(num.Mul(r.Sign(), r.Between(4, 34)), r.Between(f.eyes.v+6, f.b))
		way := num.XY(r.Bell(0, 1), 1)
		if r.Chance(0.3) {
			way.Y = -0.3
		}
		thick, tone := r.Between(4, 7), num.Mul(f.Skin, r.Between(0.85, 1.1))
		for i := range 2 + int(num.Mul(r.Unit(), 4)) {
			tip := num.XY(at.X+num.Mul(float64(i), num.Mul(thick, 1.9)), at.Y+r.Bell(0, 4))
			end := num.XY(tip.X+num.Mul(way.X, 50)+num.Mul(float64(i), 2), tip.Y+num.Mul(way.Y, 60))
			add(prop{tip, end, thick, tone, 0.05, f.tints.skin})
		}
	case p < 0.2: // something long
		from := num.XY(num.Mul(r.Sign(), r.Between(20, 80)), 70+r.Between(5, 20))
		if r.Chance(0.25) {
			from.Y = -r.Between(60, 90)
		}
		add(prop{from, num.XY(r.Between(-28, 28), r.Between(-18, 42)), r.Between(2, 9), r.Between(0.05, 0.9), 0.1, film.NewTint(r, 0.4)})
	case p < 0.26 && !f.hair.bald: // strands of hair
		at := num.XY(num.Mul(r.Sign(), r.Between(5, 30)), f.skull.top+r.Between(6, 20))
		for range 2 + int(num.Mul(r.Unit(), 6)) {
			at.X += r.Bell(0, 3)
			add(prop{at, num.XY(at.X+r.Bell(0, 12), at.Y+r.Between(20, 75)), r.Between(0.4, 1.6), num.Mul(f.hair.albedo, r.Between(0.7, 1.3)), 0.2, f.tints.hair})
		}
	}
}

// props draws what is held before the face.
func (f *Face) props(c *Canvas) {
	for i := range f.Extra.Props {
		p := &f.Extra.Props[i]
		place := func(q num.Point) num.Point {
			return num.XY(f.X+num.Mul(f.Scale, q.X), f.Y+num.Mul(f.Scale, q.Y))
		}
		f.prop(c, p, place(p.from), place(p.to), max(num.Mul(p.radius, f.Scale), 0.3))
	}
}

func (f *Face) prop(c *Canvas, p *prop, from, to num.Point, radius float64) {
	dx, dy := to.X-from.X, to.Y-from.Y
	per := 1 / max(num.Sq(dx)+num.Sq(dy), 1e-6)
	reach := radius + 1.5
	for y := max(0, int(min(from.Y, to.Y)-reach)); y < min(c.Height, int(max(from.Y, to.Y)+reach)+1); y++ {
		for x := max(0, int(min(from.X, to.X)-reach)); x < min(c.Width, int(max(from.X, to.X)+reach)+1); x++ {
			px, py := float64(x)+0.5, float64(y)+0.5
			t := num.Clamp(num.Mul(num.Mul(px-from.X, dx)+num.Mul(py-from.Y, dy), per), 0, 1)
			ex, ey := px-from.X-num.Mul(t, dx), py-from.Y-num.Mul(t, dy)
			off := math.Sqrt(num.Sq(ex)+num.Sq(ey)) / radius
			share := num.Clamp(0.5-num.Mul(off-1, radius), 0, 1)
			if share == 0 {
				continue
			}
			n := num.XYZ(num.Mul(0.92, ex/radius), num.Mul(0.92, ey/radius), 0)
			n.Z = math.Sqrt(max(1-num.Sq(n.X)-num.Sq(n.Y), 0.02))
			tone := num.Mul(p.albedo, 1+num.Mul(p.rough, f.noise.At(num.Mul(px, 0.9), num.Mul(py, 0.9))))
			c.Put(x, y, f.lit(&spot{n: n, tone: tone, gloss: num.Mul(0.4, f.Light.gloss)}), p.tint, share)
		}
	}
}
