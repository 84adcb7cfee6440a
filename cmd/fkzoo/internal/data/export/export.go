// Package export has the commands that write a data set: data export and data demo. It must not know how data is stored, nor
// any other command.
package export

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
)

// exportFlags are those of all that writes a data set.
func exportFlags(more ...cli.Flag) []cli.Flag {
	return append(more,
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "a .csv or .zip file in Kaggle's form, or else a folder for pictures"},
		&cli.BoolFlag{Name: "force", Usage: "replace files that exist"})
}

// Command is the command data export.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "export", Usage: "write a data set in another form", ArgsUsage: "PATH|demo",
		Flags:  exportFlags(&cli.IntFlag{Name: "size", Usage: "the images' height and width in `PIXELS` (default: as they are; 96 for pictures)"}),
		Action: p.Action(dataExport),
	}
}

// Demo is the command data demo.
func Demo(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "write the drawn faces",
		Flags: exportFlags(
			&cli.IntFlag{Name: "faces", Value: demo.DefaultFaces, Usage: "how many"},
			&cli.Uint64Flag{Name: "seed", Value: demo.DefaultSeed, Usage: "of the faces"}),
		Action: p.Action(dataDemo),
	}
}

func dataExport(p *command.Program, c *cli.Context) error {
	if c.NArg() != 1 {
		return command.Usagef("data export: found %d arguments, want one data set", c.NArg())
	}
	if size := c.Int("size"); c.IsSet("size") && (size < 1 || size > 4096) {
		return command.Usagef("size: found %d, want 1 to 4096", size)
	}
	path := c.Args().First()
	if err := checkExport(c, path); err != nil {
		return err
	}
	r := command.Data(path)
	r.Height, r.Width = c.Int("size"), c.Int("size")
	return writeSet(p, c, r)
}

func dataDemo(p *command.Program, c *cli.Context) error {
	if c.NArg() != 0 {
		return command.Usagef("data demo: found %d arguments, want none", c.NArg())
	}
	if err := checkExport(c); err != nil {
		return err
	}
	return writeSet(p, c, command.Data(demo.Name(c.Int("faces"), c.Uint64("seed"))))
}

// isFile tells whether a path is meant as a file of Kaggle's form.
func isFile(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".csv" || ext == ".zip"
}

// checkExport refuses what can't be written before anything is read.
func checkExport(c *cli.Context, inputs ...string) error {
	path := c.String("output")
	switch {
	case path == "":
		return command.Usagef("output: found none, want -o with a .csv or .zip file, or a folder")
	case isFile(path):
		return command.CheckFree(path, c.Bool("force"), inputs...)
	}
	return dataset.CheckFolder(path, c.Bool("force"))
}

func writeSet(p *command.Program, c *cli.Context, r zoo.DataRequest) error {
	z := p.Zoo(c)
	defer z.Close()
	set, err := z.Read(c.Context, r)
	if err != nil {
		return err
	}
	path, force := c.String("output"), c.Bool("force")
	switch {
	case !isFile(path):
		err = set.WriteFolder(c.Context, path, force)
	case strings.EqualFold(filepath.Ext(path), ".csv"):
		err = atomicfile.Write(path, force, func(w io.Writer) error { return set.WriteCSV(c.Context, w) })
	default:
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) + ".csv"
		err = atomicfile.Write(path, force, func(w io.Writer) error { return set.WriteZip(c.Context, w, name) })
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "%s: %s of %dx%d\n", path, terminal.Count(set.Len(), "row"), set.Width, set.Height)
	return nil
}
