package photo

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
)

// A frame is how faces lie in the images that models have learned from.
type frame struct {
	names  []string // of points
	left   []string // columns that have no part
	places [][2]int // of their coordinates among the answers
	mean   []point  // where they are typically
	size   float64  // the longer side of a face's box, in pixels of the input
	middle point    // of the box
	side   int      // the input's width
}

// face is where the points of a face typically are whose box, around brows, chin and sides, has its middle at 0, 0 and a longer side of
// 1: the mean of drawn faces, with each point's mirror image.
var face = map[string]point{
	"left_eye_center": {0.202, -0.298}, "right_eye_center": {-0.202, -0.298},
	"left_eye_inner_corner": {0.126, -0.286}, "right_eye_inner_corner": {-0.126, -0.286},
	"left_eye_outer_corner": {0.279, -0.297}, "right_eye_outer_corner": {-0.279, -0.297},
	"left_eyebrow_inner_end": {0.114, -0.438}, "right_eyebrow_inner_end": {-0.114, -0.438},
	"left_eyebrow_outer_end": {0.357, -0.418}, "right_eyebrow_outer_end": {-0.357, -0.418},
	"nose_tip":          {0, -0.023},
	"mouth_left_corner": {0.165, 0.159}, "mouth_right_corner": {-0.165, 0.159},
	"mouth_center_top_lip": {0, 0.135}, "mouth_center_bottom_lip": {0, 0.25},
}

// newFrame says how the models' faces lie: typical has the mean places of their points, by column, in pixels of their input. Points whose
// place isn't known, and columns that aren't of points, have no part.
func newFrame(e *answer.Ensemble, typical map[string]float64) (frame, error) {
	f := frame{side: e.Input().Width}
	columns := e.Columns()
	for i, c := range columns {
		k := slices.Index(columns, blueprint.Partner(c))
		if k < 0 {
			f.left = append(f.left, c)
		}
		if !blueprint.IsX(c) || k < 0 {
			continue
		}
		x, okX := typical[c]
		y, okY := typical[columns[k]]
		if !okX || !okY {
			f.left = append(f.left, c, columns[k])
		} else {
			f.names = append(f.names, strings.TrimSuffix(c, "_x"))
			f.places = append(f.places, [2]int{i, k})
			f.mean = append(f.mean, point{x, y})
		}
	}
	if len(f.mean) < 2 {
		return f, fmt.Errorf("models: found %d points whose typical place is known, want at least 2 to cut faces out by", len(f.mean))
	}
	return f, f.setBox()
}

// setBox finds where a face's box lies by the points that are a drawn face's, too, or else by how far the points reach.
func (f *frame) setBox() error {
	var from, to []point
	for i, name := range f.names {
		if p, ok := face[name]; ok {
			from, to = append(from, p), append(to, f.mean[i])
		}
	}
	if len(from) >= 2 {
		if s, ok := fit(from, to); ok {
			f.size, f.middle = s.scale(), point{s.u, s.v}
			return nil
		}
	}
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, p := range f.mean {
		lo, hi = point{min(lo.x, p.x), min(lo.y, p.y)}, point{max(hi.x, p.x), max(hi.y, p.y)}
	}
	f.size, f.middle = 1.15*max(hi.x-lo.x, hi.y-lo.y), point{(lo.x + hi.x) / 2, (lo.y + hi.y) / 2}
	if !(f.size > 0) {
		return fmt.Errorf("models: found points that typically lie at one place, want a face's")
	}
	return nil
}

// ofBox is how a face is cut out of which only the box is known.
func (f *frame) ofBox(b blueprint.Box) similarity {
	s := f.size / max(b.Width, b.Height)
	return similarity{s, 0, f.middle.x - s*(b.X+b.Width/2), f.middle.y - s*(b.Y+b.Height/2)}
}
