package answer

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Formats are what a [Writer] writes.
var Formats = []string{"csv", "json"}

// A Writer writes answers part by part, in pixels of the pictures that
// the images were read from: as CSV, a column image and then one for each
// coordinate; or as JSON, a list of {"image": ..., "points": {column: pixels}}.
// Close it.
type Writer struct {
	out     *bufio.Writer
	csv     *csv.Writer // nil: JSON
	columns []string    // quoted where they are JSON's
	record  []string
	rows    int
}

// NewWriter begins with what comes before the first answer. An unknown
// format is an error.
func NewWriter(w io.Writer, format string, columns []string) (*Writer, error) {
	a := &Writer{out: bufio.NewWriter(w)}
	switch format {
	case "csv":
		a.csv, a.record = csv.NewWriter(a.out), make([]string, len(columns)+1)
		return a, a.csv.Write(append([]string{"image"}, columns...))
	case "json":
		for _, c := range columns {
			name, err := json.Marshal(c)
			if err != nil {
				return nil, err
			}
			a.columns = append(a.columns, string(name))
		}
		_, err := a.out.WriteString("[")
		return a, err
	}
	return nil, fmt.Errorf("format: found %q, want one of %q", format, Formats)
}

// Write writes the answers to a part's images. All that was written so far then
// is in the underlying writer.
func (a *Writer) Write(part *dataset.Set, p *Prediction) error {
	write := a.json
	if a.csv != nil {
		write = a.line
	}
	for r := range part.Len() {
		if err := write(part.IDs[r], p.Original(part, r)); err != nil {
			return err
		}
		a.rows++
	}
	return a.flush()
}

func (a *Writer) line(image string, points []float32) error {
	a.record[0] = image
	for c, v := range points {
		a.record[c+1] = decimal(v)
	}
	return a.csv.Write(a.record)
}

func (a *Writer) json(image string, points []float32) error {
	name, err := json.Marshal(image)
	if err != nil {
		return err
	}
	if a.rows > 0 {
		a.out.WriteString(",")
	}
	fmt.Fprintf(a.out, "\n  {\"image\": %s, \"points\": {", name)
	for c, v := range points {
		if c > 0 {
			a.out.WriteString(", ")
		}
		fmt.Fprintf(a.out, "%s: %s", a.columns[c], decimal(v))
	}
	_, err = a.out.WriteString("}}")
	return err
}

func (a *Writer) flush() error {
	if a.csv != nil {
		a.csv.Flush()
		if err := a.csv.Error(); err != nil {
			return err
		}
	}
	return a.out.Flush()
}

// Close writes what comes after the last answer.
func (a *Writer) Close() error {
	if a.csv == nil {
		a.out.WriteString("\n]\n")
	}
	return a.flush()
}

// decimal writes a coordinate with as many digits as it takes to read it back.
func decimal(v float32) string { return strconv.FormatFloat(float64(v), 'f', -1, 32) }
