package film

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
)

// A Writer writes a film. Keep it where it is whole, and close it.
type Writer struct {
	path, part    string
	width, height int
	process       *exec.Cmd
	in            io.WriteCloser
	said          *sayings
	ended, closed bool
}

// Create starts to write a film of the size and rate of another, with its sound; its kind is that of the name's ending. The file appears
// when it is kept; until then it lies among temporary files.
func Create(ctx context.Context, path string, like *Film) (*Writer, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	part, err := os.CreateTemp("", "fkzoo-*"+filepath.Ext(path))
	if err != nil {
		return nil, err
	}
	if err := part.Close(); err != nil {
		return nil, err
	}
	w := &Writer{path: path, part: part.Name(), width: like.Width, height: like.Height, said: &sayings{}}
	args := []string{"-v", "error", "-hide_banner", "-y", "-f", "rawvideo", "-pix_fmt", "rgba", "-video_size", fmt.Sprintf("%dx%d", w.width, w.height),
		"-framerate", fmt.Sprintf("%d/%d", like.Rate[0], like.Rate[1]), "-i", "pipe:0"}
	if !isCamera(like.Name) {
		args = append(args, "-protocol_whitelist", "file,pipe", "-i", "file:"+like.Name, "-map", "0:v", "-map", "1:a?")
		if strings.EqualFold(filepath.Ext(like.Name), filepath.Ext(path)) {
			args = append(args, "-c:a", "copy") // else the kind of film may not take it
		}
	}
	// Most players want sides of even numbers of pixels, and this order of colours.
	args = append(args, "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_range=limited", "-pix_fmt", "yuv420p", "-color_range", "tv", "file:"+w.part)
	w.process = exec.CommandContext(ctx, program, args...)
	w.process.Stderr = w.said
	w.process.WaitDelay = 2 * time.Second
	if w.in, err = w.process.StdinPipe(); err == nil {
		err = w.process.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(w.part))
	}
	return w, nil
}

// Frame writes the next one.
func (w *Writer) Frame(m *image.RGBA) error {
	if m.Rect.Dx() != w.width || m.Rect.Dy() != w.height || m.Stride != 4*w.width {
		return fmt.Errorf("%s: found a frame of %v, want %dx%d", w.path, m.Rect, w.width, w.height)
	}
	if _, err := w.in.Write(m.Pix); err != nil {
		return w.wrong(w.end())
	}
	return nil
}

// end has ffmpeg come to its end.
func (w *Writer) end() error {
	w.ended = true
	_ = w.in.Close() // it may be gone
	return w.process.Wait()
}

func (w *Writer) wrong(ended error) error {
	return fmt.Errorf("%s: ffmpeg can't write it: %s", w.path, w.said.text(ended))
}

// Keep ends the film, and puts it in its place, whole or not at all. Without force an existing file is refused.
func (w *Writer) Keep(force bool) error {
	if err := w.end(); err != nil {
		return w.wrong(err)
	}
	part, err := os.Open(w.part)
	if err != nil {
		return err
	}
	defer part.Close()
	return atomicfile.Write(w.path, force, func(to io.Writer) error {
		_, err := io.Copy(to, part)
		return err
	})
}

// Close gives up what wasn't kept, and what was written on the way.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	if !w.ended {
		_ = w.process.Process.Kill()
		_ = w.end() // it was killed
	}
	return os.Remove(w.part)
}
