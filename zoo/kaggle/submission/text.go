package submission

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fkzoo/fkzoo/internal/plainfile"
)

// Limits on what a file may ask of the reader.
const (
	maxFile       = 4 << 30 // bytes: some 200 million rows
	maxLine       = 1 << 16 // bytes
	maxColumns    = 1000    // in a header
	maxCoordinate = 1e9     // pixels, either way: squares of more would swallow all others
	maxRow        = 1 << 20 // bytes until a row ends, empty lines and quotes without an end among them
)

// A Fault is something wrong with a file, where it lies and what.
type Fault struct {
	File   string `json:"-"`
	Line   int    `json:"line,omitempty"` // from 1, the header being line 1; 0 where no line is meant
	Row    *int64 `json:"row,omitempty"`  // the row's id, where it is known
	Reason string `json:"reason"`         // what was found and what was wanted
}

func (f *Fault) Error() string {
	if f.File == "" {
		return f.Where() + f.Reason
	}
	if f.Line > 0 {
		return f.File + " " + f.Where() + f.Reason
	}
	return f.File + ": " + f.Where() + f.Reason
}

// Where is "line 3, row 2: ", or less where less is known.
func (f *Fault) Where() string {
	var parts []string
	if f.Line > 0 {
		parts = append(parts, fmt.Sprintf("line %d", f.Line))
	}
	if f.Row != nil {
		parts = append(parts, fmt.Sprintf("row %d", *f.Row))
	}
	if parts == nil {
		return ""
	}
	return strings.Join(parts, ", ") + ": "
}

// table reads a CSV row by row. Faults go to report; the system's errors end
// the reading and are in err.
type table struct {
	file   *os.File
	size   int64 // of the file; 0: not known
	text   *watch
	csv    *csv.Reader
	report func(Fault) bool // false ends the reading

	names   []string // the header's
	record  []string // the row under way
	line    int      // its line
	rows    int      // so far
	wide    int      // fields in a row
	least   int      // fields that a row must have; those behind them may lack
	ids     int      // the field with the row's id
	err     error
	stopped bool
}

func openTable(path string) (*table, error) {
	f, info, err := plainfile.Open(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		f.Close()
		return nil, fmt.Errorf("%s: found %d bytes, want at most %d", path, info.Size(), int64(maxFile))
	}
	t := newTable(f)
	t.file, t.size = f, info.Size()
	return t, nil
}

func newTable(r io.Reader) *table {
	t := &table{text: &watch{in: bufio.NewReaderSize(r, maxLine)}}
	t.csv = csv.NewReader(t.text)
	t.csv.FieldsPerRecord, t.csv.ReuseRecord = -1, true
	return t
}

func (t *table) close() {
	if t.file != nil {
		t.file.Close()
	}
}

// fault reports something about a line, 0 being the one under way.
func (t *table) fault(line int, reason string) {
	t.faultOf(Fault{Line: line, Reason: reason})
}

func (t *table) faultOf(f Fault) {
	if t.stopped {
		return
	}
	if f.Line == 0 && t.line > 0 {
		f.Line = t.line
	}
	t.stopped = !t.report(f)
}

// head reads the header; false where there is none to go on with.
func (t *table) head() bool {
	if kind, err := t.text.kind(); err != nil {
		t.err = err
		return false
	} else if kind != "" {
		t.fault(0, fmt.Sprintf("found %s, want a CSV in UTF-8", kind))
		return false
	}
	if !t.read() {
		if t.err == nil && t.line == 0 {
			found := "an empty file"
			if t.text.lines > 0 {
				found = "only empty lines"
			}
			t.fault(0, "found "+found+", want a header and rows")
		}
		return false
	}
	if len(t.record) > maxColumns {
		t.fault(0, fmt.Sprintf("found a header of %d columns, want at most %d", len(t.record), maxColumns))
		return false
	}
	for _, name := range t.record {
		if !utf8.ValidString(name) {
			t.fault(0, fmt.Sprintf("found %s in the header, want UTF-8", quote(name)))
			return false
		}
		t.names = append(t.names, strings.Clone(strings.TrimSpace(name)))
	}
	t.wide, t.least = len(t.names), len(t.names)
	return !t.stopped
}

