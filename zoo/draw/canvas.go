package draw

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
	"golang.org/x/image/vector"
)

// A canvas is a picture in the making.
type canvas struct {
	*image.RGBA
	raster vector.Rasterizer
	mask   image.Alpha
}

func newCanvas(w, h int, back color.Color) *canvas {
	c := &canvas{RGBA: image.NewRGBA(image.Rect(0, 0, w, h))}
	draw.Draw(c.RGBA, c.Rect, image.NewUniform(back), image.Point{}, draw.Src)
	return c
}

// A mark is where a point is drawn, in pixels of the canvas; one that lies outside its image was moved to the edge.
type mark struct {
	x, y   float64
	inside bool
}

// dot draws a prediction: a disc with a dark rim.
func (c *canvas) dot(clip image.Rectangle, m mark, r float64, col color.Color) {
	rim := min(max(0.3*r, 0.7), 1.6)
	c.circle(clip, m, r+rim, 0, halo)
	if m.inside {
		c.circle(clip, m, r, 0, col)
	} else {
		c.circle(clip, m, r, 0.5*r, col)
	}
}

// ring draws a true point: a circle around where the prediction should be, with dark rims.
func (c *canvas) ring(clip image.Rectangle, m mark, r float64, col color.Color) {
	rim := min(max(0.2*r, 0.5), 1.2)
	outer, inner := 1.9*r+0.3, 1.35*r+0.3
	c.circle(clip, m, outer+rim, inner-rim, halo)
	c.circle(clip, m, outer, inner, col)
}

// link draws the line from a true point's ring to the prediction.
func (c *canvas) link(clip image.Rectangle, from, to mark, r float64) {
	dx, dy := to.x-from.x, to.y-from.y
	d := math.Hypot(dx, dy)
	start := 1.9*r + 0.3
	if d <= start {
		return
	}
	from.x, from.y = from.x+dx/d*start, from.y+dy/d*start
	width := min(max(r/3, 1), 2)
	c.line(clip, from, to, width+1.2, halo)
	c.line(clip, from, to, width, linkColor)
}

// circle fills what lies between two radii around a mark.
func (c *canvas) circle(clip image.Rectangle, m mark, outer, inner float64, col color.Color) {
	c.fill(clip, m.x-outer, m.y-outer, m.x+outer, m.y+outer, col, func(z *vector.Rasterizer, x0, y0 float64) {
		circlePath(z, m.x-x0, m.y-y0, outer, 1)
		if inner > 0 {
			circlePath(z, m.x-x0, m.y-y0, inner, -1) // the other way round: a hole
		}
	})
}

// circlePath adds a circle of four cubic arcs; the constant is 4/3 (sqrt(2)-1), off by 0.03 % of the radius at most.
func circlePath(z *vector.Rasterizer, x, y, r, turn float64) {
	const k = 0.5522847498
	px, py := 1.0, 0.0
	z.MoveTo(float32(x+r*px), float32(y+r*py))
	for range 4 {
		qx, qy := -py*turn, px*turn // a quarter further
		z.CubeTo(
			float32(x+r*(px+k*qx)), float32(y+r*(py+k*qy)),
			float32(x+r*(qx+k*px)), float32(y+r*(qy+k*py)),
			float32(x+r*qx), float32(y+r*qy))
		px, py = qx, qy
	}
	z.ClosePath()
}

func (c *canvas) line(clip image.Rectangle, a, b mark, width float64, col color.Color) {
	dx, dy := b.x-a.x, b.y-a.y
	d := math.Hypot(dx, dy)
	if d == 0 {
		return
	}
	ux, uy := -dy/d*width/2, dx/d*width/2
	c.fill(clip, min(a.x, b.x)-width, min(a.y, b.y)-width, max(a.x, b.x)+width, max(a.y, b.y)+width, col,
		func(z *vector.Rasterizer, x0, y0 float64) {
			z.MoveTo(float32(a.x+ux-x0), float32(a.y+uy-y0))
			z.LineTo(float32(b.x+ux-x0), float32(b.y+uy-y0))
			z.LineTo(float32(b.x-ux-x0), float32(b.y-uy-y0))
			z.LineTo(float32(a.x-ux-x0), float32(a.y-uy-y0))
			z.ClosePath()
		})
}

// fill rasterizes a path within the given bounds, which lie near the canvas, and paints the part within clip.
func (c *canvas) fill(clip image.Rectangle, x0, y0, x1, y1 float64, col color.Color,
	path func(z *vector.Rasterizer, x0, y0 float64)) {
	r := image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1))+1, int(math.Ceil(y1))+1)
	w, h := r.Dx(), r.Dy()
	c.raster.Reset(w, h)
	path(&c.raster, float64(r.Min.X), float64(r.Min.Y))
	if cap(c.mask.Pix) < w*h {
		c.mask.Pix = make([]uint8, w*h)
	}
	c.mask.Pix, c.mask.Stride, c.mask.Rect = c.mask.Pix[:w*h], w, image.Rect(0, 0, w, h)
	c.raster.DrawOp = draw.Src
	c.raster.Draw(&c.mask, c.mask.Rect, image.Opaque, image.Point{})
	at := r.Intersect(clip)
	draw.DrawMask(c.RGBA, at, image.NewUniform(col), image.Point{}, &c.mask, at.Min.Sub(r.Min), draw.Over)
}
