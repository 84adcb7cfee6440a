package dataset

import "math/bits"

// A Summary says what a Set holds, without its images.
type Summary struct {
	Rows     int
	Complete int // rows with every column filled
	Columns  []ColumnSummary
	Height   int
	Width    int
	Channels int

	// Patterns has one entry for each different combination of filled columns,
	// in the order in which they first appear; so the rows of any group of
	// columns can be counted from it.
	Patterns []Pattern
}

// A ColumnSummary tells of one column: how many cells are filled, and the
// least, mean and greatest of them (NaN where none is).
type ColumnSummary struct {
	Name           string
	Filled         int
	Min, Mean, Max float32
}

// A Pattern is a combination of filled columns and how many rows have just it.
type Pattern struct {
	Filled []uint64 // bit c%64 of word c/64 is set where column c is filled
	Rows   int
}

// Has says whether column c is filled in this pattern.
func (p Pattern) Has(c int) bool { return p.Filled[c/64]>>(c%64)&1 == 1 }

// Summary counts what is filled.
func (s *Set) Summary() *Summary {
	c := len(s.Columns)
	out := &Summary{Rows: s.Len(), Height: s.Height, Width: s.Width, Channels: s.Channels,
		Columns: make([]ColumnSummary, c)}
	sums := make([]float64, c)
	for i, name := range s.Columns {
		out.Columns[i] = ColumnSummary{Name: name, Min: nan, Mean: nan, Max: nan}
	}
	seen := map[string]int{}
	key := make([]byte, (c+7)/8)
	for r := range s.Len() {
		clear(key)
		for i, v := range s.Points[r*c : (r+1)*c] {
			if isNaN(v) {
				continue
			}
			key[i/8] |= 1 << (i % 8)
			col := &out.Columns[i]
			if col.Filled == 0 {
				col.Min, col.Max = v, v
			}
			col.Filled++
			col.Min, col.Max = min(col.Min, v), max(col.Max, v)
			sums[i] += float64(v)
		}
		at, ok := seen[string(key)]
		if !ok {
			at = len(out.Patterns)
			seen[string(key)] = at
			filled := make([]uint64, (c+63)/64)
			for i, b := range key {
				filled[i/8] |= uint64(b) << (i % 8 * 8)
			}
			out.Patterns = append(out.Patterns, Pattern{Filled: filled})
		}
		out.Patterns[at].Rows++
	}
	for i := range out.Columns {
		if n := out.Columns[i].Filled; n > 0 {
			out.Columns[i].Mean = float32(sums[i] / float64(n))
		}
	}
	for _, p := range out.Patterns {
		n := 0
		for _, w := range p.Filled {
			n += bits.OnesCount64(w)
		}
		if n == c {
			out.Complete += p.Rows
		}
	}
	return out
}

// RowsWith counts the rows that have all the given columns filled; ok is false
// where a column is unknown.
func (s *Summary) RowsWith(columns ...string) (rows int, ok bool) {
	at := make([]int, len(columns))
next:
	for i, name := range columns {
		for c := range s.Columns {
			if s.Columns[c].Name == name {
				at[i] = c
				continue next
			}
		}
		return 0, false
	}
patterns:
	for _, p := range s.Patterns {
		for _, c := range at {
			if !p.Has(c) {
				continue patterns
			}
		}
		rows += p.Rows
	}
	return rows, true
}
