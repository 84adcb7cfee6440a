package film

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
)

// A Camera is how a picture was taken and kept.
type Camera struct {
	gain, offset, curve float64
	blur, grain         float64
	vignette            float64
	smear               num.Point // how far it moved, in pixels
	detail              float64   // 1: every pixel was seen; less: enlarged from so many of them
	quality             float64   // of a JPEG; 0: none
	seed                uint64    // of the grain
}

// NewCamera draws how well a picture is taken at random.
func NewCamera(r *num.Random) Camera {
	c := Camera{
		gain: r.Between(0.7, 1.25), offset: r.Bell(0, 0.06), curve: r.Bell(0, 0.25), blur: r.Unit(), grain: num.Mul(num.Sq(r.Unit()), 7),
		vignette: r.Between(0, 0.3), detail: 1, seed: r.Uint64(),
	}
	if r.Chance(0.3) {
		c.gain = num.Mul(c.gain, r.Between(0.5, 0.95)) // flat
	}
	if r.Chance(0.3) {
		c.offset -= r.Between(0, 0.2)
	}
	if r.Chance(0.15) {
		c.smear = num.XY(r.Bell(0, 1.6), r.Bell(0, 1.2))
	}
	if r.Chance(0.5) {
		c.detail = r.Between(0.36, 1)
	}
	if r.Chance(0.5) {
		c.quality = r.Between(20, 90)
	}
	return c
}

// Good is a camera with nothing wrong but a little grain.
func Good(c *Camera) Camera {
	return Camera{gain: 1, detail: 1, blur: 0.5, grain: 1.5, seed: c.seed}
}

// Photograph takes the picture: lens, movement, pixels.
func (c *Picture) Photograph(cam *Camera) {
	grain := num.NewRandom(cam.seed, 0)
	for _, plane := range c.Planes {
		c.soften(plane, cam.blur)
		if cam.smear != (num.Point{}) {
			c.move(plane, cam.smear)
		}
		w, h := c.Width, c.Height
		if cam.detail < 1 {
			w, h = int(num.Mul(float64(w), cam.detail)), int(num.Mul(float64(h), cam.detail))
			resample(c.spare, w, h, plane, c.Width, c.Height)
			copy(plane, c.spare[:w*h])
		}
		expose(plane[:w*h], w, h, cam, grain)
		if cam.quality > 0 {
			c.jpeg.press(plane[:w*h], w, h, cam.quality)
		}
		if w != c.Width || h != c.Height {
			copy(c.spare, plane[:w*h])
			resample(plane, c.Width, c.Height, c.spare, w, h)
		}
	}
}

// soften is the lens: part of a 3x3 binomial blur.
func (c *Picture) soften(plane []float64, part float64) {
	w, h, blur := c.Width, c.Height, c.spare
	for y := range h {
		row, out := plane[y*w:(y+1)*w], blur[y*w:(y+1)*w]
		for x := range w {
			out[x] = num.Mul(row[max(x-1, 0)]+row[min(x+1, w-1)], 0.25) + num.Mul(row[x], 0.5)
		}
	}
	for y := range h {
		up, down := max(y-1, 0)*w, min(y+1, h-1)*w
		for x := range w {
			at := y*w + x
			b := num.Mul(blur[up+x]+blur[down+x], 0.25) + num.Mul(blur[at], 0.5)
			plane[at] = num.Lerp(plane[at], b, part)
		}
	}
}

// move is the mean along the way that the camera went.
func (c *Picture) move(plane []float64, by num.Point) {
	const steps = 5
	copy(c.spare, plane)
	for y := range c.Height {
		for x := range c.Width {
			sum := 0.0
			for i := range steps {
				t := num.Mul(float64(i), 1.0/(steps-1)) - 0.5
				sum += between(c.spare, c.Width, c.Height, float64(x)+num.Mul(t, by.X), float64(y)+num.Mul(t, by.Y))
			}
			plane[y*c.Width+x] = sum / steps
		}
	}
}

// between is a plane's value at a place that need not be a pixel's middle.
func between(plane []float64, w, h int, x, y float64) float64 {
	x, y = num.Clamp(x, 0, float64(w-1)), num.Clamp(y, 0, float64(h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, w-1), min(y0+1, h-1)
	fx, fy := x-float64(x0), y-float64(y0)
	return num.Lerp(num.Lerp(plane[y0*w+x0], plane[y0*w+x1], fx), num.Lerp(plane[y1*w+x0], plane[y1*w+x1], fx), fy)
}

// resample brings a plane to another size: by the mean of what a pixel covers where it gets smaller, else in between.
func resample(to []float64, tw, th int, from []float64, w, h int) {
	kx, ky := float64(w)/float64(tw), float64(h)/float64(th)
	taps := 1
	if kx > 1 {
		taps = int(math.Ceil(kx)) + 1
	}
	per := 1 / float64(taps*taps)
	for y := range th {
		for x := range tw {
			sum := 0.0
			for i := range taps {
				fy := num.Mul(float64(y)+(float64(i)+0.5)/float64(taps), ky) - 0.5
				for k := range taps {
					sum += between(from, w, h, num.Mul(float64(x)+(float64(k)+0.5)/float64(taps), kx)-0.5, fy)
				}
			}
			to[y*tw+x] = num.Mul(sum, per)
		}
	}
}

// expose makes values of 0 to 255 of light: exposure, contrast, grain.
func expose(plane []float64, w, h int, c *Camera, grain *num.Random) {
	halfW, halfH := float64(w)/2, float64(h)/2
	for at, l := range plane {
		x, y := float64(at%w)/halfW-1, float64(at/w)/halfH-1
		l = num.Mul(l, 1-num.Mul(c.vignette, num.Mul(num.Sq(x)+num.Sq(y), 0.5)))
		l = num.Mul(l-0.45, c.gain) + 0.45 + c.offset
		l = num.Clamp(l, 0, 1)
		l += num.Mul(c.curve, num.Mul(l, 1-l))
		word := grain.Uint64()
		n := float64(word&0xffff) + float64(word>>16&0xffff) + float64(word>>32&0xffff) + float64(word>>48)
		plane[at] = num.Clamp(num.Mul(l, 255)+num.Mul(num.Mul((n-2*65536)/65536, 1.7320508075688772), c.grain), 0, 255)
	}
}

// Seed gives the camera's grain another seed.
func (c *Camera) Seed(i uint64) { c.seed += i }
