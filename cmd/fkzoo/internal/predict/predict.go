// Package predict has the command predict: answers as they come, and the faces drawn. It must not know how an answer is
// computed, nor any other command.
package predict

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/draw"
	"github.com/fkzoo/fkzoo/zoo/figure"
	"github.com/fkzoo/fkzoo/zoo/photo"
	"github.com/fkzoo/fkzoo/zoo/photo/files"
	"github.com/fkzoo/fkzoo/zoo/photo/film"
)

// Command is the command predict.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "predict", Usage: "find the faces in photographs, and their keypoints", ArgsUsage: "[FILE.fkz...] PHOTO|FOLDER|CSV|ZIP|NPY|demo|-...",
		Description: "In photographs (PNG, JPEG, folders and patterns of such) faces are looked for, and each is cut out for the models;\n" +
			"in films and cameras (/dev/video0), too, where ffmpeg is installed: --draw is then a film.\n" +
			"With --crop none, and in tables, each image is one face, cut out already: " + command.DataHelp() + ".\n" +
			"Coordinates are in each image's own pixels. Of several models, the mean answer is given; without one, that of the model\n" +
			"in the program (fkzoo info ready), which has learned from drawn faces.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Usage: "text, csv or json (default: text for photographs, csv for data sets)"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "a file in place of the standard output"},
			&cli.StringFlag{Name: "crop", Value: "auto", Usage: "faces in a photograph: auto; none: each image is one face"},
			&cli.StringFlag{Name: "draw", Usage: "write each photograph, or each face of a data set, with its points to a PNG in this `FOLDER`"},
			&cli.BoolFlag{Name: "names", Usage: "write the points' names on drawn photographs"},
			&cli.StringFlag{Name: "crops", Usage: "write each face of a photograph, upright, to a PNG in this `FOLDER`"},
			&cli.Float64Flag{Name: "least", Value: photo.Least, Usage: "tell faces in photographs from this `SCORE` on"},
			&cli.BoolFlag{Name: "watch", Usage: "go on with photographs that appear in the folders, until Ctrl-C"},
			&cli.Float64Flag{Name: "smooth", Usage: "smooth the points of a film over `SECONDS` where they rest"},
			&cli.IntFlag{Name: "limit", Usage: "only the first `N` images of a data set"},
			command.FlipAverageFlag, &cli.BoolFlag{Name: "force", Usage: "replace files that exist"}, command.BackendFlag,
		},
		Action: p.Action(predict),
	}
}

func predict(p *command.Program, c *cli.Context) error {
	var modelPaths, imagePaths []string
	for _, a := range c.Args().Slice() {
		if command.IsModel(a) {
			modelPaths = append(modelPaths, a)
		} else {
			imagePaths = append(imagePaths, a)
		}
	}
	if f := c.String("format"); f != "" && f != "text" && !slices.Contains(answer.Formats, f) {
		return command.Usagef("format: found %q, want text, csv or json", f)
	}
	if len(imagePaths) == 0 {
		return command.Usagef("predict: found no image, want at least one")
	}
	if err := command.CheckFree(c.String("output"), c.Bool("force"), c.Args().Slice()...); err != nil {
		return err
	}
	if slices.ContainsFunc(imagePaths, film.IsNamed) {
		return films(p, c, modelPaths, imagePaths)
	}
	stdin := bufio.NewReaderSize(os.Stdin, 1<<12)
	photographs := false
	switch crop := c.String("crop"); crop {
	case "none":
	case "auto":
		var err error
		if photographs, err = arePhotos(imagePaths, stdin); err != nil {
			return err
		}
	default:
		return command.Usagef("crop: found %q, want auto or none", crop)
	}
	if photographs {
		return photos(p, c, modelPaths, imagePaths, stdin)
	}
	for _, name := range []string{"crops", "names", "least", "watch", "smooth"} {
		if c.IsSet(name) {
			return command.Usagef("%s: found it with images that are cut out already, want photographs", name)
		}
	}
	format := c.String("format")
	switch format {
	case "":
		format = "csv"
	case "text":
		return command.Usagef("format: found text, want csv or json for a data set")
	}
	if c.IsSet("limit") && c.Int("limit") < 1 {
		return command.Usagef("limit: found %d, want at least 1", c.Int("limit"))
	}
	p.Quiet = c.String("output") == "" && terminal.IsTerminal(p.Stdout)
	z := p.Zoo(c)
	defer z.Close()
	r := zoo.PredictRequest{ModelsRequest: command.Models(c, modelPaths...), Images: command.DataFrom(stdin, imagePaths...), Limit: c.Int("limit")}
	to := &answersTo{context: c.Context, format: format, inputs: imagePaths, faces: faceFolder{path: c.String("draw"), force: c.Bool("force")}}
	write := func(w io.Writer) error {
		to.w = w
		if err := z.Predict(c.Context, r, to); err != nil {
			return err
		}
		return to.out.Close()
	}
	var err error
	if path := c.String("output"); path != "" {
		err = atomicfile.Write(path, c.Bool("force"), write)
	} else {
		err = write(p.Stdout)
	}
	if err == nil && to.faces.path != "" {
		fmt.Fprintf(p.Stderr, "faces: %d in %s\n", to.faces.drawn, terminal.Printable(to.faces.path))
	}
	return err
}

