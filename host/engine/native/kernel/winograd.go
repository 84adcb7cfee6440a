package kernel

import (
	"math"
	"unsafe"
)

// Transform is one of the linear maps of Winograd's convolution of 3x3 filters by tiles of 2x2 outputs, F(2x2, 3x3) of Lavin and
// Gray 2016: with x, w and y the tiles, y = A'((GwG') * (B'xB))A, products number by number; and those of its gradients.
type Transform int

const (
	WinogradInput      Transform = iota // [4, 4] of an input to [4, 4]: B'xB
	WinogradFilter                      // [3, 3] of a filter to [4, 4]: GwG'
	WinogradOutput                      // [4, 4] to [2, 2] of an output: max(Low, bias + A'mA)
	WinogradOutputMax                   // the largest of these four numbers, to one
	WinogradOutputAdd                   // the same, added to what is there, without bias and bound
	WinogradOutputBack                  // [2, 2] of an output's gradient to [4, 4]: AyA'
	WinogradFilterBack                  // [4, 4] to [3, 3] of a filter's gradient: G'mG
	transforms
)

// Of2 is the transform for 2x2 filters, F(2x2, 2x2): 3 stands where 4 does, and 2 where 3 does.
func (t Transform) Of2() Transform { return t + transforms }

// Tiles are the arguments of a transform: of Count tiles, In and Out moving by the steps, each of some channels side by side. Distances
// are in bytes. Bias [channels] and Low are WinogradOutput's. Out must not lie where In does, unless every number of a channel's tile
// that is written was read for that tile.
type Tiles struct {
	In, Out          unsafe.Pointer
	InRow, InPixel   int
	OutRow, OutPixel int
	InStep, OutStep  int
	Count            int
	vecs             int
	Bias             unsafe.Pointer
	Low              float32
	_                uint32
}

// Transform does a transform for so many channels. Pointers and Count are no longer what they were afterwards.
func (s *Set) Transform(t Transform, channels int, a *Tiles) {
	if a.Bias == nil { // addresses move along with the channels
		a.Bias = a.In
	}
	tiles := a.Count
	atOnce := max(1, numbersOnce/(16*channels))
	for tiles > 0 {
		n := min(tiles, atOnce)
		done := 0
		for _, m := range [2]int{s.Lanes, s.half} {
			if m == 0 || s.kind == plain {
				break
			}
			if vecs := (channels - done) / m; vecs > 0 {
				b := a.from(done, n)
				b.vecs = vecs
				s.transform(t, m, &b)
				done += vecs * m
			}
		}
		if done < channels {
			b := a.from(done, n)
			transformPlain(t, channels-done, &b)
		}
		tiles -= n
		a.In, a.Out = unsafe.Add(a.In, n*a.InStep), unsafe.Add(a.Out, n*a.OutStep)
	}
}

// from is the arguments of the channels from one on, for so many tiles.
func (a *Tiles) from(channel, count int) Tiles {
	b := *a
	b.In, b.Out, b.Bias, b.Count = unsafe.Add(a.In, 4*channel), unsafe.Add(a.Out, 4*channel), unsafe.Add(a.Bias, 4*channel), count
	return b
}

func (a *Tiles) read(c, tile, row, pixel int) float32 {
	return *number(a.In, 4*c+tile*a.InStep+row*a.InRow+pixel*a.InPixel)
}

// transformPlain does a channel after the other.
func transformPlain(t Transform, channels int, a *Tiles) {
	m, kind := &maps[t], t%transforms
	for tile := range a.Count {
		for c := range channels {
			var between [4][4]float32 // by column
			for i := range m.in {
				var x [4]float32
				for j := range m.in {
					x[j] = a.read(c, tile, i, j)
				}
				for j, v := range m.line(x) {
					between[j][i] = v
				}
			}
			top := float32(math.Inf(-1))
			for j := range m.out {
				column := m.line(between[j])
				for i := range m.out {
					if kind == WinogradOutputMax {
						top = largerOf(column[i], top)
						continue
					}
					to := number(a.Out, 4*c+tile*a.OutStep+i*a.OutRow+j*a.OutPixel)
					switch kind {
					case WinogradOutput:
						*to = largerOf(a.Low, *number(a.Bias, 4*c)+column[i])
					case WinogradOutputAdd:
						*to += column[i]
					default:
						*to = column[i]
					}
				}
			}
			if kind == WinogradOutputMax {
				*number(a.Out, 4*c+tile*a.OutStep) = largerOf(a.Low, *number(a.Bias, 4*c)+top)
			}
		}
	}
}

// maps are the transforms of a line.
var maps = [2 * transforms]struct {
	in, out int
	line    func(x [4]float32) [4]float32
}{
	WinogradInput: {4, 4, func(x [4]float32) [4]float32 { return [4]float32{x[0] - x[2], x[1] + x[2], x[2] - x[1], x[1] - x[3]} }},
	WinogradFilter: {3, 4, func(x [4]float32) [4]float32 {
		return [4]float32{x[0], (x[0] + x[2] + x[1]) * 0.5, (x[0] + x[2] - x[1]) * 0.5, x[2]}
	}},
	WinogradOutput:     {4, 2, outputOf3},
	WinogradOutputMax:  {4, 2, outputOf3},
	WinogradOutputAdd:  {4, 2, outputOf3},
	WinogradOutputBack: {2, 4, func(x [4]float32) [4]float32 { return [4]float32{x[0], x[0] + x[1], x[0] - x[1], -x[1]} }},
	WinogradFilterBack: {4, 3, func(x [4]float32) [4]float32 {
		sum := (x[1] + x[2]) * 0.5
		return [4]float32{x[0] + sum, (x[1] - x[2]) * 0.5, sum + x[3]}
	}},
	transforms + WinogradInput:      {3, 3, func(x [4]float32) [4]float32 { return [4]float32{x[0] - x[1], x[1], x[2] - x[1]} }},
	transforms + WinogradFilter:     {2, 3, wider},
	transforms + WinogradOutput:     {3, 2, narrower},
	transforms + WinogradOutputMax:  {3, 2, narrower},
	transforms + WinogradOutputAdd:  {3, 2, narrower},
	transforms + WinogradOutputBack: {2, 3, wider},
	transforms + WinogradFilterBack: {3, 2, narrower},
}

func outputOf3(x [4]float32) [4]float32 { return [4]float32{x[0] + x[1] + x[2], x[1] - x[2] - x[3]} }
func wider(x [4]float32) [4]float32     { return [4]float32{x[0], x[0] + x[1], x[1]} }
func narrower(x [4]float32) [4]float32  { return [4]float32{x[0] + x[1], x[1] + x[2]} }
