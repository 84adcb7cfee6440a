// Package kaggle takes part in a competition with models: it answers what a
// lookup table asks of the test data, looks for test faces among those trained
// on, estimates what a submission will score, and keeps a ledger of what each was
// made of.
//
// It must not know how models are trained, or how a network runs. The tables
// themselves are submission's.
package kaggle
