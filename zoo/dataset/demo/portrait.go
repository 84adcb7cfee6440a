package demo

import (
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/film"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo/person"
)

// portrait writes the picture of one face, [Size, Size], to out, and gives its keypoints. without is the kind of variation that it lacks;
// "": none.
func portrait(c *person.Canvas, r *num.Random, out []uint8, without string) [15]num.Point {
	f := person.NewFace(r)
	f.Without(without)
	c.Begin(f)
	c.Frame(f, r)
	b := film.NewBackdrop(r)
	if without == "background" {
		b.Bare()
	}
	b.Paint(c.Picture, f.Scale)
	c.Person(f)
	b.Caption(c.Picture)
	points := c.Keypoints(f)
	if without == "camera" {
		f.Camera = film.Good(&f.Camera)
	}
	c.Photograph(&f.Camera)
	c.Develop(out)
	return points
}

// Variations are the kinds of variation that faces can be drawn without, to see what each is worth: demo:2000:1:no-turn.
func Variations() []string { return append(person.Variations(), "background", "camera") }

// faceKind are faces with all variations.
var faceKind = facesLacking("")

// facesWithout are faces without a variation, by the last part of a name; nil for one that is none.
func facesWithout(part string) *kind {
	without, ok := strings.CutPrefix(part, "no-")
	if !ok || !slices.Contains(Variations(), without) {
		return nil
	}
	k := facesLacking(without)
	return &k
}

func facesLacking(without string) kind {
	return kind{"demo", "faces", Size, columns[:], 0, func(c *person.Canvas, r *num.Random, out []uint8, points []float32) {
		for k, p := range portrait(c, r, out, without) {
			points[2*k], points[2*k+1] = float32(p.X), float32(p.Y)
		}
	}}
}
