package convert

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/export"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// ownFiles are small pickles under the legacy names, made by make.py there,
// which also works out what their networks answer.
const ownFiles = "../../format/legacy/testdata"

func own(name string) string {
	path := filepath.Join(ownFiles, name+".pickle")
	if _, err := os.Stat(path); err != nil {
		path += ".bz2" // where that is a hundredth
	}
	return path
}

// converted gives the model alone.
func converted(ctx context.Context, path string, o Options) (*model.Model, error) {
	r, err := File(ctx, path, o)
	if err != nil {
		return nil, err
	}
	return r.Model, nil
}

type ownExpected struct {
	Images  [][]float64
	Answers map[string][][]float64 // pixels
}

func readExpected(t *testing.T) (e ownExpected) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(ownFiles, "expected.json"))
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Every protocol, kind of array and layer gives what the layers' definitions give.
func TestOwnPickles(t *testing.T) {
	e := readExpected(t)
	images := engine.Images{Count: len(e.Images), Height: 12, Width: 12, Channels: 1}
	for _, image := range e.Images {
		for _, v := range image {
			images.Bytes = append(images.Bytes, byte(v))
		}
	}
	for name, want := range e.Answers {
		if name == "list" || name == "params" { // see TestLists
			continue
		}
		t.Run(name, func(t *testing.T) {
			m, err := converted(t.Context(), own(name), Options{})
			if err != nil {
				t.Fatal(err)
			}
			backendtest.Each(t, func(t *testing.T, b *backend.Backend) {
				at := 0
				for i := range m.Document.Members {
					got := answers(t, b, m, i, images)
					for r := range want {
						for c := range got[r] {
							if d := math.Abs(float64(got[r][c]) - want[r][at+c]); math.IsNaN(d) || d > 1e-4 {
								t.Fatalf("member %d, image %d: found %v, want %v", i, r, got[r], want[r][at:])
							}
						}
					}
					at += len(got[0])
				}
				if at != len(want[0]) {
					t.Errorf("found %d answers, want %d", at, len(want[0]))
				}
			})
		})
	}
}

