// Package receipt keeps account of a conversion while it goes on: what was
// noticed, and what a member of the model doesn't have.
//
// It must not know what is converted, or how.
package receipt

import (
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/zoo/model"
)

// Note adds a warning, once.
func Note(r *model.Receipt, format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(r.Warnings, text) {
		r.Warnings = append(r.Warnings, text)
	}
}

// Member is the account of one member.
type Member struct {
	Name string
	In   *model.Receipt
}

// Drop notes something of the file that the member doesn't have.
func (m Member) Drop(what, reason string) {
	m.In.Dropped = append(m.In.Dropped, model.ReceiptDrop{Member: m.Name, What: what, Reason: reason})
}

// Tensor notes what an array became; tensor is its name within the member.
func (m Member) Tensor(tensor string, from model.ReceiptTensor) {
	from.Tensor = m.Name + "/" + tensor
	m.In.Tensors = append(m.In.Tensors, from)
}
