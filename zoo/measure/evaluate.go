package measure

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
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
	HeldOutUnknown bool `json:"held_out_unknown,omitempty"`
	// Expected is how well the errors hold that the models expect, see [Expected]; nil where nobody has asked, or no model knows.
	Expected []Part `json:"expected,omitempty"`
	Backend  string `json:"backend"`
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
	Model      int     `json:"model"` // in the order that the ensemble was opened with, from 0
	Member     string  `json:"member"`
	Cells      int     `json:"cells"`
	Loss       float64 `json:"loss"`
	RMSEPixels float64 `json:"rmse_pixels"`
}

// Evaluate answers a set that has points, and compares; columns that the set
// lacks are left out. The mean face is that of the models' training data, or,
// where that isn't known, of the set.
func Evaluate(ctx context.Context, with *answer.Ensemble, set *dataset.Set, tick answer.Tick) (*Evaluation, *answer.Prediction, error) {
	if set.Len() == 0 || len(set.Columns) == 0 {
		return nil, nil, fmt.Errorf("%s: found %d rows with %d columns, want points to compare with", set.Source, set.Len(), len(set.Columns))
	}
	models := with.Models()
	if err := CheckColumns(models, set); err != nil {
		return nil, nil, err
	}
	all, err := with.Members(ctx, set, tick)
	if err != nil {
		return nil, nil, err
	}
	p := with.Mean(all, set.Len())
	face := MeanFace(models, set)
	s := NewScorer(models[0].Document, 0, set, face)
	rows := allRows(set.Len())
	e := &Evaluation{Score: s.score(p, rows), Backend: with.Options().Backend.Name()}
	if e.Cells == 0 {
		return nil, nil, fmt.Errorf("%s: none of the model's columns has a filled cell", set.Source)
	}
	for _, m := range all {
		d := models[m.Model].Document
		score := NewScorer(d, m.Member, set, face).score(&m.Prediction, rows)
		e.Members = append(e.Members, MemberScore{with.Place(m.Model), d.Members[m.Member].Name, score.Cells, score.Loss, score.RMSEPixels})
	}
	held, known, err := model.HeldOutRows(models, set)
	if err != nil {
		return nil, nil, err
	}
	e.HeldOutUnknown = !known
	var apart []int // out of fold
	var answers *answer.Prediction
	if slices.ContainsFunc(models, (*model.Model).InFolds) && !slices.ContainsFunc(models, func(m *model.Model) bool { return m.Provenance.Data.Checksum != set.Checksum }) {
		if answers, apart, known, err = Unseen(models, set, all, with.Mean); err != nil {
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
func CheckColumns(models []*model.Model, set *dataset.Set) error {
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
func Worst(set *dataset.Set, p *answer.Prediction) []RowScore {
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
