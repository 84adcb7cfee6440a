package film

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
)

// jpeg does to a picture what keeping it as a JPEG does: blocks of 8x8 pixels lose what their quantization rounds away.
type jpeg struct {
	block, half [64]float64
	steps       [64]float64
}

// cosines are half the cosines of (2x+1)uπ/16 for x, u of 0 to 7, the first row's divided by the root of 2: the transform of ITU-T T.81,
// A.3.3.
var cosines = func() (m [8][8]float64) {
	// cos(kπ/16) for k of 0 to 8, as numbers, so that every machine has the same.
	quarter := [9]float64{1, 0.9807852804032304, 0.9238795325112867, 0.8314696123025452, 0.7071067811865476, 0.5555702330196022, 0.3826834323650898, 0.19509032201612825, 0}
	for u := range 8 {
		for x := range 8 {
			k := (2*x + 1) * u % 32
			sign := 1.0
			if k > 16 {
				k = 32 - k
			}
			if k > 8 {
				k, sign = 16-k, -1
			}
			m[u][x] = sign * quarter[k] / 2
			if u == 0 {
				m[u][x] = 0.5 * 0.7071067811865476
			}
		}
	}
	return m
}()

// luminance is the table of ITU-T T.81, K.1.
var luminance = [64]float64{
	16, 11, 10, 16, 24, 40, 51, 61,
	12, 12, 14, 19, 26, 58, 60, 55,
	14, 13, 16, 24, 40, 57, 69, 56,
	14, 17, 22, 29, 51, 87, 80, 62,
	18, 22, 37, 56, 68, 109, 103, 77,
	24, 35, 55, 64, 81, 104, 113, 92,
	49, 64, 78, 87, 103, 121, 120, 101,
	72, 92, 95, 98, 112, 100, 103, 99,
}

// press changes a plane of values of 0 to 255. Quality is as the Independent JPEG Group's programs count it, 1 to 100.
func (j *jpeg) press(plane []float64, w, h int, quality float64) {
	scale := 2 - quality/50
	if quality < 50 {
		scale = 50 / quality
	}
	for i, step := range luminance {
		j.steps[i] = num.Clamp(math.Floor(num.Mul(step, scale)+0.5), 1, 255)
	}
	for y := 0; y < h; y += 8 {
		for x := 0; x < w; x += 8 {
			j.pressBlock(plane, w, h, x, y)
		}
	}
}

func (j *jpeg) pressBlock(plane []float64, w, h, x0, y0 int) {
	for i := range 64 {
		j.block[i] = plane[min(y0+i/8, h-1)*w+min(x0+i%8, w-1)] - 128
	}
	j.transform(func(u, x int) float64 { return cosines[u][x] })
	for i, q := range j.steps {
		j.block[i] = num.Mul(math.Floor(j.block[i]/q+0.5), q)
	}
	j.transform(func(x, u int) float64 { return cosines[u][x] })
	for y := y0; y < min(y0+8, h); y++ {
		for x := x0; x < min(x0+8, w); x++ {
			plane[y*w+x] = num.Clamp(j.block[(y-y0)*8+x-x0]+128, 0, 255)
		}
	}
}

// transform multiplies the block by a matrix from the left, and by its transpose from the right.
func (j *jpeg) transform(m func(to, from int) float64) {
	for r := range 8 {
		for u := range 8 {
			sum := 0.0
			for x := range 8 {
				sum += num.Mul(m(u, x), j.block[r*8+x])
			}
			j.half[u*8+r] = sum
		}
	}
	for r := range 8 {
		for u := range 8 {
			sum := 0.0
			for x := range 8 {
				sum += num.Mul(m(u, x), j.half[r*8+x])
			}
			j.block[u*8+r] = sum
		}
	}
}
