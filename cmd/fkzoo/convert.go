package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/internal/plainfile"
	"github.com/fkzoo/fkzoo/zoo/convert"
	"github.com/fkzoo/fkzoo/zoo/model"
)

func (p *program) convertCommand() *cli.Command {
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
		Action: p.convert,
	}
}

func (p *program) convert(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("convert: found %d arguments, want one file", c.NArg())
	}
	path := c.Args().First()
	output := c.String("output")
	if output == "" {
		output = path + ".fkz"
	}
	if !isModel(output) {
		return usagef("output %s: want a name that ends in .fkz", output)
	}
	if err := plainfile.Check(path); err != nil {
		return err
	}
	if err := checkFree(output, c.Bool("force"), path); err != nil {
		return err
	}
	h, err := p.host()
	if err != nil {
		return err
	}
	defer h.Close()
	o := convert.Options{As: c.String("as"), Host: h, Version: version, Command: os.Args}
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
		p.warn(fmt.Sprintf("warning: %s says that it was exported from a model with the digest %.64s; this one has %s: the file was changed since, or exported from a training that isn't finished", path, made.Exported, m.Digest))
	}
	r := &m.Provenance.Receipt
	for _, text := range r.Warnings {
		p.warn("warning: " + text)
	}
	if c.Bool("json") {
		return printJSON(p.stdout, map[string]any{"model": output, "digest": m.Digest, "receipt": r})
	}
	if err := p.printReceipt(m); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "model: %s\n", output)
	return nil
}

// printReceipt prints how a model was converted.
func (p *program) printReceipt(m *model.Model) error {
	w, r := p.stdout, &m.Provenance.Receipt
	fmt.Fprintf(w, "%s: %s, %s bytes, SHA-256 %s\n", r.Source, r.Format, thousands(int64(r.Bytes)), r.SHA256)
	rows := [][]string{{"LAYER", "CLASS", "PARAMETER", "SHAPE", "TENSOR", "CHANGE"}}
	for _, t := range r.Tensors {
		rows = append(rows, []string{t.Layer, t.Class, t.Param, shapeText(t.Shape), t.Tensor, t.Change})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	for _, h := range m.History {
		fmt.Fprintf(w, "history of %s: %d epochs\n", h.Member, len(h.TrainLoss))
	}
	return p.printReceiptRest(r)
}

// printConverted prints of a converted model where it came from.
func (p *program) printConverted(r *model.Receipt) error {
	if r.SHA256 == "" {
		return nil
	}
	fmt.Fprintf(p.stdout, "converted from %s: %s, %s bytes, SHA-256 %s\n", r.Source, r.Format, thousands(int64(r.Bytes)), r.SHA256)
	for _, text := range r.Warnings {
		fmt.Fprintln(p.stdout, "warning: "+text)
	}
	return p.printReceiptRest(r)
}

// printReceiptRest prints what of a receipt is not a tensor.
func (p *program) printReceiptRest(r *model.Receipt) error {
	w := p.stdout
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
	if err := p.printGlobals(r); err != nil {
		return err
	}
	for i := range r.Before {
		if err := p.printConverted(&r.Before[i]); err != nil {
			return err
		}
	}
	return nil
}

// printGlobals prints what a pickle names.
func (p *program) printGlobals(r *model.Receipt) error {
	if len(r.Globals) == 0 {
		return nil
	}
	w := p.stdout
	fmt.Fprintf(w, "the file names %d classes and functions of Python, of which none was called:\n", len(r.Globals))
	rows := [][]string{{"GLOBAL", "NAMED", "WOULD BE CALLED", "MEANING"}}
	for _, g := range r.Globals {
		meaning := g.Meaning
		if meaning == legacy.Dangerous {
			meaning = "DANGEROUS: can run commands or code"
		}
		rows = append(rows, []string{g.Name, fmt.Sprint(g.Named), fmt.Sprint(g.Called), meaning})
	}
	return table(w, rows)
}
