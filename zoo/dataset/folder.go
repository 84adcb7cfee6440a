package dataset

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

const (
	maxFiles = 5_000_000 // pictures of a set, and files of a folder
	maxTable = 4 << 30   // bytes of a CSV that names pictures
)

// An album is a set whose images are pictures in files of their own.
type album struct {
	source  string
	columns []string
	names   []string  // of the pictures, as rows are called
	files   []string  // their paths
	points  []float32 // [rows, columns], in pixels of the pictures
	notes   []string
}

// check refuses an album without pictures, or with too many to read as images of
// h x w at once.
func (a *album) check(h, w int) error {
	n := len(a.files)
	if n == 0 {
		return fmt.Errorf("%s: found no pictures, want at least one PNG or JPEG: %w", a.source, ErrEmpty)
	}
	if int64(n) > maxSet/int64(h*w) {
		return fmt.Errorf("%s: found %d pictures, want at most %d bytes of pixels: %w", a.source, n, int64(maxSet), ErrLimit)
	}
	return nil
}

// read reads the pictures, and moves the points along.
func (a *album) read(ctx context.Context, h, w int) (*Set, error) {
	if err := a.check(h, w); err != nil {
		return nil, err
	}
	s, err := a.part(ctx, 0, len(a.files), h, w)
	if err != nil {
		return nil, err
	}
	s.Notes, s.Checksum = a.notes, s.Sum()
	return s, nil
}

// part reads pictures from to to-1.
func (a *album) part(ctx context.Context, from, to, h, w int) (*Set, error) {
	n, c := to-from, len(a.columns)
	s := &Set{Columns: a.columns, Height: h, Width: w, Channels: 1, Bytes: make([]uint8, n*h*w),
		IDs: a.names[from:to:to], Scales: make([]Scale, n), Source: a.source}
	if c > 0 {
		s.Points = slices.Clone(a.points[from*c : to*c])
	}
	err := inOrder(ctx, n, func(i int) error {
		pixels, size, err := readPicture(ctx, a.files[from+i], h, w)
		if err != nil {
			return err
		}
		copy(s.Bytes[i*h*w:], pixels)
		s.Scales[i] = scaleOf(size, h, w)
		s.scaleDown(i)
		return nil
	})
	return s, err
}

