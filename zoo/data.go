package zoo

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// DrawnFaces is the name of the data that fkzoo draws itself: a source like any other.
const DrawnFaces = "demo"

// DataRequest names data: a path, a name as demo:96, or several, whose rows follow each other.
type DataRequest struct {
	Names []string
	// Readers are what some of the names stand for, in place of files: see [source.OpenReader].
	Readers map[string]io.Reader
	// Height and Width of the images; 0: their own, 96x96 of pictures.
	Height, Width int
}

// For is the request with images of the size that a model or an ensemble takes.
func (r DataRequest) For(in blueprint.Input) DataRequest {
	r.Height, r.Width = in.Height, in.Width
	return r
}

// Data opens data, and has the watcher warned of what is passed over. Close it.
func (z *Zoo) Data(ctx context.Context, r DataRequest) (*dataset.Source, error) {
	if len(r.Names) == 0 {
		return nil, request.Errorf("data", "found no name, want at least one")
	}
	if (r.Height == 0) != (r.Width == 0) {
		return nil, request.Errorf("data", "found images of %dx%d, want both of their size or neither", r.Width, r.Height)
	}
	s, err := source.OpenAll(ctx, r.Names, source.Options{Height: r.Height, Width: r.Width, Readers: r.Readers})
	if wrong, ok := errors.AsType[*dataset.NameError](err); ok {
		return nil, &request.Error{Field: "data " + wrong.Name, Err: fmt.Errorf("found %s, want %s", wrong.Found, wrong.Want), Cause: wrong}
	}
	if err != nil {
		return nil, err
	}
	for _, note := range s.Notes {
		z.watch.Warn(Warning{Text: note.String()})
	}
	return s, nil
}

// Read reads all of some data.
func (z *Zoo) Read(ctx context.Context, r DataRequest) (*dataset.Set, error) {
	s, err := z.Data(ctx, r)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Read(ctx)
}
