// Package train trains models: member by member, in folds where these are asked
// for, with checkpoints from which a training that was interrupted, or whose
// computer has died, goes on to the same end. It searches learning rates, and
// calibrates what is trained.
//
// It must not know who watches a training, how a plugin is asked for a
// blueprint, or how a step is computed.
package train
