package convert

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// writeNPZ writes arrays of zeros as numpy.savez does.
func writeNPZ(t *testing.T, shapes [][]int) string {
	t.Helper()
	var all []format.Tensor
	for i, s := range shapes {
		n := 1
		for _, d := range s {
			n *= d
		}
		x, err := format.NewTensor(fmt.Sprintf("arr_%d", i), format.Float32, s, make([]float32, n))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	path := filepath.Join(t.TempDir(), "list.npz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := npy.WriteArchive(f, all); err != nil {
		t.Fatal(err)
	}
	return path
}

// net1 with 7 hidden units.
var net1 = [][]int{{9216, 7}, {7}, {7, 30}, {30}}

// Lists take their sizes from the arrays; what doesn't fit is an error with
// both lists side by side.
func TestLists(t *testing.T) {
	h := architectures(t)
	convert := func(shapes [][]int, as string) (int, error) {
		m, err := Convert(t.Context(), Options{Path: writeNPZ(t, shapes), As: as, Host: h})
		if err != nil {
			return 0, err
		}
		return len(m.Weights["all/hidden1/bias"].Data), m.Check()
	}
	if units, err := convert(net1, "net1"); err != nil || units != 7 {
		t.Errorf("found %d units, %v, want 7", units, err)
	}
	tests := map[string]struct {
		shapes [][]int
		as     string
		want   []string
	}{
		"no architecture":         {net1, "", []string{"want --as", "net1 would fit"}},
		"none that fits":          {net1[:3], "", []string{"none of those here fits"}},
		"too few arrays":          {net1[:3], "net1", []string{"found 3 arrays, want 4", "[7 30]    output weights [100 30]", "-         output bias [30]"}},
		"axes":                    {[][]int{{9216, 7}, {7, 1}, {7, 30}, {30}}, "net1", []string{"in place 2, want 1 axes for hidden1 bias"}},
		"rows":                    {[][]int{{9216, 7}, {7}, {8, 30}, {30}}, "net1", []string{"layer output: found weights of shape [8 30] for an input of shape [7]", "[8 30]"}},
		"bias of another length":  {[][]int{{9216, 7}, {6}, {7, 30}, {30}}, "net1", []string{"layer hidden1", "want [7]"}},
		"answers":                 {[][]int{{9216, 7}, {7}, {7, 8}, {8}}, "net1", []string{"found an output of shape [8], want [30]"}},
		"another network":         {net1, "net11", []string{"found 4 arrays, want 24", "conv1_1 weights [32 1 3 3]"}},
		"there is none like that": {net1, "net99", []string{"net99"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := convert(tt.shapes, tt.as)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("found %v, want %q", err, want)
				}
			}
		})
	}
	_, err := convert(net1[:3], "net1")
	var mismatch *MismatchError
	if !errors.As(err, &mismatch) || len(mismatch.Rows) != 4 {
		t.Errorf("found %#v, want four rows", err)
	}
}

// A dict's layers must be those of the architecture.
func TestNamedLayers(t *testing.T) {
	_, err := Convert(t.Context(), Options{Path: own("params"), As: "net1", Host: architectures(t)})
	if err == nil || !strings.Contains(err.Error(), "found 8 arrays, want 4") || !strings.Contains(err.Error(), "conv1 [3 1 3 3]") {
		t.Errorf("found %v", err)
	}
}

// Other files are refused by what they are.
func TestOtherFiles(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.npz")
	f, err := os.Create(empty)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	if _, err := z.Create("other.txt"); err != nil {
		t.Fatal(err)
	}
	z.Close()
	f.Close()
	for _, name := range []string{"p", "found"} { // as an error may begin
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir)
		if _, err := Convert(t.Context(), Options{Path: name}); !errors.Is(err, ErrUnknown) || !strings.HasPrefix(err.Error(), name+": not a file that can be converted: want a pickle") {
			t.Errorf("%s: found %v, want %v", name, err, ErrUnknown)
		}
	}
	files := map[string]string{"gzip": "\x1f\x8b\x08", "nothing": "", "text": "hello", "zeros": strings.Repeat("\x00", 100)}
	wants := map[string]string{"gzip": "found gzip", "nothing": "cut short", "text": "byte 0", "zeros": "want a pickle, npz, npy or safetensors: pickle: byte 0: unknown opcode"}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Convert(t.Context(), Options{Path: path}); err == nil || !strings.Contains(err.Error(), wants[name]) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: found %v, want %q", name, err, wants[name])
		}
	}
	for _, path := range []string{empty, filepath.Join(dir, "missing")} {
		if _, err := Convert(t.Context(), Options{Path: path}); err == nil {
			t.Errorf("%s: found no error", path)
		}
	}
}

// Lists that name their columns belong to the members that have these, in whichever order they come.
func TestListsOfColumns(t *testing.T) {
	d := &blueprint.Document{Name: "two", Members: []blueprint.Member{{Name: "left", Columns: []string{"a_x", "a_y"}}, {Name: "right", Columns: []string{"b_x"}}}}
	list := func(name string, columns ...string) legacy.ParamList {
		return legacy.ParamList{Columns: columns, Params: []legacy.ListedParam{{Layer: name}}}
	}
	left, right := list("left", "a_x", "a_y"), list("right", "b_x")
	for _, tt := range []struct {
		name  string
		lists []legacy.ParamList
		want  string // of the error
	}{
		{"in order", []legacy.ParamList{left, right}, ""},
		{"the other way round", []legacy.ParamList{right, left}, ""},
		{"without columns", []legacy.ParamList{list("left"), list("right")}, ""},
		{"columns in another order", []legacy.ParamList{list("left", "a_y", "a_x"), right}, "a_y,a_x  left: a_x,a_y"},
		{"twice", []legacy.ParamList{left, left}, "a_x,a_y  right: b_x"},
		{"one for all", []legacy.ParamList{left}, "found 1 lists of parameters, want 2"},
	} {
		parts, err := divide(d, tt.lists)
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: found %v, want %q", tt.name, err, tt.want)
			}
		} else if err != nil || parts[0][0].Layer != "left" || parts[1][0].Layer != "right" {
			t.Errorf("%s: found %v, %v", tt.name, parts, err)
		}
	}
}
