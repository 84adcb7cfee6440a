package source

import (
	"context"
	"errors"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/album"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

func isFolder(f *input.File) bool { return f.Kind == "folder" }

// openFolder opens the one CSV in a folder, whichever it is, or else the pictures in
// it.
func openFolder(ctx context.Context, f *input.File, size input.Size) (*dataset.Source, error) {
	path, err := album.TableOf(f.Path)
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
	if inner.Kind != "text" && inner.Kind != "zip" { // a .csv that isn't one
		return nil, unknown(inner)
	}
	s, err := open(ctx, inner, size)
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
