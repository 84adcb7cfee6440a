package kaggle

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/twins"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Estimate is what a submission is likely to score, by faces that the answering
// members have not learned from. Errors are in pixels.
type Estimate struct {
	Faces    int               `json:"faces"`
	Cells    int               `json:"cells"` // filled ones
	All      Interval          `json:"all"`
	Kinds    []KindEstimate    `json:"kinds"`
	Features []FeatureEstimate `json:"features"`
	Alike    *AlikeEstimate    `json:"near_duplicates,omitempty"` // nil: there are none
	Blend    *Blend            `json:"blend,omitempty"`
	Leak     *submission.Leak  `json:"leak,omitempty"` // for the caller to fill in: see [Leaks]
}

// Interval is a root of the mean squared error, and where 95 of 100 of them lie
// when the faces are drawn again, with replacement.
type Interval struct {
	RMSE float64 `json:"rmse_pixels"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// AlikeEstimate tells of the faces that are the same as one that an answering
// member has learned from, or nearly the same: frames of one video in two folds.
// They make an estimate too good.
type AlikeEstimate struct {
	Faces  int      `json:"faces"`
	Others Interval `json:"others"` // the estimate without them; zero where no face is left
}

// Kinds of faces: with more than half of the points marked, or asked for, and
// with fewer. In the competition's data they were marked by different people.
const (
	manyPoints = iota
	fewPoints
	kinds
)

var kindNames = [kinds]string{"many points", "few points"}

// KindEstimate is the error on one kind of faces.
type KindEstimate struct {
	Name  string `json:"name"`
	Faces int    `json:"faces"`
	Asked int    `json:"asked_images"` // by the lookup table
	Interval
}

// FeatureEstimate is the error in one column.
type FeatureEstimate struct {
	Name  string `json:"name"`
	Cells int    `json:"cells"`
	Asked int    `json:"asked_rows"` // by the lookup table
	Interval
}

// Blend is the mean of the models with the least error on these faces, weights
// not below 0 and 1 in all. Fitted to them, it is a little too good there.
type Blend struct {
	Weights []float64 `json:"weights"`     // of each model
	Each    []float64 `json:"rmse_pixels"` // of each model alone
	Interval
}

// drawings is how many times the faces are drawn again.
const drawings = 1000

// EstimateScore estimates the score of a submission by these models from the data
// they were trained on: by the rows that folds, or a validation share, held out.
// With a lookup table, which may be nil, each column and kind of face counts as
// often as the table asks for it; a column that has no cell of a kind counts as
// in the other. With blend the best weights of the models are looked for too.
func EstimateScore(ctx context.Context, with *answer.Ensemble, set *dataset.Set, lookup *submission.Lookup, blend bool, tick answer.Tick) (*Estimate, error) {
	models := with.Models()
	for _, m := range models {
		if m.Provenance.Data.Checksum != set.Checksum {
			return nil, fmt.Errorf("%s: found other data than that of the training of %s, %s", set.Source, m.Document.Name, m.Provenance.Data.Source)
		}
		if m.Provenance.SawBefore(set.Checksum) {
			return nil, fmt.Errorf("%s: found weights that had been trained before, maybe on rows of %s that were held out later; want rows that no member has learned from", m.Document.Name, set.Source)
		}
	}
	all, err := with.Members(ctx, set, tick)
	if err != nil {
		return nil, err
	}
	p, rows, _, err := measure.Unseen(models, set, all, with.Mean)
	if err != nil {
		return nil, err
	}
	e := &estimator{set: set, columns: p.Columns, rows: rows, asked: askedBy(lookup, p.Columns)}
	if lookup != nil && e.total() == 0 {
		return nil, fmt.Errorf("%s: found none of the model's columns among the features", lookup.Source)
	}
	out := e.estimate(p)
	if out.Cells == 0 {
		return nil, fmt.Errorf("%s: found no row that no member has learned from: train with folds or a validation share", set.Source)
	}
	if lookup != nil {
		for i := range lookup.Images {
			out.Kinds[kindOf(lookup.Asked(i), len(lookup.Features))].Asked++
		}
	}
	if out.Alike, err = e.alike(ctx, p, all); err != nil {
		return nil, err
	}
	if blend {
		if out.Blend, err = e.blend(models, all); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// alike looks for faces that a member answers that has learned from one like them.
func (e *estimator) alike(ctx context.Context, p *answer.Prediction, all []answer.MemberPrediction) (*AlikeEstimate, error) {
	first, err := twins.Alike(ctx, e.set)
	if err != nil {
		return nil, err
	}
	known := make([]bool, e.set.Len())
	for _, m := range all {
		learned := make([]bool, e.set.Len()) // some row of those that are alike, by the first of them
		for r, yes := range m.Learned {
			learned[first[r]] = learned[first[r]] || yes
		}
		for r, yes := range m.Learned {
			known[r] = known[r] || !yes && learned[first[r]]
		}
	}
	others := *e
	others.rows = slices.DeleteFunc(slices.Clone(e.rows), func(r int) bool { return known[r] })
	out := &AlikeEstimate{Faces: len(e.rows) - len(others.rows)}
	if out.Faces == 0 {
		return nil, nil
	}
	out.Others = others.intervals(others.faces(p), []measured{{-1, -1}})[0]
	return out, nil
}

func kindOf(points, of int) int {
	if 2*points > of {
		return manyPoints
	}
	return fewPoints
}

// askedBy counts the rows of a table by kind and column; all are 0 without one.
func askedBy(lookup *submission.Lookup, columns []string) [kinds][]float64 {
	var out [kinds][]float64
	for k := range out {
		out[k] = make([]float64, len(columns))
	}
	if lookup == nil {
		return out
	}
	for i := range lookup.Images {
		kind := kindOf(lookup.Asked(i), len(lookup.Features))
		for r := range lookup.Rows(i) {
			if c := slices.Index(columns, lookup.Features[lookup.Feature(r)]); c >= 0 {
				out[kind][c]++
			}
		}
	}
	return out
}

// estimator measures answers on some rows of a set.
type estimator struct {
	set     *dataset.Set
	columns []string
	rows    []int
	asked   [kinds][]float64
}

func (e *estimator) total() (n float64) {
	for _, asked := range e.asked {
		for _, a := range asked {
			n += a
		}
	}
	return n
}

// squares are summed squared errors and counts, by kind and column.
type squares struct {
	sum, n [kinds][]float64
}

func newSquares(columns int) *squares {
	s := &squares{}
	for k := range kinds {
		s.sum[k], s.n[k] = make([]float64, columns), make([]float64, columns)
	}
	return s
}

// face is the squared errors of one row; NaN where the cell is empty.
type face struct {
	kind    int
	squares []float64
}

func (s *squares) add(f *face) {
	for c, d := range f.squares {
		if d == d {
			s.sum[f.kind][c] += d
			s.n[f.kind][c]++
		}
	}
}

// mean is the mean squared error of some columns and kinds. Without a table each
// cell counts once; with one, as often as it asks.
func (e *estimator) mean(s *squares, column, kind int) float64 {
	weighted := e.total() > 0
	var sum, n float64
	for c := range e.columns {
		if column >= 0 && c != column {
			continue
		}
		both, cells := 0.0, 0.0
		for k := range kinds {
			both += s.sum[k][c]
			cells += s.n[k][c]
		}
		for k := range kinds {
			if kind >= 0 && k != kind {
				continue
			}
			if !weighted {
				sum += s.sum[k][c]
				n += s.n[k][c]
				continue
			}
			mse := both / cells
			if s.n[k][c] > 0 {
				mse = s.sum[k][c] / s.n[k][c]
			}
			if a := e.asked[k][c]; a > 0 && cells > 0 {
				sum += a * mse
				n += a
			}
		}
	}
	return math.Sqrt(sum / n) // NaN where there is nothing
}

// miss is by how much an answer's column c misses the set's column at, in pixels
// of the picture that the row was read from, as a submission's are.
func (e *estimator) miss(p *answer.Prediction, row, c, at int) float64 {
	return float64(e.set.Scale(row).Along(p.Columns[c])) * (float64(p.Row(row)[c]) - float64(e.set.Row(row)[at]))
}

// faces gives the squared errors of the rows.
func (e *estimator) faces(p *answer.Prediction) []face {
	out := make([]face, len(e.rows))
	for i, r := range e.rows {
		f := face{squares: make([]float64, len(e.columns))}
		filled := 0
		for _, v := range e.set.Row(r) {
			if !math.IsNaN(float64(v)) {
				filled++
			}
		}
		f.kind = kindOf(filled, len(e.set.Columns))
		for c, name := range e.columns {
			d := math.NaN()
			if at := e.set.Column(name); at >= 0 {
				d = e.miss(p, r, c, at)
			}
			f.squares[c] = d * d
		}
		out[i] = f
	}
	return out
}

// measured is what an interval is of: a column or -1, a kind or -1.
type measured struct{ column, kind int }

// intervals measures parts, and again with the faces of each kind drawn anew.
func (e *estimator) intervals(faces []face, parts []measured) []Interval {
	measure := func(s *squares) []float64 {
		out := make([]float64, len(parts))
		for i, p := range parts {
			out[i] = e.mean(s, p.column, p.kind)
		}
		return out
	}
	whole := newSquares(len(e.columns))
	var byKind [kinds][]*face
	for i := range faces {
		whole.add(&faces[i])
		byKind[faces[i].kind] = append(byKind[faces[i].kind], &faces[i])
	}
	drawn := make([][]float64, len(parts))
	r := rand.New(rand.NewPCG(1, 1))
	for range drawings {
		s := newSquares(len(e.columns))
		for _, list := range byKind {
			for range list {
				s.add(list[r.IntN(len(list))])
			}
		}
		for i, v := range measure(s) {
			if v == v {
				drawn[i] = append(drawn[i], v)
			}
		}
	}
	out := make([]Interval, len(parts))
	for i, v := range measure(whole) {
		if n := len(drawn[i]); v == v && n > 0 {
			slices.Sort(drawn[i])
			out[i] = Interval{v, drawn[i][n*25/1000], drawn[i][min(n*975/1000, n-1)]}
		}
	}
	return out
}

// estimate measures answers whole, by kind and by column.
func (e *estimator) estimate(p *answer.Prediction) *Estimate {
	faces := e.faces(p)
	out := &Estimate{Faces: len(faces), Kinds: make([]KindEstimate, kinds)}
	parts := []measured{{-1, -1}}
	for k := range kinds {
		out.Kinds[k].Name = kindNames[k]
		parts = append(parts, measured{-1, k})
	}
	for c, name := range e.columns {
		f := FeatureEstimate{Name: name}
		for k := range kinds {
			f.Asked += int(e.asked[k][c])
		}
		out.Features = append(out.Features, f)
		parts = append(parts, measured{c, -1})
	}
	for i := range faces {
		out.Kinds[faces[i].kind].Faces++
		for c, d := range faces[i].squares {
			if d == d {
				out.Features[c].Cells++
				out.Cells++
			}
		}
	}
	found := e.intervals(faces, parts)
	out.All = found[0]
	for k := range kinds {
		out.Kinds[k].Interval = found[1+k]
	}
	for c := range out.Features {
		out.Features[c].Interval = found[1+kinds+c]
	}
	return out
}

// blend looks for the best weights of the models' own answers. Those that don't
// give all the columns can't be blended.
func (e *estimator) blend(models []*model.Model, all []answer.MemberPrediction) (*Blend, error) {
	rows := slices.Clone(e.rows)
	answers := make([]*answer.Prediction, len(models))
	for k, m := range models {
		var own []answer.MemberPrediction
		for _, p := range all {
			if p.Model == k {
				p.Model = 0
				own = append(own, p)
			}
		}
		p, seen, _, err := measure.Unseen([]*model.Model{m}, e.set, own, answer.Mean)
		if err != nil {
			return nil, err
		}
		if len(p.Columns) != len(e.columns) {
			return nil, fmt.Errorf("blend: found %d columns in %s and %d in all models, want the same in each", len(p.Columns), m.Document.Name, len(e.columns))
		}
		answers[k] = inOrder(p, e.columns)
		rows = slices.DeleteFunc(rows, func(r int) bool { _, ok := slices.BinarySearch(seen, r); return !ok })
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("blend: found no row that every model has held out: train them with the same folds")
	}
	b := &estimator{set: e.set, columns: e.columns, rows: rows, asked: e.asked}
	out := &Blend{Weights: bestWeights(b.products(answers))}
	mixed := &answer.Prediction{Columns: e.columns, Points: make([]float32, len(answers[0].Points))}
	for _, p := range answers {
		whole := newSquares(len(e.columns))
		faces := b.faces(p)
		for i := range faces {
			whole.add(&faces[i])
		}
		out.Each = append(out.Each, b.mean(whole, -1, -1))
	}
	for i := range mixed.Points {
		var v float64
		for k, p := range answers {
			v += out.Weights[k] * float64(p.Points[i])
		}
		mixed.Points[i] = float32(v)
	}
	out.Interval = b.intervals(b.faces(mixed), []measured{{-1, -1}})[0]
	return out, nil
}

// inOrder gives the columns in another order.
func inOrder(p *answer.Prediction, columns []string) *answer.Prediction {
	if slices.Equal(p.Columns, columns) {
		return p
	}
	out := &answer.Prediction{Columns: columns, Points: make([]float32, len(p.Points))}
	n := len(columns)
	for c, name := range columns {
		from := slices.Index(p.Columns, name)
		for at := 0; at < len(p.Points); at += n {
			out.Points[at+c] = p.Points[at+from]
		}
	}
	return out
}

// products are the mean products of each two models' errors, each cell weighted
// as in mean.
func (e *estimator) products(answers []*answer.Prediction) [][]float64 {
	whole := newSquares(len(e.columns))
	first := e.faces(answers[0])
	for i := range first {
		whole.add(&first[i])
	}
	weighted := e.total() > 0
	weight := func(kind, c int) float64 {
		if !weighted {
			return 1
		}
		return e.asked[kind][c] / whole.n[kind][c]
	}
	g := make([][]float64, len(answers))
	for k := range g {
		g[k] = make([]float64, len(answers))
	}
	errors := make([]float64, len(answers))
	for i, r := range e.rows {
		for c, name := range e.columns {
			at := e.set.Column(name)
			if at < 0 || math.IsNaN(float64(e.set.Row(r)[at])) {
				continue
			}
			for k, p := range answers {
				errors[k] = e.miss(p, r, c, at)
			}
			w := weight(first[i].kind, c)
			for k := range g {
				for j := range g {
					g[k][j] += w * errors[k] * errors[j]
				}
			}
		}
	}
	return g
}

// bestWeights minimizes w'Gw over weights not below 0 whose sum is 1: by
// coordinate descent on w'Gw/2 - sum(w), w not below 0, whose minimum has, but
// for its length, the same conditions (Karush-Kuhn-Tucker).
func bestWeights(g [][]float64) []float64 {
	n := len(g)
	var trace float64
	for i := range g {
		trace += g[i][i]
	}
	if trace == 0 { // no model errs
		return slices.Repeat([]float64{1 / float64(n)}, n)
	}
	scale := float64(n) / trace
	const ridge = 1e-9 // for a model without any error
	w := make([]float64, n)
	for range 100_000 {
		var most float64
		for i := range w {
			rest := 1.0
			for j, v := range w {
				if j != i {
					rest -= scale * g[i][j] * v
				}
			}
			v := max(0, rest/(scale*g[i][i]+ridge))
			most = max(most, math.Abs(v-w[i]))
			w[i] = v
		}
		if most < 1e-12 {
			break
		}
	}
	var sum float64
	for _, v := range w {
		sum += v
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}
