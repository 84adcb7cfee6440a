package source

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// imageParts reads images in parts of n, each copied.
func imageParts(paths []string, h, w, n int) (out []*dataset.Set, err error) {
	im, err := OpenAll(ctx, paths, Options{Height: h, Width: w})
	if err != nil {
		return nil, err
	}
	var names, read []string
	_, _, err = im.Stream(ctx, n, func(part *dataset.Set) error {
		if part.Len() < 1 || part.Len() > n {
			return fmt.Errorf("found a part of %d images, want 1 to %d", part.Len(), n)
		}
		all := &dataset.Set{Columns: part.Columns, Height: part.Height, Width: part.Width, Channels: part.Channels}
		all.Append(part, 0, part.Len())
		all.Checksum = all.Sum()
		out, read = append(out, all), append(read, all.IDs...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = im.Names(ctx, func(name string) error { names = append(names, name); return nil })
	if err == nil && (!slices.Equal(names, read) || im.Count >= 0 && im.Count != len(read)) {
		err = fmt.Errorf("found the names %q and the count %d, want those of %q", names, im.Count, read)
	}
	return out, err
}

// readImages reads the images of one source.
func readImages(path string, h, w int) (*dataset.Set, error) {
	parts, err := imageParts([]string{path}, h, w, 1000)
	if err != nil {
		return nil, err
	}
	return parts[0], nil
}

func TestNPYAgreesWithNumPy(t *testing.T) {
	var tests map[string]struct {
		N               int
		Values          []float64
		Checksum, Error string
	}
	expected(t, "npy", &tests)
	files, err := filepath.Glob("../testdata/npy/*.npy")
	if err != nil || len(files) != len(tests) || len(files) == 0 {
		t.Fatalf("found %d files for %d expectations, %v", len(files), len(tests), err)
	}
	for name, want := range tests {
		path := filepath.Join("../testdata/npy", name)
		s, err := readImages(path, 8, 6)
		if want.Error != "" {
			if err == nil || !strings.Contains(err.Error(), want.Error) || !strings.HasPrefix(err.Error(), path+": found ") {
				t.Errorf("%s: found %v, want %q", name, err, want.Error)
			} else if !errors.Is(err, dataset.ErrFormat) && !errors.Is(err, dataset.ErrLimit) && !errors.Is(err, dataset.ErrEmpty) {
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
	if len(tests) < 11 {
		t.Fatalf("found %d pictures, want 11", len(tests))
	}
	for name, want := range tests {
		s, err := readImages(filepath.Join("../testdata/pictures", name), 96, 96)
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

// everyKind gives one source of each kind, the third a CSV, and what their images are called.
func everyKind(t *testing.T) (paths, ids []string) {
	const csv = "ImageId,a_x,a_y,Image\nk,1,2,10 20 30 40\nl,,,1 2 3 4\n"
	dir := t.TempDir()
	files := map[string]string{"t.csv": csv, "t.zip": zipOf(t, zip.Deflate, "t.csv", "Image,b_x\n"+strings.Repeat(" 7", 48*48)+",5\n")}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	png, same, deep := "../testdata/pictures/color.png", "../testdata/pictures/same.png", "../testdata/npy/f4.npy"
	small, zipped, marked := filepath.Join(dir, "t.csv"), filepath.Join(dir, "t.zip"), writeTree(t, map[string]string{"a.png": "12x16", "a.pts": pts68(), "b.png": "6x8"})
	paths = []string{png, same, small, zipped, same, deep, marked}
	ids = []string{png, same, small + ":k", small + ":l", zipped + ":1", same, deep + ":1", deep + ":2", deep + ":3", marked + ":a.png", marked + ":b.png"}
	return paths, ids
}

// One of each kind, in order, in parts of any size.
func TestImagesOfEveryKind(t *testing.T) {
	paths, ids := everyKind(t)
	x, y := float32(6), float32(8)
	by := func(x, y float32) dataset.Scale { return dataset.Scale{X: x, Y: y} }
	scales := []dataset.Scale{by(130/x, 90/y), by(96/x, 96/y), by(2/x, 2/y), by(2/x, 2/y), by(48/x, 48/y), by(96/x, 96/y), by(1, 1), by(1, 1), by(1, 1), by(2, 2), by(1, 1)}
	for n, lengths := range map[int][]int{1: {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 2: {2, 2, 1, 1, 2, 1, 2}, 100: {2, 2, 1, 1, 3, 2}} {
		parts, err := imageParts(paths, 8, 6, n)
		if err != nil {
			t.Fatal(err)
		}
		r := 0
		var got []int
		for _, part := range parts {
			got = append(got, part.Len())
			for i, id := range part.IDs {
				if id != ids[r] || part.Scale(i) != scales[r] {
					t.Errorf("parts of %d: found %s with the scale %v, want %s with %v", n, id, part.Scale(i), ids[r], scales[r])
				}
				switch r {
				case 2: // 2x2 pixels
					if points := part.Row(i); !slices.Equal(part.Columns, []string{"a_x", "a_y"}) || points[0] != 3 || points[1] != 8 {
						t.Errorf("parts of %d: found %v of %v, want it as far in an image of 6x8", n, points, part.Columns)
					}
				case 4:
					if points := part.Row(i); !slices.Equal(part.Columns, []string{"b_x"}) || points[0] != float32(5)*6/48 || part.Bytes[0] != 7 {
						t.Errorf("parts of %d: found %v of %v and the pixel %d", n, points, part.Columns, part.Bytes[0])
					}
				case 6:
					if part.Bytes != nil || part.Floats[i*48+1] != 255 || part.Gray(i).Pix[1] != 255 {
						t.Errorf("parts of %d: found %v, want fractions", n, part.Floats)
					}
				case 9:
					if points := part.Row(i); points[0] != 44.5/2 || points[1] != 144.5/2 {
						t.Errorf("parts of %d: found %v", n, points)
					}
				}
				r++
			}
		}
		if r != len(ids) || !slices.Equal(got, lengths) {
			t.Errorf("parts of %d: found them of %v, want %v", n, got, lengths)
		}
	}
}

// A single file keeps its own ids, the first images may be enough, and what the callback says ends the stream.
func TestImagesEnd(t *testing.T) {
	paths, _ := everyKind(t)
	im, err := OpenAll(ctx, paths[2:3], Options{Height: 2, Width: 2})
	if err != nil || im.Count != -1 {
		t.Fatalf("found %+v, %v, want a number that isn't known yet", im, err)
	}
	im.First(1)
	var seen []string
	see := func(name string) error { seen = append(seen, name); return nil }
	if _, _, err := im.Stream(ctx, 5, func(part *dataset.Set) error { return dataset.Each(part.IDs, see) }); err != nil || !slices.Equal(seen, []string{"k"}) {
		t.Errorf("found %v, %v, want the first", seen, err)
	}
	if err := im.Names(ctx, see); err != nil || !slices.Equal(seen, []string{"k", "k"}) {
		t.Errorf("found %v, %v, want the first's name", seen, err)
	}
	stop := errors.New("stop")
	for _, path := range paths {
		im, err := OpenAll(ctx, []string{path, path}, Options{Height: 8, Width: 6})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if _, _, err := im.Stream(ctx, 1, func(*dataset.Set) error { n++; return stop }); err != stop || n != 1 {
			t.Errorf("%s: found %v after %d parts, want the callback's error after 1", path, err, n)
		}
	}
}

func TestImagesRefuse(t *testing.T) {
	png, err := os.ReadFile("../testdata/pictures/color.png")
	if err != nil {
		t.Fatal(err)
	}
	huge := bytes.Replace(png, []byte("IHDR\x00\x00\x00\x82\x00\x00\x00\x5a"), []byte("IHDR\x00\x10\x00\x82\x00\x10\x00\x5a"), 1)
	for _, test := range []struct {
		name, data string
		is         error
		want       string
	}{
		{"cut.png", string(png[:len(png)/2]), dataset.ErrFormat, "found a damaged png"},
		{"huge.png", string(huge), dataset.ErrFormat, "found a damaged png"}, // its header's CRC
		{"a.jpg", "\xff\xd8\xff\xe0 and no more", dataset.ErrFormat, "found a damaged jpeg"},
		{"a.gif", "GIF89a", dataset.ErrFormat, "found a GIF picture, want a PNG, JPEG, .npy, CSV"},
		{"a.webp", "RIFF\x00\x00\x00\x00WEBPVP8 ", dataset.ErrFormat, "found a WebP picture"},
		{"a.bin", "\x00\x01", dataset.ErrFormat, "found a binary file"},
		{"a.png", "", dataset.ErrEmpty, "found an empty file"},
		{"a.txt", "hello", nil, "found no column Image"},
	} {
		path := writeFile(t, test.name, test.data)
		_, err := imageParts([]string{"../testdata/pictures/gray.png", path}, 96, 96, 10)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), path) || test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s: found %v, want %s", test.name, err, test.want)
		}
	}
	if _, err := OpenAll(ctx, nil, Options{Height: 96, Width: 96}); !errors.Is(err, dataset.ErrEmpty) {
		t.Errorf("no paths: found %v", err)
	}
	if _, err := OpenAll(ctx, []string{"x"}, Options{Height: 0, Width: 96}); !errors.Is(err, dataset.ErrLimit) {
		t.Errorf("no size: found %v", err)
	}
	if _, err := OpenAll(ctx, []string{t.TempDir()}, Options{Height: 96, Width: 96}); !errors.Is(err, dataset.ErrEmpty) {
		t.Errorf("an empty folder: found %v", err)
	}
}

func TestReadProbeImages(t *testing.T) {
	dir := os.Getenv("FKZOO_TESTDATA")
	if dir == "" {
		t.Skip("FKZOO_TESTDATA not set")
	}
	s, err := readImages(filepath.Join(dir, "legacy", "probe-images.npy"), 96, 96)
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 8 || len(s.Floats) != 8*9216 {
		t.Errorf("found %d images, %d values", s.Len(), len(s.Floats))
	}
}
