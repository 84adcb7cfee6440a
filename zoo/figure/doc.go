// Package figure makes pictures of models and trainings: learning curves, errors
// by rows and by column, losses over learning rates, sheets of faces with what was
// answered.
//
// It must not know how pictures are drawn, which is draw's, or where a figure's
// numbers come from.
package figure
