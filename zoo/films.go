package zoo

import (
	"context"
	"errors"
	"image"
	"io"

	"github.com/fkzoo/fkzoo/zoo/photo"
	"github.com/fkzoo/fkzoo/zoo/photo/film"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// FilmRequest asks for the faces in a film's frames, or a camera's.
type FilmRequest struct {
	ModelsRequest          // without any: the model in the program
	Film          string   // a file, or the device of a camera
	Least         *float64 // the score below which a face isn't told, 0 to 1; nil: [photo.Least]
	Smooth        float64  // seconds over which resting points are smoothed; 0: not at all
}

// Frame is one of a film, good until the receiver returns.
type Frame struct {
	Number  int
	Seconds float64
	Picture *image.YCbCr // full range
	Points  []string     // the names of the points that each face has
	Faces   []photo.Face
	Follows []int // each face's number, the same as long as it is seen
}

// Film finds the faces in a film, and gives them to a function frame by frame, until it returns an error. begin is called once before, with
// the film's size and rate.
func (z *Zoo) Film(ctx context.Context, r FilmRequest, begin func(*film.Film) error, to func(*Frame) error) error {
	if !(r.Smooth >= 0 && r.Smooth <= 10) {
		return request.Errorf("smooth", "found %g seconds, want 0 to 10", r.Smooth)
	}
	least, err := leastOf(r.Least)
	if err != nil {
		return err
	}
	return z.reading(ctx, r.ModelsRequest, func(ctx context.Context, reader *photo.Reader) error {
		f, err := film.Open(ctx, r.Film)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := begin(f); err != nil {
			return err
		}
		tick, end := z.Progress("finding faces")
		defer end()
		return frames(ctx, f, reader, least, &photo.Tracker{Seconds: r.Smooth}, func(frame *Frame) error {
			tick(frame.Number+1, -1)
			return to(frame)
		})
	})
}

// frames answers a film's, to its end; a camera's, until the context ends.
func frames(ctx context.Context, f *film.Film, reader *photo.Reader, least float64, follow *photo.Tracker, to func(*Frame) error) error {
	for {
		m, number, seconds, err := f.Next(ctx)
		if errors.Is(err, io.EOF) || f.Camera() && errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		faces, err := reader.Read(ctx, &image.Gray{Pix: m.Y, Stride: m.YStride, Rect: m.Rect}, least)
		if f.Camera() && errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := to(&Frame{number, seconds, m, reader.Names(), faces, follow.Frame(seconds, faces)}); err != nil {
			return err
		}
	}
}
