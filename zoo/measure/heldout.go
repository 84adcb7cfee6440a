package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// OutOfFold answers the data that the models were trained on, each row by those
// members alone that have not learned from it. rows are those for which every
// column has such a member; the others' points are NaN where it has none. Each
// member in folds holds a row out once, and all members answer a row that none
// has used. The error is a [dataset] one, or that the data isn't the models'.
func OutOfFold(ctx context.Context, e *answer.Ensemble, set *dataset.Set, tick answer.Tick) (p *answer.Prediction, rows []int, err error) {
	for _, m := range e.Models() {
		if found, want := set.Checksum, m.Provenance.Data.Checksum; found != want {
			return nil, nil, fmt.Errorf("%s: found data with checksum %.12s…, want that of the training, %.12s… (%s)", set.Source, found, want, m.Provenance.Data.Source)
		}
	}
	all, err := e.Members(ctx, set, tick)
	if err != nil {
		return nil, nil, err
	}
	return outOfFold(e.Models(), set, all, e.Mean)
}

// A Mean combines members' answers for so many rows, each row's by those that haven't learned from it: [answer.Mean], or
// [answer.Ensemble.Mean], which knows the models' weights.
type Mean func(all []answer.MemberPrediction, rows int) *answer.Prediction

func outOfFold(models []*model.Model, set *dataset.Set, all []answer.MemberPrediction, mean Mean) (*answer.Prediction, []int, error) {
	for i := range all {
		train, _, err := model.SplitRows(&models[all[i].Model].Document.Members[all[i].Member], set)
		if err != nil {
			return nil, nil, err
		}
		all[i].Learned = make([]bool, set.Len())
		for _, r := range train {
			all[i].Learned[r] = true
		}
	}
	p := mean(all, set.Len())
	var rows []int
	for r := range set.Len() {
		if !slices.ContainsFunc(p.Row(r), func(v float32) bool { return v != v }) {
			rows = append(rows, r)
		}
	}
	return p, rows, nil
}

// Unseen answers the models' data, each row by those members alone that have not learned from it. rows are those that some
// member has held out and for which every column is answered. known is as that of
// [model.HeldOutRows].
func Unseen(models []*model.Model, set *dataset.Set, all []answer.MemberPrediction, mean Mean) (p *answer.Prediction, rows []int, known bool, err error) {
	if p, rows, err = outOfFold(models, set, all, mean); err == nil {
		rows, err = model.ValidatedBySome(models, set, rows)
	}
	if err != nil {
		return nil, nil, false, err
	}
	if len(rows) > 0 && model.SeenBefore(models, set) {
		return p, nil, false, nil
	}
	return p, rows, true, nil
}

// HeldOutAnswers answers the rows of the set that models were trained on which they haven't learned from, those of folds by the
// members that haven't; or, where there are none, or these aren't known, every row, and held is false.
func HeldOutAnswers(ctx context.Context, e *answer.Ensemble, set *dataset.Set, tick answer.Tick) (part *dataset.Set, p *answer.Prediction, held bool, err error) {
	models := e.Models()
	if slices.ContainsFunc(models, (*model.Model).InFolds) && !model.SeenBefore(models, set) {
		all, rows, err := OutOfFold(ctx, e, set, tick)
		if err == nil {
			rows, err = model.ValidatedBySome(models, set, rows)
		}
		if err != nil {
			return nil, nil, false, err
		}
		p = &answer.Prediction{Columns: all.Columns}
		for _, r := range rows {
			p.Points = append(p.Points, all.Row(r)...)
		}
		part, err = set.Select(rows)
		return part, p, true, err
	}
	rows, _, err := model.HeldOutRows(models, set)
	if err != nil {
		return nil, nil, false, err
	}
	if held = len(rows) > 0; !held {
		rows = allRows(set.Len())
	}
	part, p, err = answerRows(ctx, e, set, rows, tick)
	return part, p, held, err
}

// answerRows answers some rows of a set.
func answerRows(ctx context.Context, e *answer.Ensemble, set *dataset.Set, rows []int, tick answer.Tick) (*dataset.Set, *answer.Prediction, error) {
	part, err := set.Select(rows)
	if err != nil {
		return nil, nil, err
	}
	p, err := e.Answer(ctx, part, tick)
	return part, p, err
}

// HeldOutScore is [Evaluation.HeldOut] alone, of models that were trained on
// the set: only the rows held out are answered.
func HeldOutScore(ctx context.Context, e *answer.Ensemble, set *dataset.Set, tick answer.Tick) (*Score, error) {
	models := e.Models()
	for _, m := range models {
		if difference := m.Provenance.Data.Difference(set); difference != "" {
			return nil, errors.New(difference)
		}
	}
	rows, known, err := model.HeldOutRows(models, set)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, fmt.Errorf("%s: the weights had been trained before, maybe on the rows held out too", set.Source)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: found no row that was held out, want some", set.Source)
	}
	part, p, err := answerRows(ctx, e, set, rows, tick)
	if err != nil {
		return nil, err
	}
	score := NewScorer(models[0].Document, 0, part, MeanFace(models, set)).score(p, allRows(part.Len()))
	return &score, nil
}
