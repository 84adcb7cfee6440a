package predict

import (
	"bufio"
	"context"
	"fmt"
	"image"
	stddraw "image/draw"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/draw"
	"github.com/fkzoo/fkzoo/zoo/photo"
	"github.com/fkzoo/fkzoo/zoo/photo/film"
)

// films finds the faces in a film.
func films(p *command.Program, c *cli.Context, models, names []string) error {
	if len(names) != 1 {
		return command.Usagef("predict: found a film among %d images, want it alone", len(names))
	}
	for _, flag := range []string{"crops", "watch"} {
		if c.IsSet(flag) {
			return command.Usagef("%s: found it with a film, want photographs", flag)
		}
	}
	if c.String("crop") != "auto" {
		return command.Usagef("crop: found %q with a film, want auto", c.String("crop"))
	}
	least, err := leastScore(c)
	if err != nil {
		return err
	}
	drawn, force := c.String("draw"), c.Bool("force")
	if drawn != "" && !film.IsNamed(drawn) {
		return command.Usagef("draw: found %q for a film, want a film: NAME.mp4", drawn)
	}
	if err := command.CheckFree(drawn, force, append(c.Args().Slice(), c.String("output"))...); err != nil {
		return err
	}
	z := p.Zoo(c)
	defer z.Close()
	p.Quiet = c.String("output") == "" && terminal.IsTerminal(p.Stdout)
	to := &filmTo{name: names[0], names: c.Bool("names")}
	to.format, to.lines, to.film = c.String("format"), true, true
	r := zoo.FilmRequest{ModelsRequest: command.Models(c, models...), Film: names[0], Least: &least, Smooth: c.Float64("smooth")}
	begin := func(f *film.Film) (err error) {
		to.source = f
		if drawn != "" {
			to.canvas = image.NewRGBA(image.Rect(0, 0, f.Width, f.Height))
			to.drawn, err = film.Create(context.WithoutCancel(c.Context), drawn, f) // what was seen of a camera is kept
		}
		return err
	}
	write := func(w io.Writer) error {
		to.out = bufio.NewWriter(w)
		if err := to.begin(); err != nil {
			return err
		}
		if err := z.Film(c.Context, r, begin, to.frame); err != nil {
			return err
		}
		return to.end()
	}
	defer to.close()
	if path := c.String("output"); path != "" {
		err = atomicfile.Write(path, force, write)
	} else {
		err = write(p.Stdout)
	}
	if err == nil && to.drawn != nil {
		err = to.drawn.Keep(force)
	}
	if err == nil && to.source.Complaint() != "" {
		err = fmt.Errorf("%s: read to its end, %d frames, but it is damaged: %s", to.name, to.count, to.source.Complaint())
	}
	return err
}

// filmTo writes what was found in a film's frames, and draws it.
type filmTo struct {
	results
	name   string
	names  bool
	source *film.Film
	canvas *image.RGBA
	drawn  *film.Writer // nil: nothing is drawn
}

func (t *filmTo) close() {
	if t.drawn != nil {
		_ = t.drawn.Close() // it was kept, or its error is told
	}
}

func (t *filmTo) frame(f *zoo.Frame) error {
	size := f.Picture.Rect.Size()
	r := photo.NewResult(t.name, size.X, size.Y, f.Faces)
	seconds := photo.Rounded(f.Seconds*10) / 10
	r.Frame, r.Time = &f.Number, &seconds
	for i := range r.Faces {
		r.Faces[i].Follow = f.Follows[i]
	}
	if err := t.write(&r, f.Points); err != nil || t.drawn == nil {
		return err
	}
	stddraw.Draw(t.canvas, t.canvas.Rect, f.Picture, image.Point{}, stddraw.Src)
	draw.Faces(t.canvas, founds(f.Faces), t.names)
	return t.drawn.Frame(t.canvas)
}
