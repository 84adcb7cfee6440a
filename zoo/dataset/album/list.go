package album

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
	"github.com/fkzoo/fkzoo/zoo/dataset/picture"
)

const (
	maxFiles = 5_000_000 // pictures of a set, and files of a folder
	maxTable = 4 << 30   // bytes of a CSV that names pictures
)

// A list is a CSV that names pictures, before its rows are read.
type list struct {
	name   string // of the CSV
	rows   *csv.Reader
	names  []string // of the fields
	at     int      // the field with the picture's name
	fields []int    // of the coordinates
	album  picture.Album
	marks  [2 * landmarks]int // the fields of 68 landmarks
	mapped bool               // there are such
	lines  []int              // of the rows
}

var pictureColumns = []string{"image", "file", "filename", "file_name", "path", "name", "image_path", "image_name", "image_file"}

// IsList tells whether a file is a CSV that names pictures: one that has a column for
// them, and no pixels there, as Kaggle's have.
func IsList(f *input.File) bool {
	if f.Kind != "text" {
		return false
	}
	in, err := f.Open()
	if err != nil {
		return false // opening it says why
	}
	defer in.Close()
	l, err := newList(in, f.Name)
	return l != nil || err != nil
}

// OpenList reads a CSV that names picture files: in a column image, file, filename,
// file_name, path or name (in any case; or a first column without a name) with paths
// inside the CSV's own folder, or inside one of the folders in that. Columns that end
// in _x and _y are coordinates, in pixels of the picture as it is looked at; others
// are passed over. 68 points in the iBUG order become Kaggle's 15, see [Landmarks]:
// columns 0 to 135 (x and y in turn), or an x and a y for each number, 0 to 67 or 1
// to 68, as in x_0 and y_0 or point_1_x and point_1_y.
func OpenList(ctx context.Context, f *input.File, size input.Size) (*dataset.Source, error) {
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	l, err := newList(in, f.Name)
	switch {
	case err != nil:
		return nil, err
	case l == nil:
		return nil, fmt.Errorf("%s: found no column that names pictures: %w", f.Name, dataset.ErrFormat)
	case f.Path == "":
		return nil, fmt.Errorf("%s: found a CSV that names pictures, want it as a file in their folder: %w", f.Name, dataset.ErrFormat)
	}
	if err := l.readRows(ctx); err != nil {
		return nil, err
	}
	if err := l.findFiles(filepath.Dir(f.Path)); err != nil {
		return nil, err
	}
	l.album.Name = f.Name
	return l.album.Source(size)
}

// newList reads the header, and the first row, or what of it is needed, to see
// what it holds; nil where it names no pictures.
func newList(r io.ReadSeeker, name string) (*list, error) {
	l := &list{name: name, at: -1}
	head, err := l.start(r, input.MaxHeader)
	if err != nil || len(head) > input.MaxColumns {
		return nil, nil // the reader of Kaggle's files says what is wrong
	}
	for i, name := range head {
		name = strings.TrimSpace(name)
		l.names = append(l.names, name)
		if l.at < 0 && (slices.Contains(pictureColumns, strings.ToLower(name)) || i == 0 && name == "") {
			l.at = i
		}
	}
	if l.at < 0 {
		return nil, nil
	}
	first, err := l.rows.Read()
	switch {
	case err == io.EOF && l.names[l.at] != "Image": // a header alone
	case err != nil && !errors.Is(err, csv.ErrFieldCount), l.at >= len(first), isPixels(first[l.at]):
		return nil, nil
	}
	if _, err := l.start(r, maxTable); err != nil {
		return nil, err
	}
	return l, l.layout()
}

// isPixels tells whether a cell holds numbers, and not a path.
func isPixels(cell string) bool { return strings.Trim(cell, "0123456789. \t") == "" }

// start gives the header and goes to the first row; no more than limit bytes will be read.
func (l *list) start(r io.ReadSeeker, limit int64) ([]string, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	in := bufio.NewReader(io.LimitReader(r, limit))
	if b, err := in.Peek(len(input.BOM)); err == nil && string(b) == string(input.BOM) {
		_, _ = in.Discard(len(input.BOM))
	}
	l.rows = csv.NewReader(in)
	l.rows.ReuseRecord = true
	return l.rows.Read()
}

