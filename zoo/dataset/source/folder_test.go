package source

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/album"
)

func read(path string) (*dataset.Set, error) { return Read(ctx, path, Options{}) }

func isNaN(v float32) bool { return v != v }

var nan = float32(math.NaN())

// writeTree writes files below a folder; a name that ends in .png gets a picture
// of that many pixels, as in "30x20".
func writeTree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		data := []byte(text)
		if strings.HasSuffix(name, ".png") {
			var w, h int
			if n, _ := fmt.Sscanf(text, "%dx%d", &w, &h); n == 2 {
				var b bytes.Buffer
				m := image.NewGray(image.Rect(0, 0, w, h))
				for i := range m.Pix {
					m.Pix[i] = uint8(i)
				}
				if err := png.Encode(&b, m); err != nil {
					t.Fatal(err)
				}
				data = b.Bytes()
			}
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// xy68 is 68 landmarks, number i at (i, 100+i).
func xy68() (xy [2 * 68]float32) {
	for i := range 68 {
		xy[2*i], xy[2*i+1] = float32(i), float32(100+i)
	}
	return xy
}

// header68 names and row68 gives 68 landmarks in turn.
func header68(name func(i int, axis string) string) (header, row string) {
	var names, cells []string
	for i := range 68 {
		names = append(names, name(i, "x"), name(i, "y"))
		cells = append(cells, fmt.Sprint(i), fmt.Sprint(100+i))
	}
	return strings.Join(names, ","), strings.Join(cells, ",")
}

func pts68() string {
	var b strings.Builder
	b.WriteString("version: 1\nn_points:  68\n{\n")
	for i := range 68 {
		fmt.Fprintf(&b, "%d %d.0\n", i, 100+i)
	}
	return b.String() + "}\n"
}

// want15 are the 15 points of xy68, by their names as the data's README gives them.
func want15() map[string]float32 {
	out := map[string]float32{}
	for name, at := range map[string]float32{
		"left_eye_center": 44.5, "right_eye_center": 38.5, "left_eye_inner_corner": 42, "left_eye_outer_corner": 45,
		"right_eye_inner_corner": 39, "right_eye_outer_corner": 36, "left_eyebrow_inner_end": 22, "left_eyebrow_outer_end": 26,
		"right_eyebrow_inner_end": 21, "right_eyebrow_outer_end": 17, "nose_tip": 30, "mouth_left_corner": 54,
		"mouth_right_corner": 48, "mouth_center_top_lip": 51, "mouth_center_bottom_lip": 57,
	} {
		out[name+"_x"], out[name+"_y"] = at, 100+at
	}
	return out
}

func TestReadLandmarks(t *testing.T) {
	number := 0
	plain, row := header68(func(int, string) string { number++; return fmt.Sprint(number - 1) })
	openFace, _ := header68(func(i int, axis string) string { return fmt.Sprintf("%s_%d", axis, i) })
	fromOne, _ := header68(func(i int, axis string) string { return fmt.Sprintf("point_%d_%s", i+1, axis) })
	for name, files := range map[string]map[string]string{
		".pts beside":           {"a.png": "192x192", "a.pts": pts68()},
		".pts below":            {"helen/a.png": "192x192", "helen/a.pts": pts68()},
		"numbers":               {"k.csv": "," + plain + "\na.png," + row + "\n", "training/a.png": "192x192"},
		"x_0":                   {"k.csv": "frame,file," + openFace + "\n1,a.png," + row + "\n", "a.png": "192x192"},
		"point_1_x, quoted":     {"k.csv": "Image," + fromOne + "\r\n\"a.png\"," + row + "\r\n", "a.png": "192x192"},
		"with spaces and a bom": {"k.csv": "\ufeffFilename, " + strings.ReplaceAll(openFace, ",", ", ") + "\na.png," + row + "\n", "a.png": "192x192"},
	} {
		s, err := Read(ctx, writeTree(t, files), Options{Height: 48, Width: 96})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(s.Columns, blueprint.KaggleColumns) || s.Len() != 1 || s.Height != 48 || s.Width != 96 || s.Checksum != s.Sum() {
			t.Errorf("%s: found %d rows of %dx%d with columns %v", name, s.Len(), s.Height, s.Width, s.Columns)
			continue
		}
		for column, want := range want15() {
			by := float32(2) // 192 to 96
			if blueprint.IsY(column) {
				by = 4
			}
			if got := s.Row(0)[s.Column(column)]; got != want/by {
				t.Errorf("%s: %s: found %v, want %v", name, column, got, want/by)
			}
		}
	}
	xy := xy68()
	xy[2*40] = float32(math.NaN())
	if got := album.Landmarks(xy); !isNaN(got[2]) || isNaN(got[0]) || isNaN(got[3]) {
		t.Errorf("a missing landmark: found %v", got)
	}
}

func TestReadPictures(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"labels.csv": "age,file,nose_tip_x,nose_tip_y\n3,one.png,10,5\n4,\"sub/two.png\",,8\n\n5,two.png,60,40\n",
		"one.png":    "20x10", "sub/two.png": "120x80", "notes.txt": "hello",
	})
	for _, path := range []string{dir, filepath.Join(dir, "labels.csv")} {
		s, err := read(path)
		if err != nil {
			t.Fatal(err)
		}
		if s.Height != 96 || s.Width != 96 || !slices.Equal(s.IDs, []string{"one.png", "sub/two.png", "two.png"}) || !slices.Equal(s.Columns, []string{"nose_tip_x", "nose_tip_y"}) || s.Source != path {
			t.Errorf("found %+v", s)
		}
		for i, want := range [][2]float32{{48, 48}, {nan, 9.6}, {48, 48}} {
			for c, w := range want {
				if got := s.Row(i)[c]; !(math.Abs(float64(got-w)) < 1e-5) && !(isNaN(got) && isNaN(w)) {
					t.Errorf("row %d: found %v, want %v", i, s.Row(i), want)
				}
			}
		}
		if s.Scale(1) != (dataset.Scale{X: 1.25, Y: 80. / 96}) {
			t.Errorf("found scale %v", s.Scale(1))
		}
		if len(s.Notes) != 1 || !strings.Contains(s.Notes[0].String(), `passed over "age"`) {
			t.Errorf("found notes %v", s.Notes)
		}
	}
	// Pictures alone have no points, and predict takes a folder.
	plain := writeTree(t, map[string]string{"b.png": "20x10", "c/a.PNG.png": "20x10", ".hidden/x.png": "no", "d.txt": ""})
	s, err := readImages(plain, 12, 12)
	if err != nil || s.Len() != 2 || s.Columns != nil || s.IDs[1] != "c/a.PNG.png" {
		t.Errorf("found %+v, %v", s, err)
	}
	// Some without .pts.
	s, err = read(writeTree(t, map[string]string{"a.png": "192x192", "a.pts": pts68(), "b.png": "9x9"}))
	if err != nil || s.Len() != 2 || !isNaN(s.Row(1)[0]) || isNaN(s.Row(0)[0]) || len(s.Notes) != 1 || !strings.Contains(s.Notes[0].String(), "no .pts file for 1 of the 2 pictures") {
		t.Errorf("found %+v, %v", s, err)
	}
}

