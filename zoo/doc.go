// Package zoo is models and what people do with them: train, load and save,
// evaluate, predict.
//
// It asks the host for blueprints, hands them with the data to the engine, and
// keeps what comes back in model files. It must not know about flags,
// terminals or exit codes, how a plugin is started, or how a layer is computed.
package zoo
