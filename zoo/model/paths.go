package model

import (
	"strings"
)

// Ends of the names of a training's checkpoints, in place of .fkz.
const (
	lastSuffix = ".last.fkz"
	bestSuffix = ".best.fkz"
)

// LastPath is where a training to this model keeps its newest checkpoint.
func LastPath(output string) string { return strings.TrimSuffix(output, ".fkz") + lastSuffix }

// BestPath is where a training to this model keeps the checkpoint of the epoch
// with the least validation loss so far, of the member under way; those before it
// have the weights of their own best epochs.
func BestPath(output string) string { return strings.TrimSuffix(output, ".fkz") + bestSuffix }

// OutputOf gives the model's path of a training by that of a checkpoint; ok
// tells whether the name is a checkpoint's.
func OutputOf(checkpoint string) (output string, ok bool) {
	for _, suffix := range []string{lastSuffix, bestSuffix} {
		if name, ok := strings.CutSuffix(checkpoint, suffix); ok {
			return name + ".fkz", true
		}
	}
	return checkpoint, false
}
