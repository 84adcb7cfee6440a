package picture

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// open reads a picture as an image of h x w.
func open(path string, h, w int) (*dataset.Set, error) {
	f, err := input.Look(path)
	if err != nil {
		return nil, err
	}
	s, err := Open(context.Background(), f, input.Size{Height: h, Width: w})
	if err != nil {
		return nil, err
	}
	return s.Read(context.Background())
}

// Pillow shows a picture with an orientation as we read it.
func TestOrientationAgreesWithPillow(t *testing.T) {
	text, err := os.ReadFile("../testdata/oriented/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var tests map[string]struct {
		Width, Height int
		Grey          []int
	}
	if err := json.Unmarshal(text, &tests); err != nil || len(tests) != 10 {
		t.Fatalf("found %d pictures, %v", len(tests), err)
	}
	for name, want := range tests {
		path := filepath.Join("../testdata/oriented", name)
		s, err := open(path, want.Height, want.Width)
		if err != nil {
			t.Error(err)
			continue
		}
		// Coordinates are those of the picture as it is looked at.
		pixels, size := s.Bytes, image.Pt(int(s.Scale(0).X*float32(want.Width)), int(s.Scale(0).Y*float32(want.Height)))
		if size != image.Pt(want.Width, want.Height) {
			t.Errorf("%s: found %v, want %dx%d", name, size, want.Width, want.Height)
			continue
		}
		for i, v := range want.Grey {
			if d := int(pixels[i]) - v; d < -2 || d > 2 {
				t.Errorf("%s: found %d at %d, want %d", name, pixels[i], i, v)
				break
			}
		}
		s, err = open(path, 8, 8)
		if err != nil || s.Scale(0) != (dataset.Scale{X: float32(want.Width) / 8, Y: float32(want.Height) / 8}) {
			t.Errorf("%s: found %+v, %v", name, s, err)
		}
	}
}

// FuzzOrientation: whatever a picture's metadata says, it has an orientation.
func FuzzOrientation(f *testing.F) {
	for _, name := range []string{"6.jpg", "6.png", "49.jpg"} {
		data, err := os.ReadFile(filepath.Join("../testdata/oriented", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []string{"jpeg", "png"} {
			if o := orientation(bytes.NewReader(data), kind); o < 1 || o > 8 {
				t.Fatalf("found %d", o)
			}
		}
	})
}
