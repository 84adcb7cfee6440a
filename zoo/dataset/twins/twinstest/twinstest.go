// Package twinstest has drawn faces and what is done to a picture that is saved anew, for tests.
package twinstest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
)

// Drawn are n demo faces, of which row r%n is row r.
func Drawn(t testing.TB, n int, seed uint64, rows ...int) *dataset.Set {
	t.Helper()
	s, err := demo.Faces(t.Context(), n, seed)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	if s, err = s.Select(append(all, rows...)); err != nil {
		t.Fatal(err)
	}
	for i := range s.IDs {
		s.IDs[i] = string(rune('A'+i/26%26)) + string(rune('a'+i%26))
	}
	return s
}

// Image is a row's, 96x96 bytes that may be changed.
func Image(s *dataset.Set, row int) []uint8 { return s.Bytes[row*s.Pixels() : (row+1)*s.Pixels()] }

// Changes are what is done to a picture of 96x96 that is saved anew: none of it hides a twin.
var Changes = map[string]func(pixels []uint8){
	"noise of 5 grey levels": func(p []uint8) {
		r := rand.New(rand.NewPCG(1, 1))
		for i, v := range p {
			p[i] = uint8(min(max(float64(v)+5*r.NormFloat64(), 0), 255))
		}
	},
	"brighter": func(p []uint8) {
		for i, v := range p {
			p[i] = uint8(min(1.1*float64(v)+15, 255))
		}
	},
	"gamma": func(p []uint8) {
		for i, v := range p {
			p[i] = uint8(255 * math.Pow(float64(v)/255, 0.8))
		}
	},
	"moved by a pixel": func(p []uint8) { copy(p, p[1:]) },
	"blurred": func(p []uint8) {
		old := slices.Clone(p)
		for i := 97; i < len(p)-97; i++ {
			sum := 0
			for _, d := range []int{-97, -96, -95, -1, 0, 1, 95, 96, 97} {
				sum += int(old[i+d])
			}
			p[i] = uint8(sum / 9)
		}
	},
	"mirrored": func(p []uint8) {
		for line := range slices.Chunk(p, 96) {
			slices.Reverse(line)
		}
	},
}
