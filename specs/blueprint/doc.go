// Package blueprint is the document by which a plugin describes an
// architecture, and by which a model file remembers it: the layers of its
// networks and the recipe by which they are trained.
//
// Tables define all that a document may name: [Kinds] of layers, [Losses],
// [Optimizers], [Schedules], [Activations], [Initializers], [Scalings]. A row
// says a name, help, settings with their limits and defaults, and what else is
// known of it: a layer's shape rule, an optimizer's slots, a schedule's value.
// Validation, defaults, shape inference, `fkzoo info`, the JSON Schema and the
// guide follow from them, and the engine's lowering finds its function by the
// name.
//
// The package imports nothing of fkzoo's but specs/record, and must not know
// how a network is run, where a document came from, or what a data set looks
// like beyond the names of its columns.
package blueprint

//go:generate go run ./internal/generate ../..
