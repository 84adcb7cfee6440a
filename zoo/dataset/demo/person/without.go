package person

import "github.com/fkzoo/fkzoo/zoo/dataset/demo/num"

// Without takes a kind of variation out of a face that was drawn, to see what it is worth; false for a kind that isn't a person's. What was
// drawn at random stays the same else.
func (f *Face) Without(kind string) bool {
	h, m, e, l := &f.hair, &f.mouth, &f.eyes, &f.Light
	switch kind {
	case "turn":
		f.Yaw, f.body = num.TurnBy(0), num.TurnBy(0)
	case "tilt":
		f.Roll, f.pitch = num.TurnBy(0), num.TurnBy(0)
	case "hair":
		h.long, h.fringe, h.curl, h.volume, h.beard, h.moustache = false, 0, 0, 1.5, 0, 0
	case "age":
		f.age = 0
	case "skin":
		f.Skin = 0.6
	case "worn":
		f.Extra.Glasses, f.Extra.hat = false, false
	case "held":
		f.Extra.Props = nil
	case "expression":
		m.open, m.teeth, m.smile = 0, 0, 0
		e.upper, e.lower = max(e.upper, 2.6), max(e.lower, 1.5)
	case "light":
		l.dir, l.ambient, l.diffuse, l.filled, l.hard, l.gloss = num.Unit(num.XYZ(0, -0.3, 1)), 0.4, 0.6, 0, 0.2, 0.1
	case "outline":
		f.seeThrough = true
	default:
		return false
	}
	return true
}

// Variations are the kinds that [Face.Without] knows.
func Variations() []string {
	return []string{"turn", "tilt", "hair", "age", "skin", "worn", "held", "expression", "light", "outline"}
}
