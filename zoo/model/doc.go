// Package model says what a model file means: a blueprint with its weights, how
// they were trained and on what, where they come from, and where a training
// stands that is to go on. It loads, checks and saves models, merges them, tells
// how two differ, and which rows of a data set their weights have seen.
//
// It must not know how a network is computed or trained, backends, or what
// answers are used for.
package model
