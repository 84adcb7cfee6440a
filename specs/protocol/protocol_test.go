package protocol

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/protocol/wire"
)

func TestCheckName(t *testing.T) {
	for name, good := range map[string]bool{
		"net11":                        true,
		"compact-s":                    true,
		"9lives_v1.2":                  true,
		strings.Repeat("a", MaxName):   true,
		"":                             false,
		strings.Repeat("a", 1+MaxName): false,
		"Net11":                        false,
		"-net":                         false,
		".hidden":                      false,
		"net/11":                       false,
		"net 11":                       false,
		"nét":                          false,
		"net\n":                        false,
		"tiny-":                        false,
		"tiny.":                        false,
		"a":                            true,
		"-":                            false,
		"_":                            false,
	} {
		if err := CheckName(name); (err == nil) != good {
			t.Errorf("CheckName(%q) = %v, want good: %v", name, err, good)
		}
		if blueprint.ValidName(name) != good {
			t.Errorf("blueprint.ValidName(%q) = %v, want %v", name, !good, good)
		}
	}
}

// The error points at the byte that is wrong.
func TestCheckNameSaysWhere(t *testing.T) {
	for name, says := range map[string]string{
		"tiny-":                 `name "tiny-" has '-' at byte 4`,
		"-net":                  `name "-net" has '-' at byte 0`,
		"Net":                   `name "Net" has 'N' at byte 0`,
		"net 1-":                `name "net 1-" has ' ' at byte 3`,
		"-":                     `name "-" has '-' at byte 0`,
		"":                      "found an empty name",
		strings.Repeat("a", 65): "has 65 bytes, want at most 64",
	} {
		if err := CheckName(name); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("CheckName(%q) = %v, want %q", name, err, says)
		}
	}
}

func TestCheckOffer(t *testing.T) {
	named := func(n int) (all []*wire.Architecture) {
		for i := range n {
			all = append(all, &wire.Architecture{Name: fmt.Sprintf("net%d", i), Summary: "a net"})
		}
		return all
	}
	settings := func(n int) (all []*wire.Setting) {
		for i := range n {
			all = append(all, &wire.Setting{Name: fmt.Sprintf("s%d", i), Default: "1", Help: "help"})
		}
		return all
	}
	with := func(s ...*wire.Setting) []*wire.Architecture {
		return []*wire.Architecture{{Name: "net", Settings: s}}
	}
	for _, test := range []struct {
		offered []*wire.Architecture
		says    string // "": taken
	}{
		{named(1), ""},
		{named(MaxArchitectures), ""},
		{with(settings(MaxSettings)...), ""},
		{nil, "found 0 architectures, want 1 to 1000"},
		{named(MaxArchitectures + 1), "found 1001 architectures, want 1 to 1000"},
		{with(settings(MaxSettings + 1)...), "architecture net: found 101 settings, want at most 100"},
		{append(named(2), named(1)...), "architecture net0: found it twice"},
		{[]*wire.Architecture{{Name: "net-"}}, `architecture 1: name "net-" has '-' at byte 3`},
		{[]*wire.Architecture{nil}, "architecture 1: found an empty name"},
		{[]*wire.Architecture{{Name: "net", Summary: "two\nlines"}}, "architecture net: summary: "},
		{with(&wire.Setting{Name: "a b"}), `architecture net: setting 1: name "a b"`},
		{with(settings(1)[0], settings(1)[0]), "architecture net: setting s0: found it twice"},
		{with(&wire.Setting{Name: "a", Default: "\x00"}), "architecture net: setting a: default: "},
		{with(&wire.Setting{Name: "a", Help: strings.Repeat("x", MaxLine+1)}), "architecture net: setting a: help: "},
	} {
		err := CheckOffer(test.offered)
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%d architectures: %v, want %q", len(test.offered), err, test.says)
		}
	}
}

