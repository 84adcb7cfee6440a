package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"
)

// Printable escapes what would steer a terminal, since much of what is printed
// comes from files: control characters other than newline and tab, and those
// that turn the direction of writing. The escape is JSON's, so that JSON stays
// what it is. Bytes that aren't UTF-8 become U+FFFD.
func Printable(s string) string {
	if strings.IndexFunc(s, steers) < 0 && utf8.ValidString(s) {
		return s
	}
	var out strings.Builder
	for _, r := range s {
		if steers(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func steers(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// PrintableWriter is [Printable] for a stream. It remembers the first error.
type PrintableWriter struct {
	to   io.Writer
	err  error
	rest []byte // the beginning of a character whose end is still to come
}

// NewPrintableWriter writes to w.
func NewPrintableWriter(w io.Writer) *PrintableWriter { return &PrintableWriter{to: w} }

// Err is the first error that a write met.
func (w *PrintableWriter) Err() error { return w.err }

func (w *PrintableWriter) Write(b []byte) (int, error) {
	all := append(w.rest, b...)
	end := len(all)
	for i := max(0, end-utf8.UTFMax); i < end; i++ {
		if utf8.RuneStart(all[i]) && !utf8.FullRune(all[i:]) {
			end = i
		}
	}
	_, err := io.WriteString(w.to, Printable(string(all[:end])))
	w.rest = append([]byte(nil), all[end:]...)
	if w.err == nil {
		w.err = err
	}
	return len(b), err
}

// PrintJSON writes a value for programs to read.
func PrintJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Table writes rows with their columns aligned, also where some rows have fewer.
// Numbers are aligned by the caller's own width.
func Table(w io.Writer, rows [][]string) error {
	var aligned strings.Builder
	t := tabwriter.NewWriter(&aligned, 0, 0, 2, ' ', 0)
	cell := strings.NewReplacer("\n", `\u000a`, "\t", `\u0009`)
	columns := 0
	for _, row := range rows {
		columns = max(columns, len(row))
	}
	for _, row := range rows {
		for i := range row {
			row[i] = Printable(cell.Replace(row[i]))
		}
		fmt.Fprintln(t, strings.Join(row, "\t")+strings.Repeat("\t", columns-len(row)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(aligned.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// Count writes a number of things.
func Count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// Thousands writes a number with commas, as the report does.
func Thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// FLOPs writes a number of operations.
func FLOPs(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f G", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.2f M", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.2f k", float64(n)/1e3)
	}
	return fmt.Sprint(n)
}

// Short writes a duration as people say it.
func Short(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// Shape writes a shape: 1x96x96.
func Shape(s []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(s), " ", "x"), "[]")
}
