package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
)

// The demo faces where no number and seed are given.
const (
	demoFaces = 2000
	demoSeed  = 1
)

var dataFlag = &cli.StringFlag{
	Name: "data", Usage: "training data: Kaggle's CSV, plain or zipped; a folder of pictures, or a CSV that names them; or demo[:FACES[:SEED]] for drawn faces",
}

// readData reads what --data names. A file called demo is meant by ./demo.
func readData(ctx context.Context, source string) (*dataset.Set, error) {
	name, rest, _ := strings.Cut(source, ":")
	if name != "demo" {
		return dataset.Read(ctx, source)
	}
	faces, seed := demoFaces, uint64(demoSeed)
	if rest != "" {
		number, second, hasSeed := strings.Cut(rest, ":")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > demo.MaxFaces {
			return nil, usagef("data %s: found %q faces, want a number from 1 to %d", source, number, demo.MaxFaces)
		}
		faces = n
		if hasSeed {
			if seed, err = strconv.ParseUint(second, 10, 64); err != nil {
				return nil, usagef("data %s: found the seed %q, want a whole number of at least 0", source, second)
			}
		}
	}
	set, err := demo.Faces(ctx, faces, seed)
	if err != nil {
		return nil, err
	}
	set.Source = source // with number and seed, so that the record of a training says which faces
	return set, nil
}

// readDataSized is readData with images, points and scales for this size.
func readDataSized(ctx context.Context, source string, height, width int) (*dataset.Set, error) {
	if name, _, _ := strings.Cut(source, ":"); name != "demo" {
		return dataset.ReadSized(ctx, source, height, width)
	}
	set, err := readData(ctx, source)
	if err != nil {
		return nil, err
	}
	return set.Resized(height, width), nil
}

// readDataFor is readDataSized for what a model takes.
func readDataFor(ctx context.Context, source string, m *zoo.Model) (*dataset.Set, error) {
	return readDataSized(ctx, source, m.Document.Input.Height, m.Document.Input.Width)
}

func (p *program) dataCommand() *cli.Command {
	return &cli.Command{
		Name: "data", Usage: "look at training data",
		Subcommands: []*cli.Command{{
			Name: "summary", Usage: "show what a data set holds", ArgsUsage: "PATH|demo",
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
	set, err := p.readTold(c, c.Args().First(), 0)
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
