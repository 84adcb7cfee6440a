// Package film is what is in a picture beside people, and how it is taken: walls and things, letters, the lens, the camera, and what
// keeping it as a JPEG does. It must not know people.
package film

import "github.com/fkzoo/fkzoo/zoo/dataset/demo/num"

// A Picture is light that reaches the camera, and then what the camera makes of it.
type Picture struct {
	Width, Height int
	Planes        [][]float64 // 0 to about 1: grey, or red, green and blue; once it is photographed, 0 to 255
	spare         []float64
	jpeg          jpeg
}

// NewPicture makes one, grey or in colour.
func NewPicture(width, height int, colour bool) *Picture {
	p := &Picture{Width: width, Height: height, Planes: make([][]float64, 1), spare: make([]float64, width*height)}
	if colour {
		p.Planes = make([][]float64, 3)
	}
	for i := range p.Planes {
		p.Planes[i] = make([]float64, width*height)
	}
	return p
}

// Part is what a plane has of a tint: of a grey picture's, all.
func (c *Picture) Part(t Tint, plane int) float64 {
	if len(c.Planes) == 1 {
		return 1
	}
	return t[plane]
}

// Put lays light over a pixel, share of it.
func (c *Picture) Put(x, y int, l float64, t Tint, share float64) {
	for p, plane := range c.Planes {
		at := y*c.Width + x
		plane[at] = num.Lerp(plane[at], num.Mul(l, c.Part(t, p)), share)
	}
}

// Develop rounds the picture to bytes: planes beside each other for each pixel.
func (c *Picture) Develop(out []uint8) {
	n := len(c.Planes)
	for p, plane := range c.Planes {
		for at, l := range plane {
			out[at*n+p] = uint8(num.Clamp(l, 0, 255) + 0.5)
		}
	}
}
