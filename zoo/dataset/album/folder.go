package album

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
	"github.com/fkzoo/fkzoo/zoo/dataset/picture"
)

// TableOf is the path of the one file in a folder with one of the endings, "" where
// there is none.
func TableOf(folder string, endings []string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	var tables []string
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(endings, strings.ToLower(filepath.Ext(e.Name()))) && !strings.HasPrefix(e.Name(), ".") {
			tables = append(tables, filepath.Join(folder, e.Name()))
		}
	}
	switch len(tables) {
	case 0:
		return "", nil
	case 1:
		return tables[0], nil
	}
	return "", fmt.Errorf("%s: found %d %s files (%s, %s, ...), want one: give the path of the one that is meant: %w", folder, len(tables), strings.Join(endings, ", "),
		filepath.Base(tables[0]), filepath.Base(tables[1]), dataset.ErrFormat)
}

// OpenFolder lists a folder's pictures, in the folders below too, in the order of
// their paths. The .pts files among them, of 68 points each, belong to the pictures
// called like them; pictures without one have empty cells. Without any, no points are
// known.
func OpenFolder(ctx context.Context, f *input.File, size input.Size) (*dataset.Source, error) {
	w := &walk{folder: f.Path, album: picture.Album{Name: f.Name}, marks: map[string]string{},
		passed: dataset.Passed(dataset.PassedFiles, f.Name, nil, "pictures are PNG and JPEG, points are in .pts files or one CSV")}
	if err := w.find(ctx); err != nil {
		return nil, err
	}
	if w.passed.Count > 0 {
		w.album.Notes = append(w.album.Notes, w.passed)
	}
	if len(w.marks) > 0 {
		if err := w.point(); err != nil {
			return nil, err
		}
	}
	return w.album.Source(size)
}

// Unlisted is a note of the pictures and .pts files in a folder, where its CSV is read,
// that are not among those used.
func Unlisted(ctx context.Context, folder, csv string, used []string) (dataset.Note, error) {
	w := &walk{folder: folder, marks: map[string]string{}}
	note := dataset.Passed(dataset.PassedFiles, folder, nil, filepath.Base(csv)+" says what is read, and doesn't name them")
	if err := w.find(ctx); err != nil {
		return note, err
	}
	known := make(map[string]bool, len(used))
	for _, path := range used {
		known[path] = true
	}
	for i, path := range w.album.Files {
		if !known[path] {
			note.Add(w.album.Names[i])
		}
	}
	for _, stem := range w.order {
		if rel, err := filepath.Rel(folder, w.marks[stem]); err == nil {
			note.Add(filepath.ToSlash(rel))
		}
	}
	return note, nil
}

// walk is a way through a folder.
type walk struct {
	folder string
	album  picture.Album
	files  int
	marks  map[string]string // path without its extension -> .pts file
	order  []string          // of these
	passed dataset.Note      // files that are neither
}

// find lists pictures and .pts files, and tells of the others. What is hidden by a dot
// before its name is not there.
func (w *walk) find(ctx context.Context) error {
	return filepath.WalkDir(w.folder, func(path string, d fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if path != w.folder && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if w.files++; w.files > maxFiles {
			return fmt.Errorf("%s: found more than %d files, want at most that: %w", w.folder, maxFiles, dataset.ErrLimit)
		}
		rel, err := filepath.Rel(w.folder, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
		case picture.IsNamed(d.Name()):
			w.album.Files, w.album.Names = append(w.album.Files, path), append(w.album.Names, filepath.ToSlash(rel))
		case strings.EqualFold(filepath.Ext(d.Name()), ".pts"):
			stem := strings.TrimSuffix(path, filepath.Ext(path))
			w.marks[stem] = path
			w.order = append(w.order, stem)
		default:
			w.passed.Add(filepath.ToSlash(rel))
		}
		return nil
	})
}

// point reads the points of the .pts files.
func (w *walk) point() error {
	a := &w.album
	a.Columns = kaggle
	without := 0
	used := map[string]bool{} // a .pts file may belong to several: a.png and a.jpg
	for _, path := range a.Files {
		stem := strings.TrimSuffix(path, filepath.Ext(path))
		file, ok := w.marks[stem]
		if !ok {
			without++
			a.Points = append(a.Points, emptyPoints(len(kaggle))...)
			continue
		}
		xy, err := openPTS(file)
		if err != nil {
			return err
		}
		a.Points = append(a.Points, Landmarks(xy)...)
		used[stem] = true
	}
	for _, stem := range w.order {
		if file := w.marks[stem]; !used[stem] {
			return fmt.Errorf("%s: found no picture called like it, want %s.png or .jpg beside it: %w", input.Shown(file), input.Shown(filepath.Base(stem)), dataset.ErrFormat)
		}
	}
	if without > 0 {
		a.Notes = append(a.Notes, dataset.Note{Kind: dataset.WithoutPoints, Source: w.folder, Count: without,
			Why: fmt.Sprintf("found no .pts file for %d of the %d pictures", without, len(a.Files))})
	}
	return nil
}

func openPTS(path string) (xy [2 * landmarks]float32, err error) {
	f, err := input.Open(path)
	if err != nil {
		return xy, err
	}
	defer f.Close()
	return readPTS(f, input.Shown(path))
}