// answers gives a member's, a row for each image.
func answers(t *testing.T, b *backend.Backend, m *model.Model, member int, images engine.Images) [][]float32 {
	t.Helper()
	plan, err := blueprint.NewPlan(m.Document, member, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := engine.NewPredictor(b, plan, m.Weights)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	points, err := p.Predict(t.Context(), images, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(slices.Chunk(points, len(plan.Columns)))
}

// The recipe and the history are those that the file tells.
func TestRecipeAndHistory(t *testing.T) {
	m, err := converted(t.Context(), own("plain.p2"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	momentum := blueprint.Linear(0.9, 0.999)
	want := blueprint.Recipe{
		Loss: blueprint.Loss{Kind: "mse"}, Optimizer: blueprint.Optimizer{Kind: "sgd", Momentum: &momentum, Nesterov: true},
		Rate: blueprint.Linear(0.03, 0.0001), Epochs: 5, Batch: 64, Validation: 0.25,
		Stop: &blueprint.Stop{Patience: 7}, Augment: &blueprint.Augment{Mirror: &blueprint.Mirror{}},
	}
	if got := m.Document.Members[0].Recipe; !reflect.DeepEqual(got, want) {
		t.Errorf("found the recipe %+v, want %+v", got, want)
	}
	h := m.History[0]
	if !slices.Equal(h.TrainLoss, []float64{0.5, 0.25, 0.5 / 3}) || !slices.Equal(h.ValidationLoss, []float64{0.6, 0.3, 0.4}) || h.BestEpoch != 2 {
		t.Errorf("found the history %+v", h)
	}
	// AdjustVariable sets the rate after each epoch: the first two have the first value.
	if want := []float64{0.03, 0.03, 0.03 + (0.0001-0.03)/4}; !slices.Equal(h.Rate, want) {
		t.Errorf("found the rates %v, want %v", h.Rate, want)
	}
	if got, want := h.RMSEPixels[1], 6*math.Sqrt(0.3); math.Abs(got-want) > 1e-12 {
		t.Errorf("found %g pixels, want %g", got, want)
	}
	if want := []float64{0.25, 0.25, 0.25}; !slices.Equal(m.Run.Seconds, want) {
		t.Errorf("found the seconds %v, want %v", m.Run.Seconds, want)
	}
}

// What two layers have in common is two tensors here, and the receipt says so.
func TestSharedArrays(t *testing.T) {
	m, err := converted(t.Context(), own("settings"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, d := range m.Provenance.Receipt.Dropped {
		if d.What == "what layers share" {
			found = append(found, d.Reason)
		}
	}
	if len(found) != 2 || !strings.HasPrefix(found[0], "twice1 and twice2 have twice1.W in common") || !strings.HasPrefix(found[1], "twice1 and twice2 have twice1.b in common") {
		t.Errorf("found %q", found)
	}
}

// Pairs that swap a column twice stay in the receipt, and a warning says so.
func TestFaultyFlips(t *testing.T) {
	m, err := converted(t.Context(), own("specialists"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := m.Provenance.Receipt
	if len(r.Flips) != 2 || r.Flips[0].Fault != "" || !strings.Contains(r.Flips[1].Fault, "is in the pair (0,2) too") {
		t.Errorf("found the flips %+v", r.Flips)
	}
	if want := [][]int{{0, 2}, {0, 2}, {1, 3}}; !reflect.DeepEqual(r.Flips[1].Pairs, want) {
		t.Errorf("found the pairs %v, want %v", r.Flips[1].Pairs, want)
	}
	if !slices.ContainsFunc(r.Warnings, func(s string) bool { return strings.Contains(s, "specialist2: the pairs of columns") }) {
		t.Errorf("found the warnings %q", r.Warnings)
	}
	for _, member := range m.Document.Members {
		if mirror := member.Recipe.Augment.Mirror; mirror == nil || mirror.Pairs != nil {
			t.Errorf("member %s: found the mirror %+v, want one by the columns' names", member.Name, mirror)
		}
	}
}

// A command in a pickle is named with a warning, and not run.
func TestBomb(t *testing.T) {
	path, err := filepath.Abs(own("bomb"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	m, err := converted(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("owned"); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the file's command was run: %v", err)
	}
	r := m.Provenance.Receipt
	command := func(g model.ReceiptGlobal) bool {
		return strings.HasSuffix(g.Name, ".system") && g.Called == 1 && g.Meaning == legacy.Dangerous
	}
	if !slices.ContainsFunc(r.Globals, command) {
		t.Errorf("found the globals %+v, want a dangerous system", r.Globals)
	}
	if !slices.ContainsFunc(r.Warnings, func(s string) bool { return strings.Contains(s, ".system can run commands") }) {
		t.Errorf("found the warnings %q", r.Warnings)
	}
}

// What can't be said is refused by name.
func TestRefused(t *testing.T) {
	tests := map[string]string{
		"lrn":              `layer "lrn" (lasagne.layers.normalization.LocalResponseNormalization2DLayer): found local response normalization`,
		"own-nonlinearity": `layer "bend" (lasagne.layers.special.NonlinearityLayer): nonlinearity: found my.script.own`,
		"scaled-tanh":      `nonlinearity: found lasagne.nonlinearities.scaled`,
		"wrong-size":       `layer "output" (lasagne.layers.dense.DenseLayer): parameter output.W: found the shape [7 4], want 144 rows`,
		"untrained":        "holds no weights",
		"list":             "found a list of arrays without a network's layers, want the architecture",
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := converted(t.Context(), own(name), Options{})
			if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), own(name)) {
				t.Errorf("found %v, want the file's name and %q", err, want)
			}
		})
	}
}

// A model needs as many names of columns as there are answers, from the file or from the user.
func TestColumns(t *testing.T) {
	named := []string{"left_eye_center_x", "left_eye_center_y", "right_eye_center_x", "right_eye_center_y"}
	for _, tt := range []struct {
		file    string
		columns []string
		want    string // of the error
	}{
		{"bare", nil, ""},
		{"bare", named, ""},
		{"bare", []string{"a_x", "a_y", "b_x", "b_y"}, "the file names its columns itself: found left_eye_center_x,left_eye_center_y,right_eye_center_x,right_eye_center_y, and a_x,a_y,b_x,b_y given"},
		{"unnamed", nil, "found 4 answers and no names for them, want the columns"},
		{"unnamed", []string{"a_x", "a_y", "b_x", "b_y"}, ""},
		{"unnamed", []string{"a_x", "a_y"}, "found 4 answers and 2 names of columns"},
	} {
		m, err := converted(t.Context(), own(tt.file), Options{Columns: tt.columns})
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s, %v: found %v, want %q", tt.file, tt.columns, err, tt.want)
			}
			continue
		}
		want := tt.columns
		if want == nil {
			want = named
		}
		if err != nil || !slices.Equal(m.Document.Members[0].Columns, want) {
			t.Errorf("%s, %v: found %v", tt.file, tt.columns, err)
		}
	}
}

// A packed file is read as what it holds; the receipt has the checksum of the file that is there.
func TestPacked(t *testing.T) {
	data, err := os.ReadFile(own("plain.p0"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := converted(t.Context(), own("plain.p0"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	gz := packed(t, string(data))
	zeros := packed(t, strings.Repeat("\x00", 4<<20))
	bz2, err := os.ReadFile(own("plain.p0") + ".bz2")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, data, want string }{
		{"net.pkl.gz", gz, "pickle, protocol 0, in gzip"},
		{"net.pickle.bz2", string(bz2), "pickle, protocol 0, in bzip2"},
		{"cut.gz", gz[:len(gz)/2], "cut.gz: gzip: after "},
		{"damaged.gz", gz[:len(gz)-8] + "\x00\x00\x00\x00" + gz[len(gz)-4:], "checksum"},
		{"bomb.gz", zeros, "more than"},
		{"cut.bz2", string(bz2[:len(bz2)/2]), "cut.bz2: bzip2: after 0 bytes unpacked: cut short"},
	} {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, []byte(tt.data), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := converted(t.Context(), path, Options{})
		if !strings.HasPrefix(tt.want, "pickle") {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: found %v, want %q", tt.name, err, tt.want)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		r := m.Provenance.Receipt
		if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(tt.data))); r.Format != tt.want || r.SHA256 != sum || r.Bytes != len(tt.data) || m.Document.Name != "net" {
			t.Errorf("%s: found %s: %s, %s, %d bytes", tt.name, m.Document.Name, r.Format, r.SHA256, r.Bytes)
		}
		if !reflect.DeepEqual(m.Weights, plain.Weights) {
			t.Errorf("%s: found other weights than unpacked", tt.name)
		}
	}
}

// NumPy saves a list of arrays of several shapes as an array of objects: a pickle in its own file.
func TestObjectsOfNumPy(t *testing.T) {
	pickle, err := os.ReadFile(own("object-array"))
	if err != nil {
		t.Fatal(err)
	}
	header := "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
	array := "\x93NUMPY\x01\x00" + string([]byte{byte(len(header)), 0}) + header + string(pickle)
	archive := func(names ...string) string {
		var b strings.Builder
		z := zip.NewWriter(&b)
		for _, name := range names {
			w, err := z.Create(name)
			if err == nil {
				_, err = w.Write([]byte(array))
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
	for _, tt := range []struct{ data, format, want string }{
		{array, "npy of objects: pickle, protocol 2", ""},
		{archive("params.npy"), "npz of objects: pickle, protocol 2", ""},
		{archive("one.npy", "two.npy"), "", "one.npy: found values of type"},
		{array[:len(array)-9], "", "cut short"},
		{array[:20], "", "the end of the file in the .npy header"},
	} {
		path := filepath.Join(t.TempDir(), "model")
		if err := os.WriteFile(path, []byte(tt.data), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := converted(t.Context(), path, Options{})
		switch {
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("found %v, want %q", err, tt.want)
		case tt.want != "":
		case err != nil:
			t.Error(err)
		case m.Provenance.Receipt.Format != tt.format || len(m.Provenance.Receipt.Globals) == 0:
			t.Errorf("found the receipt %+v, want the format %s", m.Provenance.Receipt, tt.format)
		}
	}
}

// Weights that are no numbers are named, with how many there are.
func TestNoNumbers(t *testing.T) {
	m, err := converted(t.Context(), own("diverged"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, w := range m.Provenance.Receipt.Warnings {
		if strings.HasPrefix(w, "tensor ") {
			found = append(found, w)
		}
	}
	if len(found) != 2 || !strings.HasPrefix(found[0], "tensor all/output/bias: 1 of 4 values are NaN") || !strings.HasPrefix(found[1], "tensor all/output/weights: 3 of 576 values") {
		t.Errorf("found %q", found)
	}
}

// A model that was exported and is read back keeps the receipt of its conversion, however often.
func TestExportedKeepsTheReceipt(t *testing.T) {
	m, err := converted(t.Context(), own("specialists"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := m.Provenance.Receipt
	dir := t.TempDir()
	var endings []string
	for _, f := range export.Formats {
		if f.Returns {
			endings = append(endings, f.Extensions...)
		}
	}
	for i, ending := range slices.Concat(endings, endings[len(endings)-1:]) {
		path, exported := filepath.Join(dir, fmt.Sprint(i, ".fkz")), filepath.Join(dir, fmt.Sprint(i, ending))
		if err := m.Save(path, false); err != nil {
			t.Fatal(err)
		}
		digest := m.Digest
		if m, err = model.Load(path); err != nil {
			t.Fatal(err)
		}
		if err := export.Write(exported, m, export.Options{}); err != nil {
			t.Fatal(err)
		}
		_, err := converted(t.Context(), exported, Options{Columns: []string{"a_x"}})
		if err == nil || !strings.Contains(err.Error(), "the file names its columns itself") {
			t.Errorf("found %v, want an error for other columns", err)
		}
		if m, err = converted(t.Context(), exported, Options{}); err != nil {
			t.Fatal(err)
		}
		r := m.Provenance.Receipt
		if m.Digest != digest || r.Source != filepath.Base(exported) || len(r.Before) != 1 || !reflect.DeepEqual(r.Before[0], want) {
			t.Errorf("found the digest %s, want %s; receipt %s, before %+v", m.Digest, digest, r.Source, r.Before)
		}
	}
}

// An export whose own words are damaged is no model; as arrays of an architecture it is still of use.
func TestDamagedExport(t *testing.T) {
	names := map[string][]int{"all/hidden1/weights": {9216, 7}, "all/hidden1/bias": {7}, "all/output/weights": {7, 30}, "all/output/bias": {30}}
	path := writeNamed(t, names, npy.Other{Name: export.AboutEntry, Data: []byte("{")})
	if _, err := converted(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "fkzoo.json: ") {
		t.Errorf("found %v, want the damaged entry named", err)
	}
	m, err := converted(t.Context(), path, Options{As: "net1", Host: architectures(t)})
	if err != nil {
		t.Fatal(err)
	}
	if d := m.Provenance.Receipt.Dropped; len(d) != 1 || d[0].What != "the file's own blueprint, history and provenance" {
		t.Errorf("found dropped %+v, want what the file says of itself", d)
	}
}
