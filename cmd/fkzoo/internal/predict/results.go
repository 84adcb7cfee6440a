package predict

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/zoo/photo"
)

// results writes what was found in photographs, or in a film's frames.
type results struct {
	format string // text, csv or json
	lines  bool   // JSON has a line for each, and no list: there may be no end
	film   bool   // they are frames of a film
	out    *bufio.Writer

	csv    *csv.Writer
	headed bool // the CSV has its head
	count  int
}

func (t *results) begin() error {
	if t.format == "csv" {
		t.csv = csv.NewWriter(t.out)
	}
	if t.format == "json" && !t.lines {
		_, err := t.out.WriteString("[")
		return err
	}
	return nil
}

func (t *results) end() error {
	if t.format == "json" && !t.lines {
		if _, err := t.out.WriteString("\n]\n"); err != nil {
			return err
		}
	}
	return t.out.Flush()
}

// write writes one result, and all of it at once. points are the names of those that each face has.
func (t *results) write(r *photo.Result, points []string) error {
	t.count++
	if t.csv != nil && !t.headed {
		t.headed = true
		if err := t.csv.Write(t.head(points)); err != nil {
			return err
		}
	}
	var err error
	switch t.format {
	case "json":
		err = t.json(r)
	case "csv":
		err = t.rows(r)
	default:
		t.text(r)
	}
	return errors.Join(err, t.out.Flush())
}

func (t *results) json(r *photo.Result) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	switch {
	case t.lines:
		text = append(text, '\n')
	case t.count > 1:
		t.out.WriteString(",\n  ")
	default:
		t.out.WriteString("\n  ")
	}
	_, err = t.out.Write(text)
	return err
}

// rows writes a row for each face; of a photograph without one, none.
func (t *results) rows(r *photo.Result) error {
	for i := range r.Faces {
		f := &r.Faces[i]
		row := []string{r.Image}
		face := i + 1
		if t.film {
			row, face = append(row, strconv.Itoa(*r.Frame), number(*r.Time)), f.Follow
		}
		row = append(row, strconv.Itoa(face), number(f.Score))
		for _, v := range f.Box {
			row = append(row, number(v))
		}
		for _, p := range f.Points {
			row = append(row, number(photo.Rounded(p.X)), number(photo.Rounded(p.Y)), number(photo.Rounded(p.Error)))
		}
		if err := t.csv.Write(row); err != nil {
			return err
		}
	}
	t.csv.Flush()
	return t.csv.Error()
}

func (t *results) head(points []string) []string {
	head := []string{"image"}
	if t.film {
		head = append(head, "frame", "time")
	}
	head = append(head, "face", "score", "box_x", "box_y", "box_width", "box_height")
	for _, name := range points {
		head = append(head, name+"_x", name+"_y", name+"_error")
	}
	return head
}

// number is empty for what isn't known.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func (t *results) text(r *photo.Result) {
	if r.Error != "" {
		return // told as a warning, or at the end
	}
	found := terminal.Count(len(r.Faces), "face")
	if len(r.Faces) == 0 {
		found = "no face found"
	}
	if t.film {
		fmt.Fprintf(t.out, "frame %d, %.2f s: %s\n", *r.Frame, *r.Time, found)
	} else {
		fmt.Fprintf(t.out, "%s: %s\n", strings.ReplaceAll(terminal.Printable(r.Image), "\n", " "), found)
	}
	for i := range r.Faces {
		f := &r.Faces[i]
		face := i + 1
		if t.film {
			face = f.Follow
		}
		fmt.Fprintf(t.out, "  face %d: score %.2f, %.0fx%.0f pixels at %.0f, %.0f", face, f.Score, f.Box[2], f.Box[3], f.Box[0], f.Box[1])
		if side := "right"; math.Abs(f.Turn) >= 1 {
			if f.Turn < 0 {
				side = "left"
			}
			fmt.Fprintf(t.out, ", tilted %.0f° to the %s", math.Abs(f.Turn), side)
		}
		fmt.Fprintln(t.out)
		if t.film {
			continue
		}
		for _, p := range f.Points {
			fmt.Fprintf(t.out, "    %-26s %8.1f %8.1f", terminal.Printable(p.Name), p.X, p.Y)
			if !math.IsNaN(p.Error) {
				fmt.Fprintf(t.out, "  ± %.1f", p.Error)
			}
			fmt.Fprintln(t.out)
		}
	}
}
