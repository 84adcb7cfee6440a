package film

import "github.com/fkzoo/fkzoo/zoo/dataset/demo/num"

// A Tint is what red, green and blue are of the grey of a thing. Their mean, weighed as grey is, is near 1.
type Tint [3]float64

// White has no colour.
var White = Tint{1, 1, 1}

// NewTint is any, as strong as that.
func NewTint(r *num.Random, strength float64) Tint {
	t := Tint{1 + num.Mul(strength, 2*r.Unit()-1), 1 + num.Mul(strength, 2*r.Unit()-1), 1 + num.Mul(strength, 2*r.Unit()-1)}
	return t.Even()
}

// Even brings a tint to the grey of 1: ITU-R BT.601's luma.
func (t Tint) Even() Tint {
	grey := num.Mul(0.299, t[0]) + num.Mul(0.587, t[1]) + num.Mul(0.114, t[2])
	return Tint{t[0] / grey, t[1] / grey, t[2] / grey}
}

// Mixed lies between two.
func Mixed(a, b Tint, share float64) Tint {
	return Tint{num.Lerp(a[0], b[0], share), num.Lerp(a[1], b[1], share), num.Lerp(a[2], b[2], share)}
}
