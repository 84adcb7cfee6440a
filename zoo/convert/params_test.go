package convert

import (
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/convert/fit"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// writeNPZ writes arrays of zeros as numpy.savez does.
func writeNPZ(t *testing.T, shapes [][]int) string {
	t.Helper()
	named := map[string][]int{}
	for i, s := range shapes {
		named[fmt.Sprintf("arr_%d", i)] = s
	}
	return writeNamed(t, named)
}

// writeNamed writes arrays of zeros as numpy.savez does with names, in no order that means anything.
func writeNamed(t *testing.T, shapes map[string][]int, others ...npy.Other) string {
	t.Helper()
	var all []tensor.Tensor
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(shapes))) {
		x := filled(t, shapes[name], 0)
		x.Name = name
		all = append(all, x)
	}
	return writeArchive(t, all, others...)
}

// filled is an array that is not the same everywhere, but for a value of 0.
func filled(t *testing.T, shape []int, value float32) tensor.Tensor {
	t.Helper()
	n := 1
	for _, d := range shape {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = value / float32(i+1)
	}
	x, err := tensor.New("x", tensor.Float32, shape, values)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func writeArchive(t *testing.T, all []tensor.Tensor, others ...npy.Other) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list.npz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := npy.WriteArchive(f, all, others...); err != nil {
		t.Fatal(err)
	}
	return path
}

