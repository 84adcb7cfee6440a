package draw

import (
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/draw/look"
)

// A Found is a face in a photograph, in the photograph's pixels.
type Found struct {
	X, Y, Width, Height float64 // its box
	Score               float64 // 0 to 1; what is unsure is drawn faint
	Names               []string
	Points              [][2]float64
	Errors              []float64 // expected, one for each point; nil or NaN: not known
}

// Colours of the person's left and right sides, and of what is in the middle.
var (
	leftColor   = color.RGBA{0x2e, 0xd3, 0xff, 0xff}
	rightColor  = look.Orange
	middleColor = color.RGBA{0xff, 0xe1, 0x4d, 0xff}
	boxColor    = color.RGBA{0xff, 0xff, 0xff, 0xff}
)

// outlines are lines through points, by name, closed where the last is the first.
var outlines = [][]string{
	{"left_eye_inner_corner", "left_eye_center", "left_eye_outer_corner"},
	{"right_eye_inner_corner", "right_eye_center", "right_eye_outer_corner"},
	{"left_eyebrow_inner_end", "left_eyebrow_outer_end"},
	{"right_eyebrow_inner_end", "right_eyebrow_outer_end"},
	{"mouth_left_corner", "mouth_center_top_lip", "mouth_right_corner", "mouth_center_bottom_lip", "mouth_left_corner"},
}

// Faces draws what was found in a photograph on it: boxes with their scores, points, lines of eyes, brows and mouth, the person's left
// and right side in two colours; names beside the points where these are asked for.
func Faces(m *image.RGBA, faces []Found, names bool) {
	c := &canvas{RGBA: m}
	for i := range faces {
		if f := &faces[i]; f.X == f.X && f.Y == f.Y && f.Width > 0 && f.Height > 0 {
			f.draw(c, names)
		}
	}
}

func (f *Found) draw(c *canvas, names bool) {
	side := max(f.Width, f.Height)
	width := min(max(side/90, 1), 6)
	sure := 0.35 + 0.65*min(max(f.Score, 0), 1)
	f.box(c, width, sure)
	at := map[string]int{}
	for i, name := range f.Names {
		at[name] = i
	}
	for _, line := range outlines {
		for k := 1; k < len(line); k++ {
			a, okA := at[line[k-1]]
			b, okB := at[line[k]]
			if okA && okB {
				f.link(c, a, b, width, sure*min(f.sure(a), f.sure(b)))
			}
		}
	}
	radius := min(max(side/60, 1.3), 7)
	for i, p := range f.Points {
		if !c.near(p) {
			continue
		}
		part := sure * f.sure(i)
		at := mark{p[0], p[1], true}
		c.circle(c.Rect, at, radius+max(0.3*radius, 0.7), 0, faint(halo, part))
		c.circle(c.Rect, at, radius, 0, faint(f.color(i), part))
		if names {
			c.label(p[0]+2*radius, p[1], strings.ReplaceAll(f.Names[i], "_", " "), faint(boxColor, part))
		}
	}
}

// box draws the box and the score above it.
func (f *Found) box(c *canvas, width, sure float64) {
	// Of a box that reaches beyond the picture the sides lie just outside of it.
	left, right := c.within(f.X, c.Rect.Dx()), c.within(f.X+f.Width, c.Rect.Dx())
	top, bottom := c.within(f.Y, c.Rect.Dy()), c.within(f.Y+f.Height, c.Rect.Dy())
	corners := []mark{{left, top, true}, {right, top, true}, {right, bottom, true}, {left, bottom, true}}
	for _, pass := range []struct {
		width float64
		color color.RGBA
	}{{width + 1.6, halo}, {width, boxColor}} {
		for i, a := range corners {
			b := corners[(i+1)%4]
			c.line(c.Rect, a, b, pass.width, faint(pass.color, sure))
		}
	}
	c.label(left, top-6, strconv.FormatFloat(f.Score, 'f', 2, 64), faint(boxColor, sure))
}

// within keeps a coordinate near the picture.
func (c *canvas) within(v float64, side int) float64 { return min(max(v, -20), float64(side)+20) }

// near tells whether a point can be drawn: it is known, and not far outside of the picture.
func (c *canvas) near(p [2]float64) bool {
	return p[0] > -100 && p[1] > -100 && p[0] < float64(c.Rect.Dx())+100 && p[1] < float64(c.Rect.Dy())+100
}

func (f *Found) link(c *canvas, a, b int, width, part float64) {
	if !c.near(f.Points[a]) || !c.near(f.Points[b]) {
		return
	}

	p, q := mark{f.Points[a][0], f.Points[a][1], true}, mark{f.Points[b][0], f.Points[b][1], true}
	c.line(c.Rect, p, q, width+1.2, faint(halo, 0.6*part))
	c.line(c.Rect, p, q, width, faint(f.color(b), 0.8*part))
}

// sure is how strongly a point is drawn: 1 where it is expected to be off by nothing, a third by a tenth of the face and more.
func (f *Found) sure(i int) float64 {
	if i >= len(f.Errors) || math.IsNaN(f.Errors[i]) {
		return 1
	}
	return 1 - 0.67*min(f.Errors[i]/(0.1*max(f.Width, f.Height)), 1)
}

func (f *Found) color(i int) color.RGBA {
	for _, word := range strings.Split(f.Names[i], "_") {
		switch word {
		case "left":
			return leftColor
		case "right":
			return rightColor
		}
	}
	return middleColor
}

// label writes text with a dark rim, whole within the picture.
func (c *canvas) label(x, y float64, s string, col color.Color) {
	px, py := int(x), int(y)
	px = max(2, min(px, c.Rect.Max.X-width(s, captionFont)-2))
	py = max(12, min(py, c.Rect.Max.Y-4))
	for _, d := range [][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
		c.text(px+d[0], py+d[1], s, captionFont, halo)
	}
	c.text(px, py, s, captionFont, col)
}

// faint is part of a colour, over what is there.
func faint(c color.RGBA, part float64) color.RGBA {
	k := func(v uint8) uint8 { return uint8(float64(v)*part + 0.5) }
	return color.RGBA{k(c.R), k(c.G), k(c.B), k(c.A)}
}
