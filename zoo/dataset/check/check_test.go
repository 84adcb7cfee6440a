package check

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
	"github.com/fkzoo/fkzoo/zoo/dataset/twins/twinstest"
)

var ctx = context.Background()

// faulty are drawn faces with something wrong, and what is found.
type faulty struct {
	name   string
	rows   []int // added, copies of others
	change func(s *dataset.Set, o *Options)
	kind   string // of the one finding; "": none
	sort   string
	want   string
	first  string // the first row's text, with its columns
}

// faults are twinstest.Changes to n drawn faces; what they add comes behind these.
func faults(t *testing.T, n int) []faulty {
	column := func(s *dataset.Set, name string) int { return s.Column(name) }
	return []faulty{
		{name: "nothing"},
		{name: "the same twice", rows: []int{3, 3}, kind: Duplicate, sort: Warning, want: "2 rows with the same image", first: "same as Ad"},
		{name: "other labels", rows: []int{3}, change: func(s *dataset.Set, _ *Options) { s.Row(n)[4] += 5 }, kind: Conflict, sort: Warning,
			want: "1 row with the same image as another and other labels", first: "up to 5.0 px from Ad, the same image " + "left_eye_inner_corner_x"},
		{name: "nearly the same", rows: []int{3}, change: func(s *dataset.Set, _ *Options) { twinstest.Changes["gamma"](twinstest.Image(s, n)) }, kind: NearDuplicate, sort: Warning,
			want: "1 row with nearly the same image", first: "nearly Ad"},
		{name: "leaked", change: func(s *dataset.Set, o *Options) {
			o.Test = twinstest.Drawn(t, 30, 9)
			copy(twinstest.Image(o.Test, 4), twinstest.Image(s, 8))
			copy(twinstest.Image(o.Test, 5), twinstest.Image(s, 9))
			twinstest.Changes["brighter"](twinstest.Image(o.Test, 5))
		}, kind: Leaked, sort: Warning, want: "2 of 30 test faces are, or nearly are, among those to train on, 1 with the same pixels", first: "same as Ai"},
		{name: "blank", change: func(s *dataset.Set, _ *Options) { clear(twinstest.Image(s, 2)) }, kind: Blank, sort: Warning, want: "1 row with an image of one grey", first: "contrast of 0.0 grey levels"},
		{name: "swapped eyes", change: func(s *dataset.Set, _ *Options) {
			r := s.Row(5)
			l, q := column(s, "left_eye_center_x"), column(s, "right_eye_center_x")
			r[l], r[q] = r[q], r[l]
		}, kind: Swapped, sort: Warning, want: "1 row with left and right the other way round", first: "1 of 6 pairs swapped left_eye_center_x right_eye_center_x"},
		{name: "outside", change: func(s *dataset.Set, _ *Options) { s.Row(6)[3] = 99.5 }, kind: Outside, sort: Warning,
			want: "1 row with a point outside", first: "1 coordinate up to 3.5 px outside right_eye_center_y"},
		{name: "far", change: func(s *dataset.Set, o *Options) {
			o.Answers = &Answers{s.Columns, slices.Clone(s.Points)}
			for i := range o.Answers.Points {
				o.Answers.Points[i] += 0.2
			}
			o.Answers.Points[7*len(s.Columns)+2] += 20
		}, kind: Far, sort: Warning, want: "1 row with a point far from the model's answer", first: "1 point up to 20.2 px off right_eye_center_x right_eye_center_y"},
		{name: "constant", change: func(s *dataset.Set, _ *Options) {
			for r := range s.Len() {
				s.Row(r)[1] = 3
			}
		}, kind: ConstantCol, sort: Warning, want: "1 column with one value, or none, in all rows: left_eye_center_y"},
		{name: "never complete", change: func(s *dataset.Set, _ *Options) {
			for r := range s.Len() {
				s.Row(r)[10+r%2] = float32(math.NaN())
			}
		}, kind: NoComplete, sort: Warning, want: "no row has every column filled"},
		{name: "all empty", change: func(s *dataset.Set, _ *Options) {
			for i := range s.Points {
				s.Points[i] = float32(math.NaN())
			}
		}, kind: Untrainable, sort: Error, want: "found no row with the columns filled"},
		{name: "labels beside", change: func(s *dataset.Set, _ *Options) {
			for i := range s.Points {
				if blueprint.IsX(s.Columns[i%len(s.Columns)]) {
					s.Points[i]--
				}
			}
		}, kind: Axis, sort: Warning, want: "labels lie 0.9"},
	}
}

