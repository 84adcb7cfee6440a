// Package blueprint is the document by which a plugin describes an
// architecture, and by which a model file remembers it: the layers of its
// networks and the recipe by which they are trained.
//
// One table, [Kinds], defines every layer kind: its settings, shape rule,
// parameters, operations and help. Validation, shape inference, `fkzoo info`,
// the JSON Schema and the engine's lowering all follow from it.
//
// The package imports nothing of fkzoo's and must not know how a network is
// run, where a document came from, or what a data set looks like beyond the
// names of its columns.
package blueprint

//go:generate go run ./internal/generate ../..
