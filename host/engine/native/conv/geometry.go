// Package conv convolves batches of images in the native engine, all three directions: the output, the gradient of the input and
// that of the filters. Images are [n, height, width, channels], filters [kernel height, kernel width, in/groups, out]; both are
// read where they lie, patches are never copied: a band of rows at most is, to have zeros around it. It must not know layers,
// plans or where memory comes from.
//
// Each direction is a value made once for a geometry, which says how many float32 of scratch memory it needs; running it allocates
// nothing. Such a value must not be used from two goroutines at once. Results don't depend on the number of threads.
package conv

import (
	"errors"
	"fmt"

	"github.com/fkzoo/fkzoo/host/engine/native/conv/winograd"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Geometry is a convolution's shape. Pairs are height and width.
type Geometry struct {
	Height, Width, Channels int // of the input
	Filters                 int
	Kernel                  [2]int
	Stride, Dilation        [2]int    // 0: 1
	Padding                 [2][2]int // before and after
	Groups                  int       // 0: 1
}

// normal fills in what is 1 by default, and checks the rest.
func (g Geometry) normal() (Geometry, error) {
	if g.Groups == 0 {
		g.Groups = 1
	}
	for i := range 2 {
		if g.Stride[i] == 0 {
			g.Stride[i] = 1
		}
		if g.Dilation[i] == 0 {
			g.Dilation[i] = 1
		}
		if g.Stride[i] < 1 || g.Dilation[i] < 1 || g.Kernel[i] < 1 || g.Padding[i][0] < 0 || g.Padding[i][1] < 0 {
			return g, fmt.Errorf("convolution: found kernel %v, stride %v, dilation %v, padding %v, want positive ones and padding of at least 0",
				g.Kernel, g.Stride, g.Dilation, g.Padding)
		}
	}
	if g.Height < 1 || g.Width < 1 || g.Channels < 1 || g.Filters < 1 || g.Groups < 1 {
		return g, fmt.Errorf("convolution: found images of %dx%dx%d, %d filters and %d groups, want at least 1 of each", g.Height, g.Width, g.Channels, g.Filters, g.Groups)
	}
	if g.Channels%g.Groups != 0 || g.Filters%g.Groups != 0 {
		return g, fmt.Errorf("convolution: found %d channels, %d filters and %d groups, want multiples of the groups", g.Channels, g.Filters, g.Groups)
	}
	if h, w := g.Out(); h < 1 || w < 1 {
		return g, fmt.Errorf("convolution: found a kernel of %v, dilation %v, on images of %dx%d with padding %v, want one that fits",
			g.Kernel, g.Dilation, g.Height, g.Width, g.Padding)
	}
	return g, nil
}

// Out is the output's height and width.
func (g Geometry) Out() (height, width int) {
	size := [2]int{g.Height, g.Width}
	for i := range 2 {
		stride, dilation := max(1, g.Stride[i]), max(1, g.Dilation[i])
		room := size[i] + g.Padding[i][0] + g.Padding[i][1] - (g.Kernel[i]-1)*dilation - 1
		if size[i] = 0; room >= 0 {
			size[i] = room/stride + 1
		}
	}
	return size[0], size[1]
}

// Operations are those of one image in one direction, a multiplication and an addition as two.
func (g Geometry) Operations() float64 {
	h, w := g.Out()
	return 2 * float64(h*w) * float64(g.Filters*g.Kernel[0]*g.Kernel[1]*(g.Channels/max(1, g.Groups)))
}

// winograd is the geometry as that of a convolution by Winograd's transforms; one that doesn't fit where it isn't of square filters, one
// stride and one group.
func (g *Geometry) winograd() winograd.Shape {
	one := [2]int{1, 1}
	if g.Kernel[0] != g.Kernel[1] || g.Stride != one || g.Dilation != one || g.Groups != 1 {
		return winograd.Shape{}
	}
	h, w := g.Out()
	return winograd.Shape{Size: g.Kernel[0], Height: g.Height, Width: g.Width, Channels: g.Channels, OutHeight: h, OutWidth: w, Filters: g.Filters,
		Padding: [2]int{g.Padding[0][0], g.Padding[1][0]}}
}

func (g *Geometry) inSize() int { return g.Height * g.Width * g.Channels }

func (g *Geometry) outSize() int {
	h, w := g.Out()
	return h * w * g.Filters
}

func (g *Geometry) filterSize() int {
	return g.Kernel[0] * g.Kernel[1] * (g.Channels / g.Groups) * g.Filters
}

// size is a slice that must have a certain number of values.
type size struct {
	name        string
	found, want int
}

func checkSizes(n int, list ...size) error {
	if n < 1 {
		return fmt.Errorf("convolution: found %d images, want at least 1", n)
	}
	for _, s := range list {
		if s.found < s.want {
			return fmt.Errorf("convolution: %s: found %d values, want %d", s.name, s.found, s.want)
		}
	}
	return nil
}

var errAdd = errors.New("convolution: found a gradient to be added where pixels are computed twice")

var errThreads = errors.New("convolution: found more threads in the pool than the convolution was made for")

// Context is what a direction is made for.
type Context struct {
	Set     *kernel.Set
	Threads int // of the pool that will run it, at most
}

func (c Context) check(caller *work.Caller) error {
	if caller.Threads() > c.Threads {
		return errThreads
	}
	return nil
}
