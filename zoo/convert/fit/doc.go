// Package fit puts a file's arrays beside the parameters of an architecture:
// which list is which member's, which array which parameter, and where they
// don't fit, both side by side.
//
// It must not know how files are read, or how arrays are laid out in a model.
package fit
