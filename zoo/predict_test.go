package zoo

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// withWeights is a model of linear members with weights drawn by the seed.
func withWeights(t testing.TB, seed uint64, members ...network) *Model {
	t.Helper()
	m := &Model{Document: document(t, members...), Weights: engine.Arrays{}}
	for i := range members {
		plan, err := blueprint.NewPlan(m.Document, i, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, a := range engine.InitialWeights(plan, seed) {
			m.Weights[name] = a
		}
		bias := m.Weights[members[i].name+"/out/bias"]
		for c := range bias.Data {
			bias.Data[c] = float32(seed)/10 - float32(c)/20
		}
	}
	return m
}

// The mean of members and models, by the members' weights, is that of the
// formulas; columns are the first model's, then what others add.
func TestPredictAgreesWithFormulas(t *testing.T) {
	set := faces(70, every, 9) // more than one batch of predictions
	member := func(name string, columns []string, more string) network {
		return network{name, columns, linear, recipe(""), more}
	}
	all := withWeights(t, 1, member("net", every, ""))
	eyesOnly := withWeights(t, 2, member("net", eyes, ""))
	reversed := slices.Clone(every)
	slices.Reverse(reversed)
	other := withWeights(t, 3, member("net", reversed, `, "weight": 3`))
	several := withWeights(t, 4, member("a", nose, `, "weight": 0.25`), member("b", every, `, "weight": 2`), member("c", []string{"mouth_x"}, ""))
	floats := *set
	floats.Bytes = nil
	for _, v := range set.Bytes {
		floats.Floats = append(floats.Floats, float32(v))
	}
	for _, c := range []struct {
		name    string
		set     *dataset.Set
		models  []*Model
		columns []string
	}{
		{"one", set, []*Model{all}, every},
		{"fractions", &floats, []*Model{all}, every},
		{"twice the same", set, []*Model{all, all}, every},
		{"fewer columns first", set, []*Model{eyesOnly, all}, every},
		{"fewer columns last", set, []*Model{all, eyesOnly}, every},
		{"another order and weight", set, []*Model{other, all}, reversed},
		{"several members", set, []*Model{several, eyesOnly}, slices.Concat(nose, eyes, []string{"mouth_x"})},
	} {
		t.Run(c.name, func(t *testing.T) {
			last := 0
			p, err := Predict(t.Context(), c.models, c.set, PredictOptions{Backend: goBackend(t), Tick: func(done, total int) {
				if done <= last || done > total {
					t.Errorf("progress goes from %d to %d of %d", last, done, total)
				}
				last = done
			}})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(p.Columns, c.columns) {
				t.Errorf("found columns %v, want %v", p.Columns, c.columns)
			}
			want := meanAnswer(set, c.models...)
			for r := range set.Len() {
				for i, name := range p.Columns {
					if got := float64(p.Row(r)[i]); !near(got, want[name][r], 2e-6) {
						t.Fatalf("row %d, %s: found %g, want %g", r, name, got, want[name][r])
					}
				}
			}
		})
	}
}

// A flip average is the mean with the answer for the mirror image, turned back:
// by the formulas over images mirrored here.
func TestFlipAverage(t *testing.T) {
	set := faces(5, every, 9)
	m := withWeights(t, 1, network{"net", every, linear, recipe(""), ""})
	turned := *set
	turned.Bytes = nil
	for line := range slices.Chunk(set.Bytes, side) {
		for i := range line {
			turned.Bytes = append(turned.Bytes, line[len(line)-1-i])
		}
	}
	plain, flipped := meanAnswer(set, m), meanAnswer(&turned, m)
	before := slices.Clone(set.Bytes)
	predict := func(m *Model, s *dataset.Set) *Prediction {
		t.Helper()
		p, err := Predict(t.Context(), []*Model{m}, s, PredictOptions{Backend: goBackend(t), FlipAverage: true})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := predict(m, set)
	from := map[string]string{"left_eye_center_x": "right_eye_center_x", "left_eye_center_y": "right_eye_center_y",
		"right_eye_center_x": "left_eye_center_x", "right_eye_center_y": "left_eye_center_y", "nose_tip_x": "nose_tip_x", "nose_tip_y": "nose_tip_y"}
	for r := range set.Len() {
		for c, name := range p.Columns {
			v := flipped[from[name]][r]
			if name[len(name)-1] == 'x' {
				v = side - v
			}
			if want := (plain[name][r] + v) / 2; !near(float64(p.Row(r)[c]), want, 2e-6) {
				t.Errorf("row %d, %s: found %g, want %g", r, name, p.Row(r)[c], want)
			}
		}
	}
	if !slices.Equal(set.Bytes, before) {
		t.Error("the set's images were changed")
	}

	// The average for a mirrored image is the mirrored average: exactly, in each coordinate.
	q := predict(m, &turned)
	for r := range set.Len() {
		for c, name := range p.Columns {
			v := float64(q.Row(r)[slices.Index(q.Columns, from[name])])
			if name[len(name)-1] == 'x' {
				v = side - v
			}
			if !near(float64(p.Row(r)[c]), v, 1e-6) {
				t.Errorf("row %d, %s: found %g and %g for the mirror image, want them symmetrical", r, name, p.Row(r)[c], v)
			}
		}
	}

	// A shift is added to the average, and not turned; none may be written as no numbers.
	m.Document.Members[0].Output.Shift = []float64{}
	if q := predict(m, set); !slices.Equal(q.Points, p.Points) {
		t.Error("a shift of no numbers: found other answers")
	}
	shift := []float64{0.5, -1, 0, 2, 0.25, -3}
	m.Document.Members[0].Output.Shift = shift
	q = predict(m, set)
	for i, v := range q.Points {
		if want := float64(p.Points[i]) + shift[i%len(shift)]; !near(float64(v), want, 2e-6) {
			t.Errorf("shifted: found %g, want %g", v, want)
		}
	}

	// The recipe's own axis and pairs stand over those of the names.
	own := withWeights(t, 1, network{"net", []string{"a_x", "b_x"}, linear, recipe(`"augment": {"mirror": {"axis": 7, "pairs": [[0, 1]]}}`), ""})
	plain, flipped = meanAnswer(set, own), meanAnswer(&turned, own)
	p = predict(own, set)
	for r := range set.Len() {
		if want := (plain["a_x"][r] + 7 - flipped["b_x"][r]) / 2; !near(float64(p.Row(r)[0]), want, 2e-6) {
			t.Errorf("row %d: found %g, want %g", r, p.Row(r)[0], want)
		}
	}

	// Half a pair can't be mirrored.
	half := withWeights(t, 1, network{"net", eyes[:2], linear, recipe(""), ""})
	_, err := Predict(t.Context(), []*Model{half}, set, PredictOptions{Backend: goBackend(t), FlipAverage: true})
	wantError(t, "half a pair", err, nil, "member net: flip average: ")
}

func TestPredictRefuses(t *testing.T) {
	set := faces(3, every, 9)
	large := faces(1, every, 9)
	large.Height, large.Width = 4, 16
	m := withWeights(t, 1, network{"net", every, linear, recipe(""), ""})
	broken := withWeights(t, 1, network{"net", every, linear, recipe(""), ""})
	broken.Weights["net/out/bias"].Data[2] = float32(math.Inf(1))
	lacking := withWeights(t, 1, network{"net", every, linear, recipe(""), ""})
	delete(lacking.Weights, "net/out/bias")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		models []*Model
		set    *dataset.Set
		want   string
	}{
		{"no model", t.Context(), nil, set, "found no model"},
		{"another size", t.Context(), []*Model{m}, large, "member net: images: found 4x16"},
		{"no finite answer", t.Context(), []*Model{m, broken}, set, "member net: found +Inf as the answer for image \"1\", want a finite number"},
		{"no tensor", t.Context(), []*Model{lacking}, set, "tensor net/out/bias: missing"},
		{"ended", ended, []*Model{m}, set, context.Canceled.Error()},
	} {
		_, err := Predict(c.ctx, c.models, c.set, PredictOptions{Backend: goBackend(t)})
		wantError(t, c.name, err, nil, c.want)
		_, _, err = Evaluate(c.ctx, c.models, c.set, PredictOptions{Backend: goBackend(t)})
		wantError(t, c.name+", evaluating", err, nil, c.want)
	}
	none, err := set.Select(nil)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := Predict(t.Context(), []*Model{m}, none, PredictOptions{Backend: goBackend(t)}); err != nil || len(p.Points) != 0 || len(p.Columns) != 6 {
		t.Errorf("no rows: found %v, %v", p, err)
	}
}

// Answers in the pixels of a picture of another size are scaled by axis.
func TestOriginal(t *testing.T) {
	set := faces(2, nil, 1)
	set.Scales = []dataset.Scale{{X: 2, Y: 0.5}, {X: 1, Y: 3}}
	p := &Prediction{Columns: []string{"a_x", "a_y", "b_x"}, Points: []float32{1, 2, 3, 4, 5, 6}}
	for r, want := range [][]float32{{2, 1, 6}, {4, 15, 6}} {
		if got := p.Original(set, r); !slices.Equal(got, want) {
			t.Errorf("row %d: found %v, want %v", r, got, want)
		}
	}
	if !slices.Equal(p.Points, []float32{1, 2, 3, 4, 5, 6}) {
		t.Error("the prediction was changed")
	}
}

func TestEvaluate(t *testing.T) {
	set := faces(20, every, 3)
	o := PredictOptions{Backend: goBackend(t)}
	m := mustTrain(t, options(t, one(t, linear, ``), set))
	evaluate := func(s *dataset.Set, models ...*Model) *Evaluation {
		t.Helper()
		e, _, err := Evaluate(t.Context(), models, s, o)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	whole := evaluate(set, m)
	if whole.HeldOut == nil || whole.HeldOut.Rows != len(heldOutRows(set, m)) || whole.Backend != "go" {
		t.Fatalf("found %+v held out", whole.HeldOut)
	}

	// A set that lacks columns, or has them in another order, gives the same errors for those that it has.
	part := evaluate(withColumns(set, []string{"nose_tip_y", "left_eye_center_x"}), m)
	if part.HeldOut != nil || len(part.Columns) != 2 {
		t.Errorf("found %d columns and %v held out, want 2 and none: it is not the training's data", len(part.Columns), part.HeldOut)
	}
	for _, c := range part.Columns {
		if i := slices.IndexFunc(whole.Columns, func(w ColumnScore) bool { return w.Name == c.Name }); whole.Columns[i] != c {
			t.Errorf("found %+v, want %+v", c, whole.Columns[i])
		}
	}

	// A column without a filled cell counts for nothing.
	empty := withColumns(set, every)
	for i := range empty.Points {
		if i%len(every) == 0 {
			empty.Points[i] = float32(math.NaN())
		}
	}
	e := evaluate(empty, m)
	if c := e.Columns[0]; c.Cells != 0 || c.RMSEPixels != 0 || c.MeanFace != 0 || e.Cells != whole.Cells-whole.Columns[0].Cells {
		t.Errorf("found %+v and %d cells in all", c, e.Cells)
	}

	// Rows are held out only where no model was trained on them, and each model has the data.
	again := options(t, one(t, linear, ``), set)
	again.Seed = 4
	second := mustTrain(t, again)
	var both []int
	for _, r := range heldOutRows(set, m) {
		if slices.Contains(heldOutRows(set, second), r) {
			both = append(both, r)
		}
	}
	if e := evaluate(set, m, second); (e.HeldOut == nil) != (len(both) == 0) || e.HeldOut != nil && e.HeldOut.Rows != len(both) {
		t.Errorf("found %+v held out by both, want rows %v", e.HeldOut, both)
	}
	foreign := mustTrain(t, options(t, one(t, linear, ``), faces(20, every, 4)))
	if e := evaluate(set, m, foreign); e.HeldOut != nil {
		t.Errorf("found %+v held out beside a model of other data, want none", e.HeldOut)
	}

	// Nor are they known where the weights started, near or far, from a model of the same data.
	from := func(start *Model, data *dataset.Set) *Model {
		o := options(t, one(t, linear, ``), data)
		o.Start = start
		return mustTrain(t, o)
	}
	elsewhere := faces(20, every, 5)
	for _, c := range []struct {
		name    string
		model   *Model
		unknown bool
	}{
		{"of the same data", from(m, set), true},
		{"of other data", from(foreign, set), false},
		{"of the same data, two models back", from(from(m, elsewhere), set), true},
	} {
		if e := evaluate(set, c.model); e.HeldOutUnknown != c.unknown || (e.HeldOut == nil) != c.unknown {
			t.Errorf("started from a model %s: found unknown %v and %+v held out, want unknown %v", c.name, e.HeldOutUnknown, e.HeldOut, c.unknown)
		}
	}
	old := from(foreign, set)
	old.Provenance.StartData = nil // before it was recorded
	if e := evaluate(set, old); !e.HeldOutUnknown || e.HeldOut != nil {
		t.Errorf("started from a model of unknown data: found %+v held out", e.HeldOut)
	}

	// The mean face is that of the training's data; for columns that it lacked, of the set.
	other := faces(30, every, 12)
	eyesModel := mustTrain(t, options(t, document(t, network{"net", eyes, linear, recipe(""), ""}), withColumns(set, eyes)))
	noseModel := withWeights(t, 1, network{"net", nose, linear, recipe(""), ""})
	e = evaluate(other, eyesModel, noseModel)
	for _, c := range e.Columns {
		from := set
		if slices.Contains(nose, c.Name) {
			from = other
		}
		var sum, n float64
		for r := range other.Len() {
			if y, ok := truth(other, r, c.Name); ok {
				d := columnMean(from, c.Name) - (y*half + half)
				sum, n = sum+d*d, n+1
			}
		}
		if want := math.Sqrt(sum / n); !near(c.MeanFace, want, 1e-6) {
			t.Errorf("%s: found mean face %g, want %g", c.Name, c.MeanFace, want)
		}
	}
	// Nor has a column a mean of which no cell was filled.
	unfilled := &Model{Provenance: Provenance{Data: DataFrom{Columns: []string{nose[0]}, Mean: []float64{0}}}}
	if got, want := meanFace([]*Model{unfilled}, other)[nose[0]], columnMean(other, nose[0]); !near(got, want, 1e-6) {
		t.Errorf("a column without a filled cell: found mean face %g, want the other set's, %g", got, want)
	}

	for _, c := range []struct {
		name string
		set  *dataset.Set
		want string
	}{
		{"no column of the model's", faces(3, []string{"mouth_x"}, 1), "faces.csv: none of its columns is one of the model's: found [mouth_x], want some of [left_eye_center_x"},
		{"no columns", faces(3, nil, 1), "faces.csv: found 3 rows with 0 columns, want points"},
		{"no rows", &dataset.Set{Columns: every, Source: "faces.csv"}, "found 0 rows"},
		{"no filled cell", func() *dataset.Set {
			s := faces(2, nose, 1)
			for i := range s.Points {
				s.Points[i] = float32(math.NaN())
			}
			return s
		}(), "faces.csv: none of the model's columns has a filled cell"},
	} {
		_, _, err := Evaluate(t.Context(), []*Model{m}, c.set, o)
		wantError(t, c.name, err, nil, c.want)
	}
}

// Two members of a document, each with the loss and the rows of its own.
func TestEvaluateMembers(t *testing.T) {
	set := faces(30, every, 3)
	d := document(t, network{"a", every, linear, recipe(`"loss": {"kind": "mse"}, "validation": 0.5`), ""},
		network{"b", nose, linear, recipe(`"loss": {"kind": "huber", "rows": "filled"}, "validation": 0.3`), `, "weight": 3`})
	m := mustTrain(t, options(t, d, set))
	e, _, err := Evaluate(t.Context(), []*Model{m}, set, PredictOptions{Backend: goBackend(t)})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		columns []string
		huber   bool
	}{{every, false}, {nose, true}} {
		name := fmt.Sprintf("%c", 'a'+i)
		loss, rmse := regressionOf(m.Weights, name, c.columns).error(set, rowNumbers(set.Len()), c.huber)
		if got := e.Members[i]; got.Member != name || got.Model != 0 || !near(got.Loss, loss, 1e-5) || !near(got.RMSEPixels, rmse, 1e-5) {
			t.Errorf("member %s: found %+v, want loss %g, %g pixels", name, got, loss, rmse)
		}
	}
	if want := heldOutRows(set, m); len(want) == 0 || e.HeldOut == nil || e.HeldOut.Rows != len(want) {
		t.Errorf("found %+v held out, want rows %v", e.HeldOut, want)
	}
}

func TestMiscalibrated(t *testing.T) {
	model := func(merged bool, members ...string) *Model { // f: flips, c: calibrated
		m := &Model{Document: &blueprint.Document{}}
		for _, is := range members {
			one := blueprint.Member{Output: blueprint.Output{FlipAverage: strings.Contains(is, "f")}}
			if strings.Contains(is, "c") {
				one.Recipe.Calibrate, one.Output.Shift = true, []float64{1}
			}
			m.Document.Members = append(m.Document.Members, one)
		}
		if merged {
			m.Provenance.Merged = make([]MergedFrom, 2)
		}
		return m
	}
	for _, c := range []struct {
		name   string
		models []*Model
		want   bool // with what all models ask for
	}{
		{"flips", []*Model{model(false, "fc")}, false},
		{"doesn't", []*Model{model(false, "c")}, false},
		{"beside one that doesn't", []*Model{model(false, "fc"), model(false, "")}, true},
		{"not calibrated", []*Model{model(false, "f"), model(false, "c")}, false},
		{"trained together", []*Model{model(false, "fc", "c")}, false},
		{"merged", []*Model{model(true, "fc", "c")}, true},
	} {
		if got := Miscalibrated(c.models, FlipAverage(c.models)); got != c.want {
			t.Errorf("%s: found %v, want %v", c.name, got, c.want)
		}
	}
	if !Miscalibrated([]*Model{model(false, "fc")}, false) {
		t.Error("without its flips: found false")
	}
}
