package export

import (
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
	"github.com/fkzoo/fkzoo/zoo/photo"
)

// Scene is the command data scene.
func Scene(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "scene", Usage: "draw people, and say where their faces are",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "people", Value: 5, Usage: "at most so many, as find a place"},
			&cli.Uint64Flag{Name: "seed", Value: demo.DefaultSeed, Usage: "of the scene"},
			&cli.IntFlag{Name: "width", Value: 960, Usage: "in pixels"},
			&cli.IntFlag{Name: "height", Value: 640, Usage: "in pixels"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "a .png file"},
			&cli.StringFlag{Name: "labels", Usage: "a .json `FILE` for the faces, as predict --format json gives them"},
			&cli.BoolFlag{Name: "force", Usage: "replace files that exist"},
		},
		Action: p.Action(dataScene),
	}
}

func dataScene(p *command.Program, c *cli.Context) error {
	if c.NArg() != 0 {
		return command.Usagef("data scene: found %d arguments, want none", c.NArg())
	}
	path, labels, force := c.String("output"), c.String("labels"), c.Bool("force")
	if !strings.EqualFold(filepath.Ext(path), ".png") {
		return command.Usagef("output: found %q, want -o with a .png file", path)
	}
	if err := command.CheckFree(path, force); err != nil {
		return err
	}
	if err := command.CheckFree(labels, force, path); err != nil {
		return err
	}
	m, people, err := demo.Scene(c.Uint64("seed"), c.Int("width"), c.Int("height"), c.Int("people"))
	if err != nil {
		return command.UsageError(err)
	}
	if err := atomicfile.Write(path, force, func(w io.Writer) error { return png.Encode(w, m) }); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "%s: %s\n", terminal.Printable(path), terminal.Count(len(people), "face"))
	if labels == "" {
		return nil
	}
	var faces []photo.Face
	for i := range people {
		faces = append(faces, faceOf(&people[i]))
	}
	return atomicfile.Write(labels, force, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode([]photo.Result{photo.NewResult(path, m.Rect.Dx(), m.Rect.Dy(), faces)})
	})
}

// faceOf is a drawn face as one that was found.
func faceOf(p *demo.Person) photo.Face {
	f := photo.Face{Box: blueprint.Box{X: p.X, Y: p.Y, Width: p.Width, Height: p.Height}, Score: 1}
	f.Turn = math.Atan2(float64(p.Points[1]-p.Points[3]), float64(p.Points[0]-p.Points[2])) * 180 / math.Pi // of the line of the eyes
	columns := demo.Columns()
	for k := 0; k < len(columns); k += 2 {
		f.Points = append(f.Points, photo.Point{Name: strings.TrimSuffix(columns[k], "_x"), X: float64(p.Points[k]), Y: float64(p.Points[k+1]), Error: math.NaN()})
	}
	return f
}
