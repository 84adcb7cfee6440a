package model

import (
	"maps"
	"strings"

	"github.com/fkzoo/fkzoo/host/engine"
)

// ShowBest gives the model the best weights of members that are done, and its
// state those with which they ended, from where [Model.HideBest] takes them back.
func (m *Model) ShowBest(bests engine.Arrays) {
	m.State.Final = engine.Arrays{}
	for name, a := range bests {
		m.State.Final[name], m.Weights[name] = m.Weights[name], a
		delete(m.State.Best, name)
	}
	m.heldOutAt(m.State.Final, func(h *MemberHistory) int { return h.BestEpoch })
}

// HideBest puts back, for a training that goes on, what [Model.ShowBest] showed: the
// members that are done have the weights with which they ended.
func (m *Model) HideBest() {
	s := m.State
	m.heldOutAt(s.Final, func(h *MemberHistory) int { return len(h.ValidationLoss) })
	if s.Best == nil {
		s.Best = engine.Arrays{}
	}
	for name, a := range s.Final {
		s.Best[name], m.Weights[name] = m.Weights[name], a
	}
	s.Final = nil
}

// heldOutAt notes, for the members of these tensors, what another epoch's
// weights do on the rows held out.
func (m *Model) heldOutAt(tensors engine.Arrays, epoch func(h *MemberHistory) int) {
	members := map[string]bool{}
	for name := range maps.Keys(tensors) {
		member, _, _ := strings.Cut(name, "/")
		members[member] = true
	}
	for i := range m.History {
		if h := &m.History[i]; members[h.Member] {
			h.SetHeldOut(epoch(h))
		}
	}
}

// SetHeldOut notes that the weights of this epoch, from 1, are those that stay.
func (h *MemberHistory) SetHeldOut(epoch int) {
	h.HeldOut.Loss, h.HeldOut.RMSEPixels = h.ValidationLoss[epoch-1], h.RMSEPixels[epoch-1]
}
