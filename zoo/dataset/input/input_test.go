package input

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

func TestKindOf(t *testing.T) {
	for head, want := range map[string]string{
		"PK\x03\x04":                          "zip",
		"\x89PNG\r\n\x1a\n":                   "png",
		"\xff\xd8\xff\xe0":                    "jpeg",
		"\x93NUMPY\x01":                       "npy",
		"":                                    "empty",
		"\ufeff":                              "empty",
		"\xff\xfea\x00":                       "UTF-16 text",
		"RIFF\x00\x00\x00\x00WEBPVP8 ":        "a WebP picture",
		"BM\x00\x00":                          "a BMP picture",
		"BMI,Image\n":                         "text",
		"\x00":                                "a binary file",
		"Image\n1 2 3 4\n":                    "text",
		`{"images": [{"id": 1}]}`:             "JSON",
		"\ufeff{\n  \"annotations\": []}":     "JSON",
		" [\r\n {\"file\": 1}]":               "JSON",
		`["a.png"]`:                           "JSON",
		"{":                                   "JSON",
		"[x],Image\n1,2\n":                    "text",
		"{x},Image\n1,2\n":                    "text",
		"\"{\"\"a\"\": 1}\",Image\n\"b\",1\n": "text",
	} {
		if got := KindOf([]byte(head)); got != want {
			t.Errorf("%q: found %s, want %s", head, got, want)
		}
	}
}

func TestLook(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte(strings.Repeat("x", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, look := range []func() (*File, error){
		func() (*File, error) { return Look(path) },
		func() (*File, error) {
			return LookReader(context.Background(), "a", strings.NewReader(strings.Repeat("x", 1000)))
		},
		func() (*File, error) {
			return LookReader(context.Background(), "a", strings.NewReader(strings.Repeat("x", inMemory+1)))
		},
	} {
		f, err := look()
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Head) != headBytes || f.Kind != "text" || f.Size != 1000 && f.Size != inMemory+1 {
			t.Errorf("found %d bytes, %s, %d first ones", f.Size, f.Kind, len(f.Head))
		}
		for range 2 {
			in, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, in); n != f.Size || err != nil {
				t.Errorf("read %d bytes, %v, want %d", n, err, f.Size)
			}
			if err := in.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if f, err := Look(dir); err != nil || f.Kind != "folder" {
		t.Errorf("a folder: found %+v, %v", f, err)
	}
	if _, err := Look(os.DevNull); !errors.Is(err, dataset.ErrFormat) || !strings.Contains(err.Error(), "found a pipe or a device") {
		t.Errorf("a device: found %v", err)
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := LookReader(done, "a", strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("found %v, want the context's error", err)
	}
}

func TestCoordinate(t *testing.T) {
	for text, want := range map[string]float32{"1": 1, " -2.5\t": -2.5, "1e1": 10, ".5": 0.5} {
		if got, err := Coordinate([]byte(text)); err != nil || got != want {
			t.Errorf("%q: found %v, %v, want %v", text, got, err, want)
		}
	}
	if got, err := Coordinate([]byte(" ")); err != nil || !math.IsNaN(float64(got)) {
		t.Errorf("an empty cell: found %v, %v", got, err)
	}
	for _, text := range []string{"NaN", "Inf", "0x1p3", "1_0", "1e39", strings.Repeat("1", 65)} {
		if got, err := Coordinate([]byte(text)); err == nil {
			t.Errorf("%q: found %v, want an error", text, got)
		}
	}
}
