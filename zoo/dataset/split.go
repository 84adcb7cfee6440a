package dataset

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// Split shuffles rows and cuts them in two: of n rows the first
// floor(share*n) are held out for validation, the others train. share is
// clamped to 0..1; rows itself stays as it is.
//
// The shuffle depends on the seed and the number of rows alone, and is the same
// in every version: Fisher and Yates from the last row down to the second,
// changing row i with row floor(u*(i+1) / 2^64), where u is the next output
// of PCG-DXSM (128 bits of state, as in math/rand/v2) started from the words
// seed and 0x666b7a6f6f (fkzoo).
func Split(rows []int, share float64, seed uint64) (train, validation []int) {
	r := shuffled(rows, seed)
	if !(share > 0) {
		share = 0
	}
	cut := int(math.Floor(min(share, 1) * float64(len(r))))
	return r[cut:], r[:cut]
}

// Fold shuffles rows as [Split] does and holds out part number of as many equal
// ones, counted from 1: of n rows those from floor(n*(number-1)/of) up to
// floor(n*number/of). rows itself stays as it is.
func Fold(rows []int, number, of int, seed uint64) (train, validation []int) {
	r := shuffled(rows, seed)
	from, to := len(r)*(number-1)/of, len(r)*number/of
	return slices.Concat(r[:from], r[to:]), r[from:to]
}

func shuffled(rows []int, seed uint64) []int {
	r := slices.Clone(rows)
	random := rand.NewPCG(seed, 0x666b7a6f6f)
	for i := len(r) - 1; i > 0; i-- {
		j, _ := bits.Mul64(random.Uint64(), uint64(i)+1)
		r[i], r[j] = r[j], r[i]
	}
	return r
}
