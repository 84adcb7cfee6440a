// Package convert makes models of what other software left: nolearn's and
// Lasagne's pickles, lists of parameters, npz and safetensors files. It keeps a
// receipt of what became what in the model's provenance.
//
// It knows how Lasagne's layers are said in a blueprint, and must not know how
// the files are read (format/legacy, format/npy, format/safetensors do) or how
// a network runs.
package convert
