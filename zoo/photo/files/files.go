// Package files knows which photographs are meant by names: files, folders, patterns. It must not know faces.
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
	"github.com/fkzoo/fkzoo/zoo/dataset/picture"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// Read reads a photograph, or what stands for it in place of a file.
func Read(ctx context.Context, name string, readers map[string]io.Reader) (*picture.Photo, error) {
	var f *input.File
	var err error
	if r, ok := readers[name]; ok {
		f, err = input.LookReader(ctx, name, r)
	} else {
		f, err = input.Look(name)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return picture.ReadPhoto(ctx, f)
}

// Names spells out folders, whose pictures are meant, and patterns, as [filepath.Match] has them; notes are of what is passed over.
func Names(ctx context.Context, asked []string, readers map[string]io.Reader) (out, notes []string, err error) {
	for _, name := range asked {
		if _, ok := readers[name]; ok {
			out = append(out, name)
			continue
		}
		info, err := os.Stat(name)
		switch {
		case err == nil && info.IsDir():
			found, unread, others, err := picturesIn(ctx, name)
			if err != nil {
				return nil, nil, err
			}
			if len(found) == 0 {
				return nil, nil, fmt.Errorf("%s: found no picture among %d files, want PNG or JPEG", input.Shown(name), others)
			}
			for _, path := range unread {
				notes = append(notes, input.Shown(path)+": passed over: it can't be read")
			}
			if others > 0 {
				notes = append(notes, fmt.Sprintf("%s: passed over %d files that aren't called as PNG or JPEG are", input.Shown(name), others))
			}
			out = append(out, found...)
		case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(name, "*?["):
			found, wrong := filepath.Glob(name)
			if wrong != nil {
				return nil, nil, request.Errorf("photos", "found the pattern %q: %v", name, wrong)
			}
			if !strings.HasPrefix(filepath.Base(name), ".") { // as shells have it
				found = slices.DeleteFunc(found, func(f string) bool { return strings.HasPrefix(filepath.Base(f), ".") })
			}
			if len(found) == 0 {
				return nil, nil, fmt.Errorf("%s: found no file of such a name", input.Shown(name))
			}
			out = append(out, found...)
		default:
			out = append(out, name) // reading it tells what is wrong
		}
	}
	return out, notes, nil
}

// picturesIn are those in a folder and the folders in it, but no hidden ones; unread are folders that can't be, others counts the remaining
// files.
func picturesIn(ctx context.Context, folder string) (found, unread []string, others int, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil && path != folder && d != nil {
			unread = append(unread, path)
			return nil
		}
		if err != nil {
			return err
		}
		hidden := path != folder && strings.HasPrefix(d.Name(), ".")
		switch {
		case d.IsDir() && hidden:
			return fs.SkipDir
		case d.IsDir() || hidden:
		case picture.IsNamed(path):
			found = append(found, path)
		default:
			others++
		}
		return nil
	})
	slices.Sort(found)
	return found, unread, others, err
}

// Are tells whether a name is that of photographs: a picture, a folder that has no table or list of points beside its pictures, or
// a pattern.
func Are(name string) bool {
	if demo.Is(name) {
		return false
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return strings.ContainsAny(name, "*?[") || picture.IsNamed(name)
	case info.IsDir():
		return !isDataSet(name)
	case !info.Mode().IsRegular():
		return false
	}
	f, err := input.Look(name)
	return err == nil && (picture.Is(f) || picture.IsNamed(name)) // one that is damaged is told as a picture
}

// Is tells it by a file's first bytes.
func Is(head []byte) bool {
	kind := input.KindOf(head)
	return kind == "png" || kind == "jpeg"
}

// isDataSet tells whether a folder has points of its pictures, in a CSV or in .pts files, or a table and no pictures.
func isDataSet(folder string) bool {
	list, err := os.ReadDir(folder)
	if err != nil {
		return false
	}
	names, pictures := map[string]bool{}, false
	for _, e := range list {
		if !e.IsDir() {
			names[strings.ToLower(e.Name())] = true
			pictures = pictures || picture.IsNamed(e.Name())
		}
	}
	for _, e := range list {
		ending := strings.ToLower(filepath.Ext(e.Name()))
		stem := strings.ToLower(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())))
		switch {
		case e.IsDir():
		case ending == ".pts" && (names[stem+".png"] || names[stem+".jpg"] || names[stem+".jpeg"]):
			return true
		case ending == ".csv" && hasPoints(filepath.Join(folder, e.Name())):
			return true
		case !pictures && slices.Contains([]string{".csv", ".zip", ".npy"}, ending):
			return true
		}
	}
	return false
}

// hasPoints tells whether a CSV has them, by its head: coordinates, and not those that photographs' faces are written with.
func hasPoints(path string) bool {
	f, err := input.Look(path)
	if err != nil {
		return false
	}
	head, _, _ := strings.Cut(string(f.Head), "\n")
	return strings.Contains(head, "_x") && strings.Contains(head, "_y") && !strings.Contains(head, "box_x")
}
