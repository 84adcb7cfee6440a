package protocol

import (
	"fmt"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/specs/protocol/wire"
)

// DataSummary says what training data holds, without any of its images.
type DataSummary struct {
	// Columns are the outputs, in the order of the data's header.
	Columns []string
	// Rows is the number of rows; 0 if no data is at hand.
	Rows int
	// Filled has every pattern of filled cells that occurs, with its rows.
	// Empty if no data is at hand.
	Filled []Filled
}

// Filled counts the rows in which exactly these columns are filled.
type Filled struct {
	Columns []int // positions in DataSummary.Columns, ascending
	Rows    int
}

// Summarize sums up points, which has one row of len(columns) numbers after
// the other; NaN stands for an empty cell. It fails if points is not a whole
// number of rows.
func Summarize(columns []string, points []float32) (DataSummary, error) {
	s := DataSummary{Columns: slices.Clone(columns)}
	n := len(columns)
	if n == 0 || len(points)%n != 0 {
		return s, fmt.Errorf("data summary: found %d numbers for %d columns, want whole rows", len(points), n)
	}
	s.Rows = len(points) / n
	at := map[string]int{} // pattern, a byte for each column, to its place in s.Filled
	pattern := make([]byte, n)
	for row := range s.Rows {
		for i, v := range points[row*n : (row+1)*n] {
			pattern[i] = 1
			if math.IsNaN(float64(v)) {
				pattern[i] = 0
			}
		}
		place, known := at[string(pattern)]
		if !known {
			place = len(s.Filled)
			at[string(pattern)] = place
			var f Filled
			for i, b := range pattern {
				if b == 1 {
					f.Columns = append(f.Columns, i)
				}
			}
			s.Filled = append(s.Filled, f)
		}
		s.Filled[place].Rows++
	}
	return s, nil
}

// RowsWith counts the rows in which all the columns named are filled. A column
// that the data lacks is filled in no row.
func (s DataSummary) RowsWith(columns ...string) int {
	wanted := make([]int, len(columns))
	for i, c := range columns {
		if wanted[i] = slices.Index(s.Columns, c); wanted[i] < 0 {
			return 0
		}
	}
	rows := 0
	for _, f := range s.Filled {
		all := true
		for _, w := range wanted {
			if _, found := slices.BinarySearch(f.Columns, w); !found {
				all = false
				break
			}
		}
		if all {
			rows += f.Rows
		}
	}
	return rows
}

// Wire gives the summary as it goes to a plugin.
func (s DataSummary) Wire() *wire.DataSummary {
	w := &wire.DataSummary{Columns: s.Columns, Rows: int64(s.Rows)}
	for _, f := range s.Filled {
		g := &wire.Filled{Rows: int64(f.Rows), Columns: make([]uint32, len(f.Columns))}
		for i, c := range f.Columns {
			g.Columns[i] = uint32(c)
		}
		w.Filled = append(w.Filled, g)
	}
	return w
}

// FromWire reads a summary as a plugin got it. It fails if a pattern names a
// column that there is not, out of order, or counts less than nothing.
func FromWire(w *wire.DataSummary) (DataSummary, error) {
	s := DataSummary{Columns: w.GetColumns(), Rows: int(w.GetRows())}
	if s.Rows < 0 {
		return s, fmt.Errorf("data summary: found %d rows, want 0 or more", s.Rows)
	}
	for i, g := range w.GetFilled() {
		f := Filled{Rows: int(g.GetRows())}
		if f.Rows < 0 {
			return s, fmt.Errorf("data summary, pattern %d: found %d rows, want 0 or more", i, f.Rows)
		}
		last := -1
		for _, c := range g.GetColumns() {
			if int64(c) >= int64(len(s.Columns)) || int(c) <= last {
				return s, fmt.Errorf("data summary, pattern %d: found column %d after %d, want them ascending and below %d", i, c, last, len(s.Columns))
			}
			last = int(c)
			f.Columns = append(f.Columns, last)
		}
		s.Filled = append(s.Filled, f)
	}
	return s, nil
}
