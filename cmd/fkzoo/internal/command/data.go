package command

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// stdin is what the name - stands for where data is wanted.
const stdin = "-"

// OpenData is the way in for all data: it opens one source, or several as one, with
// images of h x w, or of their own size where these are 0, and tells what is passed
// over. Close it.
func (p *Program) OpenData(ctx context.Context, h, w int, names ...string) (*dataset.Source, error) {
	s, err := source.OpenAll(ctx, names, source.Options{Height: h, Width: w, Readers: map[string]io.Reader{stdin: os.Stdin}})
	if wrong, ok := errors.AsType[*dataset.NameError](err); ok {
		return nil, Usagef("data %w", wrong)
	}
	if err != nil {
		return nil, err
	}
	for _, note := range s.Notes {
		p.Warn(note.String())
	}
	return s, nil
}

// ReadData reads all of what [Program.OpenData] opens.
func (p *Program) ReadData(ctx context.Context, h, w int, name string) (*dataset.Set, error) {
	s, err := p.OpenData(ctx, h, w, name)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Read(ctx)
}

// ReadDataFor is [Program.ReadData] for what a model takes.
func (p *Program) ReadDataFor(ctx context.Context, name string, m *model.Model) (*dataset.Set, error) {
	return p.ReadData(ctx, m.Document.Input.Height, m.Document.Input.Width, name)
}
