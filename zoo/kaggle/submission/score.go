package submission

import (
	"fmt"
	"math"
	"strings"
)

// A Solution is the truth that Kaggle compares submissions with.
type Solution struct {
	IDs    []int64
	Values []float64
	Usage  []Usage // of each row; nil where the file doesn't say
	Source string
}

// Usage says what a row counts for.
type Usage uint8

// Kaggle shows the score of the public rows at once and ranks by that of the
// private ones.
const (
	Public Usage = iota
	Private
	Ignored
)

var usages = []string{Public: "Public", Private: "Private", Ignored: "Ignored"}

// ReadSolution reads a solution: RowId (or Id), Location and, where it is there,
// Usage (Public, Private or Ignored, as a competition's host gives it), found by
// their names; other columns are passed over. An ignored row's Location may be
// empty. The first fault is a *Fault.
func ReadSolution(path string) (*Solution, error) {
	t, err := openTable(path)
	if err != nil {
		return nil, err
	}
	defer t.close()
	s, err := readSolution(t)
	if err != nil {
		return nil, named(err, path)
	}
	s.Source = path
	return s, nil
}

func readSolution(t *table) (*Solution, error) {
	t.strict()
	if !t.head() {
		return nil, t.err
	}
	at := t.columns("RowId", "Id", "Location", "Usage")
	id, location, usage := at[0], at[2], at[3]
	if id < 0 {
		id = at[1]
	}
	if id < 0 || location < 0 {
		t.fault(0, fmt.Sprintf("found the header %s, want RowId,Location or RowId,Location,Usage", quote(strings.Join(t.names, ","))))
	}
	if t.err != nil {
		return nil, t.err
	}
	s, rows := &Solution{}, ids{}
	for t.next() {
		row, ok := t.id(id)
		if !ok || !rows.add(t, row) {
			break
		}
		use := Private
		if usage >= 0 {
			if use, ok = t.usage(usage); !ok {
				break
			}
			s.Usage = append(s.Usage, use)
		}
		v := 0.0
		if use != Ignored {
			if v, ok = t.value(location, math.Inf(1)); !ok {
				break
			}
		}
		s.Values = append(s.Values, v)
	}
	if t.err == nil && t.rows == 0 {
		t.fault(0, "found no row below the header, want some")
	}
	s.IDs = rows.list
	return s, t.err
}

func (t *table) usage(field int) (Usage, bool) {
	text := strings.TrimSpace(t.record[field])
	for u, name := range usages {
		if strings.EqualFold(text, name) {
			return Usage(u), true
		}
	}
	t.fault(0, fmt.Sprintf("found %s as %s, want %s", quote(text), t.names[field], strings.Join(usages, ", ")))
	return 0, false
}

// A Score is the root of the mean squared error over all rows of a kind, in
// pixels, as Kaggle computes it. Ignored rows count for nothing.
type Score struct {
	All     float64  `json:"all"`
	Private *float64 `json:"private,omitempty"` // nil where no row is of that usage
	Public  *float64 `json:"public,omitempty"`
	Rows    struct {
		All     int `json:"all"`
		Private int `json:"private"`
		Public  int `json:"public"`
		Ignored int `json:"ignored"`
	} `json:"rows"`
	Features []FeatureScore `json:"features,omitempty"` // with a lookup table, in its order
	Leak     *LeakScore     `json:"leak,omitempty"`     // where the ledger knows of test faces in the training data
}

// A FeatureScore is the error of the rows that ask for one feature.
type FeatureScore struct {
	Name    string   `json:"name"`
	Rows    int      `json:"rows"`
	All     float64  `json:"all"`
	Private *float64 `json:"private,omitempty"`
	Public  *float64 `json:"public,omitempty"`
}

// sums adds up squared errors by usage.
type sums struct {
	squares [3]float64
	rows    [3]int
}

func (s *sums) add(u Usage, d float64) {
	s.squares[u] += d * d
	s.rows[u]++
}

func (s *sums) all() (float64, int) {
	n := s.rows[Public] + s.rows[Private]
	return math.Sqrt((s.squares[Public] + s.squares[Private]) / float64(max(n, 1))), n
}

func (s *sums) of(u Usage) *float64 {
	if s.rows[u] == 0 {
		return nil
	}
	v := math.Sqrt(s.squares[u] / float64(s.rows[u]))
	return &v
}

// Compare scores a submission, which must have the solution's rows and no
// others: else the error is a *DifferenceError. With a lookup table, which may
// be nil, each feature is scored too.
func (s *Solution) Compare(with *Submission, lookup *Lookup) (*Score, error) {
	if err := sameRows(with.Source, with.IDs, s.Source, s.IDs); err != nil {
		return nil, err
	}
	var rows map[int64]int
	var byFeature []sums
	if lookup != nil {
		rows, byFeature = index(lookup.IDs), make([]sums, len(lookup.Features))
	}
	var total sums
	for i, v := range with.in(s.IDs) {
		use := Private
		if s.Usage != nil {
			use = s.Usage[i]
		}
		d := v - s.Values[i]
		total.add(use, d)
		if lookup != nil && use != Ignored {
			row, ok := rows[s.IDs[i]]
			if !ok {
				return nil, fmt.Errorf("%s: found no row %d, which %s has", lookup.Source, s.IDs[i], s.Source)
			}
			byFeature[lookup.Feature(row)].add(use, d)
		}
	}
	out := &Score{}
	out.All, out.Rows.All = total.all()
	if out.Rows.All == 0 {
		return nil, fmt.Errorf("%s: found no row that counts, want some of usage Public or Private: %w", s.Source, ErrEmpty)
	}
	out.Rows.Ignored = total.rows[Ignored]
	known := s.Usage != nil
	if known {
		out.Private, out.Rows.Private = total.of(Private), total.rows[Private]
		out.Public, out.Rows.Public = total.of(Public), total.rows[Public]
	}
	for f, sum := range byFeature {
		score := FeatureScore{Name: lookup.Features[f]}
		if score.All, score.Rows = sum.all(); score.Rows == 0 {
			continue
		}
		if known {
			score.Private, score.Public = sum.of(Private), sum.of(Public)
		}
		out.Features = append(out.Features, score)
	}
	return out, nil
}
