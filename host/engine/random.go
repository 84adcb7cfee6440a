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

// stepRandom is the source of a step's random numbers.
func (t *Trainer) stepRandom(epoch, step int) *rand.Rand {
	position := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(epoch)), uint64(step))
	return stream(t.Seed, "step", t.Plan.Member.Name, string(position))
}

// flips are the images of a step that are mirrored.
func (t *Trainer) flips(r *rand.Rand, epoch, step, n int) []uint8 {
	a := t.recipe().Augment
	if a == nil || a.Mirror == nil {
		return make([]uint8, n)
	}
	share := 0.5
	if a.Mirror.Share != nil {
		share = a.Mirror.Share.At(t.progress(epoch, step))
	}
	return choose(n, share, r)
}

func (t *Trainer) progress(epoch, step int) blueprint.Progress {
	return blueprint.Progress{Epoch: epoch, Epochs: t.Epochs, Step: epoch*t.StepsPerEpoch() + step, StepsPerEpoch: t.StepsPerEpoch()}
}
