package dataset

import (
	"archive/zip"
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNPYAgreesWithNumPy(t *testing.T) {
	var tests map[string]struct {
		N               int
		Values          []float64
		Checksum, Error string
	}
	expected(t, "npy", &tests)
	files, err := filepath.Glob("testdata/npy/*.npy")
	if err != nil || len(files) != len(tests) || len(files) == 0 {
		t.Fatalf("found %d files for %d expectations, %v", len(files), len(tests), err)
	}
	for name, want := range tests {
		path := filepath.Join("testdata/npy", name)
		s, err := ReadImages(ctx, []string{path}, 8, 6)
		if want.Error != "" {
			if err == nil || !strings.Contains(err.Error(), want.Error) || !strings.HasPrefix(err.Error(), path+": found ") {
				t.Errorf("%s: found %v, want %q", name, err, want.Error)
			} else if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrLimit) && !errors.Is(err, ErrEmpty) {
				t.Errorf("%s: %v is of no kind", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Len() != want.N || s.Bytes != nil || len(s.Floats) != len(want.Values) || s.Checksum != want.Checksum || s.IDs[2] != "3" {
			t.Errorf("%s: found %d rows, %d values, checksum %s, want %d, %d, %s", name, s.Len(), len(s.Floats), s.Checksum, want.N, len(want.Values), want.Checksum)
			continue
		}
		for i, v := range want.Values {
			if s.Floats[i] != float32(v) {
				t.Errorf("%s, value %d: found %v, want %v", name, i, s.Floats[i], v)
				break
			}
		}
	}
}

func TestPicturesAgreeWithPillow(t *testing.T) {
	var tests map[string]struct {
		Scale []float64
		Gray  []int // every seventh pixel
	}
	expected(t, "pictures", &tests)
	if len(tests) < 7 {
		t.Fatalf("found %d pictures, want 7", len(tests))
	}
	for name, want := range tests {
		s, err := ReadImages(ctx, []string{filepath.Join("testdata/pictures", name)}, 96, 96)
		if err != nil {
			t.Error(err)
			continue
		}
		// JPEG decoders and Pillow's fixed-point filter differ by a level or two.
		worst, sum := 0.0, 0.0
		for i, v := range want.Gray {
			d := math.Abs(float64(s.Bytes[i*7]) - float64(v))
			worst, sum = max(worst, d), sum+d
		}
		if mean := sum / float64(len(want.Gray)); worst > 4 || mean > 0.6 {
			t.Errorf("%s: found grey values up to %v and on average %.2f away from Pillow's", name, worst, mean)
		}
		if got := s.Scale(0); math.Abs(float64(got.X)-want.Scale[0]) > 1e-6 || math.Abs(float64(got.Y)-want.Scale[1]) > 1e-6 {
			t.Errorf("%s: found scale %v, want %v", name, got, want.Scale)
		}
	}
}

// TestReadImagesMix reads one of each kind, in order.
func TestReadImagesMix(t *testing.T) {
	const csv = "ImageId,a_x,a_y,Image\nk,1,2,10 20 30 40\nl,,,1 2 3 4\n"
	dir := t.TempDir()
	files := map[string]string{"t.csv": csv, "t.zip": zipOf(t, zip.Deflate, "t.csv", "Image,b_x\n"+strings.Repeat(" 7", 48*48)+",5\n")}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	png, same := "testdata/pictures/color.png", "testdata/pictures/same.png"
	small, zipped := filepath.Join(dir, "t.csv"), filepath.Join(dir, "t.zip")
	s, err := ReadImages(ctx, []string{png, small, zipped, same}, 96, 96)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{png, small + ":k", small + ":l", zipped + ":1", same}; !slices.Equal(s.IDs, want) {
		t.Errorf("found %v, want %v", s.IDs, want)
	}
	if want := []string{"a_x", "a_y", "b_x"}; !slices.Equal(s.Columns, want) {
		t.Errorf("found columns %v, want %v", s.Columns, want)
	}
	if got := s.Row(1); got[0] != 48 || got[1] != 96 || !isNaN(got[2]) {
		t.Errorf("found points %v, want them 48 times as far in a 96x96 image", got)
	}
	if got := s.Row(3); got[2] != 10 {
		t.Errorf("found points %v", got)
	}
	for i, want := range []Scale{{130. / 96, 90. / 96}, {2. / 96, 2. / 96}, {2. / 96, 2. / 96}, {0.5, 0.5}, {1, 1}} {
		if s.Scale(i) != want {
			t.Errorf("row %d: found scale %v, want %v", i, s.Scale(i), want)
		}
	}
	if got := s.Bytes[3*9216]; got != 7 {
		t.Errorf("found %d, want a flat image to stay so", got)
	}
	if s.Checksum != s.Sum() || len(s.Bytes) != 5*9216 {
		t.Errorf("found %d bytes", len(s.Bytes))
	}

	// With fractions among them everything is in fractions.
	s, err = ReadImages(ctx, []string{"testdata/small.csv", "testdata/npy/f4.npy"}, 8, 6)
	if err != nil {
		t.Fatal(err)
	}
	if s.Bytes != nil || len(s.Floats) != 10*48 || s.IDs[7] != "testdata/npy/f4.npy:1" || s.Floats[7*48+1] != 255 || s.Len() != 10 {
		t.Errorf("found %d bytes, %d fractions, ids %v", len(s.Bytes), len(s.Floats), s.IDs)
	}
	if g := s.Gray(7); g.Pix[0] != 0 || g.Pix[1] != 255 {
		t.Errorf("found %v", g.Pix[:2])
	}

	// A single file keeps its own ids.
	s, err = ReadImages(ctx, []string{small}, 2, 2)
	if err != nil || !slices.Equal(s.IDs, []string{"k", "l"}) || s.Scales != nil {
		t.Errorf("found %+v, %v", s, err)
	}
}

func TestReadImagesRefuses(t *testing.T) {
	png, err := os.ReadFile("testdata/pictures/color.png")
	if err != nil {
		t.Fatal(err)
	}
	huge := bytes.Replace(png, []byte("IHDR\x00\x00\x00\x82\x00\x00\x00\x5a"), []byte("IHDR\x00\x10\x00\x82\x00\x10\x00\x5a"), 1)
	for _, test := range []struct {
		name, data string
		is         error
		want       string
	}{
		{"cut.png", string(png[:len(png)/2]), ErrFormat, "found a damaged png"},
		{"huge.png", string(huge), ErrFormat, "found a damaged png"}, // its header's CRC
		{"a.jpg", "\xff\xd8\xff\xe0 and no more", ErrFormat, "found a damaged jpeg"},
		{"a.gif", "GIF89a", ErrFormat, "found a GIF picture, want a PNG, JPEG, .npy, CSV"},
		{"a.webp", "RIFF\x00\x00\x00\x00WEBPVP8 ", ErrFormat, "found a WebP picture"},
		{"a.bin", "\x00\x01", ErrFormat, "found a binary file"},
		{"a.png", "", ErrEmpty, "found an empty file"},
		{"a.txt", "hello", nil, "found no column Image"},
	} {
		path := writeFile(t, test.name, test.data)
		_, err := ReadImages(ctx, []string{"testdata/pictures/gray.png", path}, 96, 96)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), path) || test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s: found %v, want %s", test.name, err, test.want)
		}
	}
	if _, err := ReadImages(ctx, nil, 96, 96); !errors.Is(err, ErrEmpty) {
		t.Errorf("no paths: found %v", err)
	}
	if _, err := ReadImages(ctx, []string{"x"}, 0, 96); !errors.Is(err, ErrLimit) {
		t.Errorf("no size: found %v", err)
	}
	if _, err := ReadImages(ctx, []string{t.TempDir()}, 96, 96); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty folder: found %v", err)
	}
}

func TestReadProbeImages(t *testing.T) {
	dir := os.Getenv("FKZOO_TESTDATA")
	if dir == "" {
		t.Skip("FKZOO_TESTDATA not set")
	}
	s, err := ReadImages(ctx, []string{filepath.Join(dir, "legacy", "probe-images.npy")}, 96, 96)
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 8 || len(s.Floats) != 8*9216 {
		t.Errorf("found %d images, %d values", s.Len(), len(s.Floats))
	}
}
