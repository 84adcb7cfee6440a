package engine

import (
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// labels turns rows of points, in pixels, into what a network is taught: for each
// of the member's columns the target y = (pixels - offset) / scale, then 1 for
// each that is filled, else 0.
type labels struct {
	columns       []string
	from          []int // the columns' places in the data
	turn          []int // each column's place in a mirrored face; nil: none is mirrored
	with          []int // each column's other coordinate among the columns, or -1
	axis          float64
	scale, offset float64
	centre        [2]float64 // x and y of what stays where it is when images turn

	grid    blueprint.Grid // of an answer of boxes
	answers int            // values of an answer; columns' number for points
}

// newLabels finds the member's columns in the data and, where the recipe mirrors
// faces, which of them each becomes.
func newLabels(plan *blueprint.Plan, e *Examples) (*labels, error) {
	l := &labels{columns: plan.Columns, axis: float64(e.Width), answers: plan.Answers()}
	if plan.Member.Boxes() {
		if err := blueprint.CheckBoxColumns(plan.Columns); err != nil {
			return nil, err
		}
		l.grid = plan.Grid()
	}
	l.scale, l.offset = plan.Member.Affine(plan.Document.Input)
	place := map[string]int{}
	for i, c := range plan.Columns {
		place[c] = i
	}
	for _, c := range plan.Columns {
		i := slices.Index(e.Columns, c)
		if i < 0 {
			return nil, fmt.Errorf("column %s: not in the data", c)
		}
		l.from = append(l.from, i)
		other, ok := place[blueprint.Partner(c)]
		if !ok {
			other = -1
		}
		l.with = append(l.with, other)
	}
	if a := plan.Member.Recipe.Augment; a != nil && a.Mirror != nil {
		l.axis = a.Mirror.AxisOf(e.Width)
		var err error
		if l.turn, err = a.Mirror.Permutation(plan.Columns); err != nil {
			return nil, fmt.Errorf("recipe.augment.mirror: %w", err)
		}
	}
	l.centre = [2]float64{l.axis / 2, (l.axis - float64(e.Width) + float64(e.Height)) / 2}
	return l, nil
}

// width is that of a row of labels.
func (l *labels) width() int { return 2 * l.answers }

// put fills a cell.
func (l *labels) put(row []float32, k int, pixels float64) {
	row[k], row[l.answers+k] = float32((pixels-l.offset)/l.scale), 1
}

// source is a column's coordinate before the face is moved, and whether it is
// known: that of its partner where the face is mirrored.
func (l *labels) source(points []float32, k int, mirrored bool) (float64, bool) {
	if k < 0 {
		return 0, false
	}
	if mirrored {
		k = l.turn[k]
	}
	v := float64(points[l.from[k]])
	return v, v == v
}

// row makes the labels of a face that is mirrored or not, and moved no further.
func (l *labels) row(row, points []float32, mirrored bool) {
	if l.grid.Rows > 0 {
		l.boxes(row, points)
		return
	}
	clear(row)
	for k, column := range l.columns {
		v, known := l.source(points, k, mirrored)
		if !known {
			continue
		}
		if mirrored && blueprint.IsX(column) {
			v = float64(float32(l.axis - v))
		}
		l.put(row, k, v)
	}
}

// moved makes the labels of a face whose points move: move gives a point's new
// place, mirrored as the face is, and whether that is inside the image. Where
// they turn, a point of which one coordinate isn't known has none.
func (l *labels) moved(row, points []float32, mirrored, turned bool, move func(x, y float64) (float64, float64, bool)) {
	if l.grid.Rows > 0 { // which nothing moves: see blueprint.Plan
		l.boxes(row, points)
		return
	}
	clear(row)
	for k, column := range l.columns {
		v, known := l.source(points, k, mirrored)
		if !known {
			continue
		}
		other, whole := l.source(points, l.with[k], mirrored)
		if !whole && turned {
			continue // half a point has no place in a turned image
		}
		got, inside := v, true
		switch {
		case blueprint.IsX(column):
			if !whole {
				other = l.centre[1]
			}
			got, _, inside = move(v, other)
		case blueprint.IsY(column):
			if !whole {
				other = l.centre[0]
			}
			_, got, inside = move(other, v)
		}
		if inside {
			l.put(row, k, got)
		}
	}
}

// boxes makes the labels of an image with boxes.
func (l *labels) boxes(row, points []float32) {
	cells := make([]float32, len(l.from))
	for k, at := range l.from {
		cells[k] = points[at]
	}
	l.grid.Targets(blueprint.BoxesOf(cells), row[:l.answers], row[l.answers:])
}

// all makes the labels of every row, those of the mirrored rows behind them where
// there are such: [rows or twice as many, width].
func (l *labels) all(e *Examples) []float32 {
	rows, width := e.Count, l.width()
	if l.turn != nil {
		rows *= 2
	}
	out := make([]float32, rows*width)
	for r := range rows {
		l.row(out[r*width:(r+1)*width], e.pointsOf(r%e.Count), r >= e.Count)
	}
	return out
}

// filledCells counts the filled cells of labels.
func (l *labels) filledCells(labels []float32) int {
	n := 0
	for at := 0; at < len(labels); at += l.width() {
		for _, v := range labels[at+l.answers : at+l.width()] {
			if v == 1 {
				n++
			}
		}
	}
	return n
}
