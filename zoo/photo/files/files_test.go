package files

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// folder makes files of these names, with the beginning of a PNG in each.
func folder(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("\x89PNG\r\n\x1a\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestNames(t *testing.T) {
	dir := folder(t, "b.png", "a.JPG", "sub/c.jpeg", ".hidden/d.png", ".e.png", "note.txt", "x.csv")
	readers := map[string]io.Reader{"-": strings.NewReader("")}
	for _, c := range []struct {
		asked []string
		want  []string
		notes int
		err   string
	}{
		{asked: []string{dir}, want: []string{"a.JPG", "b.png", "sub/c.jpeg"}, notes: 1},
		{asked: []string{filepath.Join(dir, "*.png"), "-"}, want: []string{"b.png", "-"}},
		{asked: []string{filepath.Join(dir, "none.png")}, want: []string{"none.png"}}, // reading it tells
		{asked: []string{filepath.Join(dir, "none*.png")}, err: "found no file of such a name"},
		{asked: []string{filepath.Join(dir, "[.png")}, err: "found the pattern"},
		{asked: []string{filepath.Join(dir, ".hidden")}, want: []string{".hidden/d.png"}},
	} {
		got, notes, err := Names(t.Context(), c.asked, readers)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v: found %v, want %q", c.asked, err, c.err)
			}
			continue
		}
		var short []string
		for _, name := range got {
			short = append(short, filepath.ToSlash(strings.TrimPrefix(name, dir+string(filepath.Separator))))
		}
		if err != nil || !slices.Equal(short, c.want) || len(notes) != c.notes {
			t.Errorf("%v: found %v, %q, %v, want %v", c.asked, short, notes, err, c.want)
		}
	}
	empty := folder(t, "note.txt")
	if _, _, err := Names(t.Context(), []string{empty}, nil); err == nil || !strings.Contains(err.Error(), "found no picture among 1 files") {
		t.Errorf("found %v", err)
	}
}

func TestAre(t *testing.T) {
	photos, table, marked := folder(t, "a.png", "notes.csv", "old.zip", "b.pts"), folder(t, "a.png", "labels.csv"), folder(t, "a.png", "a.pts")
	if err := os.WriteFile(filepath.Join(table, "labels.csv"), []byte("file,nose_x,nose_y\na.png,1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(photos, "faces.csv"), []byte("image,face,score,box_x,box_y,nose_x,nose_y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		photos: true, table: false, marked: false, filepath.Join(photos, "a.png"): true, filepath.Join(table, "labels.csv"): false,
		"gone.jpg": true, "gone.csv": false, "*.png": true, "demo": false, "demo:5": false, "scenes:3": false, os.DevNull: false,
	} {
		if Are(name) != want {
			t.Errorf("%s: found %v", name, !want)
		}
	}
	if !Is([]byte("\xff\xd8\xff\xe0")) || Is([]byte("text")) || Is(nil) {
		t.Error("found what is a photograph otherwise")
	}
}

// What is there is told first, then what appears once it is whole, and what changes again.
func TestWatch(t *testing.T) {
	dir := folder(t, "a.png")
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan string, 10)
	ended := make(chan error)
	go func() {
		ended <- Watch(ctx, []string{dir}, func(name string) error { told <- filepath.Base(name); return nil })
	}()
	next := func(want string) {
		t.Helper()
		select {
		case got := <-told:
			if got != want {
				t.Errorf("found %s, want %s", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: not told", want)
		}
	}
	next("a.png")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("b.png", "1")
	write("c.txt", "1")
	next("b.png")
	write("b.png", "longer")
	next("b.png")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("found %v behind the end, want nothing", err)
	}
	select {
	case name := <-told:
		t.Errorf("%s: told once too often", name)
	default:
	}
	if err := Watch(t.Context(), []string{filepath.Join(dir, "a.png")}, nil); err == nil || !strings.Contains(err.Error(), "want one to watch") {
		t.Errorf("found %v for a file", err)
	}
}
