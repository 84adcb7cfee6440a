package source

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

var ctx = context.Background()

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

// expected is what testdata/make.py found with NumPy, Pillow and hashlib.
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

func TestReadRefusesFiles(t *testing.T) {
	const text = "x_x,Image\n1,1 2 3 4\n"
	for _, test := range []struct {
		name, data string
		is         error
		want       string
	}{
		{"a.csv", "", dataset.ErrEmpty, "found an empty file"},
		{"a.csv", "\ufeff", dataset.ErrEmpty, "found an empty file"},
		{"a.csv", "\x7fELF\x00\x01", dataset.ErrFormat, "found a binary file"},
		{"a.csv", "\x89PNG\r\n\x1a\n....", dataset.ErrFormat, "found a damaged png"}, // content says what it is,
		{"a.gz", "\x1f\x8b\x08", dataset.ErrFormat, "found a gzip file"},
		{"a.csv", "\xff\xfea\x00", dataset.ErrFormat, "found UTF-16 text"},
		{"a.zip", zipOf(t, zip.Store), dataset.ErrFormat, "found nothing in the zip, want a .csv"},
		{"a.zip", zipOf(t, zip.Store, "training.zip", "x", "b.txt", "y"), dataset.ErrFormat, "found training.zip, b.txt in the zip, want a .csv"},
		{"a.zip", zipOf(t, zip.Store, "b.csv", text, "c.csv", text), dataset.ErrFormat, "found 2 .csv files in the zip (b.csv, ...), want one, or one called a.csv"},
		{"a.zip", zipOf(t, zip.Store, "x/a.csv", text, "y/a.csv", text), dataset.ErrFormat, "found 2 .csv files"},
		{"a.zip", "PK\x03\x04 and no more", nil, "found a damaged zip"},
		{"a.zip", strings.Replace(zipOf(t, zip.Store, "b.csv", text), "1 2 3 4", "1 2 3 5", 1), zip.ErrChecksum, "a.zip:b.csv: found a wrong CRC-32"},
		{"a.zip", zipOf(t, zip.Deflate, "b.csv", text)[:60], nil, "found a damaged zip"},
		{"a.zip", zipOf(t, zip.Deflate, "b.csv", "x_x,Image\n"+strings.Repeat("1,"+strings.Repeat("7 ", 128*128)+"\n", 2050)), dataset.ErrLimit, "want at most 100 times the packed size"},
		{"a.csv", "Image\n" + strings.Repeat("1", 65<<20), dataset.ErrLimit, "a.csv line 2: found more than 67108864 bytes, want at most that in a line"},
	} {
		path := writeFile(t, test.name, test.data)
		_, err := read(path)
		if err == nil || !strings.Contains(err.Error(), test.want) || test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s of %d bytes:\nfound %v\nwant  %s (%v)", test.name, len(test.data), err, test.want, test.is)
		} else if !strings.HasPrefix(err.Error(), path) {
			t.Errorf("found %v, want the path first", err)
		}
	}
	if _, err := read(t.TempDir()); !errors.Is(err, dataset.ErrEmpty) {
		t.Errorf("an empty folder: found %v", err)
	}
	if _, err := read("../testdata/none.csv"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: found %v", err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Read(done, "../testdata/small.csv", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: found %v", err)
	}
}