func TestCheckLine(t *testing.T) {
	for text, good := range map[string]bool{
		"":                             true,
		"Six conv layers – 96×96 grey": true,
		strings.Repeat("a", MaxLine):   true,
		strings.Repeat("a", 1+MaxLine): false,
		"two\nlines":                   false,
		"\x1b[31mred":                  false,
		"\xff":                         false,
		"back\u202ewards":              false,
	} {
		if err := CheckLine(text); (err == nil) != good {
			t.Errorf("CheckLine(%q) = %v, want good: %v", text, err, good)
		}
	}
}

func TestSummary(t *testing.T) {
	nan := float32(math.NaN())
	s, err := Summarize([]string{"a", "b", "c"}, []float32{
		1, 2, 3,
		1, nan, 3,
		4, 5, 6,
		nan, nan, nan,
		7, nan, 8,
		9, nan, 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := DataSummary{Columns: []string{"a", "b", "c"}, Rows: 6, Filled: []Filled{
		{Columns: []int{0, 1, 2}, Rows: 2},
		{Columns: []int{0, 2}, Rows: 3},
		{Rows: 1},
	}}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("Summarize gave %+v, want %+v", s, want)
	}
	for _, test := range []struct {
		columns []string
		rows    int
	}{
		{nil, 6},
		{[]string{"a"}, 5},
		{[]string{"c", "a"}, 5},
		{[]string{"b"}, 2},
		{[]string{"a", "b", "c"}, 2},
		{[]string{"a", "unknown"}, 0},
	} {
		if got := s.RowsWith(test.columns...); got != test.rows {
			t.Errorf("RowsWith(%v) = %d, want %d", test.columns, got, test.rows)
		}
	}

	bytes, err := proto.Marshal(s.Wire())
	if err != nil {
		t.Fatal(err)
	}
	var w wire.DataSummary
	if err := proto.Unmarshal(bytes, &w); err != nil {
		t.Fatal(err)
	}
	back, err := FromWire(&w)
	if err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("over the wire: %+v, %v; want %+v", back, err, s)
	}
}

func TestSummaryRefused(t *testing.T) {
	if _, err := Summarize([]string{"a", "b"}, make([]float32, 3)); err == nil {
		t.Error("Summarize took one and a half rows")
	}
	if _, err := Summarize(nil, make([]float32, 3)); err == nil {
		t.Error("Summarize took numbers without columns")
	}
	two := []string{"a", "b"}
	for name, w := range map[string]*wire.DataSummary{
		"unknown column": {Columns: two, Filled: []*wire.Filled{{Columns: []uint32{2}}}},
		"huge column":    {Columns: two, Filled: []*wire.Filled{{Columns: []uint32{math.MaxUint32}}}},
		"out of order":   {Columns: two, Filled: []*wire.Filled{{Columns: []uint32{1, 0}}}},
		"twice":          {Columns: two, Filled: []*wire.Filled{{Columns: []uint32{1, 1}}}},
		"negative rows":  {Columns: two, Rows: -1},
		"negative count": {Columns: two, Filled: []*wire.Filled{{Rows: -1}}},
	} {
		if s, err := FromWire(w); err == nil {
			t.Errorf("%s: FromWire gave %+v, want an error", name, s)
		}
	}
}

// Whatever bytes come as a summary, reading it ends without a panic, and what
// is taken can be counted and written again.
func FuzzFromWire(f *testing.F) {
	s, err := Summarize([]string{"a", "b"}, []float32{1, 2, 3, float32(math.NaN())})
	if err != nil {
		f.Fatal(err)
	}
	seed, err := proto.Marshal(s.Wire())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte{})
	f.Add([]byte("\x1a\x02\x0a\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var w wire.DataSummary
		if proto.Unmarshal(data, &w) != nil {
			return
		}
		s, err := FromWire(&w)
		if err != nil {
			return
		}
		if len(s.Columns) > 0 {
			s.RowsWith(s.Columns[len(s.Columns)-1])
		}
		again, err := FromWire(s.Wire())
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%+v became %+v, %v", s, again, err)
		}
	})
}