// next reads the following row that has as many fields as the header, or all that are needed.
func (t *table) next() bool {
	for t.read() {
		t.rows++
		if n := len(t.record); n >= t.least && n <= t.wide {
			return true
		}
		t.fault(0, fmt.Sprintf("found %d fields, want %d as in the header", len(t.record), t.wide))
	}
	return false
}

// read reads a record, whatever it holds.
func (t *table) read() bool {
	for !t.stopped && t.err == nil {
		t.text.since = 0
		record, err := t.csv.Read()
		t.lineEnds()
		var bad *csv.ParseError
		switch {
		case t.stopped:
			return false
		case err == io.EOF:
			return false
		case errors.As(err, &bad):
			t.line = bad.Line
			t.fault(bad.StartLine, "found a quote out of place, want fields as 1,2 or \"1\",\"2\"")
			continue
		case errors.Is(err, errLine):
			t.fault(t.text.lines+1, fmt.Sprintf("found more than %d bytes, want at most that in a line", maxLine))
			t.stopped = true // what follows can't be told apart
			return false
		case errors.Is(err, errRow):
			t.fault(t.line+1, fmt.Sprintf("found no row in %d bytes, want a quoted field to end within its line", maxRow))
			t.stopped = true // what follows can't be told apart
			return false
		case err != nil:
			t.err = err
			return false
		}
		line, _ := t.csv.FieldPos(0)
		if line > t.line+1 {
			t.fault(t.line+1, "found an empty line, want a row")
		}
		t.line, t.record = line, record
		if end := t.csvLine(); end > line {
			t.fault(line, "found a quoted field over several lines, want each within its line")
			t.line = end
			continue
		}
		return !t.stopped
	}
	return false
}

// csvLine is the line of the record's last field.
func (t *table) csvLine() int {
	line, _ := t.csv.FieldPos(len(t.record) - 1)
	return line + strings.Count(t.record[len(t.record)-1], "\n")
}

// lineEnds reports the first line that ends otherwise than those before it.
func (t *table) lineEnds() {
	if t.text.mixed > 0 {
		t.fault(t.text.mixed, t.text.mix)
		t.text.mixed = 0
	}
}

// id gives a field as a row's id, a whole number.
func (t *table) id(field int) (int64, bool) {
	t.ids = field
	text := strings.TrimSpace(t.record[field])
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.fault(0, fmt.Sprintf("found %s as %s, want a whole number", quote(text), t.names[field]))
		return 0, false
	}
	return id, true
}

// ids are those of the rows so far. While they increase, as in the competition's
// files, no index is needed: of a large table it would be the largest part.
type ids struct {
	list []int64
	at   map[int64]int
}

// add notes a row's id; one that is there already is a fault. All rows so far
// were without one, so that the first has line 2 and none was passed over.
func (s *ids) add(t *table, id int64) bool {
	if s.at == nil && len(s.list) > 0 && id <= s.list[len(s.list)-1] {
		s.at = index(s.list)
	}
	if s.at != nil {
		if first, twice := s.at[id]; twice {
			t.faultOf(Fault{Row: &id, Reason: fmt.Sprintf("found the row twice, first in line %d, want it once", first+2)})
			return false
		}
		s.at[id] = len(s.list)
	}
	s.list = append(room(t, s.list), id)
	return true
}

// room makes room, once and not as append does in steps that each leave the last
// one's memory behind, for as many rows as the file seems to have, judging by
// those so far.
func room[T any](t *table, list []T) []T {
	const enough = 1 << 12
	if len(list) < cap(list) || len(list) < enough {
		return list
	}
	bytes := t.text.bytes / int64(len(list)) // of a row
	left := (t.size - t.text.bytes) / max(bytes, 1)
	return slices.Grow(list, int(max(left+left/64, enough)))
}

