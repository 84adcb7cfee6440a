package dataset_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
)

var ctx = context.Background()

func read(path string) (*dataset.Set, error) { return source.Read(ctx, path, source.Options{}) }

// readString reads a CSV's text.
func readString(t *testing.T, text string) (*dataset.Set, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return read(path)
}

// expected is what testdata/make.py found with NumPy, Pillow and hashlib.
func expected(t *testing.T, key string, value any) {
	t.Helper()
	data, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(all[key], value); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
}

func TestSplit(t *testing.T) {
	var tests []struct {
		N                 int
		Share             float64
		Seed              uint64
		Validation, Train []int
	}
	expected(t, "split", &tests)
	if len(tests) == 0 {
		t.Fatal("no expected splits")
	}
	for _, test := range tests {
		rows := make([]int, test.N)
		for i := range rows {
			rows[i] = i + 100
		}
		before := slices.Clone(rows)
		train, validation := dataset.Split(rows, test.Share, test.Seed)
		for i := range test.Train {
			test.Train[i] += 100
		}
		for i := range test.Validation {
			test.Validation[i] += 100
		}
		if !slices.Equal(train, test.Train) || !slices.Equal(validation, test.Validation) {
			t.Errorf("%d rows, share %v, seed %d: found %v and %v, want %v and %v", test.N, test.Share, test.Seed, validation, train, test.Validation, test.Train)
		}
		if !slices.Equal(rows, before) {
			t.Error("Split changed its argument")
		}
	}
	if train, validation := dataset.Split(make([]int, 2140), 0.2, 1); len(validation) != 428 || len(train) != 1712 {
		t.Errorf("found %d and %d, want the report's 428 and 1712", len(validation), len(train))
	}
	for _, share := range []float64{-1, math.NaN()} {
		if _, validation := dataset.Split([]int{1, 2}, share, 1); len(validation) != 0 {
			t.Errorf("share %v: found %v", share, validation)
		}
	}
}

func TestSelectAndSummary(t *testing.T) {
	s, err := read("testdata/small.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		columns []string
		want    []int
	}{
		{nil, []int{0, 1, 2, 3, 4, 5, 6}},
		{[]string{"left_eye_center_x"}, []int{0, 1, 2, 4, 5, 6}},
		{[]string{"nose_tip_y", "left_eye_center_x"}, []int{0, 2, 4, 5}},
		{s.Columns, []int{0, 2, 4, 5}},
	} {
		rows, err := s.RowsWith(test.columns...)
		if err != nil || !slices.Equal(rows, test.want) {
			t.Errorf("%v: found %v, %v, want %v", test.columns, rows, err, test.want)
		}
	}
	var unknown *dataset.ColumnError
	if _, err := s.RowsWith("nose"); !errors.As(err, &unknown) || unknown.Column != "nose" {
		t.Errorf("found %v, want a *dataset.ColumnError", err)
	}
	sum := s.Summary()
	if sum.Complete != 4 || sum.Columns[1].Filled != 6 || sum.Columns[1].Min != -2.5 {
		t.Errorf("found %+v", sum)
	}

	part, err := s.Select([]int{5, 0, 5})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(part.IDs, []string{"6", "1", "6"}) || !slices.Equal(part.Bytes[16:32], s.Bytes[:16]) ||
		part.Row(0)[2] != 7 || part.Checksum == s.Checksum || part.Checksum != part.Sum() {
		t.Errorf("found %+v", part)
	}
	all, err := s.Select([]int{0, 1, 2, 3, 4, 5, 6})
	if err != nil || all.Checksum != s.Checksum {
		t.Errorf("all rows have another checksum, or %v", err)
	}
	for _, bad := range []int{-1, 7} {
		if _, err := s.Select([]int{bad}); err == nil {
			t.Errorf("row %d: want an error", bad)
		}
	}
}

// The boxes of a set that is resized are resized, too: widths as x, heights as y.
func TestResizedBoxes(t *testing.T) {
	s := &dataset.Set{Columns: []string{"a_x", "a_y", "a_width", "a_height", "age"}, Height: 40, Width: 60, Channels: 1,
		Bytes: make([]uint8, 40*60), Points: []float32{6, 8, 12, 20, 33}, IDs: []string{"1"}}
	r := s.Resized(80, 30)
	if want := []float32{3, 16, 6, 40, 33}; !slices.Equal(r.Row(0), want) {
		t.Errorf("found %v, want %v", r.Row(0), want)
	}
}
