// Package submission is the room of Kaggle's tables: submissions, the lookup
// table that says what a submission must give, and solutions. It reads, writes,
// checks, averages and scores them, and keeps the ledger that says how a
// submission came to be.
//
// It knows nothing of networks, engines, images or model files: a value is a
// number under a row's id.
//
// # Coordinates
//
// A value is a coordinate in pixels of the image, 0 to its width or height: see
// package dataset.
package submission

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
)

// ImageSide is the width and height of the competition's images, so that a
// value is from 0 to this.
const ImageSide = 96

// A Submission gives a value for each row's id, in the order of the file.
type Submission struct {
	IDs    []int64
	Values []float64
	Source string // the path
}

// Len is the number of rows.
func (s *Submission) Len() int { return len(s.IDs) }

// header is a submission's first line, as the competition's sample has it.
var header = []string{"RowId", "Location"}

// Read reads a submission: the columns RowId and Location, in that order, a
// whole and a finite number in each row, each id once. CRLF, a byte-order mark
// and quoted fields are accepted; the first fault is a *Fault. Values outside
// the image are accepted: see [Check].
func Read(path string) (*Submission, error) {
	var first *Fault
	s, err := scan(path, math.Inf(1), func(f Fault) bool {
		first = &f
		return false
	})
	if err == nil && first != nil {
		first.File = path
		err = first
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// scan reads a submission and tells report of every fault, until that answers
// false. What is returned has the rows without a fault. Values must be from 0
// to side; of an infinite side, may be any.
func scan(path string, side float64, report func(Fault) bool) (*Submission, error) {
	t, err := openTable(path)
	if err != nil {
		return nil, err
	}
	defer t.close()
	s := &Submission{Source: path}
	lines := map[int64]int{} // where each id stands
	t.report = report
	if !t.head() {
		return s, t.err
	}
	if !slices.Equal(t.names, header) {
		t.fault(0, fmt.Sprintf("found the header %s, want %s", quote(strings.Join(t.names, ",")), strings.Join(header, ",")))
		return s, t.err
	}
	for t.next() {
		id, ok := t.id(0)
		if !ok {
			continue
		}
		if line, twice := lines[id]; twice {
			t.faultOf(Fault{Row: &id, Reason: fmt.Sprintf("found the row twice, first in line %d, want it once", line)})
			continue
		}
		lines[id] = t.line
		v, ok := t.value(1, side)
		if !ok {
			continue
		}
		s.IDs, s.Values = append(s.IDs, id), append(s.Values, v)
	}
	if t.err == nil && t.rows == 0 && !t.stopped {
		t.fault(0, "found no row below the header, want some")
	}
	return s, t.err
}

// Write writes the submission at path, atomically, with LF. An existing file is
// replaced only with force; else the error is [atomicfile.ErrExists].
func (s *Submission) Write(path string, force bool) error {
	return atomicfile.Write(path, force, s.write)
}

func (s *Submission) write(to io.Writer) error {
	w := bufio.NewWriter(to)
	w.WriteString(strings.Join(header, ",") + "\n")
	var line []byte
	for i, id := range s.IDs {
		line = append(strconv.AppendInt(line[:0], id, 10), ',')
		line = append(appendValue(line, s.Values[i]), '\n')
		w.Write(line)
	}
	return w.Flush()
}

// appendValue writes up to 10 decimals, as the competition's submissions have
// them: far more than a network knows or a score shows.
func appendValue(b []byte, v float64) []byte {
	n := len(b)
	b = strconv.AppendFloat(b, v, 'f', 10, 64)
	end := len(b)
	for b[end-1] == '0' {
		end--
	}
	if b[end-1] == '.' {
		end--
	}
	if b = b[:end]; string(b[n:]) == "-0" {
		return append(b[:n], '0')
	}
	return b
}

// index finds rows by their ids.
func index(ids []int64) map[int64]int {
	at := make(map[int64]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	return at
}

// A DifferenceError says which rows one file has and another lacks.
type DifferenceError struct {
	A, B         string  // the files
	OnlyA, OnlyB []int64 // rows that only one has, in its order
}

func (e *DifferenceError) Error() string {
	return fmt.Sprintf("%s and %s: found different rows: %s, want the same in both", e.A, e.B,
		strings.Join(slices.DeleteFunc([]string{only(e.A, e.OnlyA), only(e.B, e.OnlyB)}, func(s string) bool { return s == "" }), "; "))
}

func only(file string, ids []int64) string {
	if len(ids) == 0 {
		return ""
	}
	return fmt.Sprintf("only %s has %s", file, someRows(ids))
}

// someRows names a few of the rows: "rows 1 to 3, 7 (4 in all)".
func someRows(ids []int64) string {
	const most = 5
	var parts []string
	for i := 0; i < len(ids); {
		j := i
		for j+1 < len(ids) && ids[j+1] == ids[j]+1 {
			j++
		}
		if len(parts) == most {
			parts = append(parts, "...")
			break
		}
		if j > i+1 {
			parts = append(parts, fmt.Sprintf("%d to %d", ids[i], ids[j]))
			i = j + 1
		} else {
			parts = append(parts, fmt.Sprint(ids[i]))
			i++
		}
	}
	if len(ids) == 1 {
		return "row " + parts[0]
	}
	return fmt.Sprintf("rows %s (%d in all)", strings.Join(parts, ", "), len(ids))
}

// sameRows refuses two files with different rows; their order doesn't matter.
func sameRows(a string, idsA []int64, b string, idsB []int64) error {
	if slices.Equal(idsA, idsB) {
		return nil
	}
	d := &DifferenceError{A: a, B: b, OnlyA: lacking(idsA, index(idsB)), OnlyB: lacking(idsB, index(idsA))}
	if len(d.OnlyA)+len(d.OnlyB) == 0 {
		return nil
	}
	return d
}

// lacking are the ids that aren't in at.
func lacking(ids []int64, at map[int64]int) []int64 {
	var out []int64
	for _, id := range ids {
		if _, ok := at[id]; !ok {
			out = append(out, id)
		}
	}
	return out
}

// in gives the values in the order of other ids, of which there are the same.
func (s *Submission) in(ids []int64) []float64 {
	if slices.Equal(s.IDs, ids) {
		return s.Values
	}
	at, out := index(s.IDs), make([]float64, len(ids))
	for i, id := range ids {
		out[i] = s.Values[at[id]]
	}
	return out
}

// ErrEmpty is for a file without rows.
var ErrEmpty = errors.New("no rows")
