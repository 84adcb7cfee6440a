// Package zootest has what tests of the zoo's rooms share: small networks, faces
// that follow from a seed, models made by hand, and linear regression in float64
// by the formulas alone, to compare with.
//
// It must not know how models are trained, so that all rooms' tests may use it.
package zootest
