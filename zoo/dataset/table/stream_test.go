package table

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

func streamPath(path string, n int, fn func(part *dataset.Set) error) (checksum string, rows int, err error) {
	s, err := open(path)
	if err != nil {
		return "", 0, err
	}
	return s.Stream(ctx, n, fn)
}

// stream hands out a text in parts.
func stream(src *text, blockSize, n int, fn func(part *dataset.Set) error) (checksum string, rows int, err error) {
	src.close = func() error { return nil }
	s := &dataset.Source{Rows: &csvRows{func() (*text, error) { return src, nil }, blockSize}}
	return s.Stream(ctx, n, fn)
}

func TestStreamIsReadInParts(t *testing.T) {
	whole, err := readPath("../testdata/small.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, whole.Len(), 100} {
		got := &dataset.Set{Columns: whole.Columns, Height: whole.Height, Width: whole.Width, Channels: 1}
		parts := 0
		checksum, rows, err := streamPath("../testdata/small.csv", n, func(part *dataset.Set) error {
			parts++
			got.Append(part, 0, part.Len())
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := (whole.Len() + n - 1) / n; parts != want || rows != whole.Len() {
			t.Errorf("parts of %d: found %d of them and %d rows, want %d and %d", n, parts, rows, want, whole.Len())
		}
		if checksum != whole.Checksum || got.Sum() != whole.Checksum || !slices.Equal(got.IDs, whole.IDs) {
			t.Errorf("parts of %d: found checksum %s, of the parts' rows %s, want %s", n, checksum, got.Sum(), whole.Checksum)
		}
	}
}

func TestStreamRefuses(t *testing.T) {
	stop := errors.New("enough")
	parts := 0
	_, _, err := streamPath("../testdata/small.csv", 1, func(*dataset.Set) error { parts++; return stop })
	if err != stop || parts != 1 {
		t.Errorf("found error %v after %d parts, want the callback's after 1", err, parts)
	}
	if _, _, err := streamPath("../testdata/small.csv", 0, nil); err == nil {
		t.Error("found no error for parts of 0 rows")
	}
	if _, _, err := streamPath("../testdata/none.csv", 1, nil); err == nil {
		t.Error("found no error for a file that isn't there")
	}
}

// manyRows is a CSV of that many images of side x side, made while it is read.
type manyRows struct {
	rows, side int
	row, buf   []byte
}

func (m *manyRows) Read(p []byte) (int, error) {
	if m.row == nil {
		m.buf = []byte("Image\n")
		m.row = append(bytes.Repeat([]byte("7 "), m.side*m.side-1), "7\n"...)
	}
	if len(m.buf) == 0 {
		if m.rows == 0 {
			return 0, io.EOF
		}
		m.rows--
		m.buf = m.row
	}
	n := copy(p, m.buf)
	m.buf = m.buf[n:]
	return n, nil
}

// Ten times the rows take no more memory: 50,000 images of 48x48 are 115 MB, of
// which never more than a few megabytes are there.
func TestStreamKeepsMemoryFlat(t *testing.T) {
	peak := func(rows int) uint64 {
		runtime.GC()
		var m runtime.MemStats
		var most uint64
		parts := 0
		_, n, err := stream(&text{Reader: &manyRows{rows: rows, side: 48}, name: "many.csv"}, blockSize, 256, func(*dataset.Set) error {
			if parts++; parts%8 == 0 {
				runtime.GC() // what is left is in use
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
			return nil
		})
		if err != nil || n != rows {
			t.Fatalf("found %d rows and error %v, want %d rows", n, err, rows)
		}
		return most
	}
	few, many := peak(5_000), peak(50_000)
	t.Logf("5,000 rows: at most %.1f MB in use, 50,000 rows: %.1f MB", float64(few)/1e6, float64(many)/1e6)
	if many > few+8<<20 {
		t.Errorf("found %d bytes in use for 50,000 rows and %d for 5,000, want no more than 8 MB apart", many, few)
	}
}
