package terminal

import (
	"encoding/json"
	"strings"
	"testing"
)

// What would steer a terminal is escaped, also where it is split between writes.
func TestPrintable(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"faces.csv: 3 rows\n\tmüde 顔 🙂\n", "faces.csv: 3 rows\n\tmüde 顔 🙂\n"},
		{"x\x1b[31m", `x\u001b[31m`},
		{"a\rb\x00\x7f\b", `a\u000db\u0000\u007f\u0008`},
		{"\u009b31m", `\u009b31m`},
		{"a\u202egpj.exe\u2066\u200f\u061c", `a\u202egpj.exe\u2066\u200f\u061c`},
		{"a\u2028b", `a\u2028b`},
		{"a\xffb\xe9", "a\uFFFDb\uFFFD"},
	} {
		if found := Printable(c.in); found != c.want {
			t.Errorf("%q: found %q, want %q", c.in, found, c.want)
		}
		for size := 1; size <= 4; size++ {
			var out strings.Builder
			w := &PrintableWriter{to: &out}
			in := c.in + "\n"
			for i := 0; i < len(in); i += size {
				if n, err := w.Write([]byte(in[i:min(i+size, len(in))])); err != nil || n != len(in[i:min(i+size, len(in))]) {
					t.Fatalf("%q: wrote %d bytes, error %v", in, n, err)
				}
			}
			if out.String() != c.want+"\n" {
				t.Errorf("%q by %d bytes: found %q, want %q", c.in, size, out.String(), c.want)
			}
		}
	}
}

// JSON means the same after its control characters are escaped.
func TestPrintableJSON(t *testing.T) {
	const name = "a\x1b[2J\x7f\u009b\u202e\"\\ 顔\n"
	var out strings.Builder
	if err := PrintJSON(&PrintableWriter{to: &out}, map[string]string{"name": name}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsFunc(out.String(), steers) {
		t.Errorf("found %q, want no control characters", out.String())
	}
	var back map[string]string
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back["name"] != name {
		t.Errorf("found %q, error %v, want %q", back["name"], err, name)
	}
}

// A cell stays in its row.
func TestTableCells(t *testing.T) {
	var out strings.Builder
	if err := Table(&out, [][]string{{"a\nb\tc\x1b", "d"}}); err != nil {
		t.Fatal(err)
	}
	if want := `a\u000ab\u0009c\u001b  d` + "\n"; out.String() != want {
		t.Errorf("found %q, want %q", out.String(), want)
	}
}

// Columns stay aligned across rows that end early, and no row ends in blanks.
func TestTableShortRows(t *testing.T) {
	var out strings.Builder
	if err := Table(&out, [][]string{{"A", "B", "C"}, {"long", "b", "c"}, {"x"}, {"y", "", ""}, {"z", "longer", "c"}}); err != nil {
		t.Fatal(err)
	}
	if want := "A     B       C\nlong  b       c\nx\ny\nz     longer  c\n"; out.String() != want {
		t.Errorf("found %q, want %q", out.String(), want)
	}
}
