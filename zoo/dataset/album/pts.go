package album

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// readPTS reads the 68 landmarks of a .pts file, as they stand: in iBUG's own the
// middle of the first pixel is (1, 1), here (0.5, 0.5), but others write these
// files too, and none says which it means:
//
//	version: 1
//	n_points: 68
//	{
//	x y
//	...
//	}
func readPTS(r io.Reader, file string) (xy [2 * landmarks]float32, err error) {
	lines := bufio.NewScanner(io.LimitReader(r, 1<<20))
	number, n, open := 0, 0, false
	bad := func(found, want string) error {
		return &dataset.RowError{File: file, Line: max(number, 1), Found: found, Want: want}
	}
	for lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		if number == 1 {
			line = strings.TrimPrefix(line, string(input.BOM))
		}
		key, value, pair := strings.Cut(line, ":")
		switch {
		case line == "" || strings.HasPrefix(line, "//") || strings.HasPrefix(line, "#"):
		case !open && line == "{":
			open = true
		case !open && pair && strings.TrimSpace(key) == "version":
			if v := strings.TrimSpace(value); v != "1" && v != "1.0" {
				return xy, bad("version "+input.Quote([]byte(v)), "1")
			}
		case !open && pair && strings.TrimSpace(key) == "n_points":
			if v := strings.TrimSpace(value); v != strconv.Itoa(landmarks) {
				return xy, bad(input.Quote([]byte(v))+" points", "68, in the iBUG order")
			}
		case !open:
			return xy, bad(input.Quote([]byte(line)), "version, n_points or {")
		case line == "}":
			if n != landmarks {
				return xy, bad(fmt.Sprintf("the end after %d of 68 points", n), "all of them")
			}
			return xy, nil
		case n == landmarks:
			return xy, bad("more than 68 points", "}")
		default:
			fields := strings.Fields(line)
			if len(fields) != 2 {
				return xy, bad(input.Quote([]byte(line)), "x and y")
			}
			for axis, f := range fields {
				v, wrong := input.Coordinate([]byte(f))
				if wrong != nil {
					return xy, bad(wrong.Found, "a number")
				}
				xy[2*n+axis] = v
			}
			n++
		}
	}
	if err := lines.Err(); err != nil {
		return xy, fmt.Errorf("%s: %w: %w", file, dataset.ErrFormat, err)
	}
	return xy, bad(fmt.Sprintf("the file's end after %d of 68 points", n), "all of them and }")
}
