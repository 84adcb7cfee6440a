// Package recipe makes of an architecture's document the one that is trained: with
// the user's settings, in folds, with the axis that the data's labels are mirrored
// at.
//
// It must not know how a recipe is carried out.
package recipe
