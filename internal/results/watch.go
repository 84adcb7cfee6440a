package main

import (
	"fmt"
	"io"
	"math"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/train"
)

type printer struct{ to io.Writer }

func (p printer) say(format string, args ...any) { fmt.Fprintf(p.to, "results: "+format+"\n", args...) }

// front prints what a zoo does.
type front struct {
	zoo.Silent
	printer
}

func (w *front) Backend(b *backend.Backend) {
	if reason := b.Reason(); reason != "" {
		w.say("backend auto: %s", reason)
	}
	w.say("backend %s", b.Description())
}

func (w *front) Warn(about zoo.Warning) { w.say("%s", about.Text) }

// watch prints of a training a line an epoch.
type watch struct {
	printer
	run    string // what is trained
	member string // and of it, where there are several
}

func (w *watch) Note(text string) { w.say("%s", text) }
func (w *watch) Warn(text string) { w.say("%s", text) }

func (w *watch) Start(train.Start)               {}
func (w *watch) Batch(int, int)                  {}
func (w *watch) Checkpoint(train.CheckpointKept) {}
func (w *watch) End(train.End)                   {}

func (w *watch) Member(m train.MemberStart) {
	w.member = ""
	if m.Members > 1 {
		w.member = " " + m.Name
	}
	face := ""
	if m.ValidRows > 0 {
		face = fmt.Sprintf(", for which the mean face gives %.3f pixels", m.MeanFace)
	}
	w.say("%s%s: %s rows to train on, %d held out%s", w.run, w.member, thousands(int64(m.TrainRows)), m.ValidRows, face)
	if m.Done > 0 {
		w.say("%s%s: goes on after epoch %d of %d", w.run, w.member, m.Done, m.Epochs)
	}
}

func (w *watch) Epoch(e train.EpochDone) {
	best := ""
	if e.Best {
		best = ", the best so far"
	}
	w.say("%s%s: epoch %d of %d in %.1f s: loss %.6f, held out %s, %s pixels%s", w.run, w.member, e.Epoch, e.Epochs, e.Time.Seconds(),
		e.TrainLoss, number("%.6f", e.ValidationLoss), number("%.3f", e.RMSEPixels), best)
}

// number writes a figure; NaN, where no rows are held out, as a dash.
func number(format string, v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf(format, v)
}
