package answer_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Streamed answers are those of the whole set, whatever is read in which parts.
func TestEach(t *testing.T) {
	set := zootest.Faces(300, zootest.Every, 4)
	a := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	b := zootest.WithWeights(t, 2, zootest.Net("x", zootest.Nose, zootest.Linear, zootest.Recipe(""), `, "weight": 2`), zootest.Net("y", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	id := func(r int) string { return strconv.Itoa(1000 + r) }
	path := zootest.WriteTest(t, set, id)
	for _, c := range []struct {
		name   string
		models []*model.Model
		open   func() (*dataset.Source, error)
		flip   bool
		first  int
		total  int // of the progress
	}{
		{"a CSV", []*model.Model{a}, func() (*dataset.Source, error) {
			return source.Open(t.Context(), path, source.Options{Height: set.Height, Width: set.Width})
		}, false, 0, -1},
		{"the set", []*model.Model{a, b}, func() (*dataset.Source, error) { return dataset.SourceOf(set), nil }, true, 0, 3 * 2 * 300},
		{"the first 7", []*model.Model{b}, func() (*dataset.Source, error) { return dataset.SourceOf(set), nil }, false, 7, 2 * 7},
	} {
		images, err := c.open()
		if err != nil {
			t.Fatal(err)
		}
		want := set.Len()
		if c.first > 0 {
			images.First(c.first)
			want = c.first
		}
		e := answertest.OpenWith(t, answer.Options{FlipAverage: c.flip}, c.models...)
		whole, err := e.Answer(t.Context(), set, nil)
		if err != nil {
			t.Fatal(err)
		}
		done, total := 0, 0
		tick := func(d, of int) { done, total = d, of }
		rows := 0
		err = e.Each(t.Context(), images, tick, func(part *dataset.Set, p *answer.Prediction) error {
			if !slices.Equal(p.Columns, model.Columns(c.models)) || !slices.Equal(p.Columns, whole.Columns) {
				t.Errorf("%s: found the columns %v, want %v", c.name, p.Columns, whole.Columns)
			}
			for r := range part.Len() {
				for i, v := range p.Row(r) {
					if d := math.Abs(float64(v - whole.Row(rows)[i])); !(d < 1e-4) {
						t.Fatalf("%s, image %d: found %g, want %g", c.name, rows, v, whole.Row(rows)[i])
					}
				}
				rows++
			}
			return nil
		})
		if err != nil || rows != want || total != c.total || total > 0 && done != total {
			t.Errorf("%s: found %d images, progress %d of %d, error %v, want %d images and %d", c.name, rows, done, total, err, want, c.total)
		}
	}
	stop := errors.New("stop")
	if err := answertest.Open(t, a).Each(t.Context(), dataset.SourceOf(set), nil, func(*dataset.Set, *answer.Prediction) error { return stop }); err != stop {
		t.Errorf("found %v, want the callback's error", err)
	}
}

func TestWriter(t *testing.T) {
	names := []string{`a "b", c.png`, "new\nline", "<1>"}
	columns := []string{"nose_x", `n"\_y`}
	points := []float32{1.5, -2, 0.1, 1e-7, 16777216, 3}
	set := &dataset.Set{Height: 1, Width: 1, Channels: 1, Bytes: make([]byte, 3), IDs: names, Scales: []dataset.Scale{{X: 1, Y: 1}, {X: 2, Y: 10}, {X: 1, Y: 1}}}
	p := &answer.Prediction{Columns: columns, Points: points}
	write := func(format string) string {
		var out strings.Builder
		w, err := answer.NewWriter(&out, format, columns)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.Write(set, p); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	text := write("csv")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 7 || !slices.Equal(rows[0], []string{"image", "nose_x", `n"\_y`}) || !slices.Equal(rows[6], []string{"<1>", "16777216", "3"}) {
		t.Errorf("found %v, %v", rows, err)
	}
	if !slices.Equal(rows[2], []string{"new\nline", "0.2", "0.000001"}) {
		t.Errorf("found %q, want the coordinates in the picture's pixels", rows[2])
	}
	var list []struct {
		Image  string
		Points map[string]float64
	}
	if err := json.Unmarshal([]byte(write("json")), &list); err != nil || len(list) != 6 {
		t.Fatalf("found %d answers, %v", len(list), err)
	}
	for i, a := range list {
		if a.Image != names[i%3] || len(a.Points) != 2 || strconv.FormatFloat(a.Points[columns[1]], 'f', -1, 64) != rows[1+i][2] {
			t.Errorf("answer %d: found %+v, want %q", i, a, rows[1+i])
		}
	}
	if _, err := answer.NewWriter(&strings.Builder{}, "xml", columns); err == nil || !strings.Contains(err.Error(), `format: found "xml", want one of ["csv" "json"]`) {
		t.Errorf("found %v", err)
	}
}
