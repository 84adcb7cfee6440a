package picture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// Fill bytes may stand before any marker; other segments, before EXIF's.
func TestOrientationBehindFillBytes(t *testing.T) {
	for turn := 1; turn <= 8; turn++ {
		data, err := os.ReadFile(filepath.Join("../testdata/oriented", fmt.Sprintf("%d.jpg", turn)))
		if err != nil {
			t.Fatal(err)
		}
		if o := orientation(bytes.NewReader(data), "jpeg"); o != turn {
			t.Fatalf("%d.jpg: found %d", turn, o)
		}
		exif := bytes.Index(data, []byte("\xff\xe1"))
		if exif < 2 {
			t.Fatal("found no EXIF")
		}
		for name, between := range map[string]string{
			"fill bytes":        "\xff\xff",
			"many":              strings.Repeat("\xff", 5000),
			"a comment":         "\xff\xfe\x00\x05abc",
			"XMP, fill bytes":   "\xff\xff\xe1\x00\x08http:/\xff",
			"another's segment": "\xff\xed\x00\x08Exif\x00\x00",
		} {
			with := slices.Concat(data[:exif], []byte(between), data[exif:])
			if o := orientation(bytes.NewReader(with), "jpeg"); o != turn {
				t.Errorf("%d.jpg with %s: found the orientation %d", turn, name, o)
			}
		}
	}
	for _, bad := range []string{"", "\xff\xd8", "\xff\xd8\xff", "\xff\xd8\xff\xe1\x00\x01", "\xff\xd8\xff\xe1\x00\x20Exif\x00\x00", "\xff\xd8abc"} {
		if o := orientation(strings.NewReader(bad), "jpeg"); o != 1 {
			t.Errorf("%q: found %d, want 1", bad, o)
		}
	}
}

// A sound JPEG of a kind that the decoder doesn't know isn't called damaged.
func TestUnsupportedJPEG(t *testing.T) {
	read := func(name string) []byte {
		data, err := os.ReadFile("../testdata/pictures/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	cmyk, sampled := read("cmyk.jpg"), read("color.jpg")
	adobe := bytes.Index(cmyk, []byte("\xff\xee\x00\x0eAdobe"))
	frame := bytes.Index(sampled, []byte("\xff\xc0\x00\x11"))
	if adobe < 0 || frame < 0 {
		t.Fatalf("found no Adobe segment or no frame, at %d and %d", adobe, frame)
	}
	sampled[frame+11], sampled[frame+14], sampled[frame+17] = 0x22, 0x11, 0x12 // 2x2, 1x1, 1x2
	for name, data := range map[string][]byte{
		"without-adobe.jpg": slices.Delete(cmyk, adobe, adobe+16),
		"sampling.jpg":      sampled,
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := open(path, 8, 8); !errors.Is(err, dataset.ErrFormat) || !strings.HasPrefix(err.Error(), path+": found a JPEG of a kind that can't be read (") {
			t.Errorf("%s: found %v", name, err)
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
