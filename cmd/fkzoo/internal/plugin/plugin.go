// Package plugin has the command plugin: list, install and remove. It must not know how plugins are found or started, nor any
// other command.
package plugin

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
)

// Command is the command plugin.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "plugin", Usage: "accept, forget and show plugins",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "show the plugins found, where they are, and whether they are trusted", Action: p.Action(pluginList),
				Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}}},
			{Name: "install", Usage: "accept a plugin: its checksum is recorded, and it is copied to the user's plugin folder", ArgsUsage: "FILE", Action: p.Action(pluginInstall)},
			{Name: "remove", Usage: "forget a plugin that was installed", ArgsUsage: "NAME", Action: p.Action(pluginRemove)},
		},
	}
}

func pluginList(p *command.Program, c *cli.Context) error {
	z := p.Zoo(c)
	defer z.Close()
	h, err := z.Plugins()
	if err != nil {
		return err
	}
	plugins, errs := h.Plugins()
	type plugin struct {
		Name   string `json:"name"`
		Trust  string `json:"trust"`
		SHA256 string `json:"sha256"`
		Path   string `json:"path"`
	}
	out := []plugin{}
	rows := [][]string{{"NAME", "TRUST", "SHA-256", "PATH"}}
	for _, x := range plugins {
		out = append(out, plugin{x.Name, string(x.Trust), x.SHA256, x.Path})
		rows = append(rows, []string{x.Name, string(x.Trust), fmt.Sprintf("%.12s…", x.SHA256), x.Path})
	}
	if c.Bool("json") {
		err = terminal.PrintJSON(p.Stdout, out)
	} else {
		err = terminal.Table(p.Stdout, rows)
	}
	return errors.Join(append(errs, err)...)
}

func pluginInstall(p *command.Program, c *cli.Context) error {
	if c.NArg() != 1 {
		return command.Usagef("plugin install: found %d arguments, want one file", c.NArg())
	}
	z := p.Zoo(c)
	defer z.Close()
	h, err := z.Plugins()
	if err != nil {
		return err
	}
	offered, err := h.Install(c.Context, c.Args().First())
	if err != nil {
		return err
	}
	for _, a := range offered {
		fmt.Fprintf(p.Stdout, "%s: %s parameters: %s\n", a.Name, terminal.Thousands(a.Parameters), a.Summary)
	}
	return nil
}

func pluginRemove(p *command.Program, c *cli.Context) error {
	if c.NArg() != 1 {
		return command.Usagef("plugin remove: found %d arguments, want one name", c.NArg())
	}
	z := p.Zoo(c)
	defer z.Close()
	h, err := z.Plugins()
	if err != nil {
		return err
	}
	return h.Remove(c.Args().First())
}
