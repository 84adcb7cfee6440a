package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// Winograd's matrices, as Lavin and Gray 2016 give them; products with them are what the transforms are.
var (
	bt = [][]float64{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}}
	g  = [][]float64{{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}}
	at = [][]float64{{1, 1, 1, 0}, {0, 1, -1, -1}}

	bt2 = [][]float64{{1, -1, 0}, {0, 1, 0}, {0, -1, 1}}
	g2  = [][]float64{{1, 0}, {1, 1}, {0, 1}}
	at2 = [][]float64{{1, 1, 0}, {0, 1, 1}}
)

// The matrices make a convolution of a line: A'((Gw) * (B'x)) is what it is.
func TestMatricesConvolve(t *testing.T) {
	for _, m := range []struct{ bt, g, at [][]float64 }{{bt, g, at}, {bt2, g2, at2}} {
		x, w := [][]float64{{3}, {-1}, {4}, {1.5}}[:len(m.bt)], [][]float64{{2}, {-7}, {1.8}}[:len(m.g[0])]
		left, right := product(m.g, w), product(m.bt, x)
		for i := range left {
			left[i][0] *= right[i][0]
		}
		for i, y := range product(m.at, left) {
			want := 0.0
			for k := range w {
				want += x[i+k][0] * w[k][0]
			}
			if math.Abs(y[0]-want) > 1e-12 {
				t.Errorf("filters of %d, output %d: found %v, want %v", len(w), i, y[0], want)
			}
		}
	}
}

func turned(m [][]float64) [][]float64 {
	out := make([][]float64, len(m[0]))
	for i := range out {
		for _, row := range m {
			out[i] = append(out[i], row[i])
		}
	}
	return out
}

func product(a, b [][]float64) [][]float64 {
	out := make([][]float64, len(a))
	for i, row := range a {
		for _, column := range turned(b) {
			sum := 0.0
			for k, v := range row {
				sum += v * column[k]
			}
			out[i] = append(out[i], sum)
		}
	}
	return out
}

// Every transform is the product with its matrices from both sides, each set, and writes nothing else.
func TestTransforms(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		name string
		t    Transform
		m    [][]float64
	}{{"input", WinogradInput, bt}, {"filter", WinogradFilter, g}, {"output", WinogradOutput, at}, {"largest output", WinogradOutputMax, at}, {"output added", WinogradOutputAdd, at}, {"output back", WinogradOutputBack, turned(at)}, {"filter back", WinogradFilterBack, turned(g)},
		{"input of 2", WinogradInput.Of2(), bt2}, {"filter of 2", WinogradFilter.Of2(), g2}, {"output of 2", WinogradOutput.Of2(), at2}, {"largest output of 2", WinogradOutputMax.Of2(), at2},
		{"output of 2 added", WinogradOutputAdd.Of2(), at2}, {"output of 2 back", WinogradOutputBack.Of2(), turned(at2)}, {"filter of 2 back", WinogradFilterBack.Of2(), turned(g2)}} {
		out, in := len(c.m), len(c.m[0])
		for _, set := range Sets() {
			for _, channels := range []int{4, 8, 16, 24, 40, 304} {
				if !set.Transforms(channels) {
					continue
				}
				for _, tiles := range []int{1, 3, 40} {
					t.Run(fmt.Sprintf("%s/%s/%d/%d", set.Name, c.name, channels, tiles), func(t *testing.T) {
						off, step := random.IntN(5), channels+random.IntN(4)
						x, y := numbers(random, off+in*in*tiles*step), make([]float32, off+out*out*tiles*step+32)
						for i := range y {
							y[i] = canary
						}
						if c.t%transforms == WinogradOutputAdd { // what is small enough not to swallow the sum
							for i := range y {
								y[i] = float32(i%7) / 4
							}
						}
						bias, low := numbers(random, channels), float32(-0.5)
						// A tile's pixels lie as far apart as all tiles of a pixel take.
						a := Tiles{In: unsafe.Pointer(&x[off]), InRow: 4 * in * tiles * step, InPixel: 4 * tiles * step, InStep: 4 * step,
							Out: unsafe.Pointer(&y[off]), OutRow: 4 * out * tiles * step, OutPixel: 4 * tiles * step, OutStep: 4 * step, Count: tiles, Low: low}
						if c.t%transforms == WinogradOutput || c.t%transforms == WinogradOutputMax {
							a.Bias = unsafe.Pointer(&bias[0])
						}
						want := slices.Clone(y)
						for tile := range tiles {
							for k := range channels {
								from := make([][]float64, in)
								for i := range in {
									for j := range in {
										from[i] = append(from[i], float64(x[off+((i*in+j)*tiles+tile)*step+k]))
									}
								}
								for i, row := range product(product(c.m, from), turned(c.m)) {
									for j, v := range row {
										if c.t%transforms == WinogradOutput || c.t%transforms == WinogradOutputMax {
											v = max(float64(low), v+float64(bias[k]))
										}
										if c.t%transforms == WinogradOutputMax {
											if first := &want[off+tile*step+k]; i+j == 0 || float32(v) > *first {
												*first = float32(v)
											}
											continue
										}
										at := off + ((i*out+j)*tiles+tile)*step + k
										if c.t%transforms == WinogradOutputAdd {
											v += float64(want[at])
										}
										want[at] = float32(v)
									}
								}
							}
						}
						set.Transform(c.t, channels, &a)
						for i, v := range y {
							if !(math.Abs(float64(v-want[i])) <= 2e-6) {
								t.Fatalf("number %d of %d: found %v, want %v", i, len(y), v, want[i])
							}
						}
					})
				}
			}
		}
	}
}

// numbers are between -1 and 1.
func numbers(random *rand.Rand, n int) []float32 {
	list := make([]float32, n)
	for i := range list {
		list[i] = random.Float32()*2 - 1
	}
	return list
}