// images are the album's, read in parts, the next one while one is in use.
func (a *album) images(h, w int) imageSource {
	return imageSource{
		count: len(a.files),
		names: func(_ context.Context, fn func(string) error) error { return each(a.names, fn) },
		stream: func(ctx context.Context, n int, fn func(part *Set) error) error {
			ctx, stop := context.WithCancel(ctx)
			defer stop()
			next := func(from int) <-chan result {
				out := make(chan result, 1)
				go func() {
					s, err := a.part(ctx, from, min(from+n, len(a.files)), h, w)
					out <- result{s, err}
				}()
				return out
			}
			coming := next(0)
			for from := 0; from < len(a.files); from += n {
				part := <-coming
				if part.err != nil {
					return part.err
				}
				if from+n < len(a.files) {
					coming = next(from + n)
				}
				if err := fn(part.set); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

type result struct {
	set *Set
	err error
}

// scaleDown turns a row's points from the picture's pixels into the image's.
func (s *Set) scaleDown(i int) {
	row, scale := s.Row(i), s.Scale(i)
	for c, name := range s.Columns {
		switch {
		case blueprint.IsX(name):
			row[c] /= scale.X
		case blueprint.IsY(name):
			row[c] /= scale.Y
		}
	}
}

func isPicture(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png", ".jpg", ".jpeg":
		return true
	}
	return false
}

// find looks what a path leads to: an album, or the path of Kaggle's text.
func find(ctx context.Context, path string) (a *album, text string, err error) {
	kind, err := kindOf(path)
	if err != nil {
		return nil, "", err
	}
	switch kind {
	case "folder":
		table, err := tableOf(path)
		if err != nil {
			return nil, "", err
		}
		if table == "" {
			a, err := pointed(ctx, path)
			return a, "", err
		}
		return find(ctx, table)
	case "text":
		t, err := openTable(path)
		if err != nil {
			return nil, "", err
		}
		if t != nil {
			defer t.file.Close()
			t.source = path
			return &t.album, "", t.fill(ctx)
		}
	}
	return nil, path, nil
}

// tableOf is the path of the one CSV in a folder, "" where there is none.
func tableOf(folder string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	var tables []string
	for _, e := range entries {
		if !e.IsDir() && strings.EqualFold(filepath.Ext(e.Name()), ".csv") && !strings.HasPrefix(e.Name(), ".") {
			tables = append(tables, filepath.Join(folder, e.Name()))
		}
	}
	switch len(tables) {
	case 0:
		return "", nil
	case 1:
		return tables[0], nil
	}
	return "", fmt.Errorf("%s: found %d .csv files (%s, %s, ...), want one: give the path of the one that is meant: %w", folder, len(tables),
		filepath.Base(tables[0]), filepath.Base(tables[1]), ErrFormat)
}

// pointed lists a folder's pictures, in the folders below too, with the landmarks
// of the .pts files called like them.
func pointed(ctx context.Context, folder string) (*album, error) {
	a := &album{source: folder}
	marks := map[string]string{} // path without its extension -> .pts file
	var order []string
	files := 0
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if path != folder && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if files++; files > maxFiles {
			return fmt.Errorf("%s: found more than %d files, want at most that: %w", folder, maxFiles, ErrLimit)
		}
		switch {
		case d.IsDir():
		case isPicture(d.Name()):
			rel, err := filepath.Rel(folder, path)
			if err != nil {
				return err
			}
			a.files, a.names = append(a.files, path), append(a.names, filepath.ToSlash(rel))
		case strings.EqualFold(filepath.Ext(d.Name()), ".pts"):
			stem := strings.TrimSuffix(path, filepath.Ext(path))
			marks[stem] = path
			order = append(order, stem)
		}
		return nil
	})
	if err != nil || len(marks) == 0 {
		return a, err
	}
	a.columns = kaggle
	without := 0
	for _, path := range a.files {
		stem := strings.TrimSuffix(path, filepath.Ext(path))
		file, ok := marks[stem]
		if !ok {
			without++
			a.points = append(a.points, emptyPoints(len(kaggle))...)
			continue
		}
		xy, err := openPTS(file)
		if err != nil {
			return nil, err
		}
		a.points = append(a.points, Landmarks(xy)...)
		marks[stem] = ""
	}
	for _, stem := range order {
		if marks[stem] != "" {
			return nil, fmt.Errorf("%s: found no picture called like it, want %s.png or .jpg beside it: %w", shown(marks[stem]), shown(filepath.Base(stem)), ErrFormat)
		}
	}
	if without > 0 {
		a.notes = append(a.notes, fmt.Sprintf("%s: found no .pts file for %d of the %d pictures: the cells are empty there", folder, without, len(a.files)))
	}
	return a, nil
}

func openPTS(path string) (xy [2 * landmarks]float32, err error) {
	f, err := open(path)
	if err != nil {
		return xy, err
	}
	defer f.Close()
	return readPTS(f, shown(path))
}

// A table is a CSV that names pictures, before its rows are read.
type table struct {
	path   string
	file   *os.File
	rows   *csv.Reader
	names  []string // of the fields
	at     int      // the field with the picture's name
	fields []int    // of the coordinates
	album
	marks  [2 * landmarks]int // the fields of 68 landmarks
	mapped bool               // there are such
	lines  []int              // of the rows
}

var pictureColumns = []string{"image", "file", "filename", "file_name", "path", "name", "image_path", "image_name", "image_file"}

// openTable opens a CSV if it names pictures; nil where its images are pixels, as
// Kaggle's are, or it has no such column.
func openTable(path string) (*table, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	t, err := newTable(f, path)
	if t == nil {
		f.Close()
		return nil, err
	}
	t.file = f
	return t, err
}

// newTable reads the header, and the first row, or what of it is needed, to see
// what it holds.
func newTable(r io.ReadSeeker, path string) (*table, error) {
	t := &table{path: path, at: -1}
	head, err := t.start(r, maxHeader)
	if err != nil || len(head) > maxColumns {
		return nil, nil // the reader of Kaggle's files says what is wrong
	}
	for i, name := range head {
		name = strings.TrimSpace(name)
		t.names = append(t.names, name)
		if t.at < 0 && (slices.Contains(pictureColumns, strings.ToLower(name)) || i == 0 && name == "") {
			t.at = i
		}
	}
	if t.at < 0 {
		return nil, nil
	}
	first, err := t.rows.Read()
	switch {
	case err == io.EOF && t.names[t.at] != "Image": // a header alone
	case err != nil && !errors.Is(err, csv.ErrFieldCount), t.at >= len(first), isPixels(first[t.at]):
		return nil, nil
	}
	if _, err := t.start(r, maxTable); err != nil {
		return nil, err
	}
	return t, t.layout()
}

// isPixels tells whether a cell holds numbers, and not a path.
func isPixels(cell string) bool { return strings.Trim(cell, "0123456789. \t") == "" }

// start gives the header and goes to the first row; no more than limit bytes will be read.
func (t *table) start(r io.ReadSeeker, limit int64) ([]string, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	in := bufio.NewReader(io.LimitReader(r, limit))
	if b, err := in.Peek(len(bom)); err == nil && string(b) == string(bom) {
		_, _ = in.Discard(len(bom))
	}
	t.rows = csv.NewReader(in)
	t.rows.ReuseRecord = true
	return t.rows.Read()
}

// layout finds the coordinates among the fields.
func (t *table) layout() error {
	if t.marks, t.mapped = landmarkFields(t.names); t.mapped {
		t.columns = kaggle
		return nil
	}
	var over []string
	seen := map[string]bool{}
	for i, name := range t.names {
		switch {
		case i == t.at:
		case blueprint.IsX(name) || blueprint.IsY(name):
			if seen[name] {
				return &RowError{File: t.path, Line: 1, Column: name, Found: "the name twice", Want: "each once"}
			}
			seen[name] = true
			if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				return &RowError{File: t.path, Line: 1, Found: "the name " + quote([]byte(name)), Want: "names without control characters"}
			}
			t.columns, t.fields = append(t.columns, name), append(t.fields, i)
		default:
			over = append(over, fmt.Sprintf("%q", name))
		}
	}
	if len(over) > 0 {
		more := ""
		if len(over) > 5 {
			more = fmt.Sprintf(" and %d more", len(over)-5)
		}
		t.notes = append(t.notes, fmt.Sprintf("%s: passed over %s%s: coordinates end in _x and _y, or are 68 points in the iBUG order", t.path, strings.Join(over[:min(5, len(over))], ", "), more))
	}
	return nil
}

