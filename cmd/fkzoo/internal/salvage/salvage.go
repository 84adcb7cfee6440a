// Package salvage has the command salvage. It must not know how what is intact is found, nor any other command.
package salvage

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/damage"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/format"
)

// Command is the command salvage.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "salvage", Usage: "write what is intact of a damaged model file to another", ArgsUsage: "FILE.fkz",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the new `FILE`"},
			&cli.BoolFlag{Name: "force", Usage: "replace an existing file"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: p.Action(salvage),
	}
}

// salvaged is what «salvage --json» prints.
type salvaged struct {
	File    string          `json:"file"`
	Output  string          `json:"output"`
	Header  bool            `json:"header"`  // whether it has its checksum
	Tensors []string        `json:"tensors"` // kept
	Fields  []string        `json:"fields"`  // kept
	Lost    []string        `json:"lost"`    // fields
	Damage  []damage.Damage `json:"damage"`
}

func salvage(p *command.Program, c *cli.Context) error {
	out := c.String("output")
	if c.NArg() != 1 || out == "" {
		return command.Usagef("salvage: found %d arguments and -o %q, want a file and where to write what is left of it", c.NArg(), out)
	}
	path := c.Args().First()
	if err := command.CheckFree(out, c.Bool("force")); err != nil {
		return err
	}
	s, err := format.Salvage(path)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Write(out, format.Options{Force: c.Bool("force")}); err != nil {
		return err
	}
	if !s.Checked {
		p.Warn(path + ": the header hasn't its checksum: names, shapes and metadata are as they were read, and may have changed")
	}
	r := salvaged{File: path, Output: out, Header: s.Checked, Tensors: []string{}, Fields: s.Fields, Lost: s.Lost, Damage: damage.Of(s.Damage)}
	for _, t := range s.Intact {
		r.Tensors = append(r.Tensors, t.Name)
	}
	if c.Bool("json") {
		return terminal.PrintJSON(p.Stdout, r)
	}
	for _, d := range r.Damage {
		fmt.Fprintf(p.Stdout, "%s: %s\n", path, d)
	}
	if len(r.Damage) == 0 {
		fmt.Fprintf(p.Stdout, "%s: intact\n", path)
	}
	fmt.Fprintf(p.Stdout, "%s: %d tensors; metadata: %s\n", out, len(r.Tensors), strings.Join(r.Fields, ", "))
	if len(r.Lost) > 0 {
		fmt.Fprintf(p.Stdout, "lost metadata: %s\n", strings.Join(r.Lost, ", "))
	}
	return nil
}
