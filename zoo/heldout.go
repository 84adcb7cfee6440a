package zoo

import (
	"context"
	"slices"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// unknownData stands for the checksum of data that isn't known, or of which it isn't known which rows were learned from.
const unknownData = ""

// before are the checksums of the data that the weights had seen before this training.
func (p *Provenance) before() []string {
	if p.Start != "" && len(p.StartData) == 0 { // written before it was recorded
		return []string{unknownData}
	}
	return p.StartData
}

// seen are the checksums of all data that the weights have seen.
func (p *Provenance) seen() []string {
	own := []string{p.Data.Checksum}
	if len(p.Merged) > 0 {
		own = nil
		for _, m := range p.Merged {
			own = append(own, m.Data)
		}
	}
	return union(p.before(), own)
}

// union is a copy of a with what b has more, in their order.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, c := range b {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// startSaw tells whether the weights may have been trained on the data of that checksum before this training: on who knows
// which of its rows.
func (p *Provenance) startSaw(checksum string) bool {
	before := p.before()
	return slices.Contains(before, checksum) || slices.Contains(before, unknownData)
}

// goOnWith notes that training goes on with other data, which may have rows of that before.
func (p *Provenance) goOnWith(data DataFrom) {
	p.StartData = union(p.seen(), []string{unknownData})
	p.Data = data
}

// seenBefore tells whether the weights of some model may have been trained on the set before the training that is recorded.
func seenBefore(models []*Model, set *dataset.Set) bool {
	return slices.ContainsFunc(models, func(m *Model) bool { return m.Provenance.startSaw(set.Checksum) })
}

// heldOut are the rows of the set that no member of any model was trained on, and that some member validated on; none where
// the set is not their data. known is false, and there are none either, where the weights of one may have learned from these
// rows before.
func heldOut(models []*Model, set *dataset.Set) (rows []int, known bool, err error) {
	for _, m := range models {
		if m.Provenance.Data.Checksum == "" || m.Provenance.Data.Checksum != set.Checksum {
			return nil, true, nil
		}
	}
	trained, validated, err := splitOf(models, set)
	if err != nil {
		return nil, false, err
	}
	for r := range trained {
		if validated[r] && !trained[r] {
			rows = append(rows, r)
		}
	}
	if len(rows) > 0 && seenBefore(models, set) {
		return nil, false, nil
	}
	return rows, true, nil
}

// unseen answers the models' data, each row by those members alone that have not learned from it. rows are those that some
// member has held out and for which every column is answered. known is as heldOut's.
func unseen(models []*Model, set *dataset.Set, all []memberPrediction) (p *Prediction, rows []int, known bool, err error) {
	if p, rows, err = outOfFold(models, set, all); err == nil {
		rows, err = validatedBySome(models, set, rows)
	}
	if err != nil {
		return nil, nil, false, err
	}
	if len(rows) > 0 && seenBefore(models, set) {
		return p, nil, false, nil
	}
	return p, rows, true, nil
}

// validatedBySome are those of the rows that some member has held out.
func validatedBySome(models []*Model, set *dataset.Set, rows []int) ([]int, error) {
	_, validated, err := splitOf(models, set)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r int) bool { return !validated[r] }), nil
}

// splitOf tells of each row whether some member has learned from it, and whether some has held it out.
func splitOf(models []*Model, set *dataset.Set) (trained, validated []bool, err error) {
	trained, validated = make([]bool, set.Len()), make([]bool, set.Len())
	for _, m := range models {
		for i := range m.Document.Members {
			train, validation, err := rowsOf(&m.Document.Members[i], set)
			if err != nil {
				return nil, nil, err
			}
			for _, r := range train {
				trained[r] = true
			}
			for _, r := range validation {
				validated[r] = true
			}
		}
	}
	return trained, validated, nil
}

// HeldOutAnswers answers the rows of the set that a model was trained on which it hasn't learned from, those of folds by the
// members that haven't; or, where there are none, or these aren't known, every row, and held is false.
func HeldOutAnswers(ctx context.Context, m *Model, set *dataset.Set, o PredictOptions) (part *dataset.Set, p *Prediction, held bool, err error) {
	models := []*Model{m}
	if m.folded() && !seenBefore(models, set) {
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
	rows, _, err := heldOut(models, set)
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
