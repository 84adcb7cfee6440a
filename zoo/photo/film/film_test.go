package film

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needed skips a test where ffmpeg isn't installed.
func needed(t *testing.T) {
	t.Helper()
	if _, err := find(); err != nil {
		t.Skip(err)
	}
}

// grey is how bright frame i is.
func grey(i int) uint8 { return uint8(2 + 22*i) }

// drawn writes a film of frames that get brighter.
func drawn(t *testing.T, name string, w, h, frames int) string {
	t.Helper()
	needed(t)
	path := filepath.Join(t.TempDir(), name)
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-video_size", fmt.Sprintf("%dx%d", w, h),
		"-framerate", "25", "-i", "-", "-pix_fmt", "yuv420p", path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := &sayings{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for i := range frames {
		frame := make([]uint8, w*h)
		for k := range frame {
			frame[k] = grey(i)
		}
		if _, err := in.Write(frame); err != nil {
			t.Fatal(err)
		}
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(said.text(err))
	}
	return path
}

// brightness is the mean of a frame.
func brightness(m *image.YCbCr) float64 {
	sum := 0.0
	for _, v := range m.Y {
		sum += float64(v)
	}
	return sum / float64(len(m.Y))
}

func TestFilm(t *testing.T) {
	path := drawn(t, "brighter.mp4", 96, 64, 12)
	f, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Width != 96 || f.Height != 64 || f.Rate != [2]int{25, 1} {
		t.Errorf("found %dx%d at %v", f.Width, f.Height, f.Rate)
	}
	copied := filepath.Join(t.TempDir(), "copy.mkv")
	w, err := Create(t.Context(), copied, f)
	if err != nil {
		t.Fatal(err)
	}
	canvas := image.NewRGBA(image.Rect(0, 0, 96, 64))
	for i := 0; ; i++ {
		m, number, seconds, err := f.Next(t.Context())
		if errors.Is(err, io.EOF) {
			if i != 12 {
				t.Errorf("found %d frames, want 12", i)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if number != i || seconds != float64(i)/25 {
			t.Errorf("found frame %d at %g s, want %d", number, seconds, i)
		}
		if b := brightness(m); math.Abs(b-float64(grey(i))) > 3 {
			t.Errorf("frame %d: found a brightness of %.1f, want %d", i, b, grey(i))
		}
		draw.Draw(canvas, canvas.Rect, m, image.Point{}, draw.Src)
		if err := w.Frame(canvas); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Frame(image.NewRGBA(image.Rect(0, 0, 5, 5))); err == nil {
		t.Error("found no error for a frame of another size")
	}
	if _, err := os.Stat(copied); err == nil {
		t.Error("the film is there before it is kept")
	}
	if err := w.Keep(false); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	again, err := Open(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	n := 0
	for {
		m, _, _, err := again.Next(t.Context())
		if err != nil {
			break
		}
		// The copy is as bright as what was drawn: black and white are where they were.
		if b := brightness(m); math.Abs(b-float64(grey(n))) > 4 {
			t.Errorf("frame %d of the copy: found a brightness of %.1f, want %d", n, b, grey(n))
		}
		n++
	}
	if n != 12 {
		t.Errorf("found %d frames in the film that was written, want 12", n)
	}
}

// The sound is kept, be it shorter than the film or longer.
func TestSound(t *testing.T) {
	needed(t)
	for _, seconds := range []string{"0.2", "3"} {
		folder := t.TempDir()
		path, out := filepath.Join(folder, "loud.mp4"), filepath.Join(folder, "drawn.mp4")
		made, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=gray:s=64x64:d=1", "-f", "lavfi", "-i", "sine=d="+seconds,
			"-c:a", "aac", path).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v", made, err)
		}
		f, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w, err := Create(t.Context(), out, f)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		n := 0
		for ; ; n++ {
			if _, _, _, err := f.Next(t.Context()); err != nil {
				break
			}
			if err := w.Frame(image.NewRGBA(image.Rect(0, 0, 64, 64))); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Keep(false); err != nil || n != 25 {
			t.Fatalf("sound of %s s: found %d frames, %v", seconds, n, err)
		}
		said, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-i", out, "-map", "0:a", "-f", "null", "-").CombinedOutput()
		if err != nil {
			t.Errorf("sound of %s s: %s", seconds, said)
		}
		if err := w.Keep(false); err == nil {
			t.Error("replaced a film that exists")
		}
	}
}

// A film that is given up leaves nothing.
func TestGivenUp(t *testing.T) {
	f, err := Open(t.Context(), drawn(t, "a.mp4", 32, 32, 3))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	folder := t.TempDir()
	w, err := Create(t.Context(), filepath.Join(folder, "b.mp4"), f)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("found %v left", left)
	}
}

func TestRefused(t *testing.T) {
	needed(t)
	folder := t.TempDir()
	text := filepath.Join(folder, "text.mp4")
	if err := os.WriteFile(text, []byte("no film\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cut := drawn(t, "cut.mkv", 64, 64, 200)
	data, err := os.ReadFile(cut)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, data[:len(data)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	damaged, err := Open(t.Context(), cut)
	if err != nil {
		t.Fatal(err)
	}
	defer damaged.Close()
	n := 0
	for ; err == nil; n++ {
		_, _, _, err = damaged.Next(t.Context())
	}
	if n-1 >= 200 || errors.Is(err, io.EOF) && damaged.Complaint() == "" {
		t.Errorf("found %d frames of half a film, %v, and no complaint", n-1, err)
	}
	for path, want := range map[string]string{
		text:                               "text.mp4: ffmpeg can't read it: ",
		filepath.Join(folder, "none.mp4"):  "no such file",
		filepath.Join(folder, "-i.mp4"):    "no such file",
		filepath.Join(folder, "a\nb.webm"): "no such file",
	} {
		f, err := Open(t.Context(), path)
		if err == nil {
			f.Close()
			t.Errorf("%s: found no error", path)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, want %q", path, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	f, err := Open(ctx, drawn(t, "long.mp4", 64, 64, 100))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cancel()
	for range 200 {
		if _, _, _, err = f.Next(ctx); err != nil {
			break
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("found %v behind the context's end", err)
	}
}

func TestIsNamed(t *testing.T) {
	for name, want := range map[string]bool{"a.mp4": true, "b/C.MKV": true, "/dev/video0": true, "a.png": false, "mp4": false, "": false} {
		if IsNamed(name) != want {
			t.Errorf("%s: found %v", name, !want)
		}
	}
}

// FuzzStream: whatever comes in place of frames, it is frames or an error.
func FuzzStream(f *testing.F) {
	f.Add([]byte("YUV4MPEG2 W4 H2 F30000:1001 Ip C420jpeg\nFRAME\n0123456789ab"))
	f.Add([]byte("YUV4MPEG2 W1 H1\nFRAME\n"))
	f.Add([]byte("YUV4MPEG2 W99999 H99999 F0:0\n"))
	f.Add([]byte("YUV4MPEG2  W-1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		film := &Film{Name: "fuzz", said: &sayings{}, out: bufio.NewReader(bytes.NewReader(data))}
		if err := film.head(); err != nil {
			return
		}
		if film.Width*film.Height > 1<<20 {
			return // memory that the test needn't take
		}
		for range 3 {
			line, err := film.line()
			if err != nil || !strings.HasPrefix(line, "FRAME") {
				return
			}
		}
	})
}
