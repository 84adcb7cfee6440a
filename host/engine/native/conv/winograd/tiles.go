// Package winograd convolves 3x3 and 2x2 filters of stride 1 by tiles of 2x2 outputs in the native engine, all three directions:
// F(2x2, 3x3) of Lavin and Gray 2016, 16 multiplications for a tile in the place of 36, and F(2x2, 2x2), 9 in the place of 16. Tiles of the
// input and the filters are transformed, multiplied as as many matrices [tiles, in] by [in, out], and what comes out is transformed back.
// [Shape.Fits] tells where that pays; lengths are package conv's to check. It must not know layers, plans or where memory comes from.
package winograd

import (
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
)

const (
	unitTiles = 48  // about: what they are transformed to stays in the cache
	gain      = 1.4 // how many multiplications there must be in the place of one
)

// least is how many channels and filters there must be by the filters' size: of fewer, transforming takes as long as it saves.
var least = map[int]int{2: 32, 3: 16}

// Shape is a convolution's: filters of Size by Size, images [Height, Width, Channels] to [OutHeight, OutWidth, Filters], with so many zeros
// before the first row and column.
type Shape struct {
	Size                         int
	Height, Width, Channels      int
	OutHeight, OutWidth, Filters int
	Padding                      [2]int
}

// Fits tells whether convolutions of a shape can be computed so in all directions, and are faster.
func (s Shape) Fits(set *kernel.Set) bool {
	if s.Size != 2 && s.Size != 3 || min(s.Channels, s.Filters) < least[s.Size] || max(s.Channels, s.Filters) > set.Budget() ||
		!set.Transforms(s.Channels) || !set.Transforms(s.Filters) {
		return false
	}
	f := form{s.Size}
	for _, out := range [2]image{{h: s.Height, w: s.Width}, {h: s.OutHeight, w: s.OutWidth}} {
		g := newGrid(out)
		if float64(out.h*out.w*s.Size*s.Size) < gain*float64(f.planes()*g.tiles[0]*g.tiles[1]) {
			return false
		}
	}
	return true
}

// form is that of filters of a size.
type form struct{ size int }

// tile is the side of an input's tile, planes how many matrices there are.
func (f form) tile() int { return f.size + 1 }

func (f form) planes() int { return f.tile() * f.tile() }

func (f form) transform(t kernel.Transform) kernel.Transform {
	if f.size == 2 {
		return t.Of2()
	}
	return t
}

type image struct{ h, w, c int }

func (m image) size() int { return m.h * m.w * m.c }

// round is the next multiple of a cache line's 16 numbers.
func round(n int) int { return (n + 15) &^ 15 }

// grid is how tiles are divided into units: some images, or some rows of an image's tiles.
type grid struct {
	tiles  [2]int // of an image
	rows   int    // of tiles, of a unit
	images int
}

func newGrid(out image) grid {
	g := grid{tiles: [2]int{(out.h + 1) / 2, (out.w + 1) / 2}}
	g.rows = min(g.tiles[0], max(1, unitTiles/g.tiles[1]))
	g.images = max(1, unitTiles/(g.tiles[0]*g.tiles[1]))
	return g
}

func (g *grid) bands() int { return (g.tiles[0] + g.rows - 1) / g.rows }

func (g *grid) units(n int) int { return (n + g.images - 1) / g.images * g.bands() }

// most is the tiles of a unit, at most.
func (g *grid) most() int { return g.images * g.rows * g.tiles[1] }

// unit is a unit's images and rows of tiles.
type unit struct{ image, images, first, rows int }

func (g *grid) unit(i, n int) unit {
	u := unit{image: i / g.bands() * g.images, first: i % g.bands() * g.rows}
	u.images, u.rows = min(g.images, n-u.image), min(g.rows, g.tiles[0]-u.first)
	return u
}

// apart is how far apart matrices of so many numbers lie: an odd number of cache lines, so that they don't share the cache's
// places.
func apart(n int) int { return round(n) | 16 }

// source is where tiles of an input are read.
type source struct {
	form
	in   image
	from [2]int // the pixel under the first tap at the first position; may lie outside
	grid *grid
}

// bandLen is the numbers of a row of tiles.
func (s *source) bandLen() int { return round(s.tile() * (2*s.grid.tiles[1] + s.size - 1) * s.in.c) }

// take brings a unit's tiles of the images x to to: matrices [tiles, channels].
func (s *source) take(set *kernel.Set, u unit, x, band, to []float32, plane int) {
	all := s.grid.tiles[1]
	a := kernel.Tiles{InStep: 8 * s.in.c, InPixel: 4 * s.in.c, OutRow: 4 * s.tile() * plane, OutPixel: 4 * plane, OutStep: 4 * s.in.c}
	// The tiles of a row that lie within the image.
	first := min((max(0, -s.from[1])+1)/2, all)
	last := max(first, min(all, (s.in.w-s.from[1]-s.tile()+2)/2))
	for i := range u.images * u.rows {
		img := x[(u.image+i/u.rows)*s.in.size():][:s.in.size()]
		y := s.from[0] + 2*(u.first+i%u.rows)
		first, last := first, last
		if y < 0 || y+s.tile() > s.in.h {
			first, last = all, all
		}
		if first < last {
			a.In, a.InRow = unsafe.Pointer(&img[(y*s.in.w+s.from[1]+2*first)*s.in.c]), 4*s.in.w*s.in.c
			a.Out, a.Count = unsafe.Pointer(&to[(i*all+first)*s.in.c]), last-first
			set.Transform(s.transform(kernel.WinogradInput), s.in.c, &a)
		}
		for _, edge := range [2][2]int{{0, first}, {last, all}} {
			if edge[0] == edge[1] {
				continue
			}
			width := 2*(edge[1]-edge[0]) + s.size - 1
			s.copy(img, y, s.from[1]+2*edge[0], width, band)
			a.In, a.InRow = unsafe.Pointer(&band[0]), 4*width*s.in.c
			a.Out, a.Count = unsafe.Pointer(&to[(i*all+edge[0])*s.in.c]), edge[1]-edge[0]
			set.Transform(s.transform(kernel.WinogradInput), s.in.c, &a)
		}
	}
}

// copy copies a tile's rows of an image from a pixel on, with zeros around it.
func (s *source) copy(img []float32, y, x, width int, band []float32) {
	c := s.in.c
	left := min(max(0, -x), width)
	right := max(left, min(width, s.in.w-x))
	for r := range s.tile() {
		to := band[r*width*c:][:width*c]
		if y+r < 0 || y+r >= s.in.h || left == right {
			clear(to)
			continue
		}
		clear(to[:left*c])
		copy(to[left*c:right*c], img[((y+r)*s.in.w+x+left)*c:])
		clear(to[right*c:])
	}
}
