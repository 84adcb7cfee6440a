package check

import (
	"context"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Known are the faces of a set to train on, ready for others to be looked for
// among them.
type Known struct{ faces *faces }

// NewKnown prepares the set's faces. The set is kept.
func NewKnown(ctx context.Context, s *dataset.Set) (*Known, error) {
	f, err := newFaces(ctx, s)
	return &Known{f}, err
}

// Twins finds the rows of s that show the same as one of the known faces, or
// nearly the same: their Other is the known face's row. Images of another size
// are brought to that of the known ones first.
func (k *Known) Twins(ctx context.Context, s *dataset.Set) ([]Twin, error) {
	f, err := newFaces(ctx, s.Resized(k.faces.set.Height, k.faces.set.Width))
	if err != nil {
		return nil, err
	}
	return f.twins(ctx, k.faces)
}
