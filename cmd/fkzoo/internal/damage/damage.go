// Package damage shows what is wrong with the bytes of a model file, as verify and salvage do. It must not know how that is
// found.
package damage

import (
	"fmt"

	"github.com/fkzoo/fkzoo/format"
)

// Damage is one finding: what is wrong, in which part of the file, and its bytes, end not included.
type Damage struct {
	Kind   string `json:"kind"`
	Part   string `json:"part,omitempty"`
	Tensor string `json:"tensor,omitempty"`
	Start  int64  `json:"start"`
	End    int64  `json:"end"`
	Detail string `json:"detail"`
}

// Of gives findings as they are printed.
func Of(list []*format.Error) []Damage {
	var out []Damage
	for _, e := range list {
		out = append(out, Damage{e.Kind.Error(), e.Part, e.Tensor, e.Start, e.End, e.Detail})
	}
	return out
}

func (d Damage) String() string {
	out := d.Kind
	if d.Part != "" {
		out += ": " + d.Part
	}
	if d.End > d.Start {
		out += fmt.Sprintf(", bytes %d to %d", d.Start, d.End-1)
	}
	return out + ": " + d.Detail
}
