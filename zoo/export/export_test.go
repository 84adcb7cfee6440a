package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/format/safetensors"
	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/internal/pyenv"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// randomModel has weights of a kind that no value is lost: no bias zero, no scale one.
func randomModel(t testing.TB, d *blueprint.Document, seed uint64) *model.Model {
	t.Helper()
	m := &model.Model{Document: d, Weights: engine.Arrays{}, Provenance: model.Provenance{Fkzoo: "test", Seed: seed, Backend: "go"}}
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range d.Members {
		plan, err := blueprint.NewPlan(d, i, nil)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(m.Weights, engine.InitialWeights(plan, seed))
		m.History = append(m.History, model.MemberHistory{Member: plan.Member.Name, TrainLoss: []float64{0.5, 1.0 / 3}, Rate: []float64{0.05, 0.05}})
	}
	for _, name := range slices.Sorted(maps.Keys(m.Weights)) {
		if rank := len(m.Weights[name].Shape); rank == 2 || rank == 4 {
			continue // drawn at random already; larger ones would let rounding errors grow
		}
		for i := range m.Weights[name].Data {
			m.Weights[name].Data[i] += float32(0.05 * r.NormFloat64())
		}
	}
	path := filepath.Join(t.TempDir(), "m.fkz")
	if err := m.Save(path, false); err != nil {
		t.Fatal(err)
	}
	m, err := model.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const images = 5

// answerImages writes images and what the model predicts for them as NAME.images.npy and NAME.BACKEND.points.npy.
func answerImages(t *testing.T, folder, name string, m *model.Model) {
	t.Helper()
	in := m.Document.Input
	set := &dataset.Set{Height: in.Height, Width: in.Width, Channels: in.Channels, IDs: make([]string, images)}
	r := rand.New(rand.NewPCG(7, 8))
	n := in.Height * in.Width
	first := make([]float32, images*n*in.Channels) // channels before pixels
	for i := range images {
		for p := range n {
			for c := range in.Channels {
				v := byte(r.IntN(200) + 13*i) // darker and lighter ones, which deep networks tell apart too
				if i == 0 && n < 1000 {
					v = 9 // of one grey: nothing to standardize by. Of more pixels, the mean's rounding is what is left
				}
				set.Bytes = append(set.Bytes, v)
				first[(i*in.Channels+c)*n+p] = float32(v)
			}
		}
	}
	write(t, filepath.Join(folder, name+".images.npy"), []int{images, in.Channels, in.Height, in.Width}, first)
	for _, b := range backendtest.Names() {
		models := []*model.Model{m}
		e, err := answer.Open(t.Context(), models, answer.Options{Backend: backendtest.Open(t, b), FlipAverage: answer.FlipAverage(models)})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		p, err := e.Answer(t.Context(), set, nil)
		if err != nil {
			t.Fatalf("%s: %s: %v", name, b, err)
		}
		for c := range p.Columns {
			least, most := p.Row(0)[c], p.Row(0)[c]
			for i := range images {
				least, most = min(least, p.Row(i)[c]), max(most, p.Row(i)[c])
			}
			if most-least < 8*pixels {
				t.Errorf("%s: %s: column %s: found answers that differ by %g pixels, want more to compare", name, b, p.Columns[c], most-least)
			}
		}
		write(t, filepath.Join(folder, name+"."+b+".points.npy"), []int{images, len(p.Columns)}, p.Points)
	}
}

func write(t *testing.T, path string, shape []int, values []float32) {
	t.Helper()
	x, err := format.NewTensor("x", format.Float32, shape, values)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(npy.Write(f, x), f.Close()); err != nil {
		t.Fatal(err)
	}
}

type checked struct {
	Differences map[string]float64 // by backend
	Producer    string
	Input       []any
	Metadata    map[string]string
	Texts       map[string]string
	About       map[string]json.RawMessage
	Sums        map[string]json.RawMessage
}

// agrees wants a network's answers to be ONNX Runtime's, on each backend.
func (c checked) agrees(t *testing.T, name string) {
	t.Helper()
	for _, b := range backendtest.Names() {
		if d, ok := c.Differences[b]; !ok || !(d <= pixels) {
			t.Errorf("%s: %s: found a difference of %g pixels (%v), want at most %g", name, b, d, ok, pixels)
		}
	}
}

func check(t *testing.T, folder string) map[string]checked {
	t.Helper()
	cmd := exec.Command(pyenv.Python(t, "requirements.txt"), "testdata/check.py", folder)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("check.py: %v\n%s", err, stderr.String())
	}
	var out map[string]checked
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// pixels is how far ONNX Runtime may be from fkzoo.
const pixels = 1e-3

func TestONNXRuntimeAgrees(t *testing.T) {
	folder, all := t.TempDir(), cases(t)
	used := map[string]bool{}
	digests := map[string]string{}
	for name, d := range all {
		m := randomModel(t, d, 3)
		digests[name] = m.Digest
		for _, f := range Formats {
			if err := Write(filepath.Join(folder, name+f.Extensions[0]), m, Options{Version: "v1"}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		answerImages(t, folder, name, m)
		for _, l := range d.Members[0].Layers {
			used[l.Kind] = true
		}
	}
	for i := range blueprint.Kinds {
		if kind := blueprint.Kinds[i].Name; !used[kind] {
			t.Errorf("found no network with a layer of the kind %s, want one", kind)
		}
	}
	found := check(t, folder)
	for name, d := range all {
		c := found[name]
		c.agrees(t, name)
		in := d.Input
		if c.Producer != "fkzoo" || fmt.Sprint(c.Input) != fmt.Sprint([]any{"N", in.Channels, in.Height, in.Width}) {
			t.Errorf("%s: found producer %q, input %v", name, c.Producer, c.Input)
		}
		columns, _ := json.Marshal(d.Columns(nil))
		for what, texts := range map[string]map[string]string{"onnx": c.Metadata, "safetensors": c.Texts} {
			if texts["fkzoo.columns"] != string(columns) || texts["fkzoo.digest"] != digests[name] || !strings.Contains(texts["fkzoo.recipe"], `"sgd"`) {
				t.Errorf("%s: %s: found the metadata %q", name, what, texts)
			}
			if back, err := blueprint.Parse([]byte(texts["fkzoo.blueprint"])); err != nil || len(back.Members) != len(d.Members) {
				t.Errorf("%s: %s: the blueprint: %v", name, what, err)
			}
		}
		if string(c.About["digest"]) != `"`+digests[name]+`"` || len(c.Sums) == 0 {
			t.Errorf("%s: npz: found %s, %d arrays", name, c.About["digest"], len(c.Sums))
		}
	}
}

// What the shipped plugins offer, in small: layouts as they are, with fewer units.
func TestShippedArchitectures(t *testing.T) {
	bin, folder := t.TempDir(), t.TempDir()
	// Without what a debugger needs: linking is most of the work.
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", bin+string(filepath.Separator), "../../plugins/...").CombinedOutput(); err != nil {
		t.Fatalf("plugins: %v\n%s", err, out)
	}
	programs, err := os.ReadDir(bin)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		if err := os.Rename(filepath.Join(bin, p.Name()), filepath.Join(bin, "fkzoo-plugin-"+p.Name())); err != nil {
			t.Fatal(err)
		}
	}
	h, err := host.New(host.Options{Dev: bin, Cache: t.TempDir(), Config: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	list, errs := h.List(context.Background())
	if len(errs) > 0 || len(list) < 7 {
		t.Fatalf("found %d architectures, %v", len(list), errs)
	}
	several := false
	var written []string
	for _, a := range list {
		settings := map[string]string{}
		for _, s := range a.Settings {
			switch s.Name {
			case "hidden":
				settings["hidden"] = "40"
			case "width":
				settings["width"] = "12"
			}
		}
		answered, err := h.Blueprint(context.Background(), a.Name, host.Request{Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		d, err := answered.Document.Resolve(blueprint.KaggleColumns)
		if err != nil {
			t.Fatal(err)
		}
		several = several || len(d.Members) > 1
		if d.Members[0].Boxes() {
			if err := Write(filepath.Join(folder, a.Name+".onnx"), randomModel(t, d, 4), Options{}); !errors.Is(err, answer.ErrBoxes) {
				t.Errorf("%s: found %v, want it refused", a.Name, err)
			}
			continue
		}
		m := randomModel(t, d, 4)
		if err := Write(filepath.Join(folder, a.Name+".onnx"), m, Options{}); err != nil {
			t.Fatal(err)
		}
		answerImages(t, folder, a.Name, m)
		written = append(written, a.Name)
	}
	if !several {
		t.Error("found no architecture of several members, want the specialists")
	}
	found := check(t, folder)
	for _, name := range written {
		found[name].agrees(t, name)
		t.Logf("%s: %v pixels", name, found[name].Differences)
	}
}

// compared compares what ONNX can say with the names of a blueprint's table, both ways.
func compared[F any](t *testing.T, table string, names []string, said map[string]F) {
	t.Helper()
	for _, name := range names {
		if _, ok := said[name]; !ok {
			t.Errorf("%s: %s: found no way to say it in ONNX", table, name)
		}
	}
	for name := range said {
		if !slices.Contains(names, name) {
			t.Errorf("%s: %s: found in ONNX, not in the table", table, name)
		}
	}
}

// Each row of the blueprint's tables can be said in ONNX; one that couldn't is refused before there is a file.
func TestTableOfKinds(t *testing.T) {
	compared(t, "kinds", blueprint.Kinds.Names(), operators)
	compared(t, "activations", blueprint.Activations.Names(), activations)
	compared(t, "scalings", blueprint.Scalings.Names(), scalings)
	refused(t, operators, "softmax", "softmax", `m.onnx: member net: layer "c": kind softmax: `)
	refused(t, activations, "silu", "batch_norm", `m.onnx: member net: layer "c": activation silu: `)
	refused(t, scalings, "unit", "softmax", "m.onnx: input.scaling: unit: ")
}

// refused exports a case without a row of a table.
func refused[F any](t *testing.T, table map[string]F, row, network, want string) {
	t.Helper()
	m := randomModel(t, cases(t)[network], 1)
	was := table[row]
	delete(table, row)
	defer func() { table[row] = was }()
	path := filepath.Join(t.TempDir(), "m.onnx")
	err := Write(path, m, Options{})
	if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), want) {
		t.Errorf("without %s: found %v, want %s", row, err, want)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without %s: found a file: %v", row, err)
	}
}

// Each row of the table is whole, its endings are its own, and the same model gives the same bytes.
func TestFormats(t *testing.T) {
	of, m := map[string]string{}, randomModel(t, cases(t)["members-mean"], 5)
	for _, f := range Formats {
		if f.Name == "" || len(f.Extensions) == 0 || f.Holds == "" || f.Lacks == "" {
			t.Errorf("found the format %+v, want name, endings, what it holds and lacks", f)
			continue
		}
		if one, two := written(t, f, m), written(t, f, m); one != two || one == "" {
			t.Errorf("%s: found other bytes of the same model", f.Name)
		}
		for _, ending := range f.Extensions {
			if of[ending] != "" {
				t.Errorf("%s: found it of %s and %s", ending, of[ending], f.Name)
			}
			of[ending] = f.Name
			got, err := FormatOf("a" + strings.ToUpper(ending))
			if err != nil || got != f {
				t.Errorf("%s: found %v, %v", ending, got, err)
			}
			if !strings.Contains(ErrFormat.Error(), ending) {
				t.Errorf("found %q, want %s named", ErrFormat, ending)
			}
		}
	}
}

func written(t *testing.T, f *Format, m *model.Model) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m"+f.Extensions[0])
	if err := Write(path, m, Options{}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestImportGivesTheModelBack(t *testing.T) {
	for _, name := range []string{"members-mean", "batch_norm", "attention"} {
		m := randomModel(t, cases(t)[name], 5)
		for _, f := range Formats {
			if !f.Returns {
				continue
			}
			folder := t.TempDir()
			path := filepath.Join(folder, "m"+f.Extensions[0])
			if err := Write(path, m, Options{}); err != nil {
				t.Fatal(err)
			}
			back, err := imported(t, path)
			if err != nil {
				t.Fatal(err)
			}
			if back.Digest != m.Digest {
				t.Errorf("%s%s: found digest %s in the file, want %s", name, f.Name, back.Digest, m.Digest)
			}
			if err := back.Save(filepath.Join(folder, "back.fkz"), false); err != nil {
				t.Fatal(err)
			}
			if back.Digest != m.Digest || back.Provenance.Seed != 5 {
				t.Errorf("%s%s: found digest %s, provenance %+v, want %s", name, f.Name, back.Digest, back.Provenance, m.Digest)
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	folder := t.TempDir()
	m := randomModel(t, cases(t)["dense"], 5)
	at := func(name string) string { return filepath.Join(folder, name) }
	if err := Write(at("m.txt"), m, Options{}); !errors.Is(err, ErrFormat) {
		t.Errorf("another ending: %v", err)
	}
	if err := Write(at("m.npz"), m, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := Write(at("m.npz"), m, Options{}); !errors.Is(err, format.ErrExists) {
		t.Errorf("an existing file: %v", err)
	}
	if err := Write(at("m.npz"), m, Options{Force: true}); err != nil {
		t.Errorf("an existing file, forced: %v", err)
	}
	without, err := model.Describe(save(t, m))
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(at("w.onnx"), without, Options{}); err == nil {
		t.Error("a model without weights: written")
	}

	list, err := tensorsOf(m)
	if err != nil {
		t.Fatal(err)
	}
	meta, err := texts(m)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, tensors []format.Tensor, meta map[string]string) {
		t.Helper()
		f, err := os.Create(at(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(safetensors.Write(f, tensors, meta), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	put("plain.safetensors", list, map[string]string{"a": "b"})
	put("less.safetensors", list[1:], meta)
	broken := maps.Clone(meta)
	broken["fkzoo.blueprint"] = "{"
	put("broken.safetensors", list, broken)
	broken = maps.Clone(meta)
	broken["fkzoo.history"] = "{"
	put("history.safetensors", list, broken)
	wide := slices.Clone(list)
	wide[0] = format.Tensor{Name: wide[0].Name, Type: format.Float64, Shape: wide[0].Shape, Data: make([]byte, 2*len(wide[0].Data))}
	put("wide.safetensors", wide, meta)
	if err := Write(at("m.onnx"), m, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("none.npz"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(at("numpy.npz"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(npy.WriteArchive(f, list), f.Close()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"m.onnx": safetensors.ErrFormat.Error(), "none.npz": npy.ErrFormat.Error(), "numpy.npz": ErrNoBlueprint.Error(),
		"plain.safetensors": ErrNoBlueprint.Error(), "less.safetensors": "missing, want shape",
		"broken.safetensors": "blueprint: ", "history.safetensors": "metadata fkzoo.history: ",
		"wide.safetensors": "found type float64, want float32",
	} {
		if _, err := imported(t, at(name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, want %q", name, err, want)
		}
	}
}

// imported reads a file back as who has opened it does.
func imported(t *testing.T, path string) (*model.Model, error) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var tensors []format.Tensor
	if filepath.Ext(path) == ".npz" {
		a, err := npy.NewArchive(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return nil, err
		}
		text := []byte("{}")
		if slices.Contains(a.Others(), AboutEntry) {
			if text, err = a.Other(AboutEntry); err != nil {
				return nil, err
			}
		}
		about, err := ParseAbout(text)
		if err != nil {
			return nil, err
		}
		for _, name := range a.Names() {
			x, err := a.Array(name)
			if err != nil {
				return nil, err
			}
			tensors = append(tensors, x)
		}
		return about.Model(tensors)
	}
	f, err := safetensors.New(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	about, err := AboutTexts(f.Metadata())
	if err != nil {
		return nil, err
	}
	for _, info := range f.Infos() {
		x, err := f.Tensor(info.Name)
		if err != nil {
			return nil, err
		}
		tensors = append(tensors, x)
	}
	return about.Model(tensors)
}

func save(t *testing.T, m *model.Model) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.fkz")
	if err := m.Save(path, false); err != nil {
		t.Fatal(err)
	}
	return path
}

// The guide's Python runs, on files of the names that it uses.
func TestPythonOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/guide.md")
	if err != nil {
		t.Fatal(err)
	}
	var program strings.Builder
	for i, part := range strings.Split(string(guide), "\n```python\n") {
		if text, _, closed := strings.Cut(part, "\n```\n"); i > 0 && closed {
			program.WriteString(text + "\n")
		}
	}
	if !strings.Contains(program.String(), "onnxruntime") {
		t.Fatal("docs/guide.md: found no Python with onnxruntime, want some")
	}
	folder := t.TempDir()
	d := document(t, `"height": 96, "width": 96, "channels": 1`, member("net", three, `{"name": "c", "kind": "conv2d", "filters": 2, "stride": 4}`+end, ""))
	m := randomModel(t, d, 6)
	for _, f := range Formats {
		if err := Write(filepath.Join(folder, "model"+f.Extensions[0]), m, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	answerImages(t, folder, "model", m)
	if err := os.Rename(filepath.Join(folder, "model.images.npy"), filepath.Join(folder, "faces.npy")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(pyenv.Python(t, "requirements.txt"), "-c", program.String()+`
import json
want = np.load("model.go.points.npy")
assert np.abs(points - want).max() < 1e-3, (points, want)
assert columns == ["a_x", "a_y", "b_x"], columns
assert weights["net/y/weights"].shape[1] == 3 and blueprint["name"] == "tiny"
`)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "a_x") {
		t.Errorf("found %v\n%s", err, out)
	}
}
