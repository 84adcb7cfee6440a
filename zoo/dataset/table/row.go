// Package table reads data that is tables of pixels: Kaggle's CSV, plain or in a zip,
// and NumPy's .npy. It knows nothing of pictures and folders.
package table

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// A layout says what the fields of a line are.
type layout struct {
	file    string
	names   []string // of the fields, as in the header
	roles   []int    // field -> position among the columns, or asImage, asID
	columns []string // the coordinates
	hasID   bool
	pixels  int // of an image; 0 until the first row was seen
}

const (
	asImage = -1
	asID    = -2
)

// parseHeader reads the first line of a file, without its line end.
func parseHeader(file string, line []byte) (*layout, error) {
	bad := func(column, found, want string) error {
		return &dataset.RowError{File: file, Line: 1, Column: column, Found: found, Want: want}
	}
	if len(line) > input.MaxHeader {
		return nil, fmt.Errorf("%s line 1: found a header of %d bytes, want at most %d: %w", file, len(line), input.MaxHeader, dataset.ErrLimit)
	}
	l := &layout{file: file}
	hasImage, seen := false, map[string]bool{}
	for at := 0; at <= len(line); {
		field, next, ok := nextField(line, at)
		if !ok {
			return nil, bad("", "a quoted name without its end", `names separated by commas, quoted as "name"`)
		}
		at = next
		name := strings.TrimSpace(string(field))
		switch {
		case name == "":
			return nil, bad("", fmt.Sprintf("column %d without a name", len(l.names)+1), "a name for each")
		case strings.ContainsFunc(name, unicode.IsControl):
			return nil, bad("", "the name "+input.Quote([]byte(name)), "names without control characters")
		case seen[name]:
			return nil, bad(name, "the name twice", "each once")
		case len(l.names) == input.MaxColumns:
			return nil, fmt.Errorf("%s line 1: found more than %d columns, want at most that: %w", file, input.MaxColumns, dataset.ErrLimit)
		}
		seen[name] = true
		l.names = append(l.names, name)
		switch name {
		case "Image":
			hasImage = true
			l.roles = append(l.roles, asImage)
		case "ImageId":
			l.hasID = true
			l.roles = append(l.roles, asID)
		default:
			l.roles = append(l.roles, len(l.columns))
			l.columns = append(l.columns, name)
		}
	}
	if !hasImage {
		return nil, bad("", "no column Image in "+input.Quote(line), "a header with Kaggle's columns, Image among them")
	}
	return l, nil
}

// nextField gives the field of line that starts at at, and where the next one
// starts (past len(line) after the last). A quoted one may hold commas and, as
// "", quotes; ok is false where its end is missing.
func nextField(line []byte, at int) (field []byte, next int, ok bool) {
	rest := line[at:]
	if len(rest) == 0 || rest[0] != '"' {
		if end := bytes.IndexByte(rest, ','); end >= 0 {
			return rest[:end], at + end + 1, true
		}
		return rest, len(line) + 1, true
	}
	for end := 1; ; {
		q := bytes.IndexByte(rest[end:], '"')
		if q < 0 {
			return nil, 0, false
		}
		end += q
		switch {
		case end+1 == len(rest):
			return unquote(rest[1:end]), len(line) + 1, true
		case rest[end+1] == ',':
			return unquote(rest[1:end]), at + end + 2, true
		case rest[end+1] != '"':
			return nil, 0, false
		}
		end += 2
	}
}

func unquote(b []byte) []byte {
	if bytes.IndexByte(b, '"') < 0 {
		return b
	}
	return bytes.ReplaceAll(b, []byte(`""`), []byte(`"`))
}

// side finds the size of an image from the first row: Kaggle's files give only
// a list of pixels, so it has to be a square.
func (l *layout) side(line []byte, number int) (int, error) {
	at := 0
	for f := 0; at <= len(line) && f < len(l.roles); f++ {
		field, next, ok := nextField(line, at)
		if !ok {
			break
		}
		at = next
		if l.roles[f] != asImage {
			continue
		}
		n := len(bytes.Fields(field))
		side := int(math.Sqrt(float64(n)) + 0.5)
		if n == 0 || side*side != n {
			return 0, &dataset.RowError{File: l.file, Line: number, Column: "Image",
				Found: fmt.Sprintf("%d pixels", n), Want: "a square number of them, such as 9216 (96x96)"}
		}
		if n > dataset.MaxPixels {
			return 0, fmt.Errorf("%s line %d, column Image: found %d pixels, want at most %d: %w", l.file, number, n, dataset.MaxPixels, dataset.ErrLimit)
		}
		l.pixels = n
		return side, nil
	}
	return 0, l.countFields(line, number)
}

