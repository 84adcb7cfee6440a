// Package weights checks the weights of a mean. It must not know what the mean is
// of.
package weights

import (
	"fmt"
	"math"
	"slices"
)

// Normal are the weights with 1 as their sum; nil weights are all the same. Those
// that the mean of n files can't have are an error: another number of them, one
// below 0 or not finite, or all 0.
func Normal(weights []float64, n int) ([]float64, error) {
	if weights == nil {
		weights = slices.Repeat([]float64{1}, n)
	}
	if len(weights) != n {
		return nil, fmt.Errorf("weights: found %d of them, want as many as files, %d", len(weights), n)
	}
	var sum float64
	for _, w := range weights {
		if !(w >= 0) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("weights: found %g, want finite numbers of at least 0", w)
		}
		sum += w
	}
	if sum == 0 || math.IsInf(sum, 0) {
		return nil, fmt.Errorf("weights: found the sum %g, want a finite one above 0", sum)
	}
	out := make([]float64, n)
	for i, w := range weights {
		out[i] = w / sum
	}
	return out, nil
}

// Weighed are those of some things whose weight isn't 0; nil weights: all of them.
func Weighed[T any](all []T, weights []float64) (out []T) {
	for i, thing := range all {
		if weights == nil || weights[i] != 0 {
			out = append(out, thing)
		}
	}
	return out
}

// Check refuses weights that [Normal] can't use.
func Check(weights []float64, n int) error {
	_, err := Normal(weights, n)
	return err
}
