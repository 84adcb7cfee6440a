package answer_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// The mean of members and models, by the members' weights, is that of the
// formulas; columns are the first model's, then what others add.
func TestPredictAgreesWithFormulas(t *testing.T) {
	set := zootest.Faces(70, zootest.Every, 9) // more than one batch of predictions
	member := func(name string, columns []string, more string) zootest.Network {
		return zootest.Net(name, columns, zootest.Linear, zootest.Recipe(""), more)
	}
	all := zootest.WithWeights(t, 1, member("net", zootest.Every, ""))
	eyesOnly := zootest.WithWeights(t, 2, member("net", zootest.Eyes, ""))
	reversed := slices.Clone(zootest.Every)
	slices.Reverse(reversed)
	other := zootest.WithWeights(t, 3, member("net", reversed, `, "weight": 3`))
	several := zootest.WithWeights(t, 4, member("a", zootest.Nose, `, "weight": 0.25`), member("b", zootest.Every, `, "weight": 2`), member("c", []string{"mouth_x"}, ""))
	floats := *set
	floats.Bytes = nil
	for _, v := range set.Bytes {
		floats.Floats = append(floats.Floats, float32(v))
	}
	for _, c := range []struct {
		name    string
		set     *dataset.Set
		models  []*model.Model
		columns []string
	}{
		{"one", set, []*model.Model{all}, zootest.Every},
		{"fractions", &floats, []*model.Model{all}, zootest.Every},
		{"twice the same", set, []*model.Model{all, all}, zootest.Every},
		{"fewer columns first", set, []*model.Model{eyesOnly, all}, zootest.Every},
		{"fewer columns last", set, []*model.Model{all, eyesOnly}, zootest.Every},
		{"another order and weight", set, []*model.Model{other, all}, reversed},
		{"several members", set, []*model.Model{several, eyesOnly}, slices.Concat(zootest.Nose, zootest.Eyes, []string{"mouth_x"})},
	} {
		t.Run(c.name, func(t *testing.T) {
			last := 0
			p, err := answertest.Open(t, c.models...).Answer(t.Context(), c.set, func(done, total int) {
				if done <= last || done > total {
					t.Errorf("progress goes from %d to %d of %d", last, done, total)
				}
				last = done
			})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(p.Columns, c.columns) {
				t.Errorf("found columns %v, want %v", p.Columns, c.columns)
			}
			want := zootest.MeanAnswer(set, c.models...)
			for r := range set.Len() {
				for i, name := range p.Columns {
					if got := float64(p.Row(r)[i]); !zootest.Near(got, want[name][r], 2e-6) {
						t.Fatalf("row %d, %s: found %g, want %g", r, name, got, want[name][r])
					}
				}
			}
		})
	}
}

func TestPredictRefuses(t *testing.T) {
	set := zootest.Faces(3, zootest.Every, 9)
	large := zootest.Faces(1, zootest.Every, 9)
	large.Height, large.Width = 4, 16
	m := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	broken := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	broken.Weights["net/out/bias"].Data[2] = float32(math.Inf(1))
	lacking := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	delete(lacking.Weights, "net/out/bias")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		models []*model.Model
		set    *dataset.Set
		want   string
	}{
		{"no model", t.Context(), nil, set, "found no model"},
		{"another size", t.Context(), []*model.Model{m}, large, "member net: images: found 4x16"},
		{"no finite answer", t.Context(), []*model.Model{m, broken}, set, "member net: found +Inf as the answer for image \"1\", want a finite number"},
		{"no tensor", t.Context(), []*model.Model{lacking}, set, "tensor net/out/bias: missing"},
		{"ended", ended, []*model.Model{m}, set, context.Canceled.Error()},
	} {
		e, err := answer.Open(t.Context(), c.models, answer.Options{Backend: zootest.GoBackend(t)})
		if err == nil {
			_, err = e.Answer(c.ctx, c.set, nil)
			zootest.WantError(t, c.name, err, nil, c.want)
			_, _, err = measure.Evaluate(c.ctx, e, c.set, nil)
			_ = e.Close()
		}
		zootest.WantError(t, c.name, err, nil, c.want)
	}
	none, err := set.Select(nil)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := answertest.Open(t, m).Answer(t.Context(), none, nil); err != nil || len(p.Points) != 0 || len(p.Columns) != 6 {
		t.Errorf("no rows: found %v, %v", p, err)
	}
}

// Answers in the pixels of a picture of another size are scaled by axis.
func TestOriginal(t *testing.T) {
	set := zootest.Faces(2, nil, 1)
	set.Scales = []dataset.Scale{{X: 2, Y: 0.5}, {X: 1, Y: 3}}
	p := &answer.Prediction{Columns: []string{"a_x", "a_y", "b_x"}, Points: []float32{1, 2, 3, 4, 5, 6}}
	for r, want := range [][]float32{{2, 1, 6}, {4, 15, 6}} {
		if got := p.Original(set, r); !slices.Equal(got, want) {
			t.Errorf("row %d: found %v, want %v", r, got, want)
		}
	}
	if !slices.Equal(p.Points, []float32{1, 2, 3, 4, 5, 6}) {
		t.Error("the prediction was changed")
	}
}
