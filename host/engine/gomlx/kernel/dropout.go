package kernel

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel/random"
)

// Dropout is [random.Dropout].
type Dropout random.Dropout

// Apply drops elements of x. The gradient of x is that of y times the mask.
func (d Dropout) Apply(x, key *Node) (y, mask *Node) {
	mask = random.Dropout(d).Mask(key, x.Shape().Dimensions...)
	return Mul(x, mask), mask
}
