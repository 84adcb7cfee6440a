package demo

import "math/rand/v2"

// mul is a product rounded to float64 before anything is added to it. Without
// the conversion the compiler fuses a*b+c on some machines (arm64), and the
// last bit differs.
func mul(a, b float64) float64 { return float64(a * b) }

func sq(a float64) float64 { return float64(a * a) }

func lerp(a, b, t float64) float64 { return a + mul(b-a, t) }

func clamp(x, lo, hi float64) float64 {
	if x < lo {
		return lo
	}
	if x > hi {
		return hi
	}
	return x
}

// step rises smoothly from 0 at lo to 1 at hi.
func step(lo, hi, x float64) float64 {
	t := clamp((x-lo)/(hi-lo), 0, 1)
	return mul(sq(t), 3-mul(2, t))
}

// A random gives the same numbers on every machine and in every Go version.
type random struct{ rand.PCG }

func newRandom(seed, i uint64) *random {
	r := new(random)
	r.Seed(mix(seed+0x9e3779b97f4a7c15), mix(mix(seed^0x666b7a6f6f)+i))
	return r
}

// mix is splitmix64's finalizer.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *random) unit() float64 { return float64(r.Uint64()>>11) / (1 << 53) }

func (r *random) between(lo, hi float64) float64 { return lerp(lo, hi, r.unit()) }

// bell is close to normal, and never further than 3.5 deviations from the mean.
func (r *random) bell(mean, deviation float64) float64 {
	sum := r.unit() + r.unit() + r.unit() + r.unit()
	return mean + mul(mul(sum-2, 1.7320508075688772), deviation)
}

func (r *random) chance(p float64) bool { return r.unit() < p }

func (r *random) sign() float64 {
	if r.chance(0.5) {
		return 1
	}
	return -1
}

// A noise is a field of random values, smooth between whole coordinates and
// repeating every 32.
type noise [32 * 32]float32

func (n *noise) fill(r *random) {
	for i := 0; i < len(n); i += 4 {
		w := r.Uint64()
		for k := range 4 {
			n[i+k] = float32(int(w>>(16*k)&0xffff)-32768) / 32768
		}
	}
}

// at is the field's value, -1 to 1.
func (n *noise) at(x, y float64) float64 {
	x, y = x+1024, y+1024 // so that cutting is rounding down
	xi, yi := int(x), int(y)
	fx, fy := x-float64(xi), y-float64(yi)
	fx, fy = mul(sq(fx), 3-mul(2, fx)), mul(sq(fy), 3-mul(2, fy))
	x0, x1 := xi&31, (xi+1)&31
	y0, y1 := yi&31*32, (yi+1)&31*32
	top := lerp(float64(n[y0+x0]), float64(n[y0+x1]), fx)
	bottom := lerp(float64(n[y1+x0]), float64(n[y1+x1]), fx)
	return lerp(top, bottom, fy)
}