// layout finds the coordinates among the fields.
func (l *list) layout() error {
	if l.marks, l.mapped = landmarkFields(l.names); l.mapped {
		l.album.Columns = kaggle
		return nil
	}
	var over []string
	seen := map[string]bool{}
	for i, name := range l.names {
		switch {
		case i == l.at:
		case blueprint.IsX(name) || blueprint.IsY(name):
			if seen[name] {
				return &dataset.RowError{File: l.name, Line: 1, Column: name, Found: "the name twice", Want: "each once"}
			}
			seen[name] = true
			if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				return &dataset.RowError{File: l.name, Line: 1, Found: "the name " + input.Quote([]byte(name)), Want: "names without control characters"}
			}
			l.album.Columns, l.fields = append(l.album.Columns, name), append(l.fields, i)
		default:
			over = append(over, name)
		}
	}
	if len(over) > 0 {
		l.album.Notes = append(l.album.Notes, dataset.Passed(dataset.PassedColumns, l.name, over,
			"coordinates end in _x and _y, or are 68 points in the iBUG order"))
	}
	return nil
}

func (l *list) readRows(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		record, err := l.rows.Read()
		if err == io.EOF {
			return nil
		}
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			if errors.Is(err, csv.ErrFieldCount) {
				return &dataset.RowError{File: l.name, Line: wrong.StartLine, Found: fmt.Sprintf("%d fields", len(record)), Want: fmt.Sprintf("%d, as in the header", len(l.names))}
			}
			return &dataset.RowError{File: l.name, Line: wrong.Line, Found: wrong.Err.Error(), Want: `fields as 1,2 or "1","2"`}
		}
		if err != nil {
			return err
		}
		if len(l.album.Names) == maxFiles {
			return fmt.Errorf("%s: found more than %d rows, want at most that: %w", l.name, maxFiles, dataset.ErrLimit)
		}
		line, _ := l.rows.FieldPos(0)
		if err := l.row(record, line); err != nil {
			return err
		}
	}
}

// row adds one row.
func (l *list) row(record []string, line int) error {
	name := strings.TrimSpace(record[l.at])
	bad := func(column, found, want string) error {
		return &dataset.RowError{File: l.name, Line: line, Column: column, Found: found, Want: want}
	}
	if name == "" || !filepath.IsLocal(filepath.FromSlash(name)) {
		return bad(l.names[l.at], fmt.Sprintf("%.200q", name), "a picture's path inside the folder of the CSV")
	}
	l.album.Names, l.lines = append(l.album.Names, strings.Clone(name)), append(l.lines, line)
	cell := func(field int) (float32, error) {
		v, wrong := input.Coordinate([]byte(record[field]))
		if wrong != nil {
			return 0, bad(l.names[field], wrong.Found, wrong.Want)
		}
		return v, nil
	}
	if l.mapped {
		var xy [2 * landmarks]float32
		for i, field := range l.marks {
			var err error
			if xy[i], err = cell(field); err != nil {
				return err
			}
		}
		l.album.Points = append(l.album.Points, Landmarks(xy)...)
		return nil
	}
	for _, field := range l.fields {
		v, err := cell(field)
		if err != nil {
			return err
		}
		l.album.Points = append(l.album.Points, v)
	}
	return nil
}

// findFiles finds the pictures: in the folder, or in one of the folders in it.
func (l *list) findFiles(folder string) error {
	var below []string
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			below = append(below, filepath.Join(folder, e.Name()))
		}
	}
	for i, name := range l.album.Names {
		name = filepath.FromSlash(name)
		var found []string
		for _, in := range append([]string{folder}, below...) {
			path := filepath.Join(in, name)
			if _, err := os.Stat(path); err == nil {
				if found = append(found, path); in == folder {
					break
				}
			}
		}
		switch len(found) {
		case 0:
			return &dataset.RowError{File: l.name, Line: l.lines[i], Column: l.names[l.at], Found: fmt.Sprintf("no file %.200q", name), Want: "one in the CSV's folder, or in a folder in that"}
		case 1:
			l.album.Files = append(l.album.Files, found[0])
		default:
			return &dataset.RowError{File: l.name, Line: l.lines[i], Column: l.names[l.at], Found: fmt.Sprintf("both %s and %s", input.Shown(found[0]), input.Shown(found[1])), Want: "one: put the folder into the name"}
		}
	}
	return nil
}
