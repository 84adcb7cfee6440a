package kernel

import (
	"math"
	"unsafe"
)

// Dropout sets to zero the values of some pixels whose hash is below Limit, and multiplies the others by Keep. The hash is
// x = (x ^ x>>32) * Mul of Hash, Hash + Step, ...; one serves channel c of a pixel, by its upper bits, and channel c + Half, by those
// that 24 to the left are the upper ones.
type Dropout struct {
	X, Y   unsafe.Pointer
	Pixels int
	vecs   int
	half   int // bytes
	hashes [8]uint64
	step   uint64 // of a vector
	Mul    uint64
	Limit  uint64
	Keep   float32
	_      uint32

	Hash, Step uint64
	Half       int
}

// Dropout drops values. Half may be any number of channels, of which a pixel has twice as many.
func (s *Set) Dropout(a *Dropout) {
	lanes := s.Lanes / 2 // of 64 bits
	if s.kind == plain || s.kind == neon || a.Half%lanes != 0 {
		dropoutPlain(a)
		return
	}
	a.vecs, a.half, a.step = a.Half/lanes, 4*a.Half, uint64(lanes)*a.Step
	for i := range a.hashes {
		a.hashes[i] = a.Hash + uint64(i)*a.Step
	}
	s.dropout(a)
}

func dropoutPlain(a *Dropout) {
	h := a.Hash
	for p := range a.Pixels {
		x := unsafe.Slice(number(a.X, 8*p*a.Half), 2*a.Half)
		y := unsafe.Slice(number(a.Y, 8*p*a.Half), 2*a.Half)
		x1, x2 := x[:a.Half], x[a.Half:]
		y1, y2 := y[:a.Half], y[a.Half:]
		for i := range y1 {
			v := (h ^ h>>32) * a.Mul
			y1[i] = kept(v >= a.Limit, x1[i]*a.Keep)
			y2[i] = kept(v<<24 >= a.Limit, x2[i]*a.Keep)
			h += a.Step
		}
	}
}

// kept is v or 0, without a branch.
func kept(keep bool, v float32) float32 {
	var mask uint32
	if keep {
		mask = 1
	}
	return math.Float32frombits(math.Float32bits(v) & -mask)
}
