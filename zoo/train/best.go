package train

import (
	"errors"
	"sync"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// bestFile writes NAME.best.fkz beside the training, which doesn't wait for the
// disk. Of models that come faster than they can be written, the newest is.
type bestFile struct {
	lock sync.Mutex
	next *model.Model  // to be written
	done chan struct{} // of the writing under way; nil: none
	kept []bestKept    // not yet told
}

// bestKept is what came of a writing.
type bestKept struct {
	model *model.Model
	err   error
}

// put has a model written, soon.
func (b *bestFile) put(m *model.Model, path string) {
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
		r.cannotKeep(model.BestPath(r.Output), err)
		return nil
	}
	if r.plan.Member.Recipe.Stop == nil {
		for name := range r.bestWeights { // they are the model's now
			delete(m.State.Best, name)
		}
	}
	m.ShowBest(r.bests)
	r.best.put(m, model.BestPath(r.Output))
	return nil
}

// tellBest tells of the writing that is done.
func (t *training) tellBest() {
	for _, k := range t.best.news() {
		if k.err != nil {
			t.cannotKeep(model.BestPath(t.Output), k.err)
			continue
		}
		t.newest, t.keptBest = model.BestPath(t.Output), true
		t.tellKept(k.model, t.newest, true)
	}
}

// waitBest waits for the best so far to be on the disk.
func (t *training) waitBest() {
	t.best.wait()
	t.tellBest()
}
