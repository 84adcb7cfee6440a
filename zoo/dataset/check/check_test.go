package check

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
)

var ctx = context.Background()

// drawn are n demo faces, of which row r%n is row r.
func drawn(t testing.TB, n int, seed uint64, rows ...int) *dataset.Set {
	t.Helper()
	s, err := demo.Faces(ctx, n, seed)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	if s, err = s.Select(append(all, rows...)); err != nil {
		t.Fatal(err)
	}
	for i := range s.IDs {
		s.IDs[i] = string(rune('A'+i/26%26)) + string(rune('a'+i%26))
	}
	return s
}

func image(s *dataset.Set, row int) []uint8 { return s.Bytes[row*s.Pixels() : (row+1)*s.Pixels()] }

// What is done to a picture that is saved anew: none of it hides a twin.
var changes = map[string]func(pixels []uint8){
	"noise of 5 grey levels": func(p []uint8) {
		r := rand.New(rand.NewPCG(1, 1))
		for i, v := range p {
			p[i] = uint8(min(max(float64(v)+5*r.NormFloat64(), 0), 255))
		}
	},
	"brighter": func(p []uint8) {
		for i, v := range p {
			p[i] = uint8(min(1.1*float64(v)+15, 255))
		}
	},
	"gamma": func(p []uint8) {
		for i, v := range p {
			p[i] = uint8(255 * math.Pow(float64(v)/255, 0.8))
		}
	},
	"moved by a pixel": func(p []uint8) { copy(p, p[1:]) },
	"blurred": func(p []uint8) {
		old := slices.Clone(p)
		for i := 97; i < len(p)-97; i++ {
			sum := 0
			for _, d := range []int{-97, -96, -95, -1, 0, 1, 95, 96, 97} {
				sum += int(old[i+d])
			}
			p[i] = uint8(sum / 9)
		}
	},
	"mirrored": func(p []uint8) {
		for line := range slices.Chunk(p, 96) {
			slices.Reverse(line)
		}
	},
}

func TestTwins(t *testing.T) {
	const n, copies = 150, 20
	base := drawn(t, n, 1)
	f, err := newFaces(ctx, base)
	if err != nil {
		t.Fatal(err)
	}
	if w, err := f.twins(ctx, f); err != nil || len(w) > 0 {
		t.Errorf("different faces: found %d twins (%v), want none: %+v", len(w), err, w)
	}
	for name, change := range changes {
		others := drawn(t, 40, 2)
		for i := range copies {
			copy(image(others, 2*i), image(base, 7*i))
			change(image(others, 2*i))
		}
		o, err := newFaces(ctx, others)
		if err != nil {
			t.Fatal(err)
		}
		found, err := o.twins(ctx, f)
		if err != nil || len(found) != copies {
			t.Errorf("%s: found %d twins (%v), want %d", name, len(found), err, copies)
		}
		for _, w := range found {
			if w.Row%2 != 0 || w.Other != w.Row/2*7 || w.Mirrored != (name == "mirrored") || w.Exact || w.Correlation < leastLike {
				t.Errorf("%s: found %+v, want row %d", name, w, w.Row/2*7)
			}
		}
	}
}

func TestAlike(t *testing.T) {
	s := drawn(t, 40, 1)
	copy(image(s, 30), image(s, 7))
	copy(image(s, 35), image(s, 7))
	changes["gamma"](image(s, 35))
	copy(image(s, 39), image(s, 35)) // as 35, which is nearly as 7
	copy(image(s, 20), image(s, 3))
	changes["mirrored"](image(s, 20))
	first, err := Alike(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for r, got := range first {
		want := r
		switch r {
		case 30, 35, 39:
			want = 7
		case 20:
			want = 3
		}
		if got != want {
			t.Errorf("row %d: found it like %d, want %d", r, got, want)
		}
	}
}

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

// faults are changes to n drawn faces; what they add comes behind these.
func faults(t *testing.T, n int) []faulty {
	column := func(s *dataset.Set, name string) int { return s.Column(name) }
	return []faulty{
		{name: "nothing"},
		{name: "the same twice", rows: []int{3, 3}, kind: Duplicate, sort: Warning, want: "2 rows with the same image", first: "same as Ad"},
		{name: "other labels", rows: []int{3}, change: func(s *dataset.Set, _ *Options) { s.Row(n)[4] += 5 }, kind: Conflict, sort: Warning,
			want: "1 row with the same image as another and other labels", first: "up to 5.0 px from Ad, the same image " + "left_eye_inner_corner_x"},
		{name: "nearly the same", rows: []int{3}, change: func(s *dataset.Set, _ *Options) { changes["gamma"](image(s, n)) }, kind: NearDuplicate, sort: Warning,
			want: "1 row with nearly the same image", first: "nearly Ad"},
		{name: "leaked", change: func(s *dataset.Set, o *Options) {
			o.Test = drawn(t, 30, 9)
			copy(image(o.Test, 4), image(s, 8))
			copy(image(o.Test, 5), image(s, 9))
			changes["brighter"](image(o.Test, 5))
		}, kind: Leaked, sort: Warning, want: "2 of 30 test faces are, or nearly are, among those to train on, 1 with the same pixels", first: "same as Ai"},
		{name: "blank", change: func(s *dataset.Set, _ *Options) { clear(image(s, 2)) }, kind: Blank, sort: Warning, want: "1 row with an image of one grey", first: "contrast of 0.0 grey levels"},
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
		s := drawn(t, n, 1, test.rows...)
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
	s := drawn(t, 2, 1)
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
	one, err := Run(ctx, drawn(t, 1, 1), Options{})
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

// BenchmarkTwins is the search alone: 7,000 faces within themselves, and 1,800
// among them, as many as in the competition.
func BenchmarkTwins(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	many := func(n int) *faces {
		f := &faces{set: &dataset.Set{IDs: make([]string, n)}, hashes: make([]hash, n), sums: make([][32]byte, n), first: make([]int, n)}
		for i := range n {
			for w := range words {
				f.hashes[i][w] = r.Uint64()
			}
			f.sums[i][0], f.sums[i][1], f.first[i] = byte(i), byte(i>>8), i
			f.lone = append(f.lone, i)
		}
		return f
	}
	training, test := many(7000), many(1800)
	for b.Loop() {
		for _, f := range []*faces{training, test} {
			if _, err := f.twins(ctx, training); err != nil {
				b.Fatal(err)
			}
		}
	}
}