// fill reads the rows and finds the pictures.
func (t *table) fill(ctx context.Context) error {
	if err := t.readRows(ctx); err != nil {
		return err
	}
	return t.findFiles(filepath.Dir(t.path))
}

func (t *table) readRows(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		record, err := t.rows.Read()
		if err == io.EOF {
			return nil
		}
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			if errors.Is(err, csv.ErrFieldCount) {
				return &RowError{File: t.path, Line: wrong.StartLine, Found: fmt.Sprintf("%d fields", len(record)), Want: fmt.Sprintf("%d, as in the header", len(t.names))}
			}
			return &RowError{File: t.path, Line: wrong.Line, Found: wrong.Err.Error(), Want: `fields as 1,2 or "1","2"`}
		}
		if err != nil {
			return err
		}
		if len(t.album.names) == maxFiles {
			return fmt.Errorf("%s: found more than %d rows, want at most that: %w", t.path, maxFiles, ErrLimit)
		}
		line, _ := t.rows.FieldPos(0)
		if err := t.row(record, line); err != nil {
			return err
		}
	}
}

// row adds one row.
func (t *table) row(record []string, line int) error {
	name := strings.TrimSpace(record[t.at])
	bad := func(column, found, want string) error {
		return &RowError{File: t.path, Line: line, Column: column, Found: found, Want: want}
	}
	if name == "" || !filepath.IsLocal(filepath.FromSlash(name)) {
		return bad(t.names[t.at], fmt.Sprintf("%.200q", name), "a picture's path inside the folder of the CSV")
	}
	t.album.names, t.lines = append(t.album.names, strings.Clone(name)), append(t.lines, line)
	cell := func(field int) (float32, error) {
		v, wrong := parseCoordinate([]byte(record[field]))
		if wrong != nil {
			return 0, bad(t.names[field], wrong.Found, wrong.Want)
		}
		return v, nil
	}
	if t.mapped {
		var xy [2 * landmarks]float32
		for i, field := range t.marks {
			var err error
			if xy[i], err = cell(field); err != nil {
				return err
			}
		}
		t.points = append(t.points, Landmarks(xy)...)
		return nil
	}
	for _, field := range t.fields {
		v, err := cell(field)
		if err != nil {
			return err
		}
		t.points = append(t.points, v)
	}
	return nil
}

// findFiles finds the pictures: in the folder, or in one of the folders in it.
func (t *table) findFiles(folder string) error {
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
	for i, name := range t.album.names {
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
			return &RowError{File: t.path, Line: t.lines[i], Column: t.names[t.at], Found: fmt.Sprintf("no file %.200q", name), Want: "one in the CSV's folder, or in a folder in that"}
		case 1:
			t.files = append(t.files, found[0])
		default:
			return &RowError{File: t.path, Line: t.lines[i], Column: t.names[t.at], Found: fmt.Sprintf("both %s and %s", shown(found[0]), shown(found[1])), Want: "one: put the folder into the name"}
		}
	}
	return nil
}
