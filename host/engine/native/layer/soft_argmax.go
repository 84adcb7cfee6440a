package layer

import (
	"math"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// SoftArgmax gives the expected position under each map's softmax (Luvizon et al. 2019): [n, h, w, c] to [n, 2c], x and y of map after
// map, of pixel centres (2i + 1)/size - 1.
type SoftArgmax struct {
	pixels, channels          int
	scale                     float32
	workers                   []worker
	abreast                   int          // pixels side by side that are done as if they were one
	centres                   [2][]float32 // x and y of each pixel, once for each channel
	x, y, kept, dy, dx, spare []float32
}

// NewSoftArgmax makes a SoftArgmax for a pool of so many threads at most.
func NewSoftArgmax(set *kernel.Set, threads, height, width, channels int, temperature float64) *SoftArgmax {
	s := &SoftArgmax{pixels: height * width, channels: channels, scale: float32(1 / temperature), workers: newWorkers(set, threads)}
	s.abreast = abreast(set, s.pixels, channels)
	for i := range s.pixels {
		for range channels {
			s.centres[0] = append(s.centres[0], float32(2*(i%width)+1)/float32(width)-1)
			s.centres[1] = append(s.centres[1], float32(2*(i/width)+1)/float32(height)-1)
		}
	}
	return s
}

// Kept is how many float32 an image's forward pass leaves for its backward pass.
func (s *SoftArgmax) Kept() int { return 2 * s.channels }

// Scratch is how many float32 of scratch memory both directions need: each thread's exponentials, and some numbers for each channel.
func (s *SoftArgmax) Scratch() int { return len(s.workers) * s.own() }

func (s *SoftArgmax) own() int { return round(s.pixels*s.channels) + 4*s.wide() }

func (s *SoftArgmax) wide() int { return round(s.abreast * s.channels) }

// Forward computes y [n, 2c] and kept from x [n, h, w, c].
func (s *SoftArgmax) Forward(c *work.Caller, n int, x, y, kept, scratch []float32) {
	s.x, s.y, s.kept, s.spare = x, y, kept, scratch
	c.Run(n, (*softArgmaxTask)(s))
	s.x, s.y, s.kept, s.spare = nil, nil, nil, nil
}

// Back computes dx from x, y, kept and dy. The derivative of an expected position with respect to a pixel is p * (the pixel's centre -
// the expected position) / temperature, p the softmax.
func (s *SoftArgmax) Back(c *work.Caller, n int, x, y, kept, dy, dx, scratch []float32) {
	s.x, s.y, s.kept, s.dy, s.dx, s.spare = x, y, kept, dy, dx, scratch
	c.Run(n, (*softArgmaxTask)(s))
	s.x, s.y, s.kept, s.dy, s.dx, s.spare = nil, nil, nil, nil, nil, nil
}

type softArgmaxTask SoftArgmax

func (t *softArgmaxTask) Do(img, id int) {
	s := (*SoftArgmax)(t)
	w := &s.workers[id]
	size, wide, c := s.pixels*s.channels, s.wide(), s.channels
	own := s.spare[id*s.own():][:s.own()]
	e, perChannel := own[:round(size)], own[round(size):]
	var a [4][]float32 // numbers of each channel, as often as pixels stand abreast
	for i := range a {
		a[i] = perChannel[i*wide:][:s.abreast*c]
	}
	x, y, kept := s.x[img*size:][:size], s.y[img*2*c:][:2*c], s.kept[img*2*c:][:2*c]
	w.consts[0] = s.scale
	if s.dx != nil {
		dy := s.dy[img*2*c:][:2*c]
		for i := range s.abreast {
			for k := range c {
				by := kept[2*k+1] * s.scale
				gx, gy := dy[2*k]*by, dy[2*k+1]*by
				at := i*c + k
				a[0][at], a[1][at], a[2][at], a[3][at] = kept[2*k], gx, gy, -gx*y[2*k]-gy*y[2*k+1]
			}
		}
		s.each(w, kernel.OpSoftBack, a[:], s.dx[img*size:][:size], x, s.centres[0], s.centres[1])
		return
	}
	for i := range a[0] {
		a[0][i], a[1][i], a[2][i], a[3][i] = float32(math.Inf(-1)), 0, 0, 0
	}
	s.each(w, kernel.OpLargest, a[:1], x)
	for k := range c {
		top := a[0][k]
		for i := range s.abreast {
			top = max(top, a[0][i*c+k])
		}
		for i := range s.abreast {
			a[0][i*c+k] = top
		}
	}
	s.each(w, kernel.OpExpSum, a[:2], e[:size], x)
	s.each(w, kernel.OpDot2, a[2:], e[:size], s.centres[0], s.centres[1])
	for k := range c {
		sums := [3]float64{}
		for i := range s.abreast {
			for j := range sums {
				sums[j] += float64(a[1+j][i*c+k])
			}
		}
		y[2*k], y[2*k+1] = float32(sums[1]/sums[0]), float32(sums[2]/sums[0])
		kept[2*k], kept[2*k+1] = a[0][k], float32(1/sums[0])
	}
}

// each does an operation for all pixels: streams of an image, then those of channels.
func (s *SoftArgmax) each(w *worker, op kernel.Op, channels [][]float32, image ...[]float32) {
	var lines [8]line
	rows, rest := s.pixels/s.abreast, s.pixels%s.abreast
	for i, n := range [2][2]int{{rows, s.abreast}, {rest, 1}} {
		for k, x := range image {
			lines[k] = line{x[i*rows*s.abreast*s.channels:], n[1] * s.channels}
		}
		for k, x := range channels {
			lines[len(image)+k] = line{x, 0}
		}
		w.do(op, n[0], n[1]*s.channels, lines[:len(image)+len(channels)]...)
	}
}
