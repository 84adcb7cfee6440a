package kaggle

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset/source"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// lookupOf asks for some columns of images, in the order of the columns, so that
// a row isn't beside the others of its image.
func lookupOf(t testing.TB, images int, columns ...string) *submission.Lookup {
	t.Helper()
	var text strings.Builder
	text.WriteString("RowId,ImageId,FeatureName,Location\n")
	for c, name := range columns {
		for i := range images {
			fmt.Fprintf(&text, "%d,%d,%s,\n", 1000-c*images-i, i+1, name)
		}
	}
	l, err := submission.ReadLookup(zootest.WriteText(t, "lookup.csv", text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// What a submission gives is what Predict answers, put to the border, whatever
// the batch, the models and the order of the images.
func TestSubmitGivesWhatPredictAnswers(t *testing.T) {
	set := zootest.Faces(150, zootest.Every, 9)
	a := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	b := zootest.WithWeights(t, 2, zootest.Net("x", zootest.Nose, zootest.Linear, zootest.Recipe(""), `, "weight": 2`), zootest.Net("y", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	backwards := func(r int) string { return fmt.Sprint(set.Len() - r) }
	forwards := func(r int) string { return fmt.Sprint(r + 1) }
	for _, c := range []struct {
		name    string
		models  []*model.Model
		images  int // asked for
		columns []string
		id      func(row int) string
		flip    bool
		batch   int
	}{
		{"one", []*model.Model{a}, 150, zootest.Every, forwards, false, 0},
		{"several, members among them", []*model.Model{a, b}, 150, []string{"nose_tip_y", "left_eye_center_x"}, backwards, false, 0},
		{"small batches", []*model.Model{a, b}, 150, zootest.Every, forwards, false, 7},
		{"large batches", []*model.Model{a}, 150, zootest.Every, backwards, false, 200},
		{"mirror images", []*model.Model{a, b}, 150, zootest.Every, forwards, true, 16},
		{"some of the images", []*model.Model{b}, 40, zootest.Every, backwards, false, 16},
		{"one image", []*model.Model{b}, 1, zootest.Every, backwards, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := zootest.WriteTest(t, set, c.id)
			table := lookupOf(t, c.images, c.columns...)
			e := answertest.OpenWith(t, answer.Options{FlipAverage: c.flip, Batch: c.batch}, c.models...)
			last, all := 0, 0
			tick := func(done, total int) {
				if done <= last || done > total {
					t.Errorf("progress goes from %d to %d of %d", last, done, total)
				}
				last, all = done, total
			}
			got, err := Submit(t.Context(), e, opened(t, path), table, Options{Tick: tick})
			if err != nil {
				t.Fatal(err)
			}
			if last != all {
				t.Errorf("progress ends at %d of %d", last, all)
			}
			want := answertest.Answer(t, set, c.flip, c.models...)
			whole, err := opened(t, path).Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got.Images != 150 || got.Unasked != 150-c.images || got.Checksum != whole.Checksum {
				t.Errorf("found %d images, %d not asked for, checksum %s, want 150, %d, %s", got.Images, got.Unasked, got.Checksum, 150-c.images, whole.Checksum)
			}
			answer := map[string]int{} // the set's row, by the image's name
			for r := range set.Len() {
				answer[c.id(r)] = r
			}
			clipped := 0
			for row, v := range got.Values {
				if got.IDs[row] != int64(1000-row) {
					t.Fatalf("found row %d in place %d, want the table's order", got.IDs[row], row)
				}
				r := answer[table.Images[table.ImageOf(row)]]
				p := math.NaN()
				for i, name := range want.Columns {
					if name == table.Features[table.Feature(row)] {
						p = float64(want.Row(r)[i])
					}
				}
				if p < 0 || p > zootest.Side {
					clipped++
				}
				if p = min(max(p, 0), zootest.Side); !zootest.Near(v, p, 1e-5) {
					t.Fatalf("row %d: found %g, want %g", got.IDs[row], v, p)
				}
			}
			if got.Clipped != clipped {
				t.Errorf("found %d values clipped, want %d", got.Clipped, clipped)
			}
		})
	}
}

func TestSubmitPutsValuesInside(t *testing.T) {
	m := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	clear(m.Weights["net/out/weights"].Data)
	copy(m.Weights["net/out/bias"].Data, []float32{-3, 2, 3, 1000, 0, -1000})
	got, err := Submit(t.Context(), answertest.Open(t, m), opened(t, zootest.WriteTest(t, zootest.Faces(2, zootest.Every, 1), func(r int) string { return fmt.Sprint(r + 1) })),
		lookupOf(t, 2, zootest.Every...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	scale, offset := m.Document.Members[0].Affine(m.Document.Input)
	clipped := 0
	for i, b := range m.Weights["net/out/bias"].Data {
		want := float64(b)*scale + offset
		if want < 0 || want > zootest.Side {
			clipped += 2
		}
		if v := got.Values[2*i]; !zootest.Near(v, min(max(want, 0), zootest.Side), 1e-6) {
			t.Errorf("%s: found %g, want %g within 0 to %d", zootest.Every[i], v, want, zootest.Side)
		}
	}
	if got.Clipped != clipped || clipped < 4 {
		t.Errorf("found %d values clipped, want %d", got.Clipped, clipped)
	}
}

// opened is test data in a file.
func opened(t *testing.T, path string) *dataset.Source {
	t.Helper()
	s, err := source.Open(t.Context(), path, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Images of another size are answered in their own pixels.
func TestSubmitLargerImages(t *testing.T) {
	small := zootest.Faces(3, zootest.Every, 1)
	large := small.Resized(2*zootest.Side, 2*zootest.Side)
	m := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	name := func(r int) string { return fmt.Sprint(r + 1) }
	got, err := Submit(t.Context(), answertest.Open(t, m), opened(t, zootest.WriteTest(t, large, name)), lookupOf(t, 3, zootest.Nose...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	back := large.Resized(zootest.Side, zootest.Side)
	want := answertest.Answer(t, back, false, m)
	for row, v := range got.Values {
		if w := min(max(2*float64(want.Row(row % 3)[4+row/3]), 0), 2*zootest.Side); !zootest.Near(v, w, 1e-5) {
			t.Errorf("row %d: found %g, want %g", row, v, w)
		}
	}
}

func TestSubmitRefuses(t *testing.T) {
	m := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Nose, zootest.Linear, zootest.Recipe(""), ""))
	set := zootest.Faces(3, zootest.Nose, 1)
	numbers := func(r int) string { return fmt.Sprint(r + 1) }
	broken := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Nose, zootest.Linear, zootest.Recipe(""), ""))
	broken.Weights["net/out/bias"].Data[0] = float32(math.NaN())
	for _, c := range []struct {
		name   string
		models []*model.Model
		test   string
		table  *submission.Lookup
		want   string
	}{
		{"a feature that no model gives", []*model.Model{m}, zootest.WriteTest(t, set, numbers), lookupOf(t, 3, "nose_tip_x", "mouth_left_corner_x", "mouth_left_corner_y"),
			"asks for mouth_left_corner_x, mouth_left_corner_y, which no model gives: found nose_tip_x, nose_tip_y"},
		{"an image that lacks", []*model.Model{m}, zootest.WriteTest(t, set, numbers), lookupOf(t, 4, zootest.Nose...), "found no image 4, which "},
		{"another test's table", []*model.Model{m}, zootest.WriteTest(t, set, numbers), lookupOf(t, 9, zootest.Nose...), "asks for: it has 3 of the 9 that are asked for, want the table of this test data"},
		{"data without names", []*model.Model{m}, zootest.WriteText(t, "training.csv", "nose_tip_x,Image\n1,"+strings.Repeat("1 ", zootest.Side*zootest.Side)+"\n"), lookupOf(t, 1, zootest.Nose...), "training.csv: found no column ImageId, want Kaggle's test.csv"},
		{"an image twice", []*model.Model{m}, zootest.WriteTest(t, set, func(r int) string { return fmt.Sprint(r/2 + 1) }), lookupOf(t, 2, zootest.Nose...), "found image 1 twice"},
		{"no answer", []*model.Model{broken}, zootest.WriteTest(t, set, numbers), lookupOf(t, 3, zootest.Nose...), "member net: found NaN as the answer for image \"1\""},
		{"no test data", []*model.Model{m}, filepath.Join(t.TempDir(), "none.csv"), lookupOf(t, 3, zootest.Nose...), "none.csv"},
	} {
		test, err := source.Open(t.Context(), c.test, source.Options{})
		if err == nil {
			_, err = Submit(t.Context(), answertest.Open(t, c.models...), test, c.table, Options{})
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: found error %v, want %s", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Submit(ctx, answertest.Open(t, m), opened(t, zootest.WriteTest(t, set, numbers)), lookupOf(t, 3, zootest.Nose...), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("found error %v, want %v", err, context.Canceled)
	}
}

// averaged makes a.csv and b.csv with one model, and their mean, mean.csv; in gives
// a file's path.
func averaged(t *testing.T) (in func(name string) string, m *model.Model) {
	t.Helper()
	folder := t.TempDir()
	in = func(name string) string { return filepath.Join(folder, name) }
	set := zootest.Faces(5, zootest.Nose, 1)
	m = zootest.WithWeights(t, 1, zootest.Net("net", zootest.Nose, zootest.Linear, zootest.Recipe(""), ""))
	m.History = []model.MemberHistory{{Member: "net", TrainLoss: []float64{2, 1}, ValidationLoss: []float64{3, 2}, RMSEPixels: []float64{9, 8}, Rate: []float64{1, 1},
		HeldOut: model.HeldOut{Rows: 2, Cells: 4, Loss: 2, RMSEPixels: 8}}}
	m.Provenance.Data = model.DataFrom{Source: "training.zip", Checksum: "abc"}
	if err := m.Save(in("m.fkz"), false); err != nil {
		t.Fatal(err)
	}
	test := zootest.WriteTest(t, set, func(r int) string { return fmt.Sprint(r + 1) })
	table := lookupOf(t, 5, zootest.Nose...)
	submit := func(output string, batch int) {
		t.Helper()
		s, err := Submit(t.Context(), answertest.OpenWith(t, answer.Options{Batch: batch}, m), opened(t, test), table, Options{})
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.Ledger([]*model.Model{m}, SubmitFiles{Output: output, Test: test, Lookup: table.Source, Models: []string{in("m.fkz")}}, "v1")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.WriteWith(l, output, false); err != nil {
			t.Fatal(err)
		}
	}
	submit(in("a.csv"), 2)
	submit(in("b.csv"), 3)
	a, err := Average([]string{in("a.csv"), in("b.csv")}, in("mean.csv"), AverageOptions{Weights: []float64{1, 3}}, "v2")
	if err != nil || len(a.Notes) != 0 {
		t.Fatal(err, a)
	}
	if err := a.WriteWith(a.Ledger, in("mean.csv"), false); err != nil {
		t.Fatal(err)
	}
	return in, m
}

// A ledger has all that went into a submission, and an average's the ledgers of
// those it was made of.
func TestLedger(t *testing.T) {
	in, m := averaged(t)
	l, err := submission.ReadLedger(in("mean.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if l.Fkzoo != "v2" || l.Made != submission.Averaged || l.Rows != 10 || len(l.Inputs) != 2 || l.Options.Weights[1] != 3 || len(l.Apart) != 1 || !l.Apart[0].Alike {
		t.Errorf("found the ledger %+v", l)
	}
	sum, err := submission.Checksum(in("b.csv"))
	if err != nil || l.Inputs[1].SHA256 != sum || l.Inputs[1].Path != "b.csv" || l.Inputs[1].Changed {
		t.Errorf("found %+v and error %v, want checksum %s", l.Inputs[1].File, err, sum)
	}
	b := l.Inputs[1].Ledger
	if b == nil || b.Made != submission.Submitted || b.Options.Batch != 3 || b.Options.Backend != "go" || b.File.SHA256 != sum || b.Fkzoo != "v1" ||
		b.Test.Rows != 5 || len(b.Test.Content) != 64 || b.Lookup.Rows != 10 || len(b.Models) != 1 {
		t.Fatalf("found %+v", b)
	}
	model := b.Models[0]
	if sum, err := submission.Checksum(in("m.fkz")); err != nil || model.SHA256 != sum || model.Digest != m.Digest || model.DataChecksum != "abc" || model.Path != "m.fkz" {
		t.Errorf("found %+v", model)
	}
	if v := model.Members[0].Validation; v == nil || *v != 8 || model.Members[0].Epochs != 2 {
		t.Errorf("found the member %+v", model.Members[0])
	}
	if s := submission.StateOf(&model.File, in("mean.csv")); s != submission.Unchanged {
		t.Errorf("model: found %s", s)
	}
}

// A file that was changed is noticed, and one that isn't a ledger passed over.
func TestLedgerOfChanged(t *testing.T) {
	in, _ := averaged(t)
	l, err := submission.ReadLedger(in("mean.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("a.csv"), []byte("RowId,Location\n1,2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s := submission.StateOf(&l.Inputs[0].File, in("mean.csv")); s != submission.Changed {
		t.Errorf("a.csv: found %s", s)
	}
	if err := os.WriteFile(in("c.json"), []byte("[]"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("c.csv"), []byte("RowId,Location\n1,5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	a, err := Average([]string{in("a.csv"), in("c.csv")}, in("more.csv"), AverageOptions{}, "v2")
	if err != nil || len(a.Notes) != 2 || !strings.Contains(a.Notes[0], "a.csv: changed since its ledger was written") || !strings.Contains(a.Notes[1], "found no ledger of a submission") {
		t.Fatalf("found the notes %q and error %v", a.Notes, err)
	}
	if x := a.Ledger.Inputs; !x[0].Changed || x[0].Ledger == nil || x[1].Ledger != nil || x[1].Changed {
		t.Errorf("found %+v", x)
	}
	if _, err := submission.ReadLedger(in("none.csv")); !errors.Is(err, submission.ErrNoLedger) {
		t.Errorf("found error %v, want %v", err, submission.ErrNoLedger)
	}
}
