// Package augment changes training images and their points at random, on the
// host: while the device computes a step, the next one's batch is made.
//
// Mirror, rotation, scale and shift are one affine map, and so one bilinear
// resampling. What is done to an image is drawn first, as a [Change]; the same
// change always gives the same pixels. The package knows nothing of backends,
// graphs, recipes or training.
package augment

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Ranges are what changes are drawn from, by the formulas of
// blueprint.Augment. Zeros are off.
type Ranges struct {
	Shift      float64 // pixels
	Rotate     float64 // degrees
	Scale      float64 // share
	Brightness float64 // of the range 0 to 1
	Contrast   float64 // share
	Noise      float64 // of the range 0 to 1: standard deviation
	EraseShare float64 // of the images
	EraseArea  float64 // largest share of an image's area
}

// Change is what is done to one image and its points.
type Change struct {
	Mirror     bool
	ShiftX     float64 // pixels to the right
	ShiftY     float64 // pixels down
	Rotate     float64 // degrees, clockwise
	Scale      float64 // factor
	Brightness float64 // of the range 0 to 1, added
	Contrast   float64 // factor around the image's mean
	Noise      float64 // of the range 0 to 1: standard deviation
	NoiseSeed  uint64
	Erase      Rect // in shares of the image's height and width; empty: nothing
}

// Rect is a rectangle within the unit square.
type Rect struct{ Top, Left, Height, Width float64 }

// Draw makes a change. It takes the same number of random numbers whatever the
// ranges are.
func Draw(r *rand.Rand, mirror bool, by Ranges) Change {
	spread := func(by float64) float64 { return (2*r.Float64() - 1) * by }
	c := Change{
		Mirror: mirror, ShiftX: spread(by.Shift), ShiftY: spread(by.Shift), Rotate: spread(by.Rotate), Scale: 1 + spread(by.Scale),
		Brightness: spread(by.Brightness), Contrast: 1 + spread(by.Contrast), Noise: by.Noise, NoiseSeed: r.Uint64(),
	}
	erased, area, aspect := r.Float64() < by.EraseShare, r.Float64()*by.EraseArea, math.Exp2(2*r.Float64()-1)
	top, left := r.Float64(), r.Float64()
	if erased && area > 0 {
		height, width := min(1, math.Sqrt(area*aspect)), min(1, math.Sqrt(area/aspect))
		c.Erase = Rect{top * (1 - height), left * (1 - width), height, width}
	}
	return c
}

// moves tells whether the change is more than a mirror image.
func (c *Change) moves() bool {
	return c.ShiftX != 0 || c.ShiftY != 0 || c.Rotate != 0 || c.Scale != 1
}

// Frame is an image's size, and where its pixels lie in the points' coordinates.
type Frame struct {
	Height, Width, Channels int
	// Axis is twice the horizontal centre of the image in the points'
	// coordinates: mirrored, x becomes Axis - x. It is the width where the
	// centre of pixel i lies at i + 1/2, and one less where it lies at i; for
	// the vertical axis the same is taken to hold.
	Axis float64
}

func (f Frame) offset() float64 { return (f.Axis - float64(f.Width)) / 2 }

// affine is p -> m*p + t.
type affine struct{ xx, xy, yx, yy, tx, ty float64 }

// forward takes a point of the image, in pixels with the centre of pixel i at
// i + 1/2, to its place in the changed image: mirrored, then turned and scaled
// around the centre, then shifted.
func (c *Change) forward(f Frame) affine {
	sin, cos := math.Sincos(c.Rotate * math.Pi / 180)
	a := affine{xx: cos * c.Scale, xy: -sin * c.Scale, yx: sin * c.Scale, yy: cos * c.Scale}
	if c.Mirror {
		a.xx, a.yx = -a.xx, -a.yx
	}
	x, y := float64(f.Width)/2, float64(f.Height)/2
	a.tx, a.ty = x+c.ShiftX-a.xx*x-a.xy*y, y+c.ShiftY-a.yx*x-a.yy*y
	return a
}

func (a affine) inverse() affine {
	d := a.xx*a.yy - a.xy*a.yx
	b := affine{xx: a.yy / d, xy: -a.xy / d, yx: -a.yx / d, yy: a.xx / d}
	b.tx, b.ty = -(b.xx*a.tx + b.xy*a.ty), -(b.yx*a.tx + b.yy*a.ty)
	return b
}

// Points takes a point (x, y) in the points' coordinates along with the image;
// inside tells whether it is still in it, or never was.
func (c *Change) Points(f Frame) func(x, y float64) (nx, ny float64, inside bool) {
	a, o := c.forward(f), f.offset()
	within := func(x, y float64) bool {
		return x >= 0 && y >= 0 && x <= float64(f.Width) && y <= float64(f.Height)
	}
	return func(x, y float64) (float64, float64, bool) {
		x, y = x-o, y-o
		nx, ny := a.xx*x+a.xy*y+a.tx, a.yx*x+a.yy*y+a.ty
		return nx + o, ny + o, within(nx, ny) || !within(x, y)
	}
}