// arePhotos tells whether faces are to be looked for in what is asked for: pictures, and folders of nothing but such.
func arePhotos(names []string, stdin *bufio.Reader) (bool, error) {
	photos := false
	for i, name := range names {
		is := files.Are(name)
		if name == stdinName {
			head, err := stdin.Peek(512)
			if err != nil && !errors.Is(err, io.EOF) {
				return false, fmt.Errorf("-: %w", err)
			}
			is = files.Is(head)
		}
		if i == 0 {
			photos = is
		} else if is != photos {
			return false, command.Usagef("found photographs and a data set together, %s and %s, want one of them; --crop none takes each picture as one face", names[0], name)
		}
	}
	return photos, nil
}

// answersTo writes answers, and draws the faces.
type answersTo struct {
	context context.Context
	w       io.Writer
	format  string
	inputs  []string // never to be replaced by a face
	faces   faceFolder
	out     *answer.Writer
}

func (a *answersTo) Begin(columns []string, images *dataset.Source) (err error) {
	if err := a.faces.checkFree(a.context, images, a.inputs); err != nil {
		return err
	}
	a.out, err = answer.NewWriter(a.w, a.format, columns)
	return err
}

func (a *answersTo) Part(images *dataset.Set, answers *answer.Prediction) error {
	if err := a.out.Write(images, answers); err != nil {
		return err
	}
	return a.faces.draw(images, answers)
}

// faceFolder is where faces are drawn with their points; without a path none is.
type faceFolder struct {
	path  string
	force bool
	names faceNames
	drawn int
}

// checkFree refuses, before the work begins, a picture that must not be replaced.
func (f *faceFolder) checkFree(ctx context.Context, images *dataset.Source, inputs []string) error {
	if f.path == "" {
		return nil
	}
	if err := os.MkdirAll(f.path, 0o777); err != nil {
		return err
	}
	var names faceNames
	return images.Names(ctx, func(id string) error {
		return command.CheckFree(filepath.Join(f.path, names.of(id)), f.force, inputs...)
	})
}

// draw writes a PNG for each row.
func (f *faceFolder) draw(set *dataset.Set, prediction *answer.Prediction) error {
	if f.path == "" {
		return nil
	}
	for r := range set.Len() {
		face := figure.Face(set, prediction, r)
		if err := draw.WriteFace(filepath.Join(f.path, f.names.of(set.IDs[r])), f.force, &face, draw.Style{}); err != nil {
			return err
		}
		f.drawn++
	}
	return nil
}

// faceNames gives rows' pictures file names: the rows' own, made safe, each once.
type faceNames struct{ used map[string]bool }

func (f *faceNames) of(id string) string {
	if f.used == nil {
		f.used = map[string]bool{}
	}
	stem := fileName(id)
	name := stem
	for n := 2; f.used[name]; n++ {
		name = fmt.Sprintf("%s-%d", stem, n)
	}
	f.used[name] = true
	return name + ".png"
}

// fileName turns a row's name into a file's: its last part, without the extension.
func fileName(id string) string {
	id = filepath.Base(filepath.ToSlash(id))
	id = strings.TrimSuffix(id, filepath.Ext(id))
	clean := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, id)
	if clean = strings.Trim(clean, "."); clean == "" {
		return "face"
	}
	return clean
}
