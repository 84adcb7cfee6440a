package native

import (
	"fmt"
	"runtime"
)

// must passes an error on to where panics are recovered.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fault is the error of what was recovered from a panic: it says what was being done, and in which layer.
func fault(doing, layer string, recovered any) error {
	switch r := recovered.(type) {
	case runtime.Error:
		return fmt.Errorf("%s: layer %q: internal fault: %w", doing, layer, r)
	case error:
		return fmt.Errorf("%s: layer %q: %w", doing, layer, r)
	default:
		return fmt.Errorf("%s: layer %q: internal fault: %v", doing, layer, r)
	}
}
