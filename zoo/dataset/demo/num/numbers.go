// Package num is arithmetic that gives the same bytes on every machine: random numbers of PCG's 64-bit words alone, products that are
// rounded before anything is added to them, and no function of package math that machines compute differently. It must not know what is
// drawn.
package num

import (
	"math"
	"math/rand/v2"
)

// Mul is a product rounded to float64 before anything is added to it. Without
// the conversion the compiler fuses a*b+c on some machines (arm64), and the
// last bit differs.
func Mul(a, b float64) float64 { return float64(a * b) }

// Sq is a square, rounded as [Mul] is.
func Sq(a float64) float64 { return float64(a * a) }

// Sub is a less b.
func Sub(a, b Vec) Vec { return Vec{a.X - b.X, a.Y - b.Y, a.Z - b.Z} }

// Dot is the scalar product.
func Dot(a, b Vec) float64 { return Mul(a.X, b.X) + Mul(a.Y, b.Y) + Mul(a.Z, b.Z) }

// Cross is the vector product.
func Cross(a, b Vec) Vec {
	return Vec{Mul(a.Y, b.Z) - Mul(a.Z, b.Y), Mul(a.Z, b.X) - Mul(a.X, b.Z), Mul(a.X, b.Y) - Mul(a.Y, b.X)}
}

// Unit is the direction of a vector.
func Unit(a Vec) Vec {
	length := math.Sqrt(Dot(a, a))
	if length == 0 {
		return Vec{0, 0, 1}
	}
	return Vec{a.X / length, a.Y / length, a.Z / length}
}

// Lerp goes from a to b as t goes from 0 to 1.
func Lerp(a, b, t float64) float64 { return a + Mul(b-a, t) }

// Clamp is x within lo and hi.
func Clamp(x, lo, hi float64) float64 {
	if x < lo {
		return lo
	}
	if x > hi {
		return hi
	}
	return x
}

// Step rises smoothly from 0 at lo to 1 at hi.
func Step(lo, hi, x float64) float64 {
	t := Clamp((x-lo)/(hi-lo), 0, 1)
	return Mul(Sq(t), 3-Mul(2, t))
}

// A Point is a place in a plane.
type Point struct{ X, Y float64 }

// A Vec is a place in space, or a direction.
type Vec struct{ X, Y, Z float64 }

// XY is a point.
func XY(x, y float64) Point { return Point{x, y} }

// XYZ is a vector.
func XYZ(x, y, z float64) Vec { return Vec{x, y, z} }

// A Turn is a rotation, by its cosine and sine.
type Turn struct{ C, S float64 }

// TurnOf is the turn of a cosine and a sine.
func TurnOf(c, s float64) Turn { return Turn{c, s} }

// TurnBy makes a turn from the tangent of half its angle, which needs no sine.
func TurnBy(halfTan float64) Turn {
	d := 1 + Sq(halfTan)
	return Turn{(1 - Sq(halfTan)) / d, Mul(2, halfTan) / d}
}

// Further is a turn further by the tangent of half an angle.
func (t Turn) Further(halfTan float64) Turn {
	by := TurnBy(halfTan)
	return Turn{Mul(t.C, by.C) - Mul(t.S, by.S), Mul(t.S, by.C) + Mul(t.C, by.S)}
}

// Power is base to an exponent of 0 to 1, between the powers of sixteenths that roots give.
func Power(base, exponent float64) float64 {
	out, root := 1.0, base
	for range 8 {
		root = math.Sqrt(root)
		exponent = Mul(exponent, 2)
		if exponent >= 1 {
			out = Mul(out, root)
			exponent--
		}
	}
	return out
}

// A Random gives the same numbers on every machine and in every Go version.
type Random struct{ rand.PCG }

// NewRandom is the source number i of a seed: each is as good as another.
func NewRandom(seed, i uint64) *Random {
	r := new(Random)
	r.Seed(mix(seed+0x9e3779b97f4a7c15), mix(mix(seed^0x666b7a6f6f)+i))
	return r
}

// mix is splitmix64's finalizer.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Unit is from 0 to less than 1.
func (r *Random) Unit() float64 { return float64(r.Uint64()>>11) / (1 << 53) }

// Between is from lo to less than hi.
func (r *Random) Between(lo, hi float64) float64 { return Lerp(lo, hi, r.Unit()) }

// Bell is close to normal, and never further than 3.5 deviations from the mean.
func (r *Random) Bell(mean, deviation float64) float64 {
	sum := r.Unit() + r.Unit() + r.Unit() + r.Unit()
	return mean + Mul(Mul(sum-2, 1.7320508075688772), deviation)
}

// Chance is true with a probability of p.
func (r *Random) Chance(p float64) bool { return r.Unit() < p }

// Sign is 1 or -1.
func (r *Random) Sign() float64 {
	if r.Chance(0.5) {
		return 1
	}
	return -1
}

// A Noise is a field of random values, smooth between whole coordinates and
// repeating every 32.
type Noise [32 * 32]float32

// Fill draws the field anew.
func (n *Noise) Fill(r *Random) {
	for i := 0; i < len(n); i += 4 {
		w := r.Uint64()
		for k := range 4 {
			n[i+k] = float32(int(w>>(16*k)&0xffff)-32768) / 32768
		}
	}
}

// At is the field's value, -1 to 1.
func (n *Noise) At(x, y float64) float64 {
	x, y = x+1024, y+1024 // so that cutting is rounding down
	xi, yi := int(x), int(y)
	fx, fy := x-float64(xi), y-float64(yi)
	fx, fy = Mul(Sq(fx), 3-Mul(2, fx)), Mul(Sq(fy), 3-Mul(2, fy))
	x0, x1 := xi&31, (xi+1)&31
	y0, y1 := yi&31*32, (yi+1)&31*32
	top := Lerp(float64(n[y0+x0]), float64(n[y0+x1]), fx)
	bottom := Lerp(float64(n[y1+x0]), float64(n[y1+x1]), fx)
	return Lerp(top, bottom, fy)
}
