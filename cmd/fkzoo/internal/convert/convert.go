// Package convert has the command convert. It must not know how other software's files are read, nor any other command.
package convert

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/receipt"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/internal/plainfile"
	"github.com/fkzoo/fkzoo/zoo/convert"
)

// Command is the command convert.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "convert", Usage: "make a model of a nolearn or Lasagne pickle, an npz or a safetensors file", ArgsUsage: "LEGACY",
		Description: "A file packed by gzip or bzip2 is unpacked first. No code of the file's is run. What became of it is printed and kept in the model: «fkzoo info FILE.fkz» shows it.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "as", Usage: "the architecture (`ARCH`) whose parameters a file without layers holds"},
			&cli.StringFlag{Name: "columns", Usage: "`NAME,NAME,...`: the outputs, where the file doesn't name them (default: Kaggle's 30)"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the model file (default: LEGACY.fkz)"},
			&cli.BoolFlag{Name: "force", Usage: "replace files that exist"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON: the receipt"},
		},
		Action: p.Action(convertFile),
	}
}

func convertFile(p *command.Program, c *cli.Context) error {
	if c.NArg() != 1 {
		return command.Usagef("convert: found %d arguments, want one file", c.NArg())
	}
	path := c.Args().First()
	output := c.String("output")
	if output == "" {
		output = path + ".fkz"
	}
	if !command.IsModelFile(output) {
		return command.Usagef("output %s: want a name that ends in .fkz", output)
	}
	if err := plainfile.Check(path); err != nil {
		return err
	}
	if err := command.CheckFree(output, c.Bool("force"), path); err != nil {
		return err
	}
	z := p.Zoo(c)
	defer z.Close()
	h, err := z.Plugins()
	if err != nil {
		return err
	}
	o := convert.Options{As: c.String("as"), Host: h, Version: p.Version, Command: os.Args}
	if names := c.String("columns"); names != "" {
		o.Columns = strings.Split(names, ",")
	}
	made, err := convert.File(c.Context, path, o)
	if err != nil {
		return err
	}
	if err := made.Save(output, c.Bool("force")); err != nil {
		return err
	}
	m := made.Model
	if made.Altered() {
		p.Warn(fmt.Sprintf("warning: %s says that it was exported from a model with the digest %.64s; this one has %s: the file was changed since, or exported from a training that isn't finished", path, made.Exported, m.Digest))
	}
	r := &m.Provenance.Receipt
	for _, text := range r.Warnings {
		p.Warn("warning: " + text)
	}
	if c.Bool("json") {
		return terminal.PrintJSON(p.Stdout, map[string]any{"model": output, "digest": m.Digest, "receipt": r})
	}
	if err := receipt.Print(p.Stdout, m); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "model: %s\n", output)
	return nil
}
