package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

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
	return &trainWatch{out: out, err: err, terminal: isTerminal(err)}
}

func isTerminal(w io.Writer) bool {
	if p, ok := w.(*printableWriter); ok {
		w = p.to
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
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
			fmt.Fprintf(w.err, "--start-from %s.fkz takes the weights that the recipe starts from\n", printable(from))
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
		name, thousands(m.Parameters), count(m.Columns, "column"), count(m.TrainRows, "row"), m.ValidRows, m.Batch)
	if m.ValidRows > 0 {
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
		w.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(w.err), progressbar.OptionSetDescription(fmt.Sprintf("epoch %d/%d", w.epoch+1, w.start.Epochs)),
			progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
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
	fmt.Fprintln(w.err, printable(text))
}

func (w *trainWatch) Warn(text string) { w.Note(text) }

// clear takes the bar away.
func (w *trainWatch) clear() {
	if w.bar != nil {
		_ = w.bar.Clear()
		w.bar = nil
	}
}

// tick gives a bar for work of a known length, nothing where no terminal is.
func (p *program) tick(what string) (tick func(done, total int), end func()) {
	if !isTerminal(p.stderr) {
		return nil, func() {}
	}
	var bar *progressbar.ProgressBar
	return func(done, total int) {
			if bar == nil {
				bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.stderr), progressbar.OptionSetDescription(what),
					progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
					progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
			}
			_ = bar.Set(done)
		}, func() {
			if bar != nil {
				_ = bar.Clear()
			}
		}
}