// packed packs as gzip does.
func packed(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// net1 with 7 hidden units.
var net1 = [][]int{{9216, 7}, {7}, {7, 30}, {30}}

// Lists take their sizes from the arrays; what doesn't fit is an error with
// both lists side by side.
func TestLists(t *testing.T) {
	h := architectures(t)
	convert := func(shapes [][]int, as string) (int, error) {
		m, err := converted(t.Context(), writeNPZ(t, shapes), Options{As: as, Host: h})
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
		"no architecture":         {net1, "", []string{"want the architecture that has them: net1 would fit"}},
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
	var mismatch *fit.MismatchError
	if !errors.As(err, &mismatch) || len(mismatch.Rows) != 4 {
		t.Errorf("found %#v, want four rows", err)
	}
}

// What Lasagne and nolearn wrote in other orders once is told apart by its shapes, with a note.
func TestOlderOrders(t *testing.T) {
	h := architectures(t)
	net11 := [][][]int{{{2, 1, 3, 3}, {2}}} // by layer
	for range 8 {
		net11 = append(net11, [][]int{{2, 2, 3, 3}, {2}})
	}
	net11 = append(net11, [][]int{{288, 5}, {5}}, [][]int{{5, 5}, {5}}, [][]int{{5, 30}, {30}})
	for name, net := range map[string][][][]int{"net1": {net1[:2], net1[2:]}, "net11": net11} {
		var want *model.Model
		for _, tt := range []struct {
			outputFirst, biasFirst bool
			note                   string
		}{
			{false, false, ""},
			{false, true, "each layer's bias before its weights: "},
			{true, false, "from the output to the input: "},
			{true, true, "from the output to the input, each layer's bias before its weights: "},
		} {
			var list []tensor.Tensor
			layers, first := slices.Clone(net), float32(0)
			arrays := make([][]tensor.Tensor, len(layers))
			for i, shapes := range layers {
				for _, s := range shapes {
					first++
					arrays[i] = append(arrays[i], filled(t, s, first))
				}
				if tt.biasFirst {
					slices.Reverse(arrays[i])
				}
			}
			if tt.outputFirst {
				slices.Reverse(arrays)
			}
			for i, x := range slices.Concat(arrays...) {
				x.Name = fmt.Sprint("arr_", i)
				list = append(list, x)
			}
			m, err := converted(t.Context(), writeArchive(t, list), Options{As: name, Host: h})
			if err != nil {
				t.Fatalf("%s %+v: %v", name, tt, err)
			}
			if want == nil {
				want = m
			}
			noted := strings.Join(m.Provenance.Receipt.Warnings, "\n")
			if !reflect.DeepEqual(m.Weights, want.Weights) || (tt.note == "") == strings.Contains(noted, "older order") || !strings.Contains(noted, tt.note) {
				t.Errorf("%s %+v: found other weights than in today's order, or the warnings %q", name, tt, noted)
			}
		}
	}
}

// An architecture is named only where all sizes fit.
func TestHintFits(t *testing.T) {
	h := architectures(t)
	for _, tt := range []struct {
		shapes [][]int
		want   string
	}{
		{[][]int{{784, 50}, {50}, {50, 10}, {10}}, "none of those here fits"},
		{[][]int{{9216, 7}, {7}, {8, 30}, {30}}, "none of those here fits"},
		{net1, "net1 would fit"},
		{[][]int{{30}, {7, 30}, {7}, {9216, 7}}, "net1 would fit"},
	} {
		_, err := converted(t.Context(), writeNPZ(t, tt.shapes), Options{Host: h})
		var e *NoLayersError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: found %v, want %q", tt.shapes, err, tt.want)
		}
	}
}

// An architecture needs somebody who offers it.
func TestNoHost(t *testing.T) {
	_, err := converted(t.Context(), writeNPZ(t, net1), Options{As: "net1"})
	if e, ok := errors.AsType[*NoHostError](err); !ok || e.As != "net1" {
		t.Errorf("found %v, want a NoHostError of net1", err)
	}
}

// Arrays with names of layers, as a dict has them, may come in any order.
func TestNamedArrays(t *testing.T) {
	h := architectures(t)
	for _, names := range [][4]string{
		{"hidden1.W", "hidden1.b", "output.W", "output.b"}, {"hidden1.hidden1.W", "hidden1.hidden1.b", "output.output.W", "output.output.b"},
	} {
		shapes := map[string][]int{}
		for i, name := range names {
			shapes[name] = net1[i]
		}
		m, err := converted(t.Context(), writeNamed(t, shapes), Options{As: "net1", Host: h})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range m.Provenance.Receipt.Tensors {
			if r.Param != names[i] || !slices.Equal(r.Shape, net1[i]) {
				t.Errorf("place %d: found %s %v, want %s %v", i, r.Param, r.Shape, names[i], net1[i])
			}
		}
		delete(shapes, names[1])
		shapes["hidden2.b"] = []int{7}
		if _, err = converted(t.Context(), writeNamed(t, shapes), Options{As: "net1", Host: h}); err == nil || !strings.Contains(err.Error(), "found the layer \"output") {
			t.Errorf("found %v", err)
		}
	}
}

// A dict's layers must be those of the architecture.
func TestNamedLayers(t *testing.T) {
	_, err := converted(t.Context(), own("params"), Options{As: "net1", Host: architectures(t)})
	if err == nil || !strings.Contains(err.Error(), "found 8 arrays, want 4") || !strings.Contains(err.Error(), "conv1 [3 1 3 3]") {
		t.Errorf("found %v", err)
	}
}

// zipped is a zip of entries with a little in each.
func zipped(t *testing.T, names ...string) string {
	t.Helper()
	var b strings.Builder
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte("\x80\x02}."))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
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
		if _, err := converted(t.Context(), name, Options{}); !errors.Is(err, ErrUnknown) || !strings.HasPrefix(err.Error(), name+": not a file that can be converted: want a pickle") {
			t.Errorf("%s: found %v, want %v", name, err, ErrUnknown)
		}
	}
	files := map[string]string{"gzip": "\x1f\x8b\x08", "twice": packed(t, packed(t, "hello")), "nothing": "", "text": "hello", "zeros": strings.Repeat("\x00", 100)}
	wants := map[string]string{"gzip": "gzip: cut short", "twice": "found a file packed twice", "nothing": "cut short", "text": "byte 0", "zeros": "want a pickle, npz, npy or safetensors: pickle: byte 0: unknown opcode"}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := converted(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), wants[name]) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: found %v, want %q", name, err, wants[name])
		}
	}
	for name, tt := range map[string]struct{ text, want string }{
		"net.h5":     {"\x89HDF\r\n\x1a\n\x00\x00", "found an HDF5 file, as Keras writes, want its arrays saved as safetensors or npz"},
		"old.pt":     {"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", "found a PyTorch file, want its arrays saved"},
		"new.pt":     {zipped(t, "archive/data.pkl", "archive/version", "archive/data/0"), "found a PyTorch file, want its arrays saved"},
		"net.keras":  {zipped(t, "metadata.json", "config.json", "model.weights.h5"), "found a Keras file, want its arrays saved"},
		"points.csv": {"Name,left_eye_center_x\n1,2\n", "want a pickle, npz, npy or safetensors"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := converted(t.Context(), path, Options{}); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: found %v, want %q", name, err, tt.want)
		}
	}
	for _, path := range []string{empty, filepath.Join(dir, "missing")} {
		if _, err := converted(t.Context(), path, Options{}); err == nil {
			t.Errorf("%s: found no error", path)
		}
	}
}

