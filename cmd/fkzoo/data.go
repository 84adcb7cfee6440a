package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
	"github.com/fkzoo/fkzoo/zoo/model"
)

var dataFlag = &cli.StringFlag{
	Name: "data", Usage: "training data: Kaggle's CSV, plain or zipped; a folder of pictures, or a CSV that names them; demo[:FACES[:SEED]] for drawn faces; or - for what comes in on the standard input",
}

// stdin is what the name - stands for where data is wanted.
const stdin = "-"

// openData is the way in for all data: it opens one source, or several as one, with
// images of h x w, or of their own size where these are 0, and tells what is passed
// over. Close it.
func (p *program) openData(ctx context.Context, h, w int, names ...string) (*dataset.Source, error) {
	s, err := source.OpenAll(ctx, names, source.Options{Height: h, Width: w, Readers: map[string]io.Reader{stdin: os.Stdin}})
	if wrong, ok := errors.AsType[*dataset.NameError](err); ok {
		return nil, usagef("data %w", wrong)
	}
	if err != nil {
		return nil, err
	}
	for _, note := range s.Notes {
		p.warn(note.String())
	}
	return s, nil
}

// readData reads all of what [program.openData] opens.
func (p *program) readData(ctx context.Context, h, w int, name string) (*dataset.Set, error) {
	s, err := p.openData(ctx, h, w, name)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Read(ctx)
}

// readDataFor is readData for what a model takes.
func (p *program) readDataFor(ctx context.Context, name string, m *model.Model) (*dataset.Set, error) {
	return p.readData(ctx, m.Document.Input.Height, m.Document.Input.Width, name)
}

func (p *program) dataCommand() *cli.Command {
	return &cli.Command{
		Name: "data", Usage: "look at training data",
		Subcommands: []*cli.Command{{
			Name: "summary", Usage: "show what a data set holds", ArgsUsage: "PATH|demo|-",
			Flags:  []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}},
			Action: p.dataSummary,
		}, p.dataCheckCommand(), p.dataExportCommand(), p.dataDemoCommand()},
	}
}

// summarized is a data set as «data summary --json» prints it.
type summarized struct {
	Source   string             `json:"source"`
	Checksum string             `json:"checksum"`
	Rows     int                `json:"rows"`
	Complete int                `json:"complete"`
	Height   int                `json:"height"`
	Width    int                `json:"width"`
	Channels int                `json:"channels"`
	Columns  []summarizedColumn `json:"columns"`
}

type summarizedColumn struct {
	Name   string   `json:"name"`
	Filled int      `json:"filled"`
	Min    *float32 `json:"min"` // null where no cell is filled
	Mean   *float32 `json:"mean"`
	Max    *float32 `json:"max"`
}

func (p *program) dataSummary(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("data summary: found %d arguments, want one data set", c.NArg())
	}
	set, err := p.readData(c.Context, 0, 0, c.Args().First())
	if err != nil {
		return err
	}
	s := set.Summary()
	out := summarized{set.Source, set.Checksum, s.Rows, s.Complete, s.Height, s.Width, s.Channels, []summarizedColumn{}}
	rows := [][]string{{"COLUMN", "FILLED", "EMPTY", "MIN", "MEAN", "MAX"}}
	for _, col := range s.Columns {
		j := summarizedColumn{Name: col.Name, Filled: col.Filled}
		row := []string{col.Name, fmt.Sprint(col.Filled), fmt.Sprint(s.Rows - col.Filled)}
		if col.Filled > 0 {
			j.Min, j.Mean, j.Max = &col.Min, &col.Mean, &col.Max
			row = append(row, fmt.Sprintf("%.2f", col.Min), fmt.Sprintf("%.2f", col.Mean), fmt.Sprintf("%.2f", col.Max))
		}
		out.Columns = append(out.Columns, j)
		rows = append(rows, row)
	}
	if c.Bool("json") {
		return printJSON(p.stdout, out)
	}
	fmt.Fprintf(p.stdout, "%s: %s of %dx%d with %s, %d of them with every column filled\nchecksum %s\n",
		set.Source, count(s.Rows, "row"), s.Width, s.Height, count(s.Channels, "channel"), s.Complete, set.Checksum)
	if len(s.Columns) == 0 {
		return nil
	}
	return table(p.stdout, rows)
}
