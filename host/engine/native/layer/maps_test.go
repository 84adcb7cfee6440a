package layer

import (
	"math"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
)

// pools have windows of every kind: that tile, overlap, leave gaps, reach beyond borders.
var pools = []Pool{
	{Height: 6, Width: 8, Channels: 5, Window: [2]int{2, 2}}, {Height: 7, Width: 9, Channels: 17, Window: [2]int{2, 2}},
	{Height: 9, Width: 7, Channels: 16, Window: [2]int{3, 3}, Stride: [2]int{2, 2}, Padding: [2][2]int{{1, 1}, {1, 0}}},
	{Height: 5, Width: 5, Channels: 3, Window: [2]int{2, 3}, Stride: [2]int{1, 1}}, {Height: 8, Width: 8, Channels: 4, Window: [2]int{2, 1}, Stride: [2]int{3, 3}},
	{Height: 6, Width: 6, Channels: 8, Window: [2]int{3, 2}, Padding: [2][2]int{{1, 2}, {0, 1}}},
}

func (p *Pool) reference(n int, x []float64) []float64 {
	h, w := p.Out()
	out := make([]float64, n*h*w*p.Channels)
	for i := range out {
		c, ox, oy, img := i%p.Channels, i/p.Channels%w, i/p.Channels/w%h, i/p.Channels/w/h
		sum, top, size := 0.0, math.Inf(-1), 0
		for t := range p.Window[0] * p.Window[1] {
			y, xx := oy*p.Stride[0]-p.Padding[0][0]+t/p.Window[1], ox*p.Stride[1]-p.Padding[1][0]+t%p.Window[1]
			if y < 0 || y >= p.Height || xx < 0 || xx >= p.Width {
				continue
			}
			v := x[((img*p.Height+y)*p.Width+xx)*p.Channels+c]
			sum, top, size = sum+v, math.Max(top, v), size+1
		}
		if p.CountPadding {
			size = p.Window[0] * p.Window[1]
		}
		if out[i] = top; p.Mean {
			out[i] = sum / float64(size)
		}
	}
	return out
}

func TestPools(t *testing.T) {
	for _, p := range pools {
		for kind := range 3 {
			const n = 3
			everywhere(t, func(b *bench) {
				p := p
				p.Mean, p.CountPadding = kind > 0, kind > 1
				if err := p.Prepare(b.set, b.threads); err != nil {
					t.Fatal(err)
				}
				h, w := p.Out()
				in, out := n*p.Height*p.Width*p.Channels, n*h*w*p.Channels
				x, dy, y, dx := b.memory(in, b.number), b.memory(out, b.number), b.memory(out, nil), b.memory(in, nil)
				p.Forward(b.c, n, x, y)
				b.check("y", y, p.reference(n, wide(x)), 1e-6)
				p.Back(b.c, n, x, y, dy, dx, b.memory(p.BackScratch(), nil))
				var want []float64
				for img := range n {
					one := func(x []float64) []float64 { return p.reference(1, x) }
					want = append(want, b.slope(one, wide(x[img*in/n:][:in/n]), dy[img*out/n:])...)
				}
				b.check("dx", dx, want, 1e-4)
			})
		}
	}
	bad := Pool{Height: 4, Width: 4, Channels: 1, Window: [2]int{2, 2}, Padding: [2][2]int{{2, 0}, {0, 0}}}
	if err := bad.Prepare(kernel.Sets()[0], 1); err == nil {
		t.Error("padding as large as the window: found no error, want one")
	}
}

// Of equal values the first, row by row, gets the gradient.
func TestPoolTies(t *testing.T) {
	for _, stride := range []int{1, 2} {
		everywhere(t, func(b *bench) {
			p := Pool{Height: 2, Width: 2, Channels: 1, Window: [2]int{2, 2}, Stride: [2]int{stride, stride}}
			if err := p.Prepare(b.set, b.threads); err != nil {
				t.Fatal(err)
			}
			x, y, dx := []float32{0, 3, 3, 3}, make([]float32, 1), make([]float32, 4)
			p.Forward(b.c, 1, x, y)
			p.Back(b.c, 1, x, y, []float32{5}, dx, make([]float32, p.BackScratch()))
			b.check("dx", dx, []float64{0, 5, 0, 0}, 0)
		})
	}
}

func TestGlobalMean(t *testing.T) {
	everywhere(t, func(b *bench) {
		const n, pixels, c = 3, 35, 19
		g := NewGlobalMean(b.set, b.threads, pixels, c)
		x, dy, y, dx := b.memory(n*pixels*c, b.number), b.memory(n*c, b.number), b.memory(n*c, nil), b.memory(n*pixels*c, nil)
		g.Forward(b.c, n, x, y)
		want, wantDx := make([]float64, n*c), make([]float64, n*pixels*c)
		for i, v := range x {
			want[i/(pixels*c)*c+i%c] += float64(v) / pixels
			wantDx[i] = float64(dy[i/(pixels*c)*c+i%c]) / pixels
		}
		b.check("y", y, want, 1e-6)
		g.Back(b.c, n, dy, dx)
		b.check("dx", dx, wantDx, 1e-6)
	})
}

