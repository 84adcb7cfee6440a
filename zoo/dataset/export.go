package dataset

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/internal/parallel"
)

// WriteCSV writes the set in the form of Kaggle's training.csv: the columns, an
// empty cell where a point is missing, each number with as many digits as lead
// back to it, and Image; or of test.csv, ImageId and Image, where the set has no
// columns. Images have to be squares, as the form doesn't tell their size;
// fractions are rounded to whole grey values.
func (s *Set) WriteCSV(ctx context.Context, w io.Writer) error {
	if s.Height != s.Width {
		return fmt.Errorf("%s: found images of %dx%d, want squares for a CSV: %w", s.Source, s.Width, s.Height, ErrShape)
	}
	out := csv.NewWriter(w)
	head := append(append([]string{}, s.Columns...), "Image")
	if len(s.Columns) == 0 {
		head = []string{"ImageId", "Image"}
	}
	if err := out.Write(head); err != nil {
		return err
	}
	record := make([]string, 0, len(head))
	var pixels []byte
	for r := range s.Len() {
		if err := ctx.Err(); err != nil {
			return err
		}
		record = record[:0]
		if len(s.Columns) == 0 {
			record = append(record, s.IDs[r])
		}
		for _, v := range s.Row(r) {
			record = append(record, cell(v))
		}
		pixels = pixels[:0]
		for i, v := range s.Gray(r).Pix {
			if i > 0 {
				pixels = append(pixels, ' ')
			}
			pixels = strconv.AppendUint(pixels, uint64(v), 10)
		}
		if err := out.Write(append(record, string(pixels))); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// cell is a coordinate as a CSV has it.
func cell(v float32) string {
	if isNaN(v) {
		return ""
	}
	return strconv.FormatFloat(float64(v), 'f', -1, 32)
}

// WriteZip writes a zip with the set as [Set.WriteCSV] does, under the given name.
func (s *Set) WriteZip(ctx context.Context, w io.Writer, name string) error {
	z := zip.NewWriter(w)
	// No time, so that the same set gives the same bytes.
	f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
	if err != nil {
		return err
	}
	if err := s.WriteCSV(ctx, f); err != nil {
		return err
	}
	return z.Close()
}

// tableName is the CSV in a folder that [Set.WriteFolder] writes.
const tableName = "keypoints.csv"

// WriteFolder writes the images as grey PNGs called 1.png, 2.png, ... by their
// place, and keypoints.csv with a column image and the set's own, which comes
// last: a folder without it is not whole. The folder is made if it isn't there;
// one that holds anything is refused with atomicfile.ErrExists, or with force
// keeps what isn't replaced.
func (s *Set) WriteFolder(ctx context.Context, folder string, force bool) error {
	if err := CheckFolder(folder, force); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	digits := len(strconv.Itoa(s.Len()))
	name := func(r int) string { return fmt.Sprintf("%0*d.png", digits, r+1) }
	err := parallel.InOrder(ctx, s.Len(), func(r int) error {
		return atomicfile.Write(filepath.Join(folder, name(r)), force, func(w io.Writer) error { return png.Encode(w, s.Gray(r)) })
	})
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(folder, tableName), force, func(w io.Writer) error {
		out := bufio.NewWriter(w)
		fmt.Fprintf(out, "%s\n", strings.Join(append([]string{"image"}, quoted(s.Columns)...), ","))
		for r := range s.Len() {
			out.WriteString(name(r))
			for _, v := range s.Row(r) {
				out.WriteByte(',')
				out.WriteString(cell(v))
			}
			out.WriteByte('\n')
		}
		return out.Flush()
	})
}

// CheckFolder tells whether [Set.WriteFolder] would refuse the folder.
func CheckFolder(folder string, force bool) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 && !force {
		return fmt.Errorf("%s: found a folder that isn't empty: %w", folder, atomicfile.ErrExists)
	}
	return nil
}

// ErrShape is what images match that aren't squares, where squares are needed.
var ErrShape = errors.New("not a square")

// quoted are names as a CSV's header has them.
func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		if out[i] = n; strings.ContainsAny(n, `," `) {
			out[i] = `"` + strings.ReplaceAll(n, `"`, `""`) + `"`
		}
	}
	return out
}
