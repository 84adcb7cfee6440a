// Package layers says Lasagne's layers in a blueprint's, and lays their arrays
// out as a blueprint has them: those of a network that a file describes, and
// those of an architecture that a file has the arrays of.
//
// It must not know how files are read, or how a network runs.
package layers
