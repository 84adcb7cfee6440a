package kernel

import "unsafe"

// Transform is one of the linear maps of Winograd's convolution of 3x3 filters by tiles of 2x2 outputs, F(2x2, 3x3) of Lavin and
// Gray 2016: with x, w and y the tiles, y = A'((GwG') * (B'xB))A, products number by number; or one of those of its gradients.
type Transform int

const (
	WinogradInput      Transform = iota // [4, 4] of an input to [4, 4]: B'xB
	WinogradFilter                      // [3, 3] of a filter to [4, 4]: GwG'
	WinogradOutput                      // [4, 4] to [2, 2] of an output: max(Low, bias + A'mA)
	WinogradOutputMax                   // [4, 4] to one number, the largest of what WinogradOutput gives
	WinogradOutputAdd                   // [4, 4] to [2, 2] of an output, added to what is there: A'mA
	WinogradOutputBack                  // [2, 2] of an output's gradient to [4, 4]: AyA'
	WinogradFilterBack                  // [4, 4] to [3, 3] of a filter's gradient: G'mG
	transforms
)

// Of2 is the transform for 2x2 filters, F(2x2, 2x2): 3 stands where 4 does, and 2 where 3 does.
func (t Transform) Of2() Transform { return t + transforms }

// Tiles are the arguments of a transform: of Count tiles, In and Out moving by the steps, each of some channels side by side. Distances
// are in bytes. Bias [channels] and Low are WinogradOutput's and WinogradOutputMax's. Out must not lie where In does, unless every number
// of a channel's tile that is written was read for that tile.
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

// Transforms tells whether the set has transforms for so many channels.
func (s *Set) Transforms(channels int) bool { return s.kind != plain && channels%s.narrowest() == 0 }

// narrowest is the fewest channels that a transform does.
func (s *Set) narrowest() int {
	if s.half > 0 {
		return s.half
	}
	return s.Lanes
}

// Transform does a transform for so many channels, which [Set.Transforms] must allow. Pointers and Count are no longer what they were
// afterwards.
func (s *Set) Transform(t Transform, channels int, a *Tiles) {
	if a.Bias == nil {
		if kind := t % transforms; kind == WinogradOutput || kind == WinogradOutputMax {
			panic("kernel: found no bias for a transform that adds one")
		}
		a.Bias = a.In // is moved along, and not read
	}
	tiles := a.Count
	atOnce := max(1, numbersOnce/(16*channels))
	for tiles > 0 {
		n := min(tiles, atOnce)
		done := 0
		for _, m := range [2]int{s.Lanes, s.half} {
			if m == 0 {
				break
			}
			if vecs := (channels - done) / m; vecs > 0 {
				b := *a
				b.In, b.Out, b.Bias = unsafe.Add(a.In, 4*done), unsafe.Add(a.Out, 4*done), unsafe.Add(a.Bias, 4*done)
				b.Count, b.vecs = n, vecs
				s.transform(t, m, &b)
				done += vecs * m
			}
		}
		tiles -= n
		a.In, a.Out = unsafe.Add(a.In, n*a.InStep), unsafe.Add(a.Out, n*a.OutStep)
	}
}
