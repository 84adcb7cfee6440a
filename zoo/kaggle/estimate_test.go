package kaggle

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// foldedModel is a linear model in folds whose weights are drawn, of that data.
func foldedModel(t *testing.T, set *dataset.Set, seed uint64, columns []string) *model.Model {
	t.Helper()
	var members []zootest.Network
	for f := 1; f <= 3; f++ {
		members = append(members, zootest.Net(fmt.Sprintf("net-fold%d", f), columns, zootest.Linear, zootest.Recipe(fmt.Sprintf(`"fold": {"number": %d, "of": 3}`, f)), ""))
	}
	m := zootest.WithWeights(t, seed, members...)
	m.Provenance.Data = model.DataFrom{Source: set.Source, Checksum: set.Checksum}
	return m
}

// sparse are faces of which every third has no point but the nose.
func sparse(n int) *dataset.Set {
	set := zootest.Faces(n, zootest.Every, 9)
	for r := 0; r < n; r += 3 {
		for c := range zootest.Eyes {
			set.Row(r)[c] = float32(math.NaN())
		}
	}
	set.Checksum = set.Sum()
	return set
}

// askedLookup asks for everything of two images, and for the nose of five.
func askedLookup(t *testing.T) *submission.Lookup {
	t.Helper()
	var text strings.Builder
	text.WriteString("RowId,ImageId,FeatureName\n")
	row := 0
	for image := range 7 {
		columns := zootest.Nose
		if image < 2 {
			columns = zootest.Every
		}
		for _, c := range columns {
			row++
			fmt.Fprintf(&text, "%d,%d,%s\n", row, image, c)
		}
	}
	lookup, err := submission.ReadLookup(zootest.WriteText(t, "lookup.csv", text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return lookup
}

// The estimate is the error of each row's own fold, counted as the table asks.
func TestEstimateScore(t *testing.T) {
	set := sparse(60)
	m := foldedModel(t, set, 1, zootest.Every)
	lookup := askedLookup(t)
	p, rows, err := measure.OutOfFold(t.Context(), answertest.Open(t, m), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		kind   int
		column string
	}
	sum, n := map[key]float64{}, map[key]float64{}
	var plain, cells float64
	for _, r := range rows {
		filled := 0
		for _, v := range set.Row(r) {
			if v == v {
				filled++
			}
		}
		kind := fewPoints
		if filled > 3 {
			kind = manyPoints
		}
		for c, name := range zootest.Every {
			if v := set.Row(r)[c]; v == v {
				d := float64(p.Row(r)[c] - v)
				sum[key{kind, name}] += d * d
				n[key{kind, name}]++
				plain += d * d
				cells++
			}
		}
	}
	var asked, total float64
	for kind, images := range []float64{manyPoints: 2, fewPoints: 5} {
		columns := zootest.Every
		if kind == fewPoints {
			columns = zootest.Nose
		}
		for _, c := range columns {
			asked += images
			total += images * sum[key{kind, c}] / n[key{kind, c}]
		}
	}
	for _, c := range []struct {
		name   string
		lookup *submission.Lookup
		want   float64
	}{{"as the cells are", nil, math.Sqrt(plain / cells)}, {"as the table asks", lookup, math.Sqrt(total / asked)}} {
		e, err := EstimateScore(t.Context(), answertest.Open(t, m), set, c.lookup, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !zootest.Near(e.All.RMSE, c.want, 1e-5) || e.Faces != len(rows) || e.Cells != int(cells) {
			t.Errorf("%s: found %+v, %d faces, %d cells, want %g, %d, %g", c.name, e.All, e.Faces, e.Cells, c.want, len(rows), cells)
		}
		for _, i := range []Interval{e.All, e.Kinds[0].Interval, e.Kinds[1].Interval, e.Features[0].Interval} {
			if !(i.Low > 0 && i.Low < i.RMSE && i.RMSE < i.High && i.High < 2*i.RMSE) {
				t.Errorf("%s: found the interval %+v", c.name, i)
			}
		}
		if c.lookup != nil && (e.Kinds[manyPoints].Asked != 2 || e.Kinds[fewPoints].Asked != 5 || e.Features[5].Asked != 7 || e.Features[0].Asked != 2) {
			t.Errorf("found %+v and %+v", e.Kinds, e.Features)
		}
		again, err := EstimateScore(t.Context(), answertest.Open(t, m), set, c.lookup, false, nil)
		if err != nil || again.All != e.All {
			t.Errorf("%s: found %+v the second time, want %+v", c.name, again.All, e.All)
		}
	}
}

// A face that lies in another fold too is said, and measured apart.
func TestEstimateNamesNearDuplicates(t *testing.T) {
	set := zootest.Faces(60, zootest.Every, 9)
	estimate := func(m *model.Model) *Estimate {
		t.Helper()
		e, err := EstimateScore(t.Context(), answertest.Open(t, m), set, nil, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if e := estimate(foldedModel(t, set, 1, zootest.Every)); e.Alike != nil {
		t.Errorf("different faces: found %+v", e.Alike)
	}
	pixels := func(r int) []uint8 { return set.Bytes[r*set.Pixels() : (r+1)*set.Pixels()] }
	same := map[int]int{} // each face's copy
	for r := range 12 {
		copy(pixels(59-r), pixels(r))
		same[r], same[59-r] = 59-r, r
	}
	set.Checksum = set.Sum()
	m := foldedModel(t, set, 1, zootest.Every)
	e := estimate(m)
	p, rows, err := measure.OutOfFold(t.Context(), answertest.Open(t, m), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	fold := map[int]int{} // that holds the row out
	for i := range m.Document.Members {
		_, held, err := model.SplitRows(&m.Document.Members[i], set)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range held {
			fold[r] = i + 1
		}
	}
	twice := 0
	var sum, cells float64
	for _, r := range rows {
		// A row that no fold holds out has taught no member: here it lacks cells.
		if other, ok := same[r]; ok && fold[other] > 0 && fold[other] != fold[r] {
			twice++
			continue
		}
		for c, v := range set.Row(r) {
			if v == v {
				d := float64(p.Row(r)[c] - v)
				sum += d * d
				cells++
			}
		}
	}
	if twice == 0 || e.Alike == nil || e.Alike.Faces != twice || !zootest.Near(e.Alike.Others.RMSE, math.Sqrt(sum/cells), 1e-5) {
		t.Errorf("found %+v, want %d faces and %g without them", e.Alike, twice, math.Sqrt(sum/cells))
	}
}

// The drawn interval is that of the formula: for independent cells of one column
// the mean squared error's standard error is that of a mean.
func TestIntervalIsThatOfTheFormula(t *testing.T) {
	const n = 2000
	set := &dataset.Set{Columns: []string{"a_x"}, Height: 1, Width: 1, Channels: 1}
	p := &answer.Prediction{Columns: set.Columns}
	var sum, squares float64
	e := &estimator{set: set, columns: set.Columns, asked: askedBy(nil, set.Columns)}
	for i := range n {
		d := float64(i%100) / 10
		set.Points, p.Points = append(set.Points, 0), append(p.Points, float32(d))
		set.IDs, e.rows = append(set.IDs, ""), append(e.rows, i)
		sum += d * d
		squares += d * d * d * d
	}
	mse := sum / n
	spread := 1.96 * math.Sqrt((squares/n-mse*mse)/n)
	got := e.intervals(e.faces(p), []measured{{-1, -1}})[0]
	if !zootest.Near(got.RMSE, math.Sqrt(mse), 1e-6) || !zootest.Near(got.Low, math.Sqrt(mse-spread), 0.02) || !zootest.Near(got.High, math.Sqrt(mse+spread), 0.02) {
		t.Errorf("found %+v, want %g from %g to %g", got, math.Sqrt(mse), math.Sqrt(mse-spread), math.Sqrt(mse+spread))
	}
}

func TestBlend(t *testing.T) {
	set := sparse(90)
	a, b := foldedModel(t, set, 1, zootest.Every), foldedModel(t, set, 2, zootest.Every)
	e, err := EstimateScore(t.Context(), answertest.Open(t, a, b), set, nil, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	// No other pair of weights does better.
	pa, rows, err := measure.OutOfFold(t.Context(), answertest.Open(t, a), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	pb, _, err := measure.OutOfFold(t.Context(), answertest.Open(t, b), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	rmse := func(w float64) float64 {
		var sum, n float64
		for _, r := range rows {
			for c, v := range set.Row(r) {
				if v == v {
					d := w*float64(pa.Row(r)[c]) + (1-w)*float64(pb.Row(r)[c]) - float64(v)
					sum += d * d
					n++
				}
			}
		}
		return math.Sqrt(sum / n)
	}
	best := math.Inf(1)
	for w := 0.0; w <= 1.00001; w += 0.001 {
		best = min(best, rmse(w))
	}
	w := e.Blend.Weights
	if !zootest.Near(w[0]+w[1], 1, 1e-9) || w[0] < 0 || w[1] < 0 || e.Blend.RMSE > best+1e-5 || !zootest.Near(e.Blend.RMSE, rmse(w[0]), 1e-5) {
		t.Errorf("found %+v, want an error of %g", e.Blend, best)
	}
	if !zootest.Near(e.Blend.Each[0], rmse(1), 1e-5) || !zootest.Near(e.Blend.Each[1], rmse(0), 1e-5) {
		t.Errorf("found %v, want %g and %g", e.Blend.Each, rmse(1), rmse(0))
	}
}

func TestBestWeights(t *testing.T) {
	for _, c := range []struct {
		g    [][]float64
		want []float64
	}{
		{[][]float64{{4}}, []float64{1}},
		{[][]float64{{1, 0}, {0, 3}}, []float64{0.75, 0.25}}, // by the inverse variances
		{[][]float64{{1, 2}, {2, 9}}, []float64{1, 0}},       // the second would have a weight below 0
		{[][]float64{{2, 1}, {1, 2}}, []float64{0.5, 0.5}},   // alike
		{[][]float64{{1, 0, 0}, {0, 2, 0}, {0, 0, 4}}, []float64{4. / 7, 2. / 7, 1. / 7}},
		{[][]float64{{0, 0}, {0, 0}}, []float64{0.5, 0.5}},
	} {
		for i, w := range bestWeights(c.g) {
			if !zootest.Near(w, c.want[i], 1e-6) {
				t.Errorf("%v: found weight %d %g, want %g", c.g, i, w, c.want[i])
			}
		}
	}
}

func TestEstimateRefuses(t *testing.T) {
	set := sparse(30)
	m := foldedModel(t, set, 1, zootest.Every)
	other := sparse(33)
	started := foldedModel(t, set, 1, zootest.Every)
	started.Provenance.Start, started.Provenance.StartData = "abc", []string{set.Checksum}
	all := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(`"validation": 0`), ""))
	all.Provenance.Data = m.Provenance.Data
	noses := foldedModel(t, set, 1, zootest.Nose)
	mouth, err := submission.ReadLookup(zootest.WriteText(t, "l.csv", "RowId,ImageId,FeatureName\n1,1,mouth_x\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		models []*model.Model
		set    *dataset.Set
		lookup *submission.Lookup
		blend  bool
		want   string
	}{
		{"other data", []*model.Model{m}, other, nil, false, "found other data than that of the training"},
		{"a start that has seen it", []*model.Model{started}, set, nil, false, "found weights that had been trained before, maybe on rows of"},
		{"nothing held out", []*model.Model{all}, set, nil, false, "found no row that no member has learned from"},
		{"other features", []*model.Model{m}, set, mouth, false, "found none of the model's columns among the features"},
		{"blend of other columns", []*model.Model{m, noses}, set, nil, true, "blend: found 2 columns in tiny and 6 in all models"},
	} {
		if _, err := EstimateScore(t.Context(), answertest.Open(t, c.models...), c.set, c.lookup, c.blend, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: found error %v, want %s", c.name, err, c.want)
		}
	}
}

// Errors are in pixels of the pictures, whatever size the network's images have.
func TestEstimateScaled(t *testing.T) {
	set := sparse(30)
	models := []*model.Model{foldedModel(t, set, 1, zootest.Every), foldedModel(t, set, 2, zootest.Every)}
	estimate := func(scale dataset.Scale) *Estimate {
		scaled := *set
		scaled.Scales = slices.Repeat([]dataset.Scale{scale}, set.Len())
		e, err := EstimateScore(t.Context(), answertest.Open(t, models...), &scaled, nil, true, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	own, half, flat := estimate(dataset.Scale{X: 1, Y: 1}), estimate(dataset.Scale{X: 0.5, Y: 0.5}), estimate(dataset.Scale{X: 1, Y: 0.25})
	if !zootest.Near(half.All.RMSE, own.All.RMSE/2, 1e-6) || !zootest.Near(half.Blend.RMSE, own.Blend.RMSE/2, 1e-6) {
		t.Errorf("found %g and blended %g at half the size, want half of %g and %g", half.All.RMSE, half.Blend.RMSE, own.All.RMSE, own.Blend.RMSE)
	}
	for i, f := range flat.Features {
		want := own.Features[i].RMSE
		if strings.HasSuffix(f.Name, "_y") {
			want /= 4
		}
		if !zootest.Near(f.RMSE, want, 1e-6) {
			t.Errorf("%s: found %g, want %g", f.Name, f.RMSE, want)
		}
	}
}

// The estimate is that of the mean by the models' weights.
func TestEstimateWeights(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 9)
	a, b := foldedModel(t, set, 1, zootest.Every), foldedModel(t, set, 2, zootest.Every)
	of := func(weights []float64, models ...*model.Model) float64 {
		t.Helper()
		e, err := EstimateScore(t.Context(), answertest.OpenWith(t, answer.Options{Weights: weights}, models...), set, nil, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e.All.RMSE
	}
	if got, want := of([]float64{2, 1}, a, b), of(nil, a, a, b); !zootest.Near(got, want, 1e-5) || zootest.Near(got, of(nil, a, b), 1e-4) {
		t.Errorf("found %g with weights, want %g", got, want)
	}
}
