package train

import (
	"time"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Watcher is told how a training goes on, by one goroutine.
type Watcher interface {
	// Start comes first, once all that can be checked has been.
	Start(Start)
	// Member begins or goes on.
	Member(MemberStart)
	// Batch is done, of so many in the epoch.
	Batch(done, total int)
	// Epoch is done.
	Epoch(EpochDone)
	// Checkpoint has been written.
	Checkpoint(CheckpointKept)
	// Note is a line for people.
	Note(text string)
	// Warn is a line about something that isn't as it should be.
	Warn(text string)
	// End comes last, where there was a Start.
	End(End)
}

// Watchers tell each of several.
type Watchers []Watcher

func (w Watchers) each(tell func(Watcher)) {
	for _, one := range w {
		tell(one)
	}
}

func (w Watchers) Start(v Start)               { w.each(func(one Watcher) { one.Start(v) }) }
func (w Watchers) Member(v MemberStart)        { w.each(func(one Watcher) { one.Member(v) }) }
func (w Watchers) Batch(done, total int)       { w.each(func(one Watcher) { one.Batch(done, total) }) }
func (w Watchers) Epoch(v EpochDone)           { w.each(func(one Watcher) { one.Epoch(v) }) }
func (w Watchers) Checkpoint(v CheckpointKept) { w.each(func(one Watcher) { one.Checkpoint(v) }) }
func (w Watchers) Note(text string)            { w.each(func(one Watcher) { one.Note(text) }) }
func (w Watchers) Warn(text string)            { w.each(func(one Watcher) { one.Warn(text) }) }
func (w Watchers) End(v End)                   { w.each(func(one Watcher) { one.End(v) }) }

// Start tells of a training that begins or goes on.
type Start struct {
	Document   *blueprint.Document
	Output     string
	Resumed    string // the checkpoint that it goes on from; "": from the start
	Provenance model.Provenance
	Run        model.Run
	Done       int // epochs, over all members
}

// CheckpointKept tells of a checkpoint that has been written.
type CheckpointKept struct {
	Path   string
	Best   bool // NAME.best.fkz, else NAME.last.fkz
	Member string
	Epoch  int // done by the member
	Step   int // done in the epoch under way
}

// End tells how a training ended.
type End struct {
	Model *model.Model // nil where Err isn't
	Path  string       // the model's, or that of the newest checkpoint, or ""
	Err   error
	Time  time.Duration // of this run
}

// MemberStart tells of a member that begins or goes on.
type MemberStart struct {
	Name                 string
	Index, Members       int
	Columns              int
	TrainRows, ValidRows int
	Epochs, Done         int // in all, and done already
	Batch                int
	Parameters           int64
	Fold                 *blueprint.Fold // nil: none
	MeanFace             float64         // pixels: what always answering the mean face gives on the rows held out; NaN where there are none
}

// EpochDone is a finished epoch's figures. Validation figures are NaN where no
// rows are held out.
type EpochDone struct {
	Member         string
	Epoch, Epochs  int // from 1
	TrainLoss      float64
	ValidationLoss float64
	RMSEPixels     float64
	Rate           float64
	Best           bool // the least validation loss so far
	Time           time.Duration
}

// silent watches without a word.
type silent struct{}

func (silent) Start(Start)               {}
func (silent) Member(MemberStart)        {}
func (silent) Batch(int, int)            {}
func (silent) Epoch(EpochDone)           {}
func (silent) Checkpoint(CheckpointKept) {}
func (silent) Note(string)               {}
func (silent) Warn(string)               {}
func (silent) End(End)                   {}
