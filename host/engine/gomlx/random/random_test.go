package random_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/fkzoo/fkzoo/host/engine/gomlx/gomlxtest"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/random"
)

// hash32 and dropped are the hashes written down again, without GoMLX.
func hash32(x uint32) uint32 {
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	return x ^ x>>16
}

func seed32(stream uint32, key ...uint32) uint32 {
	s := hash32(stream)
	for _, k := range key {
		s = hash32(s*0x9e3779b9 + k)
	}
	return s
}

func kept(i, channels int, rate float64, stream uint32, key ...uint32) bool {
	const weyl = 0x9e3779b97f4a7c15
	at, lane := uint64(i), 0
	if channels%2 == 0 {
		half := channels / 2
		at, lane = uint64(i/channels*half+i%half), i%channels/half
	}
	h := at*weyl + uint64(seed32(stream, key...))<<32 + uint64(seed32(stream^0x9e3779b9, key...))
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	if lane == 1 {
		h <<= 24
	}
	return float64(h>>11)/(1<<53) >= rate
}

// The same elements are dropped on every backend.
func TestDropout(t *testing.T) {
	key := []uint32{5, 6}
	gomlxtest.Each(t, func(t *testing.T, on kernel.Backend) {
		for _, shape := range [][]int{{2, 6, 5, 4}, {3, 7, 8, 3}, {1, 4, 4, 1}, {60, 4}} {
			for _, rate := range []float64{0, 0.1, 0.5, 0.9} {
				got, err := graph.CallOnce(on.Compute, func(key *graph.Node) *graph.Node {
					return random.Dropout{Rate: rate, Stream: 11}.Mask(key, shape...)
				}, key)
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range tensors.MustCopyFlatData[float32](got) {
					want := float32(0)
					if kept(i, shape[len(shape)-1], rate, 11, key...) {
						want = float32(1 / (1 - rate))
					}
					if v != want {
						t.Fatalf("%v, rate %v, element %d: found %v, want %v", shape, rate, i, v, want)
					}
				}
			}
		}
	})
}

// What can't be dropped is named.
func TestBadRate(t *testing.T) {
	for _, rate := range []float64{1, -0.1, math.NaN()} {
		_, err := graph.CallOnce(gomlxtest.Reference(t).Compute, func(key *graph.Node) *graph.Node {
			return random.Dropout{Rate: rate}.Mask(key, 4)
		}, []uint32{1})
		if want := fmt.Sprintf("dropout: found rate %v,", rate); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("found error %v, want %q", err, want)
		}
	}
}

// What one element's fate tells of another's: nothing, for neighbours along
// every axis, the two channels of one hash, and the same element a step later.
func TestDropoutIsIndependent(t *testing.T) {
	const n, side, c, rate = 16, 24, 32, 0.3
	total := n * side * side * c
	drop := func(step uint32) []float64 {
		v := make([]float64, total)
		for i := range v {
			if !kept(i, c, rate, 3, 1, step) {
				v[i] = 1
			}
			v[i] -= rate
		}
		return v
	}
	now, later := drop(1), drop(2)
	check := func(name string, a, b []float64) {
		var sum float64
		for i := range b {
			sum += a[i] * b[i]
		}
		if z := sum / (rate * (1 - rate)) / math.Sqrt(float64(len(b))); math.Abs(z) > 4.5 {
			t.Errorf("%s: %.1f standard deviations from independent", name, z)
		}
	}
	check("next step", now, later)
	for _, lag := range []int{1, 2, c / 2, c, 2 * c, side * c, side * side * c} {
		check(fmt.Sprint("lag ", lag), now, now[lag:])
	}
	var sum float64
	for _, v := range now {
		sum += v
	}
	if z := sum / math.Sqrt(rate*(1-rate)*float64(total)); math.Abs(z) > 4.5 {
		t.Errorf("share dropped: %.1f standard deviations from %v", z, rate)
	}
}
