package convert

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrUnknown is returned for a file of another kind.
	ErrUnknown = errors.New("not a file that can be converted")
	// ErrOwnLayers is returned for an architecture that a file doesn't need.
	ErrOwnLayers = errors.New("found a network with its own layers, want no architecture: one is for lists of parameters")
	// ErrUnpacking is that a packed file would become far larger than networks' files do.
	ErrUnpacking = errors.New("found a packed file that becomes far larger than it is")
)

// NoLayersError is that a file has arrays alone and no architecture was named.
type NoLayersError struct {
	Fits []string // the architectures that they would fit
}

func (e *NoLayersError) Error() string {
	const text = "found a list of arrays without a network's layers, want the architecture that has them"
	if len(e.Fits) == 0 {
		return text + "; none of those here fits"
	}
	return text + ": " + strings.Join(e.Fits, ", ") + " would fit"
}

// NoHostError is that an architecture was named and nothing offers any.
type NoHostError struct {
	As string // the architecture
}

func (e *NoHostError) Error() string {
	return fmt.Sprintf("architecture %q: found no plugins that could offer it, want a host with them", e.As)
}

// NoColumnsError is that neither the file nor the caller names a network's outputs.
type NoColumnsError struct {
	Answers int // that the network gives
}

func (e *NoColumnsError) Error() string {
	return fmt.Sprintf("found %d answers and no names for them, want the columns, as many", e.Answers)
}

// ColumnsError is that file and caller name a network's outputs differently.
type ColumnsError struct {
	File, Given []string
}

func (e *ColumnsError) Error() string {
	return fmt.Sprintf("the file names its columns itself: found %s, and %s given, want none given, or the same", strings.Join(e.File, ","), strings.Join(e.Given, ","))
}