func TestUpsample(t *testing.T) {
	for _, size := range [][4]int{{3, 4, 2, 2}, {1, 5, 3, 1}, {4, 1, 2, 3}, {5, 6, 4, 2}} {
		for _, bilinear := range []bool{false, true} {
			h, w, f0, f1 := size[0], size[1], size[2], size[3]
			const n, c = 2, 5
			pixel := func(i, f, n int) (a, b int, share float64) {
				if !bilinear {
					return i / f, i / f, 0
				}
				at := (float64(i)+0.5)/float64(f) - 0.5
				low := math.Floor(at)
				return min(max(int(low), 0), n-1), min(max(int(low)+1, 0), n-1), at - low
			}
			f := func(x []float64) []float64 {
				out := make([]float64, n*h*f0*w*f1*c)
				for i := range out {
					k, ox, oy, img := i%c, i/c%(w*f1), i/c/(w*f1)%(h*f0), i/c/(w*f1)/(h*f0)
					y0, y1, sy := pixel(oy, f0, h)
					x0, x1, sx := pixel(ox, f1, w)
					at := func(y, xx int) float64 { return x[((img*h+y)*w+xx)*c+k] }
					out[i] = (1-sy)*((1-sx)*at(y0, x0)+sx*at(y0, x1)) + sy*((1-sx)*at(y1, x0)+sx*at(y1, x1))
				}
				return out
			}
			everywhere(t, func(b *bench) {
				u := NewUpsample(b.set, b.threads, h, w, c, [2]int{f0, f1}, bilinear)
				in := n * h * w * c
				x, dy, y, dx, scratch := b.memory(in, b.number), b.memory(in*f0*f1, b.number), b.memory(in*f0*f1, nil), b.memory(in, nil), b.memory(u.Scratch(), nil)
				u.Forward(b.c, n, x, y, scratch)
				b.check("y", y, f(wide(x)), 1e-6)
				u.Back(b.c, n, dy, dx, scratch)
				b.check("dx", dx, b.slope(f, wide(x), dy), 1e-5)
			})
		}
	}
}

func TestConcat(t *testing.T) {
	everywhere(t, func(b *bench) {
		const rows = 50
		widths := []int{3, 16, 33}
		o := NewConcat(b.set, b.threads, widths)
		y := b.memory(rows*52, nil)
		want := make([]float64, rows*52)
		at := 0
		for i, n := range widths {
			x, back := b.memory(rows*n, b.number), b.memory(rows*n, nil)
			o.Forward(b.c, rows, i, x, y)
			o.Back(b.c, rows, i, y, back)
			b.check("back", back, wide(x), 0)
			for k, v := range x {
				want[k/n*52+at+k%n] = float64(v)
			}
			at += n
		}
		b.check("y", y, want, 0)
	})
}

func TestBroadcast(t *testing.T) {
	for _, shapes := range [][2][]int{{{1, 1, 5}, {3, 4, 5}}, {{3, 4, 1}, {3, 4, 17}}, {{1}, {6}}, {{2, 1, 3, 1}, {2, 5, 3, 4}}, {{7}, {7}}} {
		from, to := shapes[0], shapes[1]
		const n = 2
		sizeOf := func(s []int) int {
			n := 1
			for _, d := range s {
				n *= d
			}
			return n
		}
		f := func(x []float64) []float64 {
			out := make([]float64, n*sizeOf(to))
			for i := range out {
				at, size, rest := 0, 1, i
				for axis := len(to) - 1; axis >= 0; axis-- {
					if from[axis] > 1 {
						at += rest % to[axis] * size
					}
					rest /= to[axis]
					size *= from[axis]
				}
				out[i] = x[rest*size+at]
			}
			return out
		}
		everywhere(t, func(b *bench) {
			o := NewBroadcast(b.set, b.threads, from, to)
			x, dy, y, dx := b.memory(n*sizeOf(from), b.number), b.memory(n*sizeOf(to), b.number), b.memory(n*sizeOf(to), nil), b.memory(n*sizeOf(from), nil)
			o.Forward(b.c, n, x, y)
			b.check("y", y, f(wide(x)), 0)
			o.Back(b.c, n, dy, dx)
			b.check("dx", dx, b.slope(f, wide(x), dy), 1e-5)
		})
	}
}

// dropped is the hash of host/engine/kernel written down again, as its own test does.
func dropped(i, channels int, rate float64, stream uint32, key ...uint32) bool {
	hash := func(x uint32) uint32 {
		x ^= x >> 16
		x *= 0x7feb352d
		x ^= x >> 15
		x *= 0x846ca68b
		return x ^ x>>16
	}
	seed := func(stream uint32) uint64 {
		s := hash(stream)
		for _, k := range key {
			s = hash(s*0x9e3779b9 + k)
		}
		return uint64(s)
	}
	at, lane := uint64(i), 0
	if channels%2 == 0 {
		half := channels / 2
		at, lane = uint64(i/channels*half+i%half), i%channels/half
	}
	h := at*0x9e3779b97f4a7c15 + seed(stream)<<32 + seed(stream^0x9e3779b9)
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	if lane == 1 {
		h <<= 24
	}
	return float64(h>>11)/(1<<53) < rate
}

func TestDropout(t *testing.T) {
	for _, size := range [][2]int{{35, 7}, {90, 6}, {40000, 32}, {33, 1}, {12000, 24}, {64, 8}} {
		row, channels := size[0], size[1]
		everywhere(t, func(b *bench) {
			const n, first, rate = 3, 5, 0.3
			d, err := NewDropout(b.set, b.threads, rate, true, 4, row, channels)
			if err != nil {
				t.Fatal(err)
			}
			x, y := b.memory(n*row, b.number), b.memory(n*row, nil)
			d.Apply(b.c, [2]uint32{11, 22}, first, n, x, y)
			want := make([]float64, n*row)
			for i, v := range x {
				if !dropped(first*row+i, channels, rate, 4, 11, 22) {
					want[i] = float64(v) / (1 - rate)
				}
			}
			b.check("y", y, want, 1e-6)
		})
	}
	if _, err := NewDropout(kernel.Sets()[0], 1, 1, false, 0, 1, 1); err == nil {
		t.Error("rate 1: found no error, want one")
	}
}
