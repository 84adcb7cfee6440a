package source

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/album"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

func isFolder(f *input.File) bool { return f.Kind == "folder" }

// openFolder opens the one file in a folder that says what it holds, whichever format
// that has, or else the pictures in it.
func openFolder(ctx context.Context, f *input.File, size input.Size) (*dataset.Source, error) {
	path, err := album.TableOf(f.Path, leads())
	if err != nil {
		return nil, err
	}
	if path == "" {
		return album.OpenFolder(ctx, f, size)
	}
	inner, err := input.Look(path)
	if err != nil {
		return nil, err
	}
	ending := strings.ToLower(filepath.Ext(path))
	s, err := openAs(ctx, inner, size, func(f *Format) bool { return slices.Contains(f.Leads, ending) })
	if err != nil {
		return nil, err
	}
	var used []string
	if list, ok := s.Rows.(interface{ Paths() []string }); ok {
		used = list.Paths()
	}
	unlisted, err := album.Unlisted(ctx, f.Path, path, used)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if unlisted.Count > 0 {
		s.Notes = append(s.Notes, unlisted)
	}
	return s, nil
}
