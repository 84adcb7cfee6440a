package zoo_test

import (
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
	"github.com/fkzoo/fkzoo/zoo/photo"
	"github.com/fkzoo/fkzoo/zoo/photo/film"
)

// drawnScene writes a scene of people, and gives the picture.
func drawnScene(t *testing.T, path string, seed uint64) *image.RGBA {
	t.Helper()
	m, _, err := demo.Scene(seed, 480, 360, 3)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err == nil {
		err = errors.Join(png.Encode(f, m), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Photographs are answered in their order; one that can't be read has an error and keeps none of the others.
func TestPhotos(t *testing.T) {
	dir := t.TempDir()
	drawnScene(t, filepath.Join(dir, "a.png"), 31)
	drawnScene(t, filepath.Join(dir, "c.png"), 37)
	if err := os.WriteFile(filepath.Join(dir, "b.png"), []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	z := zoo.Open(zoo.Options{Backend: "go"})
	defer z.Close()
	var names []string
	faces := 0
	err := z.Photos(t.Context(), zoo.PhotosRequest{Photos: []string{dir}}, func(p *zoo.Photo) error {
		names = append(names, filepath.Base(p.Name))
		faces += len(p.Faces)
		if bad := filepath.Base(p.Name) == "b.png"; bad != (p.Err != nil) || bad != (p.Picture == nil) || p.Of != 3 || len(p.Points) != 15 {
			t.Errorf("%s: found %v, of %d, points %q", p.Name, p.Err, p.Of, p.Points)
		}
		for _, f := range p.Faces {
			if len(f.Points) != len(p.Points) || f.Score < photo.Least {
				t.Errorf("%s: found a face of score %g with %d points", p.Name, f.Score, len(f.Points))
			}
		}
		return nil
	})
	if err != nil || len(names) != 3 || names[0] != "a.png" || names[2] != "c.png" || faces == 0 {
		t.Errorf("found %d faces in %q, %v", faces, names, err)
	}
	stop := errors.New("enough")
	if err := z.Photos(t.Context(), zoo.PhotosRequest{Photos: []string{dir}}, func(*zoo.Photo) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("found %v, want the receiver's error", err)
	}
	for _, least := range []float64{-1, 2} {
		if err := z.Photos(t.Context(), zoo.PhotosRequest{Photos: []string{dir}, Least: &least}, nil); err == nil {
			t.Errorf("least %g: found no error", least)
		}
	}
}

// A reader is asked by many at once, about pictures of more sizes than it keeps networks for, and closed in between.
func TestPhotoReader(t *testing.T) {
	z := zoo.Open(zoo.Options{Backend: "go"})
	r, err := z.PhotoReader(t.Context(), zoo.ModelsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(ctx context.Context, side int) error {
		_, err := r.Read(ctx, image.NewGray(image.Rect(0, 0, side, side+33)), photo.Least)
		return err
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for k := range 3 {
				if err := ask(t.Context(), 40+64*((i+3*k)%9)); err != nil && !errors.Is(err, photo.ErrClosed) && !errors.Is(err, answer.ErrClosed) {
					t.Error(err)
				}
			}
		})
	}
	r.Close()
	all.Wait()
	if err := ask(t.Context(), 40); !errors.Is(err, photo.ErrClosed) {
		t.Errorf("found %v from a closed reader", err)
	}
	r.Close()
	if r, err = z.PhotoReader(t.Context(), zoo.ModelsRequest{}); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ask(t.Context(), 40); err == nil {
		t.Error("found no error behind the zoo's end")
	}
	if _, err := z.PhotoReader(t.Context(), zoo.ModelsRequest{}); !errors.Is(err, zoo.ErrClosed) {
		t.Errorf("found %v, want %v", err, zoo.ErrClosed)
	}
}

// A film's face keeps its number, and its points follow it.
func TestFilm(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip(film.ErrNoFFmpeg)
	}
	path := filepath.Join(t.TempDir(), "turning.mp4")
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgba", "-video_size", "320x240", "-framerate", "25", "-i", "-",
		"-pix_fmt", "yuv420p", path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var truth []demo.Person
	err = demo.Turning(4, 320, 240, 16, func(_ int, m *image.RGBA, p demo.Person) error {
		truth = append(truth, p)
		_, err := in.Write(m.Pix)
		return err
	})
	if err := errors.Join(err, in.Close(), cmd.Wait()); err != nil {
		t.Fatal(err)
	}
	z := zoo.Open(zoo.Options{Backend: "go"})
	defer z.Close()
	found := 0
	begin := func(f *film.Film) error {
		if f.Width != 320 || f.Height != 240 {
			t.Errorf("found frames of %dx%d", f.Width, f.Height)
		}
		return nil
	}
	err = z.Film(t.Context(), zoo.FilmRequest{Film: path, Smooth: 0.1}, begin, func(f *zoo.Frame) error {
		for i := range f.Faces {
			if o := f.Faces[i].Box.Overlap(boxOf(&truth[f.Number])); o > 0.5 && f.Follows[i] == 1 {
				found++
			}
		}
		return nil
	})
	if err != nil || found < 14 {
		t.Errorf("found the face in %d of 16 frames, %v", found, err)
	}
}

func boxOf(p *demo.Person) blueprint.Box {
	return blueprint.Box{X: p.X, Y: p.Y, Width: p.Width, Height: p.Height}
}
