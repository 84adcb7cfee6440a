package zoo

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Evaluation is how far models' answers are from the truth.
type Evaluation struct {
	Score
	Members []MemberScore `json:"members"`
	// HeldOut are the rows that no member was trained on, where the data is the
	// models' training data; nil elsewhere.
	HeldOut *Score `json:"held_out,omitempty"`
	// OutOfFold are the rows that the folds of models trained in folds held out,
	// each answered by those members alone that haven't learned from it.
	OutOfFold *Score `json:"out_of_fold,omitempty"`
	// HeldOutUnknown tells that these two are missing since a model's weights had
	// been trained before, on the same data or on data that isn't known.
	HeldOutUnknown bool   `json:"held_out_unknown,omitempty"`
	Backend        string `json:"backend"`
}

// Fairest is the score of faces that the answering members haven't learned from, where these are known: out of fold, else
// held out; or of all rows. which names them as in «346 rows held out in training».
func (e *Evaluation) Fairest() (s *Score, which string) {
	switch {
	case e.OutOfFold != nil:
		return e.OutOfFold, "out of fold"
	case e.HeldOut != nil:
		return e.HeldOut, "held out in training"
	}
	return &e.Score, ""
}

// Score is an error over the filled cells of some rows.
type Score struct {
	Rows       int           `json:"rows"`
	Cells      int           `json:"cells"`       // filled ones, of the columns answered
	Loss       float64       `json:"loss"`        // the first member's loss, in units of y
	RMSEPixels float64       `json:"rmse_pixels"` // square root of the mean squared distance along one axis
	MeanFace   float64       `json:"mean_face_rmse_pixels"`
	Columns    []ColumnScore `json:"columns"`
}

// ColumnScore is the error of one column.
type ColumnScore struct {
	Name       string  `json:"name"`
	Cells      int     `json:"cells"`
	RMSEPixels float64 `json:"rmse_pixels"`
	MeanFace   float64 `json:"mean_face_rmse_pixels"`
}

// MemberScore is the error of one member alone.
type MemberScore struct {
	Model      int     `json:"model"` // in the order given, from 0
	Member     string  `json:"member"`
	Cells      int     `json:"cells"`
	Loss       float64 `json:"loss"`
	RMSEPixels float64 `json:"rmse_pixels"`
}

// Evaluate answers a set that has points, and compares; columns that the set
// lacks are left out. The mean face is that of the models' training data, or,
// where that isn't known, of the set.
func Evaluate(ctx context.Context, models []*Model, set *dataset.Set, o PredictOptions) (*Evaluation, *Prediction, error) {
	if set.Len() == 0 || len(set.Columns) == 0 {
		return nil, nil, fmt.Errorf("%s: found %d rows with %d columns, want points to compare with", set.Source, set.Len(), len(set.Columns))
	}
	if len(models) == 0 {
		return nil, nil, errNoModel
	}
	if err := CheckColumns(models, set); err != nil {
		return nil, nil, err
	}
	all, err := predictMembers(ctx, models, set, o)
	if err != nil {
		return nil, nil, err
	}
	p := mean(all, set.Len())
	first := &models[0].Document.Members[0]
	s := scorer{set: set, loss: first.Recipe.Loss, face: meanFace(models, set)}
	s.scale, _ = first.Affine(models[0].Document.Input)

	rows := allRows(set.Len())
	e := &Evaluation{Score: s.score(p, rows), Backend: o.Backend.Name()}
	if e.Cells == 0 {
		return nil, nil, fmt.Errorf("%s: none of the model's columns has a filled cell", set.Source)
	}
	for _, m := range all {
		member := &models[m.model].Document.Members[m.member]
		s := s
		s.loss = member.Recipe.Loss
		s.scale, _ = member.Affine(models[m.model].Document.Input)
		score := s.score(&m.Prediction, rows)
		e.Members = append(e.Members, MemberScore{m.model, member.Name, score.Cells, score.Loss, score.RMSEPixels})
	}
	held, known, err := heldOut(models, set)
	if err != nil {
		return nil, nil, err
	}
	e.HeldOutUnknown = !known
	var apart []int // out of fold
	var answers *Prediction
	if slices.ContainsFunc(models, (*Model).folded) && !slices.ContainsFunc(models, func(m *Model) bool { return m.Provenance.Data.Checksum != set.Checksum }) {
		if answers, apart, known, err = unseen(models, set, all); err != nil {
			return nil, nil, err
		}
		e.HeldOutUnknown = e.HeldOutUnknown || !known
	}
	if len(apart) > 0 {
		part := s.score(answers, apart)
		e.OutOfFold = &part
	}
	if len(held) > 0 {
		part := s.score(p, held)
		e.HeldOut = &part
	}
	return e, p, nil
}

// CheckColumns refuses a set that has no column of the models'.
func CheckColumns(models []*Model, set *dataset.Set) error {
	var answered []string
	for _, m := range models {
		answered = append(answered, m.Document.Columns(nil)...)
	}
	if !slices.ContainsFunc(answered, func(c string) bool { return set.Column(c) >= 0 }) {
		return fmt.Errorf("%s: none of its columns is one of the model's: found %v, want some of %v", set.Source, set.Columns, answered)
	}
	return nil
}

// RowScore is the error of one row's filled cells.
type RowScore struct {
	Row        int     // of the set, from 0
	RMSEPixels float64 // along one axis
}

