// Package receipt prints how a model was converted, as convert and info show it. It must not know how other software's files
// are read.
package receipt

import (
	"fmt"
	"io"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Print prints how a model was converted.
func Print(w io.Writer, m *model.Model) error {
	r := &m.Provenance.Receipt
	fmt.Fprintf(w, "%s: %s, %s bytes, SHA-256 %s\n", r.Source, r.Format, terminal.Thousands(int64(r.Bytes)), r.SHA256)
	rows := [][]string{{"LAYER", "CLASS", "PARAMETER", "SHAPE", "TENSOR", "CHANGE"}}
	for _, t := range r.Tensors {
		rows = append(rows, []string{t.Layer, t.Class, t.Param, terminal.Shape(t.Shape), t.Tensor, t.Change})
	}
	if err := terminal.Table(w, rows); err != nil {
		return err
	}
	for _, h := range m.History {
		fmt.Fprintf(w, "history of %s: %d epochs\n", h.Member, len(h.TrainLoss))
	}
	return printRest(w, r)
}

// PrintSource prints of a converted model where it came from; of another nothing.
func PrintSource(w io.Writer, r *model.Receipt) error {
	if r.SHA256 == "" {
		return nil
	}
	fmt.Fprintf(w, "converted from %s: %s, %s bytes, SHA-256 %s\n", r.Source, r.Format, terminal.Thousands(int64(r.Bytes)), r.SHA256)
	for _, text := range r.Warnings {
		fmt.Fprintln(w, "warning: "+text)
	}
	return printRest(w, r)
}

// printRest prints what of a receipt is not a tensor.
func printRest(w io.Writer, r *model.Receipt) error {
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
	if err := printGlobals(w, r); err != nil {
		return err
	}
	for i := range r.Before {
		if err := PrintSource(w, &r.Before[i]); err != nil {
			return err
		}
	}
	return nil
}

// printGlobals prints what a pickle names.
func printGlobals(w io.Writer, r *model.Receipt) error {
	if len(r.Globals) == 0 {
		return nil
	}
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
