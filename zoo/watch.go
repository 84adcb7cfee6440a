package zoo

import "github.com/fkzoo/fkzoo/host/engine/backend"

// Watcher is told what requests do, by the goroutine that works on each: see [Zoo.Watched]. A training has a watcher of
// its own beside it.
type Watcher interface {
	// Assumed is what is read as data where the request names none.
	Assumed(Assumed)
	// Backend has been opened.
	Backend(*backend.Backend)
	// Warn is about something that isn't as it should be.
	Warn(Warning)
	// Progress is made: done of total, -1 where that isn't known, of what is being done. A watcher hears of the end of
	// it by Done.
	Progress(doing string, done, total int)
	// Done ends a progress.
	Done()
}

// A Warning is a line about something that isn't as it should be, of a kind where somebody may want to say more.
type Warning struct{ Kind, Text string }

// Miscalibrated is the kind of warning that models ask for mirror images differently, and the request doesn't say how.
const Miscalibrated = "miscalibrated"

// Assumed tells which data is about to be read where the request names none.
type Assumed struct {
	Source  string
	Resumed bool // it is what the training that goes on learned from; else the drawn faces
}

// Silent watches without a word.
type Silent struct{}

func (Silent) Assumed(Assumed)           {}
func (Silent) Backend(*backend.Backend)  {}
func (Silent) Warn(Warning)              {}
func (Silent) Progress(string, int, int) {}
func (Silent) Done()                     {}

// orSilent is the watcher, or one in place of none.
func orSilent(w Watcher) Watcher {
	if w == nil {
		return Silent{}
	}
	return w
}

// Progress gives the function that rooms call while they work, and the one that ends it.
func (z *Zoo) Progress(doing string) (tick func(done, total int), end func()) {
	return func(done, total int) { z.watch.Progress(doing, done, total) }, z.watch.Done
}
