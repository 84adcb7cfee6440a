package backend

import (
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
)

// A backend is either part of the program or a library, and has a name and a rank of its own.
func TestTable(t *testing.T) {
	names, ranks := map[string]bool{Auto: true}, map[int]bool{}
	for k := range table {
		r := Kind(k).known()
		if names[r.name] || ranks[r.rank()] || r.help == "" || r.where == "" || r.threads == nil || r.threads() < 1 {
			t.Errorf("kind %d: found %+v, want a name and rank of its own, help and threads", k, *r)
		}
		names[r.name], ranks[r.rank()] = true, true
		if (r.part == nil) == (r.library == nil) {
			t.Errorf("%s: found part %v and library %v, want one of them", r.name, r.part, r.library)
		}
		if l := r.library; l != nil && (l.path == "" || len(l.wheels) == 0 || len(l.marks) == 0 || (l.device == nil) != (l.wants == "")) {
			t.Errorf("%s: found %+v, want a path, wheels, marks, and what device it wants if it wants one", r.name, *l)
		}
	}
	if got := Kinds(); len(got) != len(table) || !slices.IsSortedFunc(got, func(a, b Kind) int { return b.known().rank() - a.known().rank() }) {
		t.Errorf("auto tries %v, want all, the fastest first", got)
	}
	order := func(kernels string) []Kind {
		t.Setenv(kernel.Variable, kernels)
		return slices.DeleteFunc(Kinds(), func(k Kind) bool { return k > XLACUDA })
	}
	if got, want := order("plain"), []Kind{XLACUDA, XLACPU, Go}; !slices.Equal(got, want) {
		t.Errorf("plain kernels: auto tries %v, want %v", got, want)
	}
	if best := kernel.Sets()[0].Name; best != "plain" {
		if got, want := order(best), []Kind{XLACUDA, Go, XLACPU}; !slices.Equal(got, want) {
			t.Errorf("kernels %s: auto tries %v, want %v", best, got, want)
		}
	}
	all, libraries := []string{"auto"}, []string{}
	for k := range table {
		all = append(all, table[k].name)
		if table[k].library != nil {
			libraries = append(libraries, table[k].name)
		}
	}
	if got := Names(); !slices.Equal(got, all) {
		t.Errorf("found the names %q, want %q", got, all)
	}
	if got := Installable(); !slices.Equal(got, libraries) {
		t.Errorf("found %q to install, want %q", got, libraries)
	}
	for kind, name := range map[Kind]string{Go: "go", XLACPU: "cpu", XLACUDA: "cuda"} { // as users know them
		if kind.String() != name {
			t.Errorf("found the name %q, want %q", kind, name)
		}
	}
	if Help("go") == "" || Help(Auto) != "" || Kind(len(table)).String() == "" {
		t.Error("found no help for go, or one for what is no backend")
	}
}

// The paper says of each row what the row says.
func TestDocsHaveTheTable(t *testing.T) {
	text, err := os.ReadFile("../../../docs/backends.md")
	if err != nil {
		t.Fatal(err)
	}
	for k := range table {
		if r := Kind(k).known(); !strings.Contains(string(text), "\n| `"+r.name+"` | "+r.help) {
			t.Errorf("docs/backends.md: found no line of %s that begins with %q", r.name, r.help)
		}
	}
}

// TestPinned guards the tables against slips of the hand.
func TestPinned(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range shown(func(r *row) bool { return r.library != nil }) {
		for _, set := range k.known().library.wheels {
			if set[0].Library == "" {
				t.Errorf("%s: found no library in the first wheel", set[0].Name)
			}
			for i, w := range set {
				if b, err := hex.DecodeString(w.SHA256); err != nil || len(b) != 32 || seen[w.SHA256] {
					t.Errorf("%s: found SHA-256 %q, want 64 hexadecimal digits of its own", w.Name, w.SHA256)
				}
				seen[w.SHA256] = true
				if !strings.HasPrefix(w.File, strings.ReplaceAll(w.Name, "-", "_")+"-"+w.Version+"-") || !strings.HasSuffix(w.File, "x86_64.whl") {
					t.Errorf("%s %s: found file %q", w.Name, w.Version, w.File)
				}
				if i > 0 && w.Library != "" || w.Size < 1<<20 || w.Licence == "" {
					t.Errorf("%s: found %+v", w.Name, w)
				}
			}
		}
	}
}
