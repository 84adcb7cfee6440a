package answer

import (
	"slices"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// FlipAverage tells whether all members of the models ask for the mean with
// the answer for the mirror image, where the user doesn't say.
func FlipAverage(models []*model.Model) bool {
	for _, m := range models {
		for i := range m.Document.Members {
			if !m.Document.Members[i].Output.FlipAverage {
				return false
			}
		}
	}
	return len(models) > 0
}

// Miscalibrated tells whether answers with those for mirror images, or without,
// are not those that some member is calibrated for: those that its own model
// gave, of a merged one the model that the member comes from.
func Miscalibrated(models []*model.Model, flipAverage bool) bool {
	for _, m := range models {
		for i := range m.Document.Members {
			member, of := &m.Document.Members[i], FlipAverage([]*model.Model{m})
			if len(m.Provenance.Merged) > 0 {
				of = member.Output.FlipAverage
			}
			if member.Recipe.Calibrate && len(member.Output.Shift) > 0 && of != flipAverage {
				return true
			}
		}
	}
	return false
}

// Flip is how a member's answer for a mirror image is turned back: column c of an answer is Sign[c] times column From[c]
// of that for the mirror image, plus Add[c], in pixels of the image that was mirrored.
type Flip struct {
	From      []int
	Sign, Add []float64
}

// FlipOf gives the flip that the member was trained with, for images of this width in pixels, or else that which follows
// from its columns' names, with the width as the axis: where the data's labels lie is then not known. What output.shift
// adds to an answer isn't turned. An error: a column has no partner.
func FlipOf(m *blueprint.Member, width int) (*Flip, error) {
	mirror := m.Mirror()
	from, err := mirror.Permutation(m.Columns)
	if err != nil {
		return nil, err
	}
	f := &Flip{from, make([]float64, len(from)), make([]float64, len(from))}
	for c, name := range m.Columns {
		if f.Sign[c] = 1; blueprint.IsX(name) {
			f.Sign[c], f.Add[c] = -1, mirror.AxisOf(width)
		}
		if shift := m.Output.Shift; len(shift) > 0 {
			f.Add[c] += shift[c] - f.Sign[c]*shift[from[c]]
		}
	}
	return f, nil
}

// average makes points the mean with the answers for mirrored images, turned back.
func (f *Flip) average(points, flipped []float32) {
	n := len(f.From)
	for at := 0; at < len(points); at += n {
		for c, from := range f.From {
			v := f.Sign[c]*float64(flipped[at+from]) + f.Add[c]
			points[at+c] = float32((float64(points[at+c]) + v) / 2)
		}
	}
}

// mirrored gives the images turned left to right.
func mirrored(im engine.Images) engine.Images {
	im.Bytes, im.Floats = slices.Clone(im.Bytes), slices.Clone(im.Floats)
	reverse(im.Bytes, im.Width, im.Channels)
	reverse(im.Floats, im.Width, im.Channels)
	return im
}

func reverse[T any](values []T, width, channels int) {
	for line := range slices.Chunk(values, width*channels) {
		for l, r := 0, width-1; l < r; l, r = l+1, r-1 {
			for c := range channels {
				line[l*channels+c], line[r*channels+c] = line[r*channels+c], line[l*channels+c]
			}
		}
	}
}
