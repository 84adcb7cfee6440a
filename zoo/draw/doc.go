// Package draw makes the pictures of faces with their points, and sheets of many
// faces.
//
// It takes plain slices and knows nothing of data sets, networks or files of
// models. The same input gives the same bytes on the same kind of machine.
//
// # Coordinates
//
// A point is in pixels of its image, x to the right and y down; pixel i covers
// the interval from i to i+1, so that the centre of the upper left pixel is at
// (0.5, 0.5).
package draw
