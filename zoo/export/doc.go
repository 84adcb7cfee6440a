// Package export writes models for other programs: ONNX to run them, safetensors and NumPy's npz for the weights. What a
// format has no place for, blueprint with recipe and columns, goes into its metadata, by which [About] gives the model back.
//
// A format is a file here and a row of [Formats]. The package knows how each layer kind is said in ONNX; how a layer is
// computed here is the engine's, and a test compares the two. It must not know how files are opened and recognised.
package export