// Image writes the changed image to dst, pixels 0 to 255 in the order [height,
// width, channel], which are not clipped. What the resampling sees beyond the
// image is its border, repeated.
func Image[T uint8 | float32](dst []float32, src []T, f Frame, c Change) {
	switch {
	case c.moves():
		resample(dst, src, f, c.forward(f).inverse())
	case c.Mirror:
		mirror(dst, src, f)
	default:
		for i, v := range src {
			dst[i] = float32(v)
		}
	}
	c.light(dst)
	c.erase(dst, f)
}

func mirror[T uint8 | float32](dst []float32, src []T, f Frame) {
	row := f.Width * f.Channels
	for y := range f.Height {
		out, in := dst[y*row:(y+1)*row], src[y*row:(y+1)*row]
		for x := range f.Width {
			from := (f.Width - 1 - x) * f.Channels
			for k := range f.Channels {
				out[x*f.Channels+k] = float32(in[from+k])
			}
		}
	}
}

// resample reads src at a's image of each pixel's centre, bilinearly.
func resample[T uint8 | float32](dst []float32, src []T, f Frame, a affine) {
	channels, row := f.Channels, f.Width*f.Channels
	right, bottom := float32(f.Width-1), float32(f.Height-1)
	stepX, stepY := float32(a.xx), float32(a.yx)
	at := 0
	for y := range f.Height {
		// of the pixel (0, y), counted from the centre of the first one
		fromX := float32(a.xx*0.5 + a.xy*(float64(y)+0.5) + a.tx - 0.5)
		fromY := float32(a.yx*0.5 + a.yy*(float64(y)+0.5) + a.ty - 0.5)
		for x := range f.Width {
			u, v := fromX+float32(x)*stepX, fromY+float32(x)*stepY
			u, v = min(max(u, 0), right), min(max(v, 0), bottom)
			i, j := int(u), int(v)
			wu, wv := u-float32(i), v-float32(j)
			here := j*row + i*channels
			next, below := channels, row
			if i+1 == f.Width {
				next = 0
			}
			if j+1 == f.Height {
				below = 0
			}
			for k := here; k < here+channels; k++ {
				p, q := float32(src[k]), float32(src[k+below])
				p += wu * (float32(src[k+next]) - p)
				q += wu * (float32(src[k+next+below]) - q)
				dst[at] = p + wv*(q-p)
				at++
			}
		}
	}
}

// light changes contrast and brightness, and adds noise.
func (c *Change) light(x []float32) {
	if c.Contrast != 1 || c.Brightness != 0 {
		factor := float32(c.Contrast)
		add := mean(x)*(1-factor) + float32(c.Brightness*255)
		for i := range x {
			x[i] = x[i]*factor + add
		}
	}
	if c.Noise == 0 {
		return
	}
	deviation, state := float32(c.Noise*255), c.NoiseSeed
	var random uint64
	for i := range x {
		if i%5 == 0 { // splitmix64; 12 bits are a normal number
			state += 0x9e3779b97f4a7c15
			random = (state ^ state>>30) * 0xbf58476d1ce4e5b9
			random = (random ^ random>>27) * 0x94d049bb133111eb
			random ^= random >> 31
		}
		x[i] += normals[random%quantiles] * deviation
		random /= quantiles
	}
}

const quantiles = 1 << 12

// normals are the normal distribution's quantiles, (i + 1/2)/4096 each, brought
// to a variance of exactly 1: a uniform choice of them is normal but for what
// lies beyond 3.7 deviations.
var normals = func() (out [quantiles]float32) {
	var squares float64
	at := func(i int) float64 { return math.Sqrt2 * math.Erfinv((2*float64(i)+1)/quantiles-1) }
	for i := range out {
		squares += at(i) * at(i)
	}
	for i := range out {
		out[i] = float32(at(i) / math.Sqrt(squares/quantiles))
	}
	return out
}()

// erase fills the rectangle with the image's mean.
func (c *Change) erase(x []float32, f Frame) {
	edge := func(share float64, n int) int { return int(math.Round(share * float64(n))) }
	top, bottom := edge(c.Erase.Top, f.Height), edge(c.Erase.Top+c.Erase.Height, f.Height)
	left, right := edge(c.Erase.Left, f.Width), edge(c.Erase.Left+c.Erase.Width, f.Width)
	if top == bottom || left == right {
		return
	}
	m := mean(x)
	for y := top; y < bottom; y++ {
		line := x[(y*f.Width+left)*f.Channels : (y*f.Width+right)*f.Channels]
		for i := range line {
			line[i] = m
		}
	}
}

func mean(x []float32) float32 {
	var sum float64
	for part := range slices.Chunk(x, 256) {
		var sums [4]float32 // which don't wait for each other
		for i, v := range part {
			sums[i%4] += v
		}
		sum += float64(sums[0] + sums[1] + sums[2] + sums[3])
	}
	return float32(sum / float64(len(x)))
}