// value gives a field as a coordinate; the row's id was asked for before.
func (t *table) value(field int, side float64) (float64, bool) {
	text := strings.TrimSpace(t.record[field])
	v, ok := parseNumber(text)
	reason := ""
	switch {
	case text == "":
		reason = fmt.Sprintf("found no %s, want a number", t.names[field])
	case !ok:
		reason = fmt.Sprintf("found %s as %s, want a number of pixels, at most 1e9", quote(text), t.names[field])
	case !math.IsInf(side, 1) && (v < 0 || v > side):
		reason = fmt.Sprintf("found %s as %s, want 0 to %g, inside the image", quote(text), t.names[field], side)
	default:
		return v, true
	}
	f := Fault{Reason: reason}
	if id, err := strconv.ParseInt(strings.TrimSpace(t.record[t.ids]), 10, 64); err == nil {
		f.Row = &id
	}
	t.faultOf(f)
	return 0, false
}

// parseNumber reads a decimal number of pixels, up to maxCoordinate either way.
func parseNumber(text string) (float64, bool) {
	if len(text) > 64 || strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && r != '.' && r != '-' && r != '+' && r != 'e' && r != 'E'
	}) {
		return 0, false // hexadecimals, infinities and NaN among them
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && math.Abs(v) <= maxCoordinate
}

// quote shows a text in a fault, cut where it is long.
func quote(text string) string {
	const most = 40
	if len(text) > most {
		return fmt.Sprintf("%q...", text[:most])
	}
	return fmt.Sprintf("%q", text)
}

// watch passes a text on line by line, and notes how its lines end.
type watch struct {
	in    *bufio.Reader
	rest  []byte
	lines int   // so far
	bytes int64 // so far
	since int   // bytes since the last row
	err   error

	end   string // of the first line: LF, CRLF
	mixed int    // the line that first ends otherwise; 0 again once it was reported
	mix   string // what is said of it
	told  bool
}

var (
	bom     = []byte("\xef\xbb\xbf")
	errLine = errors.New("line too long")
	errRow  = errors.New("no row")
)

// kind says what a file is by its first bytes, "" being text. A byte-order mark
// is passed over.
func (w *watch) kind() (string, error) {
	head, err := w.in.Peek(512)
	if err != nil && err != io.EOF {
		return "", err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "UTF-16 text", nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "a zip", nil
	case bytes.IndexByte(head, 0) >= 0:
		return "a binary file, or UTF-16 text", nil
	}
	if bytes.HasPrefix(head, bom) {
		_, err = w.in.Discard(len(bom))
		return "", err
	}
	return "", nil
}

func (w *watch) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		if w.err != nil {
			return 0, w.err
		}
		var line []byte
		line, w.err = w.in.ReadSlice('\n')
		if w.err == bufio.ErrBufferFull {
			w.err = errLine
			return 0, w.err
		}
		if len(line) == 0 {
			return 0, w.err
		}
		if w.since += len(line); w.since > maxRow {
			w.err = errRow
			return 0, w.err
		}
		w.bytes += int64(len(line))
		w.note(line)
		w.rest = line
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// note looks at a line's end. A carriage return elsewhere ends a line of old
// Macintosh text, or nothing.
func (w *watch) note(line []byte) {
	w.lines++
	end := ""
	if body, ok := bytes.CutSuffix(line, []byte("\n")); ok {
		end = "LF"
		if short, ok := bytes.CutSuffix(body, []byte("\r")); ok {
			body, end = short, "CRLF"
		}
		line = body
	}
	found := end
	if bytes.IndexByte(line, '\r') >= 0 {
		found = "CR"
	}
	if w.end == "" {
		w.end = end
	}
	if found != "" && found != w.end && !w.told {
		w.told, w.mixed = true, w.lines
		w.mix = fmt.Sprintf("found a line that ends in %s after those that end in %s: mixed line ends, want LF throughout", found, w.end)
		if found == "CR" {
			w.mix = "found a carriage return (CR) alone, want lines that end in LF"
		}
	}
}
