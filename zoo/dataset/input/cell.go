package input

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Limits on a table of any form.
const (
	MaxHeader  = 1 << 20 // bytes of a header line
	MaxColumns = 10_000  // in a header
)

// Coordinate reads a decimal number, rounded to the nearest float32; an
// empty cell is NaN. Infinities, NaN, hexadecimals and what float32 cannot hold
// are refused.
func Coordinate(field []byte) (float32, *dataset.RowError) {
	b := bytes.Trim(field, " \t")
	if len(b) == 0 {
		return float32(math.NaN()), nil
	}
	plain := len(b) <= 64
	for _, c := range b {
		plain = plain && (c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E')
	}
	if plain {
		if v, err := strconv.ParseFloat(string(b), 32); err == nil {
			return float32(v), nil
		}
	}
	return 0, &dataset.RowError{Found: Quote(field), Want: "a number or nothing"}
}

// Shown is a path in an error: quoted where a line would end in it, or worse.
func Shown(path string) string {
	if strings.ContainsFunc(path, unicode.IsControl) {
		return strconv.Quote(path)
	}
	return path
}

// Quote shows a cell in an error, cut where it is long.
func Quote(b []byte) string {
	const most = 24
	if len(b) > most {
		return fmt.Sprintf("%q...", b[:most])
	}
	return fmt.Sprintf("%q", b)
}
