package predict

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/png"
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
	"github.com/fkzoo/fkzoo/zoo/draw"
	"github.com/fkzoo/fkzoo/zoo/photo"
	"github.com/fkzoo/fkzoo/zoo/photo/files"
)

// photos finds the faces in photographs.
func photos(p *command.Program, c *cli.Context, models, images []string, stdin io.Reader) error {
	format := c.String("format")
	if format == "" {
		format = "text"
	}
	least, err := leastScore(c)
	if err != nil {
		return err
	}
	if c.IsSet("smooth") {
		return command.Usagef("smooth: found it with photographs, want a film")
	}
	p.Quiet = c.String("output") == "" && terminal.IsTerminal(p.Stdout)
	z := p.Zoo(c)
	defer z.Close()
	r := zoo.PhotosRequest{ModelsRequest: command.Models(c, models...), Photos: images, Readers: map[string]io.Reader{stdinName: stdin}, Least: &least, Watch: c.Bool("watch")}
	to := &photosTo{p: p, names: c.Bool("names"), force: c.Bool("force"), drawn: c.String("draw"), crops: c.String("crops")}
	to.format, to.lines, to.ownModels = format, r.Watch, len(models) > 0
	to.offered = c.String("format") == "" && c.String("output") == "" && to.drawn == "" && to.crops == "" && !r.Watch
	if err := to.prepare(c, &r, models); err != nil {
		return err
	}
	write := func(w io.Writer) error {
		to.out = bufio.NewWriter(w)
		if err := to.begin(); err != nil {
			return err
		}
		return errors.Join(z.Photos(c.Context, r, to.photo), to.end()) // a list is closed, whatever stopped it
	}
	if path := c.String("output"); path != "" {
		err = atomicfile.Write(path, c.Bool("force"), write)
	} else {
		err = write(p.Stdout)
	}
	if err != nil {
		return err
	}
	return to.report()
}

// stdinName stands for a photograph on the standard input.
const stdinName = "-"

// prepare spells out which photographs are meant, and refuses before the work what must not be written.
func (t *photosTo) prepare(c *cli.Context, r *zoo.PhotosRequest, models []string) error {
	t.inputs = append(slices.Clone(models), r.Photos...)
	if t.drawn != "" && t.drawn == t.crops {
		return command.Usagef("crops: found %s, the folder of the drawn photographs, want another one", t.crops)
	}
	for _, folder := range []string{t.drawn, t.crops} {
		if folder == "" {
			continue
		}
		for _, input := range r.Photos {
			if within(folder, input) {
				return command.Usagef("%s: lies in %s, whose photographs are read, want another folder to write to", folder, input)
			}
		}
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return err
		}
	}
	output := c.String("output")
	if r.Watch {
		if output != "" {
			return command.Usagef("output: found %s with --watch, want the standard output, which is written as photographs come", output)
		}
		return nil
	}
	names, notes, err := files.Names(c.Context, r.Photos, r.Readers)
	if err != nil {
		return err
	}
	for _, note := range notes {
		t.p.Warn(note)
	}
	r.Photos, t.inputs = names, append(t.inputs, names...)
	var used faceNames
	var made []string
	for _, name := range names {
		file := used.of(photoName(name))
		if t.drawn != "" {
			made = append(made, filepath.Join(t.drawn, file))
			if err := command.CheckFree(made[len(made)-1], t.force, t.inputs...); err != nil {
				return err
			}
		}
	}
	return command.CheckFree(output, t.force, append(made, t.inputs...)...)
}

