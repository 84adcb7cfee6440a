package model

import (
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// Columns are those of the models' mean answer, in its order.
func Columns(models []*Model) []string {
	var out []string
	for _, m := range models {
		for _, c := range m.Document.Columns(nil) {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// InputOf is what all the models take; those that take images of different
// sizes can't answer together.
func InputOf(models []*Model) (blueprint.Input, error) {
	if len(models) == 0 {
		return blueprint.Input{}, ErrNoModel
	}
	in := models[0].Document.Input
	for _, m := range models {
		if o := m.Document.Input; o.Height != in.Height || o.Width != in.Width || o.Channels != in.Channels {
			return in, fmt.Errorf("%s and %s: found images of %dx%dx%d and %dx%dx%d, want models that take images of one size",
				models[0].Document.Name, m.Document.Name, in.Height, in.Width, in.Channels, o.Height, o.Width, o.Channels)
		}
	}
	return in, nil
}

// ErrNoModel is returned where no model was named.
var ErrNoModel = request.Errorf("", "found no model file, want at least one .fkz")

// ReadAll reads model files with [Load] or [Describe].
func ReadAll(paths []string, read func(path string) (*Model, error)) ([]*Model, error) {
	if len(paths) == 0 {
		return nil, ErrNoModel
	}
	var out []*Model
	for _, path := range paths {
		m, err := read(path)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Alone is the model of one member, by its place. It shares the weights, and is for
// answers, not to be saved.
func (m *Model) Alone(member int) *Model {
	d := m.Document.Clone()
	d.Members = d.Members[member : member+1]
	return &Model{Document: d, Weights: m.Weights, Provenance: m.Provenance}
}
