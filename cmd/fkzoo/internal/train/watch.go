package train

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// trainWatch prints a training: a table line an epoch to the output, and on a
// terminal a bar within the epoch to the error stream.
type trainWatch struct {
	out, err io.Writer
	terminal bool
	bar      *progressbar.ProgressBar
	start    train.MemberStart
	epoch    int
	began    time.Time
}

func newTrainWatch(out, err io.Writer) *trainWatch {
	return &trainWatch{out: out, err: err, terminal: terminal.IsTerminal(err)}
}

// Start says how to give weights that a recipe starts from, where none are given.
func (w *trainWatch) Start(s train.Start) {
	if s.Resumed != "" || s.Provenance.Start != "" {
		return
	}
	var names []string
	for i := range s.Document.Members {
		if from := s.Document.Members[i].Recipe.StartFrom; from != "" && !slices.Contains(names, from) {
			names = append(names, from)
			fmt.Fprintf(w.err, "--start-from %s.fkz takes the weights that the recipe starts from\n", terminal.Printable(from))
		}
	}
}

func (w *trainWatch) Checkpoint(train.CheckpointKept) {}
func (w *trainWatch) End(train.End)                   { w.clear() }

func (w *trainWatch) Member(m train.MemberStart) {
	w.start, w.epoch, w.began = m, m.Done, time.Now()
	name := ""
	if m.Members > 1 {
		name = fmt.Sprintf("member %d of %d, %s: ", m.Index+1, m.Members, m.Name)
	}
	fmt.Fprintf(w.out, "%s%s parameters, %s; %s to train on, %d held out; batches of %d\n",
		name, terminal.Thousands(m.Parameters), terminal.Count(m.Columns, "column"), terminal.Count(m.TrainRows, "row"), m.ValidRows, m.Batch)
	if m.ValidRows > 0 && !math.IsNaN(m.MeanFace) { // of boxes there is none
		fmt.Fprintf(w.out, "always answering the mean face gives %.3f pixels on the rows held out\n", m.MeanFace)
	}
	if m.Done > 0 {
		fmt.Fprintf(w.out, "going on after epoch %d of %d\n", m.Done, m.Epochs)
	}
	fmt.Fprintf(w.out, "%7s  %10s  %10s  %8s  %8s\n", "epoch", "train loss", "valid loss", "rmse px", "seconds")
}

func (w *trainWatch) Batch(done, total int) {
	if !w.terminal {
		return
	}
	if w.bar == nil {
		w.bar = terminal.Bar(w.err, total, fmt.Sprintf("epoch %d/%d", w.epoch+1, w.start.Epochs))
	}
	_ = w.bar.Set(done)
}

func (w *trainWatch) Epoch(e train.EpochDone) {
	w.clear()
	w.epoch = e.Epoch
	mark := ""
	if e.Best {
		mark = " *"
	}
	line := fmt.Sprintf("%7d  %10.6f  %10s  %8s  %8.1f%s", e.Epoch, e.TrainLoss,
		number("%.6f", e.ValidationLoss), number("%.3f", e.RMSEPixels), e.Time.Seconds(), mark)
	fmt.Fprintln(w.out, strings.TrimRight(line, " "))
}

func number(format string, v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

func (w *trainWatch) Note(text string) {
	w.clear()
	fmt.Fprintln(w.err, terminal.Printable(text))
}

func (w *trainWatch) Warn(text string) { w.Note(text) }

// clear takes the bar away.
func (w *trainWatch) clear() {
	if w.bar != nil {
		_ = w.bar.Clear()
		w.bar = nil
	}
}
