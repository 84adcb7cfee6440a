package submission

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// numbers are what NumPy makes of the files of testdata: see testdata/make.py.
type numbers struct {
	Scores map[string]struct {
		All, Private, Public float64
		Features             map[string]struct{ All, Private, Public float64 }
	}
	Mean, Weighted, Median []float64
	MedianOfTwo            []float64 `json:"median_of_two"`
	WeightedMedian         []float64 `json:"weighted_median"`
	Distances              map[string]struct{ RMS, Largest float64 }
	Real                   struct {
		All, Private, Public, Largest float64
		Features                      map[string]float64
	}
}

func expected(t *testing.T) *numbers {
	t.Helper()
	text, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	n := &numbers{}
	if err := json.Unmarshal(text, n); err != nil {
		t.Fatal(err)
	}
	if len(n.Scores) != 3 || len(n.Mean) == 0 || n.Real.All == 0 {
		t.Fatalf("testdata/expected.json: found %+v", n)
	}
	return n
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*max(math.Abs(a), math.Abs(b), 1) }

func is(v *float64, want float64) bool { return v != nil && near(*v, want) }

func TestScoreAgreesWithNumPy(t *testing.T) {
	want := expected(t)
	lookup, err := ReadLookup("testdata/lookup.csv")
	if err != nil {
		t.Fatal(err)
	}
	solution, err := ReadSolution("testdata/solution.csv")
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range want.Scores {
		s, err := Read("testdata/" + name + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		got, err := solution.Compare(s, lookup)
		if err != nil {
			t.Fatal(err)
		}
		if !near(got.All, w.All) || !is(got.Private, w.Private) || !is(got.Public, w.Public) {
			t.Errorf("%s: found %g, %g, %g, want %+v", name, got.All, *got.Private, *got.Public, w)
		}
		if n := got.Rows; n.All != n.Private+n.Public || n.All+n.Ignored != s.Len() || n.Ignored == 0 {
			t.Errorf("%s: found the rows %+v of %d", name, n, s.Len())
		}
		if len(got.Features) != len(w.Features) {
			t.Errorf("%s: found %d features, want %d", name, len(got.Features), len(w.Features))
		}
		for _, f := range got.Features {
			if x, ok := w.Features[f.Name]; !ok || !near(f.All, x.All) || !is(f.Private, x.Private) || !is(f.Public, x.Public) {
				t.Errorf("%s, %s: found %+v, want %+v", name, f.Name, f, x)
			}
		}
	}
}

func TestAverageAgreesWithNumPy(t *testing.T) {
	want := expected(t)
	var list []*Submission
	for _, name := range []string{"a", "b", "c"} {
		s, err := Read("testdata/" + name + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	for _, c := range []struct {
		name    string
		list    []*Submission
		weights []float64
		median  bool
		want    []float64
	}{
		{"mean", list, nil, false, want.Mean},
		{"weighted mean", list, []float64{2, 1, 0.5}, false, want.Weighted},
		{"median", list, nil, true, want.Median},
		{"median of two", list[:2], nil, true, want.MedianOfTwo},
		{"weighted median", list, []float64{3, 1, 2}, true, want.WeightedMedian},
	} {
		got, err := Average(c.list, c.weights, c.median)
		if err != nil || !slices.EqualFunc(got.Values, c.want, near) {
			t.Errorf("%s: found %v and error %v, want %v", c.name, got, err, c.want)
		}
	}
	distances, err := Distances(list)
	if err != nil || len(distances) != 3 {
		t.Fatalf("found %v and error %v", distances, err)
	}
	for _, d := range distances {
		w := want.Distances["abc"[d.A:d.A+1]+"abc"[d.B:d.B+1]]
		if !near(d.RMS, w.RMS) || !near(d.Largest, w.Largest) {
			t.Errorf("found %+v, want %+v", d, w)
		}
	}
}

func TestRealScoreAgreesWithNumPy(t *testing.T) {
	folder := os.Getenv("FKZOO_TESTDATA")
	if folder == "" {
		t.Skip("FKZOO_TESTDATA not set")
	}
	folder = filepath.Join(folder, "kaggle")
	want := expected(t).Real
	first, err := Read(filepath.Join(folder, "submission-2017-04-22T11-07-25.895212.csv"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := Read(filepath.Join(folder, "submission-2017-04-23T06-17-13.222880.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lookup, err := ReadLookup(filepath.Join(folder, "IdLookupTable.csv"))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString("RowId,Location,Usage\r\n")
	for i, id := range second.IDs {
		usage := "Private"
		if id%3 == 1 {
			usage = "Public"
		}
		fmt.Fprintf(&text, "%d,%v,%s\r\n", id, second.Values[i], usage)
	}
	solution, err := ReadSolution(put(t, "solution.csv", text.String()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := solution.Compare(first, lookup)
	if err != nil {
		t.Fatal(err)
	}
	if !near(got.All, want.All) || !is(got.Private, want.Private) || !is(got.Public, want.Public) || len(got.Features) != 30 {
		t.Errorf("found %g, %g, %g, want %+v", got.All, *got.Private, *got.Public, want)
	}
	for _, f := range got.Features {
		if !near(f.All, want.Features[f.Name]) {
			t.Errorf("%s: found %g, want %g", f.Name, f.All, want.Features[f.Name])
		}
	}
	d, err := Distances([]*Submission{first, second})
	if err != nil || !near(d[0].RMS, want.All) || !near(d[0].Largest, want.Largest) {
		t.Errorf("found %+v and error %v", d, err)
	}
}

func TestSolution(t *testing.T) {
	s := sub("s.csv", []int64{1, 2, 3}, 1, 2, 3)
	for _, c := range []struct {
		name, text           string
		all, private, public float64 // below 0: none
	}{
		{"no usage", "RowId,Location\n1,1\n2,2\n3,6\n", math.Sqrt(3), -1, -1},
		{"usage", "RowId,Location,Usage\n1,2,Public\n2,5,Private\n3,3,private\n", math.Sqrt(10. / 3), math.Sqrt(4.5), 1},
		{"ignored", "RowId,Location,Usage\n1,2,Public\n2,,Ignored\n3,3,Private\n", math.Sqrt(0.5), 0, 1},
		{"by name", "\xef\xbb\xbfUsage,Extra,Location,Id\r\nPublic,x,2,1\r\nPrivate,,2,2\r\nPrivate,,3,3\r\n", math.Sqrt(1. / 3), 0, 1},
		{"one usage", "RowId,Location,Usage\n1,1,Private\n2,2,Private\n3,3,Private\n", 0, 0, -1},
	} {
		solution, err := ReadSolution(put(t, "solution.csv", c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := solution.Compare(s, nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		has := func(v *float64, want float64) bool { return v == nil && want < 0 || is(v, want) }
		if !near(got.All, c.all) || !has(got.Private, c.private) || !has(got.Public, c.public) || got.Features != nil {
			t.Errorf("%s: found %+v", c.name, got)
		}
	}
	for _, c := range []struct{ name, text, want string }{
		{"header", "Row,Location\n1,1\n", `line 1: found the header "Row,Location", want RowId,Location`},
		{"usage", "RowId,Location,Usage\n1,1,Both\n", `line 2: found "Both" as Usage, want Public, Private, Ignored`},
		{"number", "RowId,Location\n1,x\n", `line 2, row 1: found "x" as Location, want a number`},
		{"nothing", "RowId,Location,Usage\n1,,Public\n", "line 2, row 1: found no Location, want a number"},
		{"twice", "RowId,Location\n1,1\n1,1\n", "line 3, row 1: found the row twice, first in line 2"},
		{"missing", "RowId,Location\n1,1\n2,2\n", "found different rows: only s.csv has row 3"},
		{"more", "RowId,Location\n1,1\n2,2\n3,3\n4,4\n", "found different rows: only"},
		{"all ignored", "RowId,Location,Usage\n1,,Ignored\n2,,Ignored\n3,,Ignored\n", "found no row that counts"},
	} {
		solution, err := ReadSolution(put(t, "solution.csv", c.text))
		if err == nil {
			_, err = solution.Compare(s, nil)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: found error %v, want %s", c.name, err, c.want)
		}
	}
	lookup, err := ReadLookup(put(t, "l.csv", lookupText))
	if err != nil {
		t.Fatal(err)
	}
	four := sub("s.csv", []int64{4}, 1)
	if _, err := (&Solution{IDs: []int64{4}, Values: []float64{1}, Source: "t.csv"}).Compare(four, lookup); err == nil || !strings.Contains(err.Error(), "found no row 4, which t.csv has") {
		t.Errorf("a row that the table lacks: found error %v", err)
	}
}
