package album

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// pts is a .pts file, point i at (i, 100+i).
func pts() string {
	var b strings.Builder
	b.WriteString("version: 1\nn_points:  68\n{\n")
	for i := range landmarks {
		fmt.Fprintf(&b, "%d %d.0\n", i, 100+i)
	}
	return b.String() + "}\n"
}

// FuzzPTS: no .pts file may panic, or be taken with a point missing.
func FuzzPTS(f *testing.F) {
	f.Add([]byte(pts()))
	f.Add([]byte("\ufeffversion: 1\r\nn_points: 68\r\n{\r\n1 2\r\n}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		xy, err := readPTS(bytes.NewReader(data), "f.pts")
		if err != nil {
			if !errors.As(err, new(*dataset.RowError)) && !errors.Is(err, dataset.ErrFormat) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		if bytes.Count(data, []byte("\n")) < landmarks || slices.ContainsFunc(xy[:], func(v float32) bool { return v != v || math.IsInf(float64(v), 0) }) {
			t.Fatalf("found %v in %q", xy, data)
		}
	})
}

// FuzzTable: no CSV that names pictures may panic, and what is taken is whole.
func FuzzTable(f *testing.F) {
	var names, cells []string
	for i := range landmarks {
		names, cells = append(names, fmt.Sprintf("x%d,y%d", i, i)), append(cells, fmt.Sprintf("%d,%d", i, 100+i))
	}
	plain, row := strings.Join(names, ","), strings.Join(cells, ",")
	f.Add([]byte("file,a_x,a_y,b\na.png,1,,x\n"))
	f.Add([]byte("file," + plain + "\na.png," + row + "\n"))
	f.Add([]byte("Image,a_x\n\"a,b.png\",1e3\n"))
	f.Add([]byte("Image,a_x\n1 2 3 4,1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := newList(bytes.NewReader(data), "f.csv")
		if list == nil || err != nil {
			return
		}
		if err := list.readRows(context.Background()); err != nil {
			if !errors.As(err, new(*dataset.RowError)) && !errors.Is(err, dataset.ErrLimit) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		n := len(list.album.Names)
		if len(list.lines) != n || len(list.album.Points) != n*len(list.album.Columns) {
			t.Fatalf("found %d rows, %d lines, %d points in %d columns", n, len(list.lines), len(list.album.Points), len(list.album.Columns))
		}
		for _, name := range list.album.Names {
			if !filepath.IsLocal(name) {
				t.Fatalf("found the path %q", name)
			}
		}
	})
}
