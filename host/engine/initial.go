package engine

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// stream is a random source of its own for each purpose: the same on every
// machine, and independent of what else is drawn.
func stream(seed uint64, purpose ...string) *rand.Rand {
	h := fnv.New64a()
	for _, p := range purpose {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], h.Sum64())
	return rand.New(rand.NewChaCha8(key))
}

// InitialWeights draws a member's first weights, by each parameter's
// initializer. They depend on the seed and the parameter's name alone.
func InitialWeights(plan *blueprint.Plan, seed uint64) Arrays {
	out := Arrays{}
	for i := range plan.Nodes {
		n := &plan.Nodes[i]
		for _, p := range n.Params {
			name := plan.TensorName(n, p.Name)
			a := Array{Shape: p.Shape, Data: make([]float32, p.Shape.Size())}
			initialize(a.Data, p, stream(seed, "weights", name))
			out[name] = a
		}
	}
	return out
}

// initialize fills values by the row of [blueprint.Initializers].
func initialize(values []float32, p blueprint.Param, r *rand.Rand) {
	by := blueprint.Initializers.Row(p.Init)
	spread := by.Spread(float64(p.FanIn), float64(p.FanOut))
	for i := range values {
		switch by.Distribution {
		case blueprint.Fixed:
			values[i] = float32(spread)
		case blueprint.Uniform:
			values[i] = float32((2*r.Float64() - 1) * spread)
		case blueprint.Normal:
			values[i] = float32(r.NormFloat64() * spread)
		}
	}
}

// order is the order of the training rows in an epoch (from 0).
func order(rows []int, seed uint64, member string, epoch int) []int {
	out := append([]int(nil), rows...)
	r := stream(seed, "order", member, string(binary.LittleEndian.AppendUint64(nil, uint64(epoch))))
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// choose marks a share of n places at random, rounded down: the images of a
// batch that are mirrored.
func choose(n int, share float64, r *rand.Rand) []uint8 {
	const rounding = 1e-9 // 0.29*100 is a little under 29
	out := make([]uint8, n)
	for _, i := range r.Perm(n)[:int(share*float64(n)+rounding)] {
		out[i] = 1
	}
	return out
}