// within tells whether a folder is another, or lies in it.
func within(folder, other string) bool {
	a, errA := filepath.Abs(folder)
	b, errB := filepath.Abs(other)
	if errA != nil || errB != nil {
		return false
	}
	rel, err := filepath.Rel(b, a)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// photoName is what pictures of a photograph are called after.
func photoName(name string) string {
	if name == stdinName {
		return "stdin"
	}
	return name
}

// leastScore is the score from which faces are told, for who may not limit the images' number.
func leastScore(c *cli.Context) (float64, error) {
	if c.IsSet("limit") {
		return 0, command.Usagef("limit: found it with photographs or a film, want it with --crop none or a table of images")
	}
	least := c.Float64("least")
	if !(least >= 0 && least <= 1) {
		return 0, command.Usagef("least: found %g, want a score from 0 to 1", least)
	}
	return least, nil
}

// photosTo writes what was found in photographs, and draws it.
type photosTo struct {
	results
	p            *command.Program
	inputs       []string // never to be replaced by a picture
	names, force bool
	drawn, crops string // folders; "": nothing is drawn
	ownModels    bool   // others than the one in the program are asked
	offered      bool   // nobody said what is to be made: a single photograph is drawn beside its text

	used   faceNames
	stems  map[string]string // by photographs' names
	faces  int
	drew   int
	failed []error
}

// report tells what was drawn and what couldn't be read.
func (t *photosTo) report() error {
	if t.drew > 0 {
		fmt.Fprintf(t.p.Stderr, "drawn: %s in %s\n", terminal.Count(t.drew, "photograph"), terminal.Printable(t.drawn))
	}
	if t.crops != "" {
		fmt.Fprintf(t.p.Stderr, "faces: %d in %s\n", t.faces, terminal.Printable(t.crops))
	}
	if t.faces == 0 && t.count > len(t.failed) && t.ownModels {
		fmt.Fprintln(t.p.Stderr, "no face was found; for a model of something else --crop none takes each picture as a whole")
	}
	if len(t.failed) == 0 {
		return nil
	}
	if t.count == 1 {
		return t.failed[0]
	}
	return fmt.Errorf("%d of %d photographs couldn't be read, the first: %w", len(t.failed), t.count, t.failed[0])
}

// photo writes one photograph's faces.
func (t *photosTo) photo(f *zoo.Photo) error {
	if f.Err != nil {
		t.failed = append(t.failed, f.Err)
		if f.Of != 1 {
			t.p.Warn(f.Err.Error())
		}
		return t.write(&photo.Result{Image: f.Name, Faces: []photo.Found{}, Error: f.Err.Error()}, f.Points)
	}
	size := f.Picture.Grey.Rect.Size()
	result := photo.NewResult(f.Name, size.X, size.Y, f.Faces)
	t.faces += len(f.Faces)
	if err := t.write(&result, f.Points); err != nil {
		return err
	}
	stem := t.stem(f)
	if t.offered && f.Of == 1 && len(f.Faces) > 0 {
		return t.offer(f, stem+"-faces.png")
	}
	if t.drawn == "" && t.crops == "" {
		return nil
	}
	colour := f.Picture.Colour()
	if t.crops != "" {
		for i := range f.Faces {
			if err := t.picture(filepath.Join(t.crops, fmt.Sprintf("%s-%d.png", stem, i+1)), f.Faces[i].Crop(colour)); err != nil {
				return err
			}
		}
	}
	if t.drawn == "" {
		return nil
	}
	draw.Faces(colour, founds(f.Faces), t.names)
	t.drew++
	return t.picture(filepath.Join(t.drawn, stem+".png"), colour)
}

// stem is what the photograph's pictures are called: of one that is watched and changes, always the same.
func (t *photosTo) stem(f *zoo.Photo) string {
	if t.stems == nil {
		t.stems = map[string]string{}
	}
	stem, ok := t.stems[f.Name]
	if !ok || f.Of > 0 { // the same photograph may be asked for twice
		stem = strings.TrimSuffix(t.used.of(photoName(f.Name)), ".png")
		t.stems[f.Name] = stem
	}
	return stem
}

// offer draws the one photograph into the current folder, where nothing of that name is.
func (t *photosTo) offer(f *zoo.Photo, name string) error {
	if _, err := os.Lstat(name); err == nil && !t.force {
		fmt.Fprintf(t.p.Stderr, "not drawn: %s exists; --force draws it anew, --draw FOLDER elsewhere\n", terminal.Printable(name))
		return nil
	}
	colour := f.Picture.Colour()
	draw.Faces(colour, founds(f.Faces), t.names)
	if err := t.picture(name, colour); err != nil {
		return err
	}
	fmt.Fprintf(t.p.Stderr, "drawn: %s\n", terminal.Printable(name))
	return nil
}

// picture writes a PNG.
func (t *photosTo) picture(path string, m image.Image) error {
	if err := command.CheckFree(path, t.force, t.inputs...); err != nil {
		if t.lines { // who watches goes on
			t.p.Warn(err.Error())
			return nil
		}
		return err
	}
	return atomicfile.Write(path, t.force, func(w io.Writer) error {
		e := png.Encoder{CompressionLevel: png.BestSpeed}
		return e.Encode(w, m)
	})
}

// founds are faces as they are drawn.
func founds(faces []photo.Face) []draw.Found {
	var out []draw.Found
	for i := range faces {
		f := &faces[i]
		d := draw.Found{X: f.Box.X, Y: f.Box.Y, Width: f.Box.Width, Height: f.Box.Height, Score: f.Score}
		for _, p := range f.Points {
			d.Names, d.Points, d.Errors = append(d.Names, p.Name), append(d.Points, [2]float64{p.X, p.Y}), append(d.Errors, p.Error)
		}
		out = append(out, d)
	}
	return out
}