// Worst gives the rows with a filled cell of an answered column, the largest
// error first.
func Worst(set *dataset.Set, p *Prediction) []RowScore {
	var out []RowScore
	for r := range set.Len() {
		var sum float64
		cells := 0
		for c, name := range p.Columns {
			if at := set.Column(name); at >= 0 && !math.IsNaN(float64(set.Row(r)[at])) {
				d := float64(p.Row(r)[c]) - float64(set.Row(r)[at])
				sum += d * d
				cells++
			}
		}
		if cells > 0 {
			out = append(out, RowScore{r, root(sum, cells)})
		}
	}
	slices.SortStableFunc(out, func(a, b RowScore) int { return cmp.Compare(b.RMSEPixels, a.RMSEPixels) })
	return out
}

// scorer compares answers with a set's points.
type scorer struct {
	set   *dataset.Set
	loss  blueprint.Loss
	scale float64            // pixels in a unit of y
	face  map[string]float64 // the mean face
}

// score compares the answers to these rows of the set; a prediction is of all rows.
func (s *scorer) score(p *Prediction, rows []int) Score {
	return s.compare(p.Columns, rows, func(i int) []float32 { return p.Row(rows[i]) })
}

// compare is score for answers that are found by their place in rows.
func (s *scorer) compare(columns []string, rows []int, answer func(i int) []float32) Score {
	out := Score{Rows: len(rows)}
	var loss, squares, face float64
	for c, name := range columns {
		at := s.set.Column(name)
		if at < 0 {
			continue
		}
		column := ColumnScore{Name: name}
		var sum, sumFace float64
		for i, r := range rows {
			truth := s.set.Row(r)[at]
			if math.IsNaN(float64(truth)) {
				continue
			}
			d := float64(answer(i)[c]) - float64(truth)
			m := s.face[name] - float64(truth)
			sum += d * d
			sumFace += m * m
			loss += engine.CellLoss(s.loss, d/s.scale)
			column.Cells++
		}
		column.RMSEPixels, column.MeanFace = root(sum, column.Cells), root(sumFace, column.Cells)
		out.Columns = append(out.Columns, column)
		out.Cells += column.Cells
		squares += sum
		face += sumFace
	}
	out.Loss = loss / float64(max(out.Cells, 1))
	out.RMSEPixels, out.MeanFace = root(squares, out.Cells), root(face, out.Cells)
	return out
}

func root(sum float64, n int) float64 { return math.Sqrt(sum / float64(max(n, 1))) }

// meanFace gives each column's mean in the training data of the first model
// that had the column, with a filled cell, or else in the set.
func meanFace(models []*Model, set *dataset.Set) map[string]float64 {
	out := map[string]float64{}
	add := func(columns []string, means []float64) {
		for i, c := range columns {
			if _, ok := out[c]; !ok && len(means) == len(columns) && means[i] != 0 { // 0: no cell was filled
				out[c] = means[i]
			}
		}
	}
	for _, m := range models {
		add(m.Provenance.Data.Columns, m.Provenance.Data.Mean)
	}
	add(set.Columns, dataFrom(set).Mean)
	return out
}

// columnMeans are the means of the filled cells; 0 where there are none.
func columnMeans(set *dataset.Set) []float64 {
	n := len(set.Columns)
	sums, counts := make([]float64, n), make([]int, n)
	for i, v := range set.Points {
		if !math.IsNaN(float64(v)) {
			sums[i%n] += float64(v)
			counts[i%n]++
		}
	}
	for i := range sums {
		sums[i] /= float64(max(counts[i], 1))
	}
	return sums
}

// usable are the rows of the data that a member may learn from.
func usable(m *blueprint.Member, set *dataset.Set) ([]int, error) {
	columns := m.ColumnsOf(set.Columns)
	if m.Recipe.CompleteRows() {
		return set.RowsWith(columns...)
	}
	var at []int
	for _, c := range columns {
		i := set.Column(c)
		if i < 0 {
			return nil, &dataset.ColumnError{Source: set.Source, Column: c, Have: set.Columns}
		}
		at = append(at, i)
	}
	var out []int
	for r := range set.Len() {
		row := set.Row(r)
		if slices.ContainsFunc(at, func(i int) bool { return !math.IsNaN(float64(row[i])) }) {
			out = append(out, r)
		}
	}
	return out, nil
}

// rowsOf gives the usable rows that are trained on and those held out.
func rowsOf(m *blueprint.Member, set *dataset.Set) (train, validation []int, err error) {
	rows, err := usable(m, set)
	if err != nil {
		return nil, nil, err
	}
	seed := m.Recipe.SplitBy()
	if f := m.Recipe.Fold; f != nil {
		train, validation = dataset.Fold(rows, f.Number, f.Of, seed)
	} else {
		train, validation = dataset.Split(rows, m.Recipe.Validation, seed)
	}
	if m.Recipe.Subset != nil {
		train = subset(m, set, train)
	}
	return train, validation, nil
}

// subset is the part of the rows, in their shuffled order, that the recipe trains on.
func subset(m *blueprint.Member, set *dataset.Set, rows []int) []int {
	s := m.Recipe.Subset
	if s.Complete {
		columns := m.ColumnsOf(set.Columns)
		rows = slices.DeleteFunc(slices.Clone(rows), func(r int) bool {
			return slices.ContainsFunc(columns, func(c string) bool { return math.IsNaN(float64(set.Row(r)[set.Column(c)])) })
		})
	}
	if s.Share > 0 && len(rows) > 0 {
		rows = rows[:max(int(s.Share*float64(len(rows))), 1)]
	}
	return rows
}

// epochsOf is how many a member's recipe asks for on this set.
func epochsOf(m *blueprint.Member, set *dataset.Set) (int, error) {
	rows, err := usable(m, set)
	return m.Recipe.EpochsFor(len(rows)), err
}

func allRows(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
