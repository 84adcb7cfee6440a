// Package export has the command export. It must not know how other software's files are written, nor any other command.
package export

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/zoo/export"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Command is the command export.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "export", Usage: "write a model for other programs", ArgsUsage: "FILE.fkz",
		Description: exportDescription(),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE`" + strings.Join(exportEndings(), " or FILE")},
			&cli.BoolFlag{Name: "force", Usage: "replace an existing file"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: p.Action(exportModel),
	}
}

// exportDescription lists the formats that there are.
func exportDescription() string {
	var b strings.Builder
	b.WriteString("The output's ending says how:\n")
	var back []string
	for _, f := range export.Formats {
		fmt.Fprintf(&b, "%s: %s; without %s\n", strings.Join(f.Extensions, ", "), f.Holds, f.Lacks)
		if f.Returns {
			back = append(back, f.Extensions...)
		}
	}
	fmt.Fprintf(&b, "«fkzoo convert» makes a model again of %s.", strings.Join(back, ", "))
	return b.String()
}

func exportEndings() (all []string) {
	for _, f := range export.Formats {
		all = append(all, f.Extensions...)
	}
	return all
}

// exported is what «export --json» prints.
type exported struct {
	File    string   `json:"file"`
	Output  string   `json:"output"`
	Format  string   `json:"format"`
	Bytes   int64    `json:"bytes"`
	Digest  string   `json:"digest"` // of the model
	Input   []any    `json:"input"`  // of the network: N, channels, height, width
	Columns []string `json:"columns"`
}

func exportModel(p *command.Program, c *cli.Context) error {
	out := c.String("output")
	if c.NArg() != 1 || out == "" {
		return command.Usagef("export: found %d arguments and -o %q, want a model and the file to write", c.NArg(), out)
	}
	f, err := export.FormatOf(out)
	if err != nil {
		return command.UsageError(err)
	}
	path := c.Args().First()
	if err := command.CheckFree(out, c.Bool("force"), path); err != nil {
		return err
	}
	m, err := model.Load(path)
	if err != nil {
		return err
	}
	if err := export.Write(out, m, export.Options{Force: c.Bool("force"), Version: p.Version}); err != nil {
		return err
	}
	if m.State != nil {
		p.Warn(path + ": its training isn't finished: the weights are as they are now; where it stands is not written")
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	in := m.Document.Input
	r := exported{File: path, Output: out, Format: f.Name, Bytes: info.Size(), Digest: m.Digest,
		Input: []any{"N", in.Channels, in.Height, in.Width}, Columns: m.Document.Columns(nil)}
	if c.Bool("json") {
		return terminal.PrintJSON(p.Stdout, r)
	}
	fmt.Fprintf(p.Stdout, "%s: %s bytes, of the model with digest %s\n", out, terminal.Thousands(r.Bytes), r.Digest)
	if f.Runs {
		fmt.Fprintf(p.Stdout, "input %s: float32 [N, %d, %d, %d], grey values 0 to 255\n", export.InputName, in.Channels, in.Height, in.Width)
		fmt.Fprintf(p.Stdout, "output %s: float32 [N, %d], pixels: %s\n", export.OutputName, len(r.Columns), strings.Join(r.Columns, ", "))
	}
	return nil
}
