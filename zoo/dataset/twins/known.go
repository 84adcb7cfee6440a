package twins

import (
	"context"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Known are the faces of a set to train on, ready for others to be looked for
// among them.
type Known struct{ faces *Faces }

// NewKnown prepares the set's faces. The set is kept.
func NewKnown(ctx context.Context, s *dataset.Set) (*Known, error) {
	f, err := NewFaces(ctx, s)
	return &Known{f}, err
}

// Twins finds the rows of s that show the same as one of the known faces, or
// nearly the same: their Other is the known face's row. Images of another size
// are brought to that of the known ones first.
func (k *Known) Twins(ctx context.Context, s *dataset.Set) ([]Twin, error) {
	f, err := NewFaces(ctx, s.Resized(k.faces.set.Height, k.faces.set.Width))
	if err != nil {
		return nil, err
	}
	return f.Among(ctx, k.faces)
}

// Alike gives each row of s the first of the rows that show the same as it or
// nearly the same, or are like such a row in turn, as the frames of one video
// are; for a row unlike all others that is the row itself.
func Alike(ctx context.Context, s *dataset.Set) ([]int, error) {
	f, err := NewFaces(ctx, s)
	if err != nil {
		return nil, err
	}
	found, err := f.Among(ctx, f)
	if err != nil {
		return nil, err
	}
	first := make([]int, s.Len())
	for r := range first {
		first[r] = r
	}
	for _, t := range found { // in the rows' order, each with an earlier one
		first[t.Row] = first[t.Other]
	}
	return first, nil
}
