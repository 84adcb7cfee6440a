package recipe

import (
	"fmt"
	"math"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/mirror"
)

// WithAxis is the document with the mirror axis of the data's labels, to a
// hundredth of a pixel, wherever a recipe leaves it to the data; said is a line
// about it, "" where none does. All rows count, held out or not: it is one number,
// and the same for all folds.
func WithAxis(d *blueprint.Document, set *dataset.Set) (out *blueprint.Document, said string) {
	out = d.Clone()
	var axis *mirror.Axis
	for i := range out.Members {
		a := out.Members[i].Recipe.Augment
		if a == nil || a.Mirror == nil || a.Mirror.Axis != blueprint.AutoAxis {
			continue
		}
		if axis == nil {
			found := mirror.AxisOf(set)
			axis = &found
		}
		a.Mirror.Axis = blueprint.MirrorAxis(math.Round(axis.Axis*100) / 100)
	}
	if axis == nil {
		return out, ""
	}
	if axis.From == mirror.FromWidth {
		return out, fmt.Sprintf("mirror axis: the images' width, %d: the data doesn't tell another", set.Width)
	}
	return out, fmt.Sprintf("mirror axis: x becomes %.2f - x, give or take %.2f, estimated from the %s", axis.Axis, axis.Error, axis.From)
}
