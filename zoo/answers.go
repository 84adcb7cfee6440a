package zoo

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Columns are those of the models' mean answer, in its order.
func Columns(models []*Model) []string {
	var out []string
	for _, m := range models {
		for _, c := range m.Document.Columns(nil) {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// PredictEach answers images as [Predict] does, but as they stream by: fn is
// given them in parts, in their order, each with its answers. A part is good only
// until fn returns. Memory doesn't grow with the number of images, and while one
// part is answered the next is read. Where their number isn't known, Tick's total
// is -1.
func PredictEach(ctx context.Context, models []*Model, images *dataset.Source, o PredictOptions, fn func(part *dataset.Set, p *Prediction) error) error {
	in, err := InputOf(models)
	if err != nil {
		return err
	}
	parts := &answerers{models: models, o: o}
	defer parts.close()
	if err := parts.open(in.Width, 1, images.Count); err != nil {
		return err
	}
	_, _, err = images.Stream(ctx, partBatches*engine.PredictBatch, func(part *dataset.Set) error {
		parts.atLeast(engine.BatchFor(part.Len()))
		p, err := parts.answer(ctx, part)
		if err != nil {
			return err
		}
		return fn(part, p)
	})
	return err
}

// AnswerFormats are what an [AnswerWriter] writes.
var AnswerFormats = []string{"csv", "json"}

// An AnswerWriter writes answers part by part, in pixels of the pictures that
// the images were read from: as CSV, a column image and then one for each
// coordinate; or as JSON, a list of {"image": ..., "points": {column: pixels}}.
// Close it.
type AnswerWriter struct {
	out     *bufio.Writer
	csv     *csv.Writer // nil: JSON
	columns []string    // quoted where they are JSON's
	record  []string
	rows    int
}

// NewAnswerWriter begins with what comes before the first answer. An unknown
// format is an error.
func NewAnswerWriter(w io.Writer, format string, columns []string) (*AnswerWriter, error) {
	a := &AnswerWriter{out: bufio.NewWriter(w)}
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
	return nil, fmt.Errorf("format: found %q, want one of %q", format, AnswerFormats)
}

// Write writes the answers to a part's images. All that was written so far then
// is in the underlying writer.
func (a *AnswerWriter) Write(part *dataset.Set, p *Prediction) error {
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

func (a *AnswerWriter) line(image string, points []float32) error {
	a.record[0] = image
	for c, v := range points {
		a.record[c+1] = decimal(v)
	}
	return a.csv.Write(a.record)
}

func (a *AnswerWriter) json(image string, points []float32) error {
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

func (a *AnswerWriter) flush() error {
	if a.csv != nil {
		a.csv.Flush()
		if err := a.csv.Error(); err != nil {
			return err
		}
	}
	return a.out.Flush()
}

// Close writes what comes after the last answer.
func (a *AnswerWriter) Close() error {
	if a.csv == nil {
		a.out.WriteString("\n]\n")
	}
	return a.flush()
}

// decimal writes a coordinate with as many digits as it takes to read it back.
func decimal(v float32) string { return strconv.FormatFloat(float64(v), 'f', -1, 32) }
