package models

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/internal/plainfile"
	"github.com/fkzoo/fkzoo/zoo/convert"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Convert is the command convert.
func Convert(p *command.Program) *cli.Command {
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
	if !command.IsModel(output) {
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
	if err := printReceipt(p, m); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "model: %s\n", output)
	return nil
}

// printReceipt prints how a model was converted.
func printReceipt(p *command.Program, m *model.Model) error {
	w, r := p.Stdout, &m.Provenance.Receipt
	fmt.Fprintf(w, "%s: %s, %s bytes, SHA-256 %s\n", r.Source, r.Format, terminal.Thousands(int64(r.Bytes)), r.SHA256)
	rows := [][]string{{"LAYER", "CLASS", "PARAMETER", "SHAPE", "TENSOR", "CHANGE"}}
	for _, t := range r.Tensors {
		rows = append(rows, []string{t.Layer, t.Class, t.Param, shapeText(t.Shape), t.Tensor, t.Change})
	}
	if err := terminal.Table(w, rows); err != nil {
		return err
	}
	for _, h := range m.History {
		fmt.Fprintf(w, "history of %s: %d epochs\n", h.Member, len(h.TrainLoss))
	}
	return printReceiptRest(p, r)
}

// printConverted prints of a converted model where it came from.
func printConverted(p *command.Program, r *model.Receipt) error {
	if r.SHA256 == "" {
		return nil
	}
	fmt.Fprintf(p.Stdout, "converted from %s: %s, %s bytes, SHA-256 %s\n", r.Source, r.Format, terminal.Thousands(int64(r.Bytes)), r.SHA256)
	for _, text := range r.Warnings {
		fmt.Fprintln(p.Stdout, "warning: "+text)
	}
	return printReceiptRest(p, r)
}

// printReceiptRest prints what of a receipt is not a tensor.
func printReceiptRest(p *command.Program, r *model.Receipt) error {
	w := p.Stdout
	for _, d := range r.Dropped {
		what := d.What
		if d.Member != "" {
			what = d.Member + ": " + what
		}
		fmt.Fprintf(w, "dropped %s: %s\n", what, d.Reason)
	}
	for _, f := range r.Flips {
		if f.Fault != "" {
			fmt.Fprintf(w, "flips of %s in the file: %v\n", f.Member, f.Pairs)
		}
	}
	if err := printGlobals(p, r); err != nil {
		return err
	}
	for i := range r.Before {
		if err := printConverted(p, &r.Before[i]); err != nil {
			return err
		}
	}
	return nil
}

// printGlobals prints what a pickle names.
func printGlobals(p *command.Program, r *model.Receipt) error {
	if len(r.Globals) == 0 {
		return nil
	}
	w := p.Stdout
	fmt.Fprintf(w, "the file names %d classes and functions of Python, of which none was called:\n", len(r.Globals))
	rows := [][]string{{"GLOBAL", "NAMED", "WOULD BE CALLED", "MEANING"}}
	for _, g := range r.Globals {
		meaning := g.Meaning
		if meaning == legacy.Dangerous {
			meaning = "DANGEROUS: can run commands or code"
		}
		rows = append(rows, []string{g.Name, fmt.Sprint(g.Named), fmt.Sprint(g.Called), meaning})
	}
	return terminal.Table(w, rows)
}
