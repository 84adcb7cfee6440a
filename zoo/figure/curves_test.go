package figure

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
)

func TestReadCurveTable(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       string // of the error; "": none
		epochs     []int
		train      []float64
	}{
		{"the report's", "epoch,train_loss,valid_loss,seconds\n1,0.5,0.25,15\n2,0.4,0.2,15\n", "", []int{1, 2}, []float64{0.5, 0.4}},
		{"CRLF, a mark, a gap, another order", "\ufeffvalid_loss,epoch,train_loss\r\n0.25,1,\r\n0.2,5,0.4\r\n", "", []int{1, 5}, []float64{math.NaN(), 0.4}},
		{"empty", "", "found nothing", nil, nil},
		{"no losses", "epoch,loss\n1,2\n", "want epoch, train_loss and valid_loss", nil, nil},
		{"no number", "epoch,train_loss\n1,x\n", `line 2, column train_loss: found "x", want a number`, nil, nil},
		{"epochs that don't increase", "epoch,train_loss\n2,1\n2,1\n", "line 3, column epoch", nil, nil},
		{"a short row", "epoch,train_loss\n2\n", "wrong number of fields", nil, nil},
	} {
		runs, err := readCurveTable(strings.NewReader(c.text))
		if c.want != "" {
			zootest.WantError(t, c.name, err, nil, c.want)
			continue
		}
		if err != nil || !slices.Equal(runs[0].Epochs, c.epochs) || !slices.EqualFunc(runs[0].Train, c.train, func(a, b float64) bool { return a == b || a != a && b != b }) {
			t.Errorf("%s: found %+v (%v)", c.name, runs, err)
		}
	}
}

func TestReadCurveLog(t *testing.T) {
	log := `{"event":"start"}
{"event":"epoch","member":"a","epoch":1,"train_loss":0.5,"validation_loss":0.25}
{"event":"epoch","member":"a","epoch":2,"train_loss":0.4}
{"event":"epoch","member":"a","epoch":2,"train_loss":0.3}
`
	runs, err := readCurveLog(strings.NewReader(log + `{"event":"epo`))
	if err != nil || len(runs) != 1 || runs[0].Name != "" || !slices.Equal(runs[0].Train, []float64{0.5, 0.3}) || !math.IsNaN(runs[0].Validation[1]) {
		t.Errorf("found %+v (%v)", runs, err)
	}
	_, err = readCurveLog(strings.NewReader("precious\n" + log))
	zootest.WantError(t, "no log", err, nil, "line 1: found no JSON object")
	_, err = readCurveLog(strings.NewReader("{}\n"))
	zootest.WantError(t, "no epochs", err, nil, "found no epoch")
}

// A model that brings no history has no curves.
func TestReadCurvesOfNoHistory(t *testing.T) {
	m := zootest.HandMade(t, false)
	m.History = []model.MemberHistory{{Member: m.Document.Members[0].Name}}
	path := filepath.Join(t.TempDir(), "m.fkz")
	if err := m.Save(path, false); err != nil {
		t.Fatal(err)
	}
	_, err := ReadCurves([]string{path})
	zootest.WantError(t, "no history", err, nil, path+": found a model without a history")
}

// FuzzCurves: whatever is in the file, there is an error or curves whose series are as long as their epochs.
func FuzzCurves(f *testing.F) {
	f.Add("epoch,train_loss,valid_loss\n1,0.5,\n3,1e400,nan\n", true)
	f.Add("\"epoch\",valid_loss\n1,2\n", true)
	f.Add("{\"event\":\"epoch\",\"member\":\"a\",\"epoch\":1,\"train_loss\":0.5}\n{", false)
	f.Fuzz(func(t *testing.T, text string, table bool) {
		read := readCurveLog
		if table {
			read = readCurveTable
		}
		runs, err := read(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, r := range runs {
			for _, s := range [][]float64{r.Train, r.Validation} {
				if s != nil && len(s) != len(r.Epochs) {
					t.Errorf("found %d values for %d epochs", len(s), len(r.Epochs))
				}
			}
			if !slices.IsSorted(r.Epochs) {
				t.Errorf("found epochs %v", r.Epochs)
			}
		}
	})
}

// The report's own curves, whole.
func TestCurvesOfTheReport(t *testing.T) {
	folder := os.Getenv("FKZOO_TESTDATA")
	if folder == "" {
		t.Skip("FKZOO_TESTDATA not set")
	}
	paths, _ := filepath.Glob(filepath.Join(folder, "report", "curves", "*.csv"))
	if len(paths) != 3 {
		t.Fatalf("found %v, want three", paths)
	}
	c, err := ReadCurves(paths)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		epochs int
		last   float64
	}{{3000, 0.00112}, {3000, 0.00091}, {10000, 0.00078}} {
		r := c.Runs[i]
		if n := len(r.Epochs); n != want.epochs || math.Abs(r.Validation[n-1]-want.last) > 1e-5 || r.Name != paths[i] {
			t.Errorf("%s: found %d epochs, the last %g, want %d, %g", r.Name, n, r.Validation[n-1], want.epochs, want.last)
		}
	}
	for _, kind := range []string{"svg", "png"} {
		path := filepath.Join(t.TempDir(), "c."+kind)
		if err := c.Write(path, false); err != nil {
			t.Error(err)
		}
	}
}
