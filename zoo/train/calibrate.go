package train

import (
	"context"
	"fmt"
	"math"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/train/calibration"
)

// calibrate finds, once all members are trained, what their answers are shifted by, where their recipes say so, and how far off they are
// to be expected: a checkpoint, whose weights aren't those in the end, has neither. What fails here is no reason to lose the training, whose
// own figures stay as they are.
func (t *training) calibrate(ctx context.Context) {
	for i := range t.model.Document.Members {
		m := &t.model.Document.Members[i]
		if m.Recipe.Calibrate {
			if err := t.shift(ctx, i); err != nil {
				t.Watch.Warn(fmt.Sprintf("%s: not calibrated: %v", m.Name, err))
			}
		}
	}
	for i := range t.model.Document.Members {
		m := &t.model.Document.Members[i]
		if m.Boxes() {
			continue
		}
		u, err := t.calibration().Uncertainty(ctx, i)
		if err != nil {
			t.Watch.Warn(fmt.Sprintf("%s: how far off answers are to be expected isn't known: %v", m.Name, err))
			continue
		}
		before := t.model.Document
		t.change(i, func(o *blueprint.Output) { o.Uncertainty = u })
		if _, err := blueprint.NewPlan(t.model.Document, i, nil); err != nil { // answers that are off by millions of pixels
			t.model.Document = before
			t.Watch.Warn(fmt.Sprintf("%s: how far off answers are to be expected isn't known: %v", m.Name, err))
		}
	}
}

func (t *training) calibration() *calibration.Calibration {
	return &calibration.Calibration{Model: t.model, Data: t.Data, Backend: t.Options.Backend}
}

// shift takes from each column its mean error on the rows that the member has learned from.
func (t *training) shift(ctx context.Context, index int) error {
	off, err := t.calibration().Shift(ctx, index)
	if err != nil {
		return err
	}
	most := 0
	for k, v := range off {
		if math.Abs(v) > math.Abs(off[most]) {
			most = k
		}
	}
	member := &t.model.Document.Members[index]
	t.Watch.Note(fmt.Sprintf("%s: calibrated: each column's mean error on the rows trained on is taken from the answers, at most %.3f pixels (%s)",
		member.Name, math.Abs(off[most]), member.Columns[most]))
	t.change(index, func(o *blueprint.Output) {
		if len(o.Shift) == 0 {
			o.Shift = make([]float64, len(off))
		}
		for k, v := range off {
			o.Shift[k] -= v
		}
	})
	return nil
}

// change changes a member's output in a document of the model's own.
func (t *training) change(index int, how func(*blueprint.Output)) {
	d := t.model.Document.Clone()
	how(&d.Members[index].Output)
	t.model.Document = d
}