// Tensors under fkzoo's own names give a layout its sizes, too.
func TestOwnNames(t *testing.T) {
	h := architectures(t)
	good := map[string][]int{"all/hidden1/weights": {9216, 7}, "all/hidden1/bias": {7}, "all/output/weights": {7, 30}, "all/output/bias": {30}}
	tests := map[string]struct {
		change map[string][]int // nil: without it
		as     string
		want   []string // of the error
	}{
		"right":                {nil, "net1", nil},
		"no architecture":      {nil, "", []string{"net1 would fit"}},
		"without one":          {map[string][]int{"all/hidden1/bias": nil}, "net1", []string{"- +all/hidden1/bias \\[7\\]", "all/output/bias \\[30\\] +all/output/bias \\[30\\]"}},
		"under another name":   {map[string][]int{"all/output/bias": nil, "all/end/bias": {30}}, "net1", []string{"- +all/output/bias", "all/end/bias \\[30\\] +-"}},
		"bias of other length": {map[string][]int{"all/hidden1/bias": {8}}, "net1", []string{"all/hidden1/bias \\[8\\] +all/hidden1/bias \\[7\\]"}},
		"other input":          {map[string][]int{"all/hidden1/weights": {9215, 7}}, "net1", []string{"\\[9215 7\\] +all/hidden1/weights \\[9216 7\\]"}},
		"no axes":              {map[string][]int{"all/hidden1/weights": {}}, "net1", []string{"all/hidden1/weights \\[\\] +all/hidden1/weights \\[9216 100\\]"}},
		"nothing":              {map[string][]int{"all/hidden1/weights": {9216, 0}, "all/hidden1/bias": {0}, "all/output/weights": {0, 30}}, "net1", []string{"with the arrays' sizes"}},
		"answers":              {map[string][]int{"all/output/weights": {7, 8}, "all/output/bias": {8}}, "net1", []string{"with the arrays' sizes, .*\\[8\\]", "\\[7 8\\] +all/output/weights \\[100 30\\]"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			shapes := maps.Clone(good)
			maps.Copy(shapes, tt.change)
			maps.DeleteFunc(shapes, func(_ string, s []int) bool { return s == nil })
			m, err := converted(t.Context(), writeNamed(t, shapes), Options{As: tt.as, Host: h})
			for _, want := range tt.want {
				if err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
					t.Errorf("found %v, want %q", err, want)
				}
			}
			if tt.want != nil {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			plan, err := blueprint.NewPlan(m.Document, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			if i := slices.IndexFunc(plan.Nodes, func(n blueprint.Node) bool { return n.Layer.Name == "hidden1" }); !slices.Equal(plan.Nodes[i].Out, blueprint.Shape{7}) {
				t.Errorf("found hidden1 of %v units, want 7", plan.Nodes[i].Out)
			}
		})
	}
}

// What is missing leaves a gap in its own row alone.
func TestRowsSideBySide(t *testing.T) {
	h := architectures(t)
	without := func(shapes [][]int, at ...int) (out [][]int) {
		for i, s := range shapes {
			if !slices.Contains(at, i) {
				out = append(out, s)
			}
		}
		return out
	}
	net11 := [][]int{} // of the plugin's own sizes
	for _, c := range [][2]int{{1, 32}, {32, 32}, {32, 32}, {32, 64}, {64, 64}, {64, 64}, {64, 128}, {128, 128}, {128, 128}} {
		net11 = append(net11, []int{c[1], c[0], 3, 3}, []int{c[1]})
	}
	_, err := converted(t.Context(), writeNPZ(t, append(without(net11, 6, 7), []int{18432, 40}, []int{40}, []int{40, 40}, []int{40}, []int{40, 30}, []int{30})), Options{As: "net11", Host: h})
	var mismatch *fit.MismatchError
	if !errors.As(err, &mismatch) || len(mismatch.Rows) != 24 {
		t.Fatalf("found %v, want 24 rows", err)
	}
	for i, r := range mismatch.Rows {
		_, shape, _ := strings.Cut(r[1], "[")
		missing := strings.HasPrefix(r[1], "conv2_1 ")
		if missing != (r[0] == "-") || i < 18 && !missing && r[0] != "["+shape {
			t.Errorf("row %d: found %q beside %q", i, r[0], r[1])
		}
	}
}
