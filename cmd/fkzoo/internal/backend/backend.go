// Package backend has the command backend: list, install and remove. It must not know how a backend is installed or opened, nor
// any other command.
package backend

import (
	"fmt"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/host/engine/backend"
)

// Command is the command backend.
func Command(p *command.Program) *cli.Command {
	installable := strings.Join(backend.Installable(), "|")
	var help []string
	for _, name := range backend.Names()[1:] { // not auto
		help = append(help, name+": "+backend.Help(name))
	}
	return &cli.Command{
		Name: "backend", Usage: "install and show what networks run on", Description: strings.Join(help, "\n"),
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "show the backends and their state", Action: p.Action(backendList),
				Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}}},
			{Name: "install", Usage: "download, check and try a backend's library", ArgsUsage: installable, Action: p.Action(backendInstall),
				Flags: []cli.Flag{&cli.StringFlag{Name: "from", Usage: "a wheel, a folder of wheels, a folder where Python has unpacked them, or a PJRT library, in place of a download"}}},
			{Name: "remove", Usage: "remove a backend's library", ArgsUsage: installable, Action: func(c *cli.Context) error {
				if c.NArg() != 1 {
					return command.Usagef("backend remove: found %d arguments, want %s", c.NArg(), orText(backend.Installable()))
				}
				return backend.Remove(c.Context, c.Args().First())
			}},
		},
	}
}

// orText is names as a choice: "a, b or c".
func orText(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func backendList(p *command.Program, c *cli.Context) error {
	all, err := backend.List(c.Context)
	if err != nil {
		return err
	}
	for i, b := range all {
		if b.State == backend.NotInstalled {
			hints := command.Hints(&backend.InstallError{Backend: b.Name, Err: backend.ErrNotInstalled})
			all[i].Why = strings.Join(append([]string{b.Why}, hints...), "; ")
		}
	}
	if c.Bool("json") {
		return terminal.PrintJSON(p.Stdout, all)
	}
	rows := [][]string{{"NAME", "STATE", "VERSION", "LIBRARY"}}
	for _, b := range all {
		last := b.Library
		if b.Why != "" { // long: where no other column follows
			last = b.Why
		}
		rows = append(rows, []string{b.Name, string(b.State), b.Version, last})
	}
	return terminal.Table(p.Stdout, rows)
}

func backendInstall(p *command.Program, c *cli.Context) error {
	if c.NArg() != 1 {
		return command.Usagef("backend install: found %d arguments, want %s", c.NArg(), orText(backend.Installable()))
	}
	if c.IsSet("from") && c.String("from") == "" {
		return command.Usagef("from: found no value, want a wheel, a folder of wheels or a library; without --from it is downloaded")
	}
	store, err := backend.DefaultStore()
	if err != nil {
		return err
	}
	info, err := store.Install(c.Context, c.Args().First(), backend.Options{From: c.String("from"), Progress: installProgress(p)})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "backend %s: %s: %s\n", info.Name, info.State, info.Library)
	return nil
}

// installProgress prints each stage, and on a terminal a bar while downloading.
func installProgress(p *command.Program) func(backend.Progress) {
	var last string
	var bar *progressbar.ProgressBar
	onTerminal := terminal.IsTerminal(p.Stderr)
	return func(at backend.Progress) {
		if stage := at.Stage + " " + at.File; stage != last {
			if bar != nil {
				_ = bar.Clear()
				bar = nil
			}
			last = stage
			fmt.Fprintln(p.Stderr, stage)
		}
		if onTerminal && at.Total > 0 {
			if bar == nil {
				bar = progressbar.NewOptions64(at.Total, progressbar.OptionSetWriter(p.Stderr), progressbar.OptionShowBytes(true),
					progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
			}
			_ = bar.Set64(at.Done)
		}
	}
}
