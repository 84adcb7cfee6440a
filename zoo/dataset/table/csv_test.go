package table

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

var ctx = context.Background()

// expected is what ../testdata/make.py found with NumPy, Pillow and hashlib.
func expected(t *testing.T, key string, value any) {
	t.Helper()
	data, err := os.ReadFile("../testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(all[key], value); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
}

// readPath reads a CSV, or the zip with it.
func readPath(path string) (*dataset.Set, error) {
	s, err := open(path)
	if err != nil {
		return nil, err
	}
	return s.Read(ctx)
}

func open(path string) (*dataset.Source, error) {
	f, err := input.Look(path)
	if err != nil {
		return nil, err
	}
	s, err := OpenCSV(ctx, f, input.Size{})
	if err == nil {
		s.Name = path
	}
	return s, err
}

func readString(csv string, blockSize int) (*dataset.Set, error) {
	return readCSV(ctx, &text{Reader: strings.NewReader(csv), name: "a.csv", size: int64(len(csv))}, blockSize, 0, nil)
}

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// zipOf makes a zip of name, text, name, text, ...
func zipOf(t testing.TB, method uint16, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: members[i], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, members[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReadAgreesWithNumPy(t *testing.T) {
	var want struct {
		Columns  []string
		Pixels   [][]int
		Points   [][]*float64
		Checksum string
	}
	expected(t, "small", &want)
	s, err := readPath("../testdata/small.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Columns, want.Columns) || s.Len() != len(want.Pixels) || s.Height != 4 || s.Width != 4 || s.Channels != 1 {
		t.Fatalf("found %v, %d rows of %dx%dx%d", s.Columns, s.Len(), s.Height, s.Width, s.Channels)
	}
	for r := range want.Pixels {
		for p, v := range want.Pixels[r] {
			if got := s.Bytes[r*16+p]; int(got) != v {
				t.Errorf("row %d, pixel %d: found %d, want %d", r, p, got, v)
			}
		}
		for c, v := range want.Points[r] {
			got := s.Row(r)[c]
			if (v == nil) != (got != got) || v != nil && got != float32(*v) {
				t.Errorf("row %d, column %d: found %v, want %v", r, c, got, v)
			}
		}
		if want := fmt.Sprint(r + 1); s.IDs[r] != want {
			t.Errorf("row %d: found id %s, want %s", r, s.IDs[r], want)
		}
	}
	if s.Checksum != want.Checksum {
		t.Errorf("found checksum %s, want %s", s.Checksum, want.Checksum)
	}
	if s.Source != "../testdata/small.csv" {
		t.Errorf("found source %q", s.Source)
	}
}

// TestSameContentSameChecksum: the form of a file does not matter.
func TestSameContentSameChecksum(t *testing.T) {
	data, err := os.ReadFile("../testdata/small.csv")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	want, err := readPath("../testdata/small.csv")
	if err != nil {
		t.Fatal(err)
	}
	var quoted strings.Builder
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		quoted.WriteString(`"` + strings.Join(fields, `","`) + "\"\n")
	}
	points := strings.NewReplacer("0 255 9 ", "0.0  255.000 009. ")
	for name, path := range map[string]string{
		"crlf":           writeFile(t, "a.csv", strings.ReplaceAll(text, "\n", "\r\n")),
		"mark":           writeFile(t, "a.csv", "\ufeff"+text),
		"no last end":    writeFile(t, "a.csv", strings.TrimSuffix(text, "\n")),
		"blank lines":    writeFile(t, "a.csv", text+"\n\r\n\n"),
		"quoted":         writeFile(t, "a.csv", quoted.String()),
		"other digits":   writeFile(t, "a.csv", points.Replace(text)),
		"stored":         writeFile(t, "a.zip", zipOf(t, zip.Store, "training.csv", text)),
		"deflated":       writeFile(t, "a.zip", zipOf(t, zip.Deflate, "training.csv", text)),
		"beside others":  writeFile(t, "a.zip", zipOf(t, zip.Deflate, "README", "x", "__MACOSX/._t.csv", "y", "in/T.CSV", text)),
		"named":          writeFile(t, "training.zip", zipOf(t, zip.Deflate, "other.csv", "x", "training.csv", text)),
		"zip, other end": writeFile(t, "training.dat", zipOf(t, zip.Deflate, "training.csv", text)),
	} {
		s, err := readPath(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if s.Checksum != want.Checksum || s.Sum() != want.Checksum {
			t.Errorf("%s: found another checksum", name)
		}
	}
	changed, err := readPath(writeFile(t, "a.csv", strings.Replace(text, "-2.5", "-2.6", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if changed.Checksum == want.Checksum {
		t.Error("another coordinate has the same checksum")
	}
}

func TestReadColumnsInAnyOrder(t *testing.T) {
	s, err := readString("b_y,Image,ImageId,a_x\n1,1 2 3 4,x7,2\n,5 6 7 8,\"y,8\",3\n", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Columns, []string{"b_y", "a_x"}) || !slices.Equal(s.IDs, []string{"x7", "y,8"}) ||
		!slices.Equal(s.Bytes, []uint8{1, 2, 3, 4, 5, 6, 7, 8}) || s.Points[0] != 1 || s.Points[1] != 2 || s.Points[2] == s.Points[2] || s.Points[3] != 3 {
		t.Errorf("found %+v", s)
	}
	s, err = readString("ImageId,Image\n1,9\n2,8\n", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if s.Columns != nil || s.Points != nil || s.Height != 1 || s.Sum() != s.Checksum {
		t.Errorf("found %+v", s)
	}
}

// TestReadRefuses has a text, and the whole of the error.
func TestReadRefuses(t *testing.T) {
	const head = "x_x,x_y,Image\n"
	const good = "1,2,1 2 3 4\n"
	for _, test := range []struct{ text, want string }{
		{head + good + "1,2,1 2 3\n", "a.csv line 3, column Image: found 3 pixels, want 4 as in the first row"},
		{head + good + "1,2,1 2 3 4 5\n", "a.csv line 3, column Image: found 5 pixels, want 4 as in the first row"},
		{head + good + good + "1,2,\n", "a.csv line 4, column Image: found 0 pixels, want 4 as in the first row"},
		{head + "1,2,1 2 3\n", "a.csv line 2, column Image: found 3 pixels, want a square number of them, such as 9216 (96x96)"},
		{head + "1,2,\n", "a.csv line 2, column Image: found 0 pixels, want a square number of them, such as 9216 (96x96)"},
		{head + good + "1,2,1 256 3 4\n", `a.csv line 3, column Image, pixel 2: found "256", want a whole number 0 to 255`},
		{head + good + "1,2,1 2 -3 4\n", `a.csv line 3, column Image, pixel 3: found "-3", want a whole number 0 to 255`},
		{head + "1,2,1 2 3 4.5\n", `a.csv line 2, column Image, pixel 4: found "4.5", want a whole number 0 to 255`},
		{head + "1,2,1 2 3 99999999999999999999\n", `a.csv line 2, column Image, pixel 4: found "99999999999999999999", want a whole number 0 to 255`},
		{head + "1,2,1 2 3 .\n", `a.csv line 2, column Image, pixel 4: found ".", want a whole number 0 to 255`},
		{head + "1,2,1 nan 3 4\n", `a.csv line 2, column Image, pixel 2: found "nan", want a whole number 0 to 255`},
		{head + "1,2,1 1e1 3 4\n", `a.csv line 2, column Image, pixel 2: found "1e1", want a whole number 0 to 255`},
		{head + good + "abc,2,1 2 3 4\n", `a.csv line 3, column x_x: found "abc", want a number or nothing`},
		{head + good + "1,NaN,1 2 3 4\n", `a.csv line 3, column x_y: found "NaN", want a number or nothing`},
		{head + "Inf,2,1 2 3 4\n", `a.csv line 2, column x_x: found "Inf", want a number or nothing`},
		{head + "1e39,2,1 2 3 4\n", `a.csv line 2, column x_x: found "1e39", want a number or nothing`},
		{head + "0x1p3,2,1 2 3 4\n", `a.csv line 2, column x_x: found "0x1p3", want a number or nothing`},
		{head + "1_0,2,1 2 3 4\n", `a.csv line 2, column x_x: found "1_0", want a number or nothing`},
		{head + "1 0,2,1 2 3 4\n", `a.csv line 2, column x_x: found "1 0", want a number or nothing`},
		{head + strings.Repeat("1", 70) + ",2,1 2 3 4\n", `a.csv line 2, column x_x: found "` + strings.Repeat("1", 24) + `"..., want a number or nothing`},
		{head + good + "1,1 2 3 4\n", `a.csv line 3: found 2 fields, want 3, as in the header`},
		{head + good + "1,2,1 2 3 4,\n", `a.csv line 3: found 4 fields, want 3, as in the header`},
		{head + "1,2\n", `a.csv line 2: found 2 fields, want 3, as in the header`},
		{head + good + "\n" + good, `a.csv line 3: found an empty line, want a row, or nothing more`},
		{head + "\n" + good, `a.csv line 2: found an empty line, want a row, or nothing more`},
		{head + good + "1,\"2,1 2 3 4\n", `a.csv line 3, column x_y: found a quote without its end, want fields as 1,2 or "1","2", each within its line`},
		{head + good + "1,\"2\"3,1 2 3 4\n", `a.csv line 3, column x_y: found a quote without its end, want fields as 1,2 or "1","2", each within its line`},
		{"ImageId,Image\n,1\n", `a.csv line 2, column ImageId: found nothing, want an id`},
		{"x_x,x_y\n1,2\n", `a.csv line 1: found no column Image in "x_x,x_y", want a header with Kaggle's columns, Image among them`},
		{good, `a.csv line 1: found no column Image in "1,2,1 2 3 4", want a header with Kaggle's columns, Image among them`},
		{"x_x,Image,x_x\n1,2,3\n", `a.csv line 1, column x_x: found the name twice, want each once`},
		{"Image,Image\n1,2\n", `a.csv line 1, column Image: found the name twice, want each once`},
		{"x_x,,Image\n1,2,3\n", `a.csv line 1: found column 2 without a name, want a name for each`},
		{"nose\x1b[2Jtip_x,Image\n1,2\n", `a.csv line 1: found the name "nose\x1b[2Jtip_x", want names without control characters`},
		{"nose\u009btip_x,Image\n1,2\n", `a.csv line 1: found the name "nose\u009btip_x", want names without control characters`},
		{"x_x,\"Image\n1,2\n", `a.csv line 1: found a quoted name without its end, want names separated by commas, quoted as "name"`},
		{head, `a.csv: found a header without rows, want at least one row: no rows`},
		{head + "\n\n", `a.csv: found a header without rows, want at least one row: no rows`},
		{"x_x,x_y,Image", `a.csv: found a header without rows, want at least one row: no rows`},
		{"", `a.csv: found an empty file, want a CSV: no rows`},
		{"\n\r\n\n", `a.csv: found only empty lines, want a CSV: no rows`},
		{"\nImage\n1 2 3 4\n", `a.csv line 1: found an empty line, want a header with Kaggle's columns`},
		{strings.Repeat("c,", input.MaxColumns+1), `a.csv line 1, column c: found the name twice, want each once`},
		{strings.Repeat("c", input.MaxHeader+1) + ",Image\n", `a.csv line 1: found a header of 1048583 bytes, want at most 1048576: over a limit`},
		{"Image\n1 2 3 4\n1 2 3\n1 2 3 x\n", "a.csv line 3, column Image: found 3 pixels, want 4 as in the first row"}, // the first fault
	} {
		for _, size := range []int{1 << 20, 16} { // one block; many
			_, err := readString(test.text, size)
			if err == nil || err.Error() != test.want {
				t.Errorf("%.60q in blocks of %d:\nfound %v\nwant  %s", test.text, size, err, test.want)
			}
		}
	}
	_, err := readString(head+good+"1,b,1 2 3 4\n", 1<<20)
	var row *dataset.RowError
	if !errors.As(err, &row) || row.Line != 3 || row.Column != "x_y" {
		t.Errorf("found %#v, want a *dataset.RowError", err)
	}
}

// TestReadInBlocks: where blocks end does not matter.
func TestReadInBlocks(t *testing.T) {
	var text strings.Builder
	text.WriteString("ImageId,a_x,Image\n")
	for r := range 300 {
		fmt.Fprintf(&text, "%d,%.3f,%d %d %d %d\n", r+1, float64(r)/7, r%256, r*7%256, r*31%256, r%10)
	}
	want, err := readString(text.String(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if want.Len() != 300 || want.IDs[299] != "300" || want.Bytes[4*299] != 299-256 {
		t.Fatalf("found %d rows", want.Len())
	}
	for size := 2; size < 200; size++ {
		s, err := readString(text.String(), size)
		if err != nil {
			t.Fatalf("blocks of %d: %v", size, err)
		}
		if s.Checksum != want.Checksum || !slices.Equal(s.IDs, want.IDs) {
			t.Errorf("blocks of %d give another result", size)
		}
	}
}

func TestReadKaggleForm(t *testing.T) {
	dir := os.Getenv("FKZOO_TESTDATA")
	if dir == "" {
		t.Skip("FKZOO_TESTDATA not set")
	}
	s, err := readPath(filepath.Join(dir, "data", "training.zip"))
	if err != nil {
		t.Fatal(err)
	}
	sum := s.Summary()
	if sum.Rows != 3462 || sum.Complete != 2140 || len(s.Columns) != 30 || s.Height != 96 || s.Width != 96 {
		t.Errorf("found %d rows, %d complete, %d columns, %dx%d", sum.Rows, sum.Complete, len(s.Columns), s.Height, s.Width)
	}
	if s.Columns[0] != "left_eye_center_x" || s.Points[0] != 64.8410867 || s.Bytes[0] != 117 || s.Bytes[len(s.Bytes)-1] != 42 {
		t.Error("the first or last values are wrong")
	}
	if cap(s.Bytes) > len(s.Bytes)*6/5 {
		t.Errorf("%d bytes set aside for %d", cap(s.Bytes), len(s.Bytes))
	}
	test, err := readPath(filepath.Join(dir, "data", "test.zip"))
	if err != nil {
		t.Fatal(err)
	}
	if test.Len() != 770 || test.Columns != nil || test.IDs[769] != "770" {
		t.Errorf("found %d test rows, columns %v", test.Len(), test.Columns)
	}
}
