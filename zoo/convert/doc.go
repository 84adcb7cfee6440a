// Package convert makes models of what other software left: nolearn's and
// Lasagne's pickles, lists of parameters, npz and safetensors files, and of what
// fkzoo itself exported. It is one road, a file for each stage: read, recognise,
// match, build. A receipt of what became what is written along the way and kept
// in the model's provenance.
//
// Lasagne's layers are said in a blueprint's by package layers, its training by
// package recipe, arrays put beside an architecture's by package fit. It must
// not know the formats of the files (format/legacy, format/npy,
// format/safetensors do) or how a network runs.
package convert
