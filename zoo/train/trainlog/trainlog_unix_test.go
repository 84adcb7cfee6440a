//go:build unix

package trainlog

import (
	"bufio"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
)

// With force a log is begun where a link leads to, also if nothing is there yet.
func TestLink(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Symlink("file", "link"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJSON("link", false, false, nil); !errors.Is(err, atomicfile.ErrExists) {
		t.Errorf("without force: error is %v", err)
	}
	for range 2 {
		l, err := OpenJSON("link", false, true, nil)
		if err != nil {
			t.Fatal(err)
		}
		l.Note("a")
		_ = l.Close()
		if all := read(t, "file"); len(all) != 1 {
			t.Errorf("found %d lines, want 1", len(all))
		}
	}
}

// A pipe that nobody reads is refused, and not waited for; one with a reader is a log like any other.
func TestPipe(t *testing.T) {
	t.Chdir(t.TempDir()) // a socket's path must be short
	if err := unix.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	for _, force := range []bool{false, true} {
		if _, err := OpenJSON("pipe", false, force, nil); err == nil || !strings.Contains(err.Error(), "pipe: found a pipe that nobody reads") {
			t.Errorf("no reader, force %v: error is %v", force, err)
		}
	}
	if s, err := net.Listen("unix", "socket"); err != nil {
		t.Fatal(err)
	} else {
		defer s.Close()
	}
	if _, err := OpenJSON("socket", false, true, nil); err == nil || !strings.Contains(err.Error(), "socket: found a socket") {
		t.Errorf("a socket: error is %v", err)
	}

	reader, err := os.OpenFile("pipe", os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var warned []string
	l, err := OpenJSON("pipe", false, false, func(text string) { warned = append(warned, text) })
	if err != nil {
		t.Fatal(err)
	}
	// More than a pipe holds: writing waits for the reader, and nothing is lost.
	const notes = 3000
	go func() {
		for range notes {
			l.Note(strings.Repeat("x", 60))
		}
		_ = l.Close()
	}()
	lines := 0
	for in := bufio.NewScanner(reader); in.Scan(); lines++ {
		if !strings.HasPrefix(in.Text(), `{"event":"note"`) || !strings.HasSuffix(in.Text(), `x"}`) {
			t.Fatalf("line %d: found %q", lines+1, in.Text())
		}
	}
	if lines != notes || len(warned) > 0 {
		t.Errorf("found %d lines and the warnings %q, want %d and none", lines, warned, notes)
	}
}
