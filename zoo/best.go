package zoo

import (
	"errors"
	"maps"
	"strings"
	"sync"

	"github.com/fkzoo/fkzoo/host/engine"
)

// bestFile writes NAME.best.fkz beside the training, which doesn't wait for the
// disk. Of models that come faster than they can be written, the newest is.
type bestFile struct {
	lock sync.Mutex
	next *Model        // to be written
	done chan struct{} // of the writing under way; nil: none
	kept []bestKept    // not yet told
}

// bestKept is what came of a writing.
type bestKept struct {
	model *Model
	err   error
}

// put has a model written, soon.
func (b *bestFile) put(m *Model, path string) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.next = m
	if b.done != nil {
		return
	}
	b.done = make(chan struct{})
	go b.write(path)
}

func (b *bestFile) write(path string) {
	for {
		b.lock.Lock()
		m := b.next
		b.next = nil
		if m == nil {
			close(b.done)
			b.done = nil
			b.lock.Unlock()
			return
		}
		b.lock.Unlock()
		err := m.Save(path, true)
		b.lock.Lock()
		b.kept = append(b.kept, bestKept{m, err})
		b.lock.Unlock()
	}
}

// wait waits until all is written.
func (b *bestFile) wait() {
	b.lock.Lock()
	done := b.done
	b.lock.Unlock()
	if done != nil {
		<-done
	}
}

// news is what was written since it was last asked.
func (b *bestFile) news() []bestKept {
	b.lock.Lock()
	defer b.lock.Unlock()
	out := b.kept
	b.kept = nil
	return out
}

// keepBest keeps the training as it stands after the best epoch so far. That it
// can't is no error; that it has diverged is.
func (r *memberRun) keepBest() error {
	if r.Every == (Every{}) {
		return nil
	}
	m, err := r.snapshot()
	if errors.Is(err, engine.ErrDiverged) {
		return err
	}
	if err != nil {
		r.cannotKeep(BestPath(r.Output), err)
		return nil
	}
	if r.plan.Member.Recipe.Stop == nil {
		for name := range r.bestWeights { // they are the model's now
			delete(m.State.best, name)
		}
	}
	m.showBest(r.bests)
	r.best.put(m, BestPath(r.Output))
	return nil
}

// showBest gives the model the best weights of members that are done, and its
// state those with which they ended, from where hideBest takes them back.
func (m *Model) showBest(bests engine.Arrays) {
	m.State.final = engine.Arrays{}
	for name, a := range bests {
		m.State.final[name], m.Weights[name] = m.Weights[name], a
		delete(m.State.best, name)
	}
	m.heldOutAt(m.State.final, func(h *MemberHistory) int { return h.BestEpoch })
}

func (m *Model) hideBest() {
	s := m.State
	m.heldOutAt(s.final, func(h *MemberHistory) int { return len(h.ValidationLoss) })
	if s.best == nil {
		s.best = engine.Arrays{}
	}
	for name, a := range s.final {
		s.best[name], m.Weights[name] = m.Weights[name], a
	}
	s.final = nil
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
			h.setHeldOut(epoch(h))
		}
	}
}

// setHeldOut notes that the weights of this epoch, from 1, are those that stay.
func (h *MemberHistory) setHeldOut(epoch int) {
	h.HeldOut.Loss, h.HeldOut.RMSEPixels = h.ValidationLoss[epoch-1], h.RMSEPixels[epoch-1]
}

// tellBest tells of the writing that is done.
func (t *training) tellBest() {
	for _, k := range t.best.news() {
		if k.err != nil {
			t.cannotKeep(BestPath(t.Output), k.err)
			continue
		}
		t.newest, t.keptBest = BestPath(t.Output), true
		t.tellKept(k.model, t.newest, true)
	}
}

// waitBest waits for the best so far to be on the disk.
func (t *training) waitBest() {
	t.best.wait()
	t.tellBest()
}
