package source

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// whole reads a source in parts and puts them together again.
func whole(t *testing.T, s *dataset.Source, n int) *dataset.Set {
	t.Helper()
	out := &dataset.Set{Columns: s.Columns, Height: s.Height, Width: s.Width, Channels: s.Channels}
	sum, rows, err := s.Stream(ctx, n, func(part *dataset.Set) error {
		out.Append(part, 0, part.Len())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if rows != out.Len() || sum != out.Sum() {
		t.Errorf("%s: found %d rows and checksum %s of %d with %s", s.Name, rows, sum, out.Len(), out.Sum())
	}
	out.Checksum = sum
	return out
}

// Every format says what it holds before it is read, gives the same whole as in parts,
// and at the size that is asked for whenever that is.
func TestEverySource(t *testing.T) {
	small, err := os.ReadFile("../testdata/small.csv")
	if err != nil {
		t.Fatal(err)
	}
	picture := "../testdata/pictures/color.png"
	table := "file,a_x,a_y\na.png,3,4\nb.png,,5\n"
	tried := map[string]bool{}
	for _, test := range []struct {
		name, format string
		count        int
		h, w         int
		columns      int
	}{
		{"demo:5:3", "demo", 5, 96, 96, 30},
		{writeFile(t, "small.csv", string(small)), "kaggle", -1, 4, 4, 4},
		{writeFile(t, "small.zip", zipOf(t, zip.Deflate, "a.csv", string(small))), "kaggle", -1, 4, 4, 4},
		{writeTree(t, map[string]string{"k.csv": string(small)}), "folder", -1, 4, 4, 4},
		{writeTree(t, map[string]string{"k.csv": table, "a.png": "20x10", "b.png": "8x8"}), "folder", 2, 96, 96, 2},
		{filepath.Join(writeTree(t, map[string]string{"k.csv": table, "a.png": "20x10", "b.png": "8x8"}), "k.csv"), "list", 2, 96, 96, 2},
		{writeTree(t, map[string]string{"a.png": "300x200", "b.png": "9x9", "a.pts": pts68()}), "folder", 2, 96, 96, 30},
		{picture, "picture", 1, 96, 96, 0},
		{"../testdata/npy/f4.npy", "npy", 3, 8, 6, 0},
	} {
		s, err := Open(ctx, test.name, Options{})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if s.Name != test.name || s.Format != test.format || s.Count != test.count || s.Height != test.h || s.Width != test.w || s.Channels != 1 || len(s.Columns) != test.columns {
			t.Errorf("%s: found %+v", test.name, s)
		}
		tried[s.Format] = true
		set, err := s.Read(ctx)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if set.Source != test.name || set.Checksum != set.Sum() || set.Numbered != s.Numbered || set.Height != s.Height {
			t.Errorf("%s: found %+v", test.name, set)
		}
		for _, n := range []int{1, 2, 100} {
			if parts := whole(t, s, n); parts.Checksum != set.Checksum || !slices.Equal(parts.IDs, set.IDs) {
				t.Errorf("%s: in parts of %d it is another set", test.name, n)
			}
		}
		var names []string
		if err := s.Names(ctx, func(name string) error { names = append(names, name); return nil }); err != nil || !slices.Equal(names, set.IDs) {
			t.Errorf("%s: found the names %q, %v, want %q", test.name, names, err, set.IDs)
		}
		fit, err := s.Fit(12, 10)
		if err != nil {
			t.Fatal(err)
		}
		want := whole(t, fit, 2)
		if refit, err := s.Refit(ctx, set, 12, 10); err != nil || refit.Checksum != want.Checksum || refit.Height != 12 || refit.Width != 10 {
			t.Errorf("%s: refitted it is another set than fitted, %v", test.name, err)
		}
		if test.format == "npy" {
			continue // has to have the size already
		}
		if asked, err := Read(ctx, test.name, Options{Height: 12, Width: 10}); err != nil || asked.Checksum != want.Checksum {
			t.Errorf("%s: opened at a size it is another set than fitted to it, %v", test.name, err)
		}
	}
	for _, f := range Formats() {
		if !tried[f.Name] {
			t.Errorf("format %s: found no source of it here, want one", f.Name)
		}
	}
}

// What a reader gives is what a file of the same bytes holds, however long it is.
func TestOpenReader(t *testing.T) {
	small, err := os.ReadFile("../testdata/small.csv")
	if err != nil {
		t.Fatal(err)
	}
	head, rows, _ := strings.Cut(string(small), "\n")
	long := head + "\n" + strings.Repeat(rows, 20<<20/len(rows))
	for _, path := range []string{"../testdata/small.csv", "../testdata/pictures/color.png", "../testdata/oriented/6.jpg", "../testdata/npy/f4.npy",
		writeFile(t, "a.zip", zipOf(t, zip.Deflate, "a.csv", string(small))), writeFile(t, "long.csv", long)} {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		s, err := OpenReader(ctx, "-", io.MultiReader(f), Options{})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		want, err := Read(ctx, path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // as often as wanted
			got, err := s.Read(ctx)
			if err != nil || got.Checksum != want.Checksum || got.Source != "-" {
				t.Errorf("%s: found %+v, %v", path, got, err)
			}
		}
		if s.Single && want.Len() == 1 && whole(t, s, 1).IDs[0] != "-" {
			t.Errorf("%s: want the picture called like its source", path)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	broken := errors.New("broken")
	for text, want := range map[string]string{
		"":                    "-: found an empty file, want a PNG, JPEG, .npy, CSV or a zip with one",
		"file,a_x\na.png,1\n": "-: found a CSV that names pictures, want it as a file in their folder",
	} {
		if _, err := OpenReader(ctx, "-", strings.NewReader(text), Options{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: found %v, want %s", text, err, want)
		}
	}
	if _, err := OpenReader(ctx, "-", io.MultiReader(bytes.NewReader(small), fails{broken}), Options{}); !errors.Is(err, broken) {
		t.Errorf("found %v, want %v", err, broken)
	}
}

type fails struct{ err error }

func (f fails) Read([]byte) (int, error) { return 0, f.err }

// Several sources are one where they agree.
func TestOpenAll(t *testing.T) {
	png := "../testdata/pictures/color.png"
	s, err := OpenAll(ctx, []string{"demo:3:1", "demo:2:9"}, Options{Height: 12, Width: 12})
	if err != nil {
		t.Fatal(err)
	}
	set, err := s.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if s.Count != 5 || set.Len() != 5 || set.IDs[4] != "demo:2:9:2" || len(set.Columns) != 30 || set.Checksum != set.Sum() {
		t.Errorf("found %d rows, %q, %d columns", set.Len(), set.IDs, len(set.Columns))
	}
	first, err := demo.Faces(ctx, 3, 1)
	if err != nil || !bytes.Equal(first.Resized(12, 12).Bytes, set.Bytes[:3*144]) {
		t.Errorf("the first rows are not those of the first source, %v", err)
	}
	s.First(4)
	if set, err = s.Read(ctx); err != nil || s.Count != 4 || set.Len() != 4 {
		t.Errorf("found %d rows, %v, want the first 4", set.Len(), err)
	}
	for _, test := range []struct {
		names []string
		size  int
		want  string
	}{
		{[]string{"demo:3:1", png}, 96, "demo:3:1 and " + png + ": found other columns, want the same in all"},
		{[]string{"demo:3:1", "../testdata/small.csv"}, 0, "demo:3:1 and ../testdata/small.csv: found images of 96x96 and 4x4, want one size"},
		{[]string{png, "none.png"}, 0, "none.png"},
	} {
		s, err := OpenAll(ctx, test.names, Options{Height: test.size, Width: test.size})
		if err == nil {
			_, err = s.Read(ctx)
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: found %v, want %s", test.names, err, test.want)
		}
	}
}

// A reader is read once: naming it twice is refused before it is touched, a file isn't.
func TestReaderTwice(t *testing.T) {
	r := strings.NewReader("a_x,Image\n1,1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n")
	o := Options{Readers: map[string]io.Reader{"-": r}}
	if s, err := OpenAll(ctx, []string{"-", "demo:3", "-"}, o); s != nil || !errors.As(err, new(*dataset.NameError)) || err.Error() != "-: found it named twice, want it once: it can be read only once" || int64(r.Len()) != r.Size() {
		t.Errorf("found %v, %v and %d bytes left of %d", s, err, r.Len(), r.Size())
	}
	small := "../testdata/small.csv"
	s, err := OpenAll(ctx, []string{small, "-", small}, Options{Readers: o.Readers})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A folder that fails behind its table leaves nothing open.
func TestFolderFails(t *testing.T) {
	folder := writeTree(t, map[string]string{"a.png": "12x16"})
	if err := os.WriteFile(filepath.Join(folder, "t.csv"), []byte("a_x,Image\n1,1 2 3 4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := input.Look(folder)
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if s, err := openFolder(gone, f, input.Size{}); s != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("found %v, %v, want no source and %v", s, err, context.Canceled)
	}
}

// A name that belongs to a format and is written wrong is told from a file that isn't there.
func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"demo:0":       `demo:0: found "0" faces, want a number from 1 to 1000000`,
		"demo:x:1":     `demo:x:1: found "x" faces, want a number from 1 to 1000000`,
		"demo:3:-1":    `demo:3:-1: found the seed "-1", want a whole number of at least 0`,
		"demo:1000001": `demo:1000001: found "1000001" faces, want a number from 1 to 1000000`,
	} {
		if _, err := Open(ctx, name, Options{}); err == nil || err.Error() != want || !errors.As(err, new(*dataset.NameError)) {
			t.Errorf("found %v, want %s", err, want)
		}
	}
	if _, err := Open(ctx, "./demo", Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file called demo: found %v", err)
	}
	if s, err := OpenAll(ctx, []string{"x"}, Options{Readers: map[string]io.Reader{"x": strings.NewReader("a_x,Image\n1,2\n")}}); err != nil || s.Name != "x" {
		t.Errorf("a reader's name: found %+v, %v", s, err)
	}
	known := map[string]bool{}
	for _, f := range Formats() {
		if known[f.Name] || f.Help == "" || f.Is == nil || f.Open == nil {
			t.Errorf("the format %q is not whole, or there twice", f.Name)
		}
		known[f.Name] = true
	}
}

// Drawn faces don't depend on how they are read, nor memory on their number.
func TestDemoStreams(t *testing.T) {
	want, err := demo.Faces(ctx, 7, 4)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(ctx, demo.Name(7, 4), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := whole(t, s, 3); got.Checksum != want.Checksum || !slices.Equal(got.IDs, want.IDs) {
		t.Errorf("found %s of %q, want %s of %q", got.Checksum, got.IDs, want.Checksum, want.IDs)
	}
	if s, err = Open(ctx, fmt.Sprint("demo:", demo.MaxFaces), Options{}); err != nil {
		t.Fatal(err)
	}
	s.First(2)
	if got := whole(t, s, 2); got.Len() != 2 {
		t.Errorf("found %d faces, want the first 2", got.Len())
	}
}
