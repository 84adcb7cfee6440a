// Package submission has the command submission: check and show. It must not know what a fault is or how a ledger is kept,
// nor any other command.
package submission

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/contest"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
)

// Command is the command submission.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "submission", Usage: "look at submissions for Kaggle",
		Subcommands: []*cli.Command{
			{
				Name: "check", Usage: "look for faults before a try is spent", ArgsUsage: "FILE.csv",
				Description: "Without --lookup the form alone is checked; with it, that no row lacks or is too many.",
				Flags: []cli.Flag{
					contest.LookupFlag,
					&cli.Float64Flag{Name: "side", Value: submission.ImageSide, Usage: "`PIXELS` of an image's side: values are from 0 to this"},
					&cli.BoolFlag{Name: "json", Usage: "print JSON"},
				},
				Action: p.Action(submissionCheck),
			},
			{
				Name: "show", Usage: "print how a submission came to be", ArgsUsage: "FILE.csv",
				Flags:  []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}},
				Action: p.Action(submissionShow),
			},
		},
	}
}

func submissionCheck(p *command.Program, c *cli.Context) error {
	if c.NArg() != 1 {
		return command.Usagef("submission check: found %d files, want one", c.NArg())
	}
	side := c.Float64("side")
	if !(side > 0) {
		return command.Usagef("side: found %g, want more than 0", side)
	}
	var lookup *submission.Lookup
	if path := c.String("lookup"); path != "" {
		var err error
		if lookup, err = submission.ReadLookup(path); err != nil {
			return err
		}
	}
	r, err := submission.Check(c.Args().First(), side, lookup)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		if err := terminal.PrintJSON(p.Stdout, r); err != nil {
			return err
		}
	} else {
		printReport(p, r)
	}
	if !r.OK {
		return fmt.Errorf("%s: found %s, want none", r.File, terminal.Count(r.Faults, "fault"))
	}
	return nil
}

func printReport(p *command.Program, r *submission.Report) {
	for i := range r.List {
		fmt.Fprintln(p.Stdout, r.List[i].Where()+r.List[i].Reason)
	}
	if more := r.Faults - len(r.List); more > 0 {
		fmt.Fprintf(p.Stdout, "and %s more\n", terminal.Count(more, "fault"))
	}
	if r.OK {
		what := "their form is right"
		if r.Lookup != "" {
			what = "all that " + r.Lookup + " asks for, and no other"
		}
		fmt.Fprintf(p.Stdout, "%s: %s rows, %s\n", r.File, terminal.Thousands(int64(r.Rows)), what)
	}
}

// shown is what «submission show --json» prints: a ledger, and what became of
// the submission since.
type shown struct {
	State submission.State `json:"state"`
	*submission.Ledger
}

func submissionShow(p *command.Program, c *cli.Context) error {
	if c.NArg() != 1 {
		return command.Usagef("submission show: found %d files, want one", c.NArg())
	}
	path := c.Args().First()
	l, err := submission.ReadLedger(path)
	if err != nil {
		return err
	}
	state := submission.StateOf(&submission.File{Path: filepath.Base(path), SHA256: l.File.SHA256}, path)
	if c.Bool("json") {
		return terminal.PrintJSON(p.Stdout, shown{state, l})
	}
	fmt.Fprintf(p.Stdout, "%s: %s\n", path, state)
	printLedger(p, l, path, "  ")
	return nil
}

// printLedger prints a history; inputs further in. Paths in a ledger are seen
// from the folder it lay in.
func printLedger(p *command.Program, l *submission.Ledger, path, indent string) {
	line := func(format string, args ...any) { fmt.Fprintf(p.Stdout, indent+format+"\n", args...) }
	switch o := l.Options; l.Made {
	case submission.Averaged:
		what := "mean"
		if o.Median {
			what = "median"
		}
		line("the %s of %s, made %s by fkzoo %s", what, terminal.Count(len(l.Inputs), "submission"), l.Created, l.Fkzoo)
	default:
		line("submitted %s by fkzoo %s, backend %s%s", l.Created, l.Fkzoo, o.Backend, map[bool]string{true: ", each face and its mirror image"}[o.FlipAverage])
	}
	line("sha256 %s, %s rows", l.File.SHA256, terminal.Thousands(int64(l.Rows)))
	if l.Clipped > 0 {
		line("%s put to the image's border", terminal.Count(l.Clipped, "value"))
	}
	for _, f := range []struct {
		name string
		of   *submission.File
	}{{"test", l.Test}, {"lookup", l.Lookup}} {
		if f.of != nil {
			sum := "sha256 " + f.of.SHA256
			if f.of.SHA256 == "" {
				sum = "checksum " + f.of.Content
			}
			line("%s %s: %s, %s", f.name, f.of.Path, submission.StateOf(f.of, path), sum)
		}
	}
	if l.Leak != nil {
		line("%s, checksum %s", l.Leak, l.Leak.DataChecksum)
	}
	weight := func(i int) string {
		if w := l.Options.Weights; i < len(w) {
			return fmt.Sprintf(", weight %g", w[i])
		}
		return ""
	}
	for i := range l.Models {
		m := &l.Models[i]
		line("model %s: %s, %s%s", m.Path, m.Architecture, submission.StateOf(&m.File, path), weight(i))
		line("  digest %s", m.Digest)
		for _, member := range m.Members {
			held := "no rows held out"
			if member.Validation != nil {
				held = fmt.Sprintf("%.3f pixels on the rows held out", *member.Validation)
			}
			line("  member %s: %s, weight %g, %s, %s", member.Name, terminal.Count(member.Columns, "column"), member.Weight, terminal.Count(member.Epochs, "epoch"), held)
		}
		if m.Data != "" {
			line("  trained on %s, checksum %s", m.Data, m.DataChecksum)
		}
	}
	for i := range l.Inputs {
		in := &l.Inputs[i]
		line("%s: %s%s", in.Path, submission.StateOf(&in.File, path), weight(i))
		if in.Changed {
			line("  had been changed by hand before it was averaged: not what its ledger says")
		}
		if in.Ledger == nil {
			line("  sha256 %s, no ledger", in.SHA256)
			continue
		}
		printLedger(p, in.Ledger, filepath.Join(filepath.Dir(path), filepath.FromSlash(in.Path)), strings.Repeat(" ", len(indent)+2))
	}
}