// countFields is the error for a line with too few or too many fields, or with
// a quote out of place; else nil.
func (l *layout) countFields(line []byte, number int) error {
	n := 0
	for at := 0; at <= len(line); n++ {
		_, next, ok := nextField(line, at)
		if !ok {
			e := &dataset.RowError{File: l.file, Line: number, Found: "a quote without its end", Want: `fields as 1,2 or "1","2", each within its line`}
			if n < len(l.names) {
				e.Column = l.names[n]
			}
			return e
		}
		at = next
	}
	if n != len(l.names) {
		return &dataset.RowError{File: l.file, Line: number, Found: fmt.Sprintf("%d fields", n), Want: fmt.Sprintf("%d, as in the header", len(l.names))}
	}
	return nil
}

func (l *layout) tooLong(number int) error {
	return fmt.Errorf("%s line %d: found more than %d bytes, want at most that in a line: %w", l.file, number, maxLine, dataset.ErrLimit)
}

// parse reads one line, without its newline, into pixels and points. The byte
// after the line, line[len(line)], must exist and be its newline or CR.
func (l *layout) parse(line []byte, number int, pixels []uint8, points []float32) (id string, err error) {
	at := 0
	for f, role := range l.roles {
		if at > len(line) {
			return "", l.countFields(line, number)
		}
		if role == asImage {
			if next := fastPixels(line[at:len(line)+1], pixels); next > 0 {
				at += next
				continue
			}
		}
		field, next, ok := nextField(line, at)
		if !ok {
			return "", l.countFields(line, number)
		}
		at = next
		var bad *dataset.RowError
		switch role {
		case asImage:
			bad = slowPixels(field, pixels)
		case asID:
			id, bad = parseID(field)
		default:
			points[role], bad = input.Coordinate(field)
		}
		if bad != nil {
			// A cell may look wrong only because one before it is missing.
			if err := l.countFields(line, number); err != nil {
				return "", err
			}
			bad.File, bad.Line, bad.Column = l.file, number, l.names[f]
			return "", bad
		}
	}
	if at <= len(line) {
		return "", l.countFields(line, number)
	}
	return id, nil
}

func parseID(field []byte) (string, *dataset.RowError) {
	id := strings.TrimSpace(string(field))
	if id == "" {
		return "", &dataset.RowError{Found: "nothing", Want: "an id"}
	}
	return id, nil
}

// fastPixels reads plain whole numbers with one blank between each, exactly
// len(out) of them, up to a comma or a line end. It returns the position after
// that, or 0 for anything else, good or bad, which slowPixels then judges.
// b must end with a byte that is no digit.
func fastPixels(b []byte, out []uint8) int {
	i := 0
	for p := range out {
		v := uint32(b[i]) - '0'
		if v > 9 {
			return 0
		}
		i++
		d := uint32(b[i]) - '0'
		if d <= 9 {
			v = v*10 + d
			i++
			if d = uint32(b[i]) - '0'; d <= 9 {
				if v = v*10 + d; v > 255 {
					return 0
				}
				i++
			}
		}
		out[p] = uint8(v)
		if b[i] != ' ' {
			if p == len(out)-1 && (b[i] == ',' || i == len(b)-1) {
				return i + 1
			}
			return 0
		}
		i++
	}
	return 0
}

// slowPixels reads what fastPixels leaves: more blanks, "127.0", leading
// zeros; and says what is wrong where something is.
func slowPixels(field []byte, out []uint8) *dataset.RowError {
	n := 0
	for at := 0; ; {
		for at < len(field) && (field[at] == ' ' || field[at] == '\t') {
			at++
		}
		if at == len(field) {
			break
		}
		end := at
		for end < len(field) && field[end] != ' ' && field[end] != '\t' {
			end++
		}
		if n < len(out) {
			v, ok := parsePixel(field[at:end])
			if !ok {
				return &dataset.RowError{Pixel: n + 1, Found: input.Quote(field[at:end]), Want: "a whole number 0 to 255"}
			}
			out[n] = v
		}
		n++
		at = end
	}
	if n != len(out) {
		return &dataset.RowError{Found: fmt.Sprintf("%d pixels", n), Want: fmt.Sprintf("%d as in the first row", len(out))}
	}
	return nil
}

func parsePixel(b []byte) (uint8, bool) {
	v, i := 0, 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		if v = v*10 + int(b[i]-'0'); v > 255 {
			return 0, false
		}
	}
	if i == 0 || i == len(b) {
		return uint8(v), i > 0
	}
	if b[i] != '.' {
		return 0, false
	}
	for _, c := range b[i+1:] { // "127." and "127.000" are whole
		if c != '0' {
			return 0, false
		}
	}
	return uint8(v), true
}
