// Package diff has the command diff. It must not know how two files are compared, nor any other command.
package diff

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/diff"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Command is the command diff.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "diff", Usage: "compare two model files", ArgsUsage: "A.fkz B.fkz",
		Description: "The exit code is 0 where nothing differs and 1 where something does, or a file can't be read.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "ignore", Usage: "`PATH` of metadata that may differ, with all below it, as in run; may be repeated"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: p.Action(diffFiles),
	}
}

// difference is what «diff --json» prints.
type difference struct {
	A       string             `json:"a"`
	B       string             `json:"b"`
	Same    bool               `json:"same"`
	Digests [2]string          `json:"digests"`
	Meta    []metaDifference   `json:"metadata"`
	Tensors []tensorDifference `json:"tensors"`
}

type metaDifference struct {
	Path string          `json:"path"`
	A    json.RawMessage `json:"a,omitempty"` // none where it isn't there
	B    json.RawMessage `json:"b,omitempty"`
}

type tensorDifference struct {
	Name         string   `json:"name"`
	A            *kept    `json:"a,omitempty"` // none where it isn't there
	B            *kept    `json:"b,omitempty"`
	Elements     int64    `json:"elements,omitempty"`
	Unequal      int64    `json:"unequal,omitempty"`      // elements with other bits
	Largest      *float64 `json:"largest,omitempty"`      // difference; none where type or shape differ
	Mean         *float64 `json:"mean,omitempty"`         // over all elements that can be compared
	Incomparable int64    `json:"incomparable,omitempty"` // NaN on one side, or infinitely far
	Fields       bool     `json:"index_fields,omitempty"` // unknown fields of the index differ
}

type kept struct {
	Type  string `json:"type"`
	Shape []int  `json:"shape"`
}

func diffFiles(p *command.Program, c *cli.Context) error {
	if c.NArg() != 2 {
		return command.Usagef("diff: found %d arguments, want two .fkz files", c.NArg())
	}
	a, err := model.Open(c.Args().Get(0))
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := model.Open(c.Args().Get(1))
	if err != nil {
		return err
	}
	defer b.Close()
	d, err := diff.Files(a, b)
	if err != nil {
		return err
	}
	out := differences(a, b, d, c.StringSlice("ignore"))
	if c.Bool("json") {
		err = terminal.PrintJSON(p.Stdout, out)
	} else {
		printDifference(p, out)
	}
	if err == nil && !out.Same {
		err = errors.New(out.A + " and " + out.B + ": differ")
	}
	return err
}

func differences(a, b *format.File, d *diff.Difference, ignore []string) *difference {
	out := &difference{A: a.Path(), B: b.Path(), Meta: []metaDifference{}, Tensors: []tensorDifference{},
		Digests: [2]string{fmt.Sprintf("%x", a.Digest()), fmt.Sprintf("%x", b.Digest())}}
	for _, m := range d.Meta {
		if slices.ContainsFunc(ignore, func(path string) bool {
			rest, below := strings.CutPrefix(m.Path, path)
			return below && (rest == "" || rest[0] == '.' || rest[0] == '[')
		}) {
			continue
		}
		x := metaDifference{Path: m.Path}
		if m.InA {
			x.A = valueJSON(m.A)
		}
		if m.InB {
			x.B = valueJSON(m.B)
		}
		out.Meta = append(out.Meta, x)
	}
	for _, t := range d.Tensors {
		x := tensorDifference{Name: t.Name, A: keptAs(t.A), B: keptAs(t.B), Fields: t.Extra}
		if t.Comparable() {
			x.Elements, x.Unequal, x.Largest, x.Mean, x.Incomparable = t.Elements, t.Unequal, &t.Largest, &t.Mean, t.Incomparable
		}
		out.Tensors = append(out.Tensors, x)
	}
	out.Same = len(out.Meta)+len(out.Tensors) == 0
	return out
}

func keptAs(t *format.Info) *kept {
	if t == nil {
		return nil
	}
	return &kept{string(t.Type), append([]int{}, t.Shape...)}
}

func (k *kept) String() string { return fmt.Sprintf("%s %v", k.Type, k.Shape) }

// valueJSON gives a header's value as JSON; bytes and infinities, which JSON lacks, as a text.
func valueJSON(v any) json.RawMessage {
	text, err := format.ToJSON(v)
	if err != nil {
		text, _ = json.Marshal(fmt.Sprint(v)) // a text always has a JSON form
	}
	return text
}

func printDifference(p *command.Program, d *difference) {
	w := p.Stdout
	if d.Digests[0] == d.Digests[1] {
		fmt.Fprintf(w, "digest: %s, the same\n", d.Digests[0])
	} else {
		fmt.Fprintf(w, "digest: %s | %s\n", d.Digests[0], d.Digests[1])
	}
	for _, m := range d.Meta {
		fmt.Fprintf(w, "%s: %s | %s\n", m.Path, orNothing(m.A), orNothing(m.B))
	}
	for _, t := range d.Tensors {
		switch {
		case t.B == nil:
			fmt.Fprintf(w, "tensor %s: %s | nothing\n", t.Name, t.A)
			continue
		case t.A == nil:
			fmt.Fprintf(w, "tensor %s: nothing | %s\n", t.Name, t.B)
			continue
		case t.Largest == nil:
			fmt.Fprintf(w, "tensor %s: %s | %s\n", t.Name, t.A, t.B)
			continue
		}
		line := fmt.Sprintf("tensor %s: %s: %s of %s elements differ, at most by %.6g, on average by %.6g", t.Name, t.A,
			terminal.Thousands(t.Unequal), terminal.Thousands(t.Elements), *t.Largest, *t.Mean)
		if t.Incomparable > 0 {
			line += fmt.Sprintf("; %s can't be compared (NaN or infinite)", terminal.Thousands(t.Incomparable))
		}
		if t.Fields {
			line += "; other fields in the index"
		}
		fmt.Fprintln(w, line)
	}
	if d.Same {
		fmt.Fprintln(w, "no difference")
	}
}

// orNothing shortens what is too long for a line.
func orNothing(v json.RawMessage) string {
	const most = 200
	switch {
	case v == nil:
		return "nothing"
	case len(v) > most:
		return strings.ToValidUTF8(string(v[:most]), "") + "…"
	}
	return string(v)
}
