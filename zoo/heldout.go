package zoo

import (
	"context"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// HeldOutAnswers answers the rows of the set that a model was trained on which it
// hasn't learned from, those of folds by the members that haven't; or, where it has
// learned from all, every row, and held is false.
func HeldOutAnswers(ctx context.Context, m *Model, set *dataset.Set, o PredictOptions) (part *dataset.Set, p *Prediction, held bool, err error) {
	models := []*Model{m}
	if m.folded() {
		all, rows, err := OutOfFold(ctx, models, set, o)
		if err == nil {
			rows, err = validatedBySome(models, set, rows)
		}
		if err != nil {
			return nil, nil, false, err
		}
		p = &Prediction{Columns: all.Columns}
		for _, r := range rows {
			p.Points = append(p.Points, all.Row(r)...)
		}
		part, err = set.Select(rows)
		return part, p, true, err
	}
	rows, err := heldOut(models, set)
	if err != nil {
		return nil, nil, false, err
	}
	if held = len(rows) > 0; !held {
		rows = allRows(set.Len())
	}
	part, p, err = predictRows(ctx, models, set, rows, o)
	return part, p, held, err
}

// predictRows answers some rows of a set.
func predictRows(ctx context.Context, models []*Model, set *dataset.Set, rows []int, o PredictOptions) (*dataset.Set, *Prediction, error) {
	part, err := set.Select(rows)
	if err != nil {
		return nil, nil, err
	}
	p, err := Predict(ctx, models, part, o)
	return part, p, err
}