func TestRun(t *testing.T) {
	const n = 120
	for _, test := range faults(t, n) {
		s := twinstest.Drawn(t, n, 1, test.rows...)
		var o Options
		if test.change != nil {
			test.change(s, &o)
		}
		r, err := Run(ctx, s, o)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		test.check(t, s, r)
	}
}

// check compares what was found in the set.
func (test *faulty) check(t *testing.T, s *dataset.Set, r *Report) {
	if r.Failed() != (test.sort == Error) || r.Rows != s.Len() || len(r.Columns) != 30 {
		t.Errorf("%s: found %+v", test.name, r)
	}
	if test.kind == "" {
		if len(r.Findings) > 0 {
			t.Errorf("%s: found %+v, want nothing", test.name, r.Findings)
		}
		return
	}
	at := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Kind == test.kind })
	if at < 0 {
		t.Errorf("%s: found %+v, want one of %s", test.name, r.Findings, test.kind)
		return
	}
	f := r.Findings[at]
	if f.Severity != test.sort || !strings.HasPrefix(f.Text, test.want) {
		t.Errorf("%s: found %s: %s, want %s: %s", test.name, f.Severity, f.Text, test.sort, test.want)
	}
	if test.first == "" {
		return
	}
	if len(f.Rows) != f.Count {
		t.Errorf("%s: found %d rows, want %d", test.name, len(f.Rows), f.Count)
	} else if got := strings.TrimSpace(f.Rows[0].Text + " " + strings.Join(f.Rows[0].Columns, " ")); got != test.first {
		t.Errorf("%s: found %q, want %q", test.name, got, test.first)
	}
}

func TestRunRefuses(t *testing.T) {
	s := twinstest.Drawn(t, 2, 1)
	bare := *s
	bare.Columns, bare.Points = nil, nil
	if _, err := Run(ctx, &bare, Options{}); err == nil || !strings.Contains(err.Error(), "found no columns") {
		t.Errorf("no columns: found %v", err)
	}
	if _, err := Run(ctx, s, Options{Test: s.Resized(48, 48)}); err == nil || !strings.Contains(err.Error(), "found images of 48x48, want 96x96") {
		t.Errorf("another size: found %v", err)
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := Run(stopped, s, Options{}); err == nil {
		t.Error("stopped: want an error")
	}
	one, err := Run(ctx, twinstest.Drawn(t, 1, 1), Options{})
	if err != nil || !one.Failed() || !strings.Contains(one.Findings[0].Text, "found one row") {
		t.Errorf("one row: found %+v, %v", one, err)
	}
}

// On the real data, frames of the same videos are in both files.
func TestRealData(t *testing.T) {
	dir := os.Getenv("FKZOO_TESTDATA")
	if dir == "" {
		t.Skip("FKZOO_TESTDATA not set")
	}
	read := func(name string) *dataset.Set {
		s, err := source.Read(ctx, filepath.Join(dir, "data", name), source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	r, err := Run(ctx, read("training.zip"), Options{Test: read("test.zip")})
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed() || r.Rows != 3462 || r.Complete != 2140 || r.Test.Rows != 770 || r.Test.Exact != 0 || r.Test.Leaked < 30 || r.Test.Leaked > 45 {
		t.Errorf("found %d rows, %d complete, %+v", r.Rows, r.Complete, r.Test)
	}
	for _, f := range r.Findings {
		if f.Kind != Leaked && f.Kind != NearDuplicate && f.Kind != Axis {
			t.Errorf("found %s: %s", f.Kind, f.Text)
		}
	}
}
