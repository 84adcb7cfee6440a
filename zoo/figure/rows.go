package figure

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/zoo/draw/chart"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// RowsPoint is an error by how many rows were trained on.
type RowsPoint struct {
	Network    string
	Rows       int
	RMSEPixels float64 // on the rows held out
}

// ReadRows reads models' errors by how many rows each was trained on, as the
// files have them: without the answers for mirror images.
func ReadRows(paths []string) (*chart.Curves, error) {
	var points []RowsPoint
	var face float64
	for _, path := range paths {
		m, err := model.Describe(path)
		if err != nil {
			return nil, err
		}
		p, meanFace, err := rowsPoint(m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(points) > 0 && meanFace != face {
			meanFace = 0 // other rows held out
		}
		points, face = append(points, p), meanFace
	}
	return RowsCurves(points, face), nil
}

// rowsPoint is a model's; meanFace is what always answering the mean face gives
// on the rows held out.
func rowsPoint(m *model.Model) (point RowsPoint, meanFace float64, err error) {
	r, err := measure.ResultOf(m, "")
	if err != nil {
		return point, 0, err
	}
	for _, member := range r.Members {
		if off := r.TrainRows - member.TrainRows; off > 0 && !(r.OutOfFold && off == 1) { // folds differ by one
			return point, 0, fmt.Errorf("found members trained on %d and %d rows, want one number", member.TrainRows, r.TrainRows)
		}
	}
	switch {
	case r.TrainRows == 0:
		return point, 0, errors.New("found no number of rows trained on, want a model that fkzoo has trained since it notes them")
	case r.RMSEPixels == nil || r.MeanFace == nil:
		return point, 0, errors.New("found no rows held out, want an error on some")
	}
	return RowsPoint{m.Document.Name, r.TrainRows, *r.RMSEPixels}, *r.MeanFace, nil
}

// farBaseline is how many times the largest error the mean face's may be to be
// drawn: beside a line far away all others lie flat.
const farBaseline = 3

// RowsCurves draw the error by the number of rows trained on, a line for each
// network. Of several models with as many rows, as of other seeds, the mean is
// drawn. meanFace 0: not drawn.
func RowsCurves(points []RowsPoint, meanFace float64) *chart.Curves {
	out := &chart.Curves{
		Title: "error by rows trained on", XAxis: "rows", XLog: true, YAxis: "root-mean-square error in pixels, on the rows held out",
		Baseline: meanFace, Series: [2]string{1: "error"}, Marks: true,
	}
	if !slices.ContainsFunc(points, func(p RowsPoint) bool { return meanFace <= farBaseline*p.RMSEPixels }) {
		out.Baseline = 0
	}
	points = slices.Clone(points)
	slices.SortStableFunc(points, func(a, b RowsPoint) int { return cmp.Compare(a.Rows, b.Rows) })
	for _, p := range points {
		at := slices.IndexFunc(out.Runs, func(r chart.Run) bool { return r.Name == p.Network })
		if at < 0 {
			at = len(out.Runs)
			out.Runs = append(out.Runs, chart.Run{Name: p.Network})
		}
		r := &out.Runs[at]
		if n := len(r.X); n > 0 && r.X[n-1] == float64(p.Rows) {
			continue
		}
		r.X, r.Validation = append(r.X, float64(p.Rows)), append(r.Validation, meanOf(points, p))
	}
	return out
}

// meanOf is the mean error of the points with p's network and rows.
func meanOf(points []RowsPoint, p RowsPoint) float64 {
	sum, n := 0.0, 0.0
	for _, q := range points {
		if q.Network == p.Network && q.Rows == p.Rows {
			sum, n = sum+q.RMSEPixels, n+1
		}
	}
	return sum / n
}