func TestReadPicturesRefuses(t *testing.T) {
	const head = "file,a_x,a_y\n"
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a missing file", map[string]string{"k.csv": head + "a.png,1,2\n\nb.png,1,2\n", "a.png": "4x4"}, `k.csv line 4, column file: found no file "b.png", want one in the CSV's folder`},
		{"outside", map[string]string{"k.csv": head + "../a.png,1,2\n"}, `column file: found "../a.png", want a picture's path inside the folder`},
		{"twice there", map[string]string{"k.csv": head + "a.png,1,2\n", "x/a.png": "4x4", "y/a.png": "4x4"}, "want one: put the folder into the name"},
		{"no number", map[string]string{"k.csv": head + "a.png,1,abc\n", "a.png": "4x4"}, `k.csv line 2, column a_y: found "abc", want a number or nothing`},
		{"a short row", map[string]string{"k.csv": head + "a.png,1\n", "a.png": "4x4"}, "k.csv line 2: found 2 fields, want 3, as in the header"},
		{"a quote", map[string]string{"k.csv": head + "a.png,1,2\n\"a.png,1,2\n", "a.png": "4x4"}, "k.csv line"},
		{"two tables", map[string]string{"k.csv": head, "l.csv": head}, "found 2 .csv files (k.csv, l.csv, ...), want one"},
		{"a lonely .pts", map[string]string{"a.pts": pts68()}, "a.pts: found no picture called like it"},
		{"a .pts of 5", map[string]string{"a.pts": "version: 1\nn_points: 5\n{\n", "a.png": "4x4"}, `a.pts line 2: found "5" points, want 68`},
		{"a .pts of 67", map[string]string{"a.pts": strings.Replace(pts68(), "67 167.0\n", "", 1), "a.png": "4x4"}, "a.pts line 71: found the end after 67 of 68 points, want all of them"},
		{"a .pts of 69", map[string]string{"a.pts": strings.Replace(pts68(), "67 167.0\n", "67 167.0\n68 168\n", 1), "a.png": "4x4"}, "a.pts line 72: found more than 68 points, want }"},
		{"a .pts that claims 67", map[string]string{"a.pts": strings.Replace(pts68(), "68\n", "67\n", 1), "a.png": "4x4"}, `a.pts line 2: found "67" points, want 68`},
		{"a .pts cut short", map[string]string{"a.pts": pts68()[:400], "a.png": "4x4"}, "want all of them and }"},
		{"a .pts with NaN", map[string]string{"a.pts": strings.Replace(pts68(), "67 167.0", "NaN 167", 1), "a.png": "4x4"}, `a.pts line 71: found "NaN", want a number`},
		{"a .pts with an infinity", map[string]string{"a.pts": strings.Replace(pts68(), "67 167.0", "1 1e99", 1), "a.png": "4x4"}, `a.pts line 71: found "1e99", want a number`},
		{"a .pts of three coordinates", map[string]string{"a.pts": strings.Replace(pts68(), "67 167.0", "1 2 3", 1), "a.png": "4x4"}, `a.pts line 71: found "1 2 3", want x and y`},
		{"a .pts with old line ends", map[string]string{"a.pts": strings.ReplaceAll(pts68(), "\n", "\r"), "a.png": "4x4"}, `a.pts line 1: found version`},
		{"an empty .pts", map[string]string{"a.pts": "", "a.png": "4x4"}, "a.pts line 1: found the file's end after 0 of 68 points"},
		{"a name of two lines", map[string]string{"a\nb.png": "hello"}, `a\nb.png": found text, want a PNG or JPEG`},
		{"a lonely .pts of two lines", map[string]string{"a\nb.pts": pts68()}, `a\nb.pts": found no picture called like it, want "a\nb".png`},
		{"no rows", map[string]string{"k.csv": head}, "k.csv: found no pictures, want at least one"},
		{"no picture", map[string]string{"k.csv": head + "k.csv,1,2\n"}, "k.csv: found text, want a PNG or JPEG"},
		{"a damaged one", map[string]string{"k.csv": head + "a.png,1,2\n", "a.png": "\x89PNG\r\n\x1a\nxx"}, "a.png: found a damaged png"},
	} {
		_, err := read(writeTree(t, test.files))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s:\nfound %v\nwant  %s", test.name, err, test.want)
		}
	}
}

