// Package film reads and writes films, and reads cameras, through ffmpeg where it is installed. It must not know faces.
package film

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNoFFmpeg is what a film matches where ffmpeg isn't installed.
var ErrNoFFmpeg = errors.New("films and cameras need the program ffmpeg")

// endings are those of films' names, in small letters.
var endings = []string{".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"}

// camera is how the devices of cameras are called on Linux.
const camera = "/dev/video"

// IsNamed tells whether a name is that of a film, or of a camera.
func IsNamed(name string) bool {
	return isCamera(name) || slices.Contains(endings, strings.ToLower(filepath.Ext(name)))
}

// Limits of a frame.
const (
	maxSide   = 1 << 14
	maxPixels = 1 << 26
)

// A Film is read frame by frame. Close it.
type Film struct {
	Name          string
	Width, Height int
	Rate          [2]int // frames in so many seconds: 30000/1001

	process *exec.Cmd
	out     *bufio.Reader
	said    *sayings
	frame   *image.YCbCr
	count   int
	started time.Time
}

// Open starts to read a film, turned as it says itself, or a camera.
func Open(ctx context.Context, name string) (*Film, error) {
	program, err := find()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	args := []string{"-v", "error", "-nostdin", "-hide_banner"}
	if isCamera(name) {
		args = append(args, "-f", "v4l2", "-i", name)
	} else {
		if _, err := os.Stat(name); err != nil {
			return nil, err
		}
		args = append(args, "-protocol_whitelist", "file", "-i", "file:"+name)
	}
	// Pixels that are wider than high are made square. Of a film black is 16 and white 235; here they are 0 and 255, as in photographs. A camera gives no frame twice to keep a rate.
	args = append(args, "-map", "0:v:0", "-vf", "scale=iw*sar:ih:out_range=full,setsar=1", "-pix_fmt", "yuvj420p", "-f", "yuv4mpegpipe", "-strict", "-1")
	if isCamera(name) {
		args = append(args, "-fps_mode", "passthrough")
	}
	args = append(args, "-")
	f := &Film{Name: name, process: exec.CommandContext(ctx, program, args...), said: &sayings{}}
	f.process.Stderr = f.said
	f.process.Cancel = func() error { return f.process.Process.Kill() }
	f.process.WaitDelay = 2 * time.Second
	out, err := f.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := f.process.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f.out = bufio.NewReaderSize(out, 1<<16)
	if err := f.head(); err != nil {
		return nil, errors.Join(f.wrong(ctx, err), f.stop())
	}
	return f, nil
}

func find() (string, error) {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return "", ErrNoFFmpeg
	}
	return path, nil
}

// head reads the stream's: YUV4MPEG2 and parameters, a letter each.
func (f *Film) head() error {
	line, err := f.line()
	if err != nil {
		return err
	}
	words := strings.Fields(line)
	if len(words) == 0 || words[0] != "YUV4MPEG2" {
		return fmt.Errorf("found %.40q at the start of the frames, want YUV4MPEG2", line)
	}
	for _, w := range words[1:] {
		switch w[0] {
		case 'W':
			f.Width, _ = strconv.Atoi(w[1:])
		case 'H':
			f.Height, _ = strconv.Atoi(w[1:])
		case 'F':
			a, b, _ := strings.Cut(w[1:], ":")
			f.Rate[0], _ = strconv.Atoi(a)
			f.Rate[1], _ = strconv.Atoi(b)
		}
	}
	if f.Width < 1 || f.Height < 1 || f.Width > maxSide || f.Height > maxSide || f.Width*f.Height > maxPixels {
		return fmt.Errorf("found frames of %dx%d pixels, want at most %d", f.Width, f.Height, maxPixels)
	}
	if f.Rate[0] < 1 || f.Rate[1] < 1 {
		f.Rate = [2]int{25, 1}
	}
	f.frame = image.NewYCbCr(image.Rect(0, 0, f.Width, f.Height), image.YCbCrSubsampleRatio420)
	return nil
}

// line reads one, without its end.
func (f *Film) line() (string, error) {
	const most = 1024
	var line []byte
	for len(line) < most {
		b, err := f.out.ReadByte()
		if err != nil {
			return "", err
		}
		if b == '\n' {
			return string(line), nil
		}
		line = append(line, b)
	}
	return "", fmt.Errorf("found a line of more than %d bytes between frames", most)
}

// Next gives the next frame, which is good until the next call, its number from 0 and its time in seconds; io.EOF behind the last.
func (f *Film) Next(ctx context.Context) (m *image.YCbCr, number int, seconds float64, err error) {
	line, err := f.line()
	if errors.Is(err, io.EOF) {
		if err := f.end(ctx); err != nil {
			return nil, 0, 0, err
		}
		return nil, 0, 0, io.EOF
	}
	if err == nil && !strings.HasPrefix(line, "FRAME") {
		err = fmt.Errorf("found %.40q between frames, want FRAME", line)
	}
	for _, plane := range [][]uint8{f.frame.Y, f.frame.Cb, f.frame.Cr} {
		if err == nil {
			_, err = io.ReadFull(f.out, plane)
		}
	}
	if err != nil {
		return nil, 0, 0, f.wrong(ctx, err)
	}
	n := f.count
	f.count++
	seconds = float64(n) * float64(f.Rate[1]) / float64(f.Rate[0])
	if isCamera(f.Name) {
		if n == 0 {
			f.started = time.Now()
		}
		seconds = time.Since(f.started).Seconds()
	}
	return f.frame, n, seconds, nil
}

// end tells why the frames ended.
func (f *Film) end(ctx context.Context) error {
	err := f.process.Wait()
	f.process = nil
	if err := ctx.Err(); err != nil {
		return err
	}
	if err != nil || f.count == 0 {
		return fmt.Errorf("%s: ffmpeg gave %d frames: %s", f.Name, f.count, f.said.text(err))
	}
	return nil
}

// wrong is an error in reading, with what ffmpeg says of it.
func (f *Film) wrong(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		var ended error
		if f.process != nil {
			ended = f.process.Wait()
			f.process = nil
		}
		return fmt.Errorf("%s: ffmpeg can't read it: %s", f.Name, f.said.text(ended))
	}
	return fmt.Errorf("%s: %w", f.Name, err)
}

// Complaint is what ffmpeg had to say of a film that it has read to its end, as where it is damaged; "" where that is nothing.
func (f *Film) Complaint() string {
	if f.process != nil || len(bytes.TrimSpace(f.said.first)) == 0 {
		return ""
	}
	return f.said.text(nil)
}

// Close ends the reading.
func (f *Film) Close() error { return f.stop() }

func (f *Film) stop() error {
	if f.process == nil {
		return nil
	}
	_ = f.process.Process.Kill()
	_ = f.process.Wait() // it was killed
	f.process = nil
	return nil
}

// sayings keep the beginning of what a program says. It is good when the program has ended.
type sayings struct{ first []byte }

func (t *sayings) Write(b []byte) (int, error) {
	const most = 2048
	t.first = append(t.first, b[:min(len(b), most-len(t.first))]...)
	return len(b), nil
}

// text is the first line that was said, which has the reason, or else what the program's end is called.
func (t *sayings) text(ended error) string {
	first, _, _ := strings.Cut(string(bytes.TrimSpace(t.first)), "\n")
	if first = strings.TrimSpace(first); first != "" {
		return first
	}
	if ended != nil {
		return ended.Error()
	}
	return "it ended without a word"
}

// Camera tells whether it is a camera, which has no end.
func (f *Film) Camera() bool { return isCamera(f.Name) }

func isCamera(name string) bool { return strings.HasPrefix(name, camera) }