// Of several faults the first one is named, whichever is found first.
func TestFirstFault(t *testing.T) {
	files := map[string]string{}
	var paths []string
	for i := range 40 {
		name := fmt.Sprintf("%02d.png", i)
		files[name] = "300x300" // takes longer than a fault
		if i >= 7 {
			files[name] = "no picture"
		}
	}
	dir := writeTree(t, files)
	for i := range 40 {
		paths = append(paths, filepath.Join(dir, fmt.Sprintf("%02d.png", i)))
	}
	for range 20 {
		if _, err := imageParts(paths, 96, 96, 10); err == nil || !strings.HasPrefix(err.Error(), paths[7]) {
			t.Fatalf("found %v, want %s", err, paths[7])
		}
		if _, err := read(dir); err == nil || !strings.HasPrefix(err.Error(), paths[7]) {
			t.Fatalf("found %v, want %s", err, paths[7])
		}
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := Read(stopped, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("found %v, want the context's error", err)
	}
}

// A picture that claims to be huge costs nothing: its size is read first.
func TestHugePicture(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	binary.BigEndian.PutUint32(data[16:], 1<<17)
	binary.BigEndian.PutUint32(data[20:], 1<<17)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	path := writeFile(t, "huge.png", string(data))
	if _, err := readImages(path, 96, 96); !errors.Is(err, dataset.ErrLimit) || !strings.Contains(err.Error(), "found 131072x131072 pixels, want at most 100000000") {
		t.Errorf("found %v", err)
	}
}

// Two pictures called alike have the same points.
func TestPointsOfTwoPictures(t *testing.T) {
	jpg, err := os.ReadFile("../testdata/pictures/gray.jpg")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Read(ctx, writeTree(t, map[string]string{"f.png": "64x64", "f.jpg": string(jpg), "f.pts": pts68()}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.IDs, []string{"f.jpg", "f.png"}) || len(s.Notes) > 0 {
		t.Errorf("found %q and the notes %v", s.IDs, s.Notes)
	}
	for r := range s.Len() {
		if x := s.Row(r)[s.Column("nose_tip_x")] * s.Scale(r).X; math.Abs(float64(x)-30) > 1e-4 {
			t.Errorf("%s: found the nose at %v of the picture, want 30", s.IDs[r], x)
		}
	}
}

// Whatever in a folder isn't read is told, but for what is hidden.
func TestPassedOver(t *testing.T) {
	jpg, err := os.ReadFile("../testdata/pictures/gray.jpg")
	if err != nil {
		t.Fatal(err)
	}
	const webp = "RIFF\x00\x00\x00\x00WEBPVP8 "
	for name, test := range map[string]struct {
		files map[string]string
		ids   []string
		notes []string
	}{
		"other pictures": {map[string]string{"a.png": "4x4", "b.webp": webp, "c.jfif": string(jpg), "d.JPE": string(jpg), ".e.webp": webp, "f/g.txt": "x"},
			[]string{"a.png", "c.jfif", "d.JPE"},
			[]string{`: passed over "b.webp", "f/g.txt": pictures are PNG and JPEG, points are in .pts files or one CSV`}},
		"many": {map[string]string{"a.png": "4x4", "1.gif": "", "2.gif": "", "3.gif": "", "4.gif": "", "5.gif": "", "6.gif": "", "7.gif": ""},
			[]string{"a.png"}, []string{`: passed over "1.gif", "2.gif", "3.gif", "4.gif", "5.gif" and 2 more: `}},
		"beside a list": {map[string]string{"k.csv": "file,a_x\na.png,1\n", "a.png": "4x4", "b/c.png": "4x4", "d.pts": pts68(), "e.txt": "x"},
			[]string{"a.png"}, []string{`: passed over "b/c.png", "d.pts": k.csv says what is read, and doesn't name them`}},
		"beside Kaggle's": {map[string]string{"k.csv": "a_x,Image\n1,2\n", "a.png": "4x4"},
			[]string{"1"}, []string{`: passed over "a.png": k.csv says what is read, and doesn't name them`}},
		"nothing": {map[string]string{"k.csv": "file,a_x\na.png,1\n", "a.png": "4x4"}, []string{"a.png"}, nil},
	} {
		dir := writeTree(t, test.files)
		s, err := Read(ctx, dir, Options{Height: 8, Width: 8})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(s.IDs, test.ids) || len(s.Notes) != len(test.notes) {
			t.Errorf("%s: found the rows %q and the notes %v", name, s.IDs, s.Notes)
			continue
		}
		for i, want := range test.notes {
			if got := s.Notes[i].String(); !strings.HasPrefix(got, dir+want) {
				t.Errorf("%s: found %q, want %q", name, got, want)
			}
		}
	}
	zipped := writeFile(t, "training.zip", zipOf(t, zip.Deflate, "README", "x", "training.csv", "a_x,Image\n1,2\n", "test.csv", "y", "__MACOSX/._t", ""))
	if s, err := Read(ctx, zipped, Options{}); err != nil || len(s.Notes) != 1 || s.Notes[0].Kind != dataset.PassedFiles || !slices.Equal(s.Notes[0].Names, []string{"README", "test.csv"}) {
		t.Errorf("a zip: found %+v, %v", s, err)
	}
}
