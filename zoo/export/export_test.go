package export

import (
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

const recipe = `{"loss": {"kind": "mse", "rows": "filled"}, "optimizer": {"kind": "sgd"}, "rate": 0.05, "epochs": 4, "batch": 8, "validation": 0.2}`

// end ends a network with its answer.
const end = `, {"name": "flat", "kind": "flatten"}, {"name": "y", "kind": "dense", "units": "columns"}`

func member(name, columns, layers, more string) string {
	return fmt.Sprintf(`{"name": %q, "columns": [%s], "layers": [%s], "recipe": %s%s}`, name, columns, layers, recipe, more)
}

func document(t testing.TB, input string, members ...string) *blueprint.Document {
	t.Helper()
	d, err := blueprint.Parse(fmt.Appendf(nil, `{"blueprint": 1, "name": "tiny", "input": {%s}, "members": [%s]}`, input, strings.Join(members, ",")))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const (
	sides = `"height": 12, "width": 10, "channels": 1`
	three = `"a_x", "a_y", "b_x"`
)

// cases are networks by name: one or more of each layer kind, with every setting that ONNX says in another way, all kinds of
// scaling, and several members.
func cases(t testing.TB) map[string]*blueprint.Document {
	out := map[string]*blueprint.Document{}
	for name, layers := range map[string]string{
		"conv2d":            `{"name": "c", "kind": "conv2d", "filters": 4, "kernel": [3, 2], "activation": "relu"}`,
		"conv2d-strided":    `{"name": "c", "kind": "conv2d", "filters": 4, "kernel": [3, 4], "stride": [2, 3], "padding": "same"}`,
		"conv2d-dilated":    `{"name": "c", "kind": "conv2d", "filters": 4, "dilation": [2, 3], "padding": [2, 1]}`,
		"conv2d-groups":     `{"name": "b", "kind": "conv2d", "filters": 4}, {"name": "c", "kind": "conv2d", "filters": 6, "groups": 2, "bias": "none"}`,
		"conv2d-untied":     `{"name": "c", "kind": "conv2d", "filters": 3, "bias": "untied", "activation": "tanh"}`,
		"conv2d-of-vectors": `{"name": "d", "kind": "dense", "units": 3}, {"name": "c", "kind": "conv2d", "filters": 3}`,
		"max_pool":          `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "max_pool", "window": [2, 3], "stride": [3, 2]}`,
		"max_pool-same":     `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "max_pool", "window": 3, "stride": 2, "padding": "same"}`,
		"avg_pool":          `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "avg_pool", "window": 3, "stride": 2, "padding": "same"}`,
		"avg_pool-counted":  `{"name": "c", "kind": "avg_pool", "window": [2, 3], "padding": 1, "count_padding": true}`,
		"global_avg_pool":   `{"name": "b", "kind": "conv2d", "filters": 5}, {"name": "c", "kind": "global_avg_pool"}`,
		"dense":             `{"name": "f", "kind": "flatten"}, {"name": "c", "kind": "dense", "units": 7, "bias": "none", "activation": "sigmoid"}`,
		"dense-of-maps":     `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "dense", "units": 2, "activation": "elu"}`,
		"dropout":           `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "dropout", "rate": 0.4, "rescale": false}`,
		"batch_norm":        `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "batch_norm", "epsilon": 0.1, "activation": "silu"}`,
		"batch_norm-flat":   `{"name": "f", "kind": "flatten"}, {"name": "d", "kind": "dense", "units": 4}, {"name": "c", "kind": "batch_norm"}`,
		"batch_norm-four":   `{"name": "f", "kind": "reshape", "shape": [2, 6, 5, 2]}, {"name": "c", "kind": "batch_norm"}`,
		"layer_norm":        `{"name": "b", "kind": "conv2d", "filters": 4}, {"name": "c", "kind": "layer_norm", "epsilon": 0.01}`,
		"add":               `{"name": "b", "kind": "conv2d", "filters": 4}, {"name": "d", "kind": "conv2d", "filters": 4, "inputs": ["input"]}, {"name": "c", "kind": "add", "inputs": ["b", "d", "b"], "activation": "leaky_relu"}`,
		"add-repeated":      `{"name": "b", "kind": "conv2d", "filters": 4}, {"name": "g", "kind": "global_avg_pool"}, {"name": "r", "kind": "reshape", "shape": [1, 1, -1]}, {"name": "c", "kind": "add", "inputs": ["r", "b"]}`,
		"multiply":          `{"name": "b", "kind": "conv2d", "filters": 4}, {"name": "g", "kind": "global_avg_pool"}, {"name": "r", "kind": "reshape", "shape": [1, 1, 4]}, {"name": "c", "kind": "multiply", "inputs": ["b", "r"]}`,
		"concat":            `{"name": "b", "kind": "conv2d", "filters": 4, "padding": "same"}, {"name": "c", "kind": "concat", "inputs": ["b", "input"]}`,
		"concat-flat":       `{"name": "f", "kind": "flatten"}, {"name": "d", "kind": "dense", "units": 4}, {"name": "c", "kind": "concat", "inputs": ["d", "f"]}`,
		"flatten":           `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "flatten"}, {"name": "d", "kind": "dense", "units": 4}`,
		"reshape":           `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "reshape", "shape": [6, -1, 2]}, {"name": "d", "kind": "conv2d", "filters": 2}`,
		"upsample":          `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "upsample", "factor": [2, 3]}`,
		"upsample-bilinear": `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "upsample", "factor": [3, 4], "method": "bilinear"}`,
		"softmax":           `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "softmax"}`,
		"softmax-flat":      `{"name": "f", "kind": "flatten"}, {"name": "d", "kind": "dense", "units": 4}, {"name": "c", "kind": "softmax"}`,
		"soft_argmax":       `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "soft_argmax", "temperature": 0.3}`,
		"attention":         `{"name": "b", "kind": "conv2d", "filters": 6, "stride": 2}, {"name": "c", "kind": "attention", "heads": 3}`,
		"attention-tokens":  `{"name": "f", "kind": "reshape", "shape": [-1, 6]}, {"name": "c", "kind": "attention", "heads": 2}`,
	} {
		out[name] = document(t, sides, member("net", three, layers+end, ""))
	}
	for _, f := range blueprint.Activations {
		out["activation-"+f] = document(t, sides, member("net", three,
			`{"name": "b", "kind": "conv2d", "filters": 3, "activation": "`+f+`"}, {"name": "c", "kind": "activation", "function": "`+f+`", "slope": 0.2}`+end, ""))
	}
	for _, s := range blueprint.Scalings {
		out["scaling-"+s] = document(t, sides+`, "scaling": "`+s+`"`, member("net", three, `{"name": "c", "kind": "conv2d", "filters": 2}`+end, ""))
	}
	out["channels"] = document(t, `"height": 7, "width": 9, "channels": 3, "scaling": "standardize"`,
		member("net", three, `{"name": "c", "kind": "conv2d", "filters": 2}`+end, ""))
	layers := `{"name": "c", "kind": "conv2d", "filters": 2}` + end
	out["members"] = document(t, sides, member("one", three, layers, ""), member("two", `"c_x", "c_y"`, layers, `, "output": {"scale": 7, "offset": 2}`))
	out["members-mean"] = document(t, sides+`, "scaling": "raw"`, member("one", three, layers, `, "weight": 3`),
		member("two", `"c_x", "b_x", "a_x"`, layers, `, "output": {"scale": 7}`), member("three", `"a_x"`, layers, `, "weight": 0.5`))
	eyes := `"left_eye_x", "left_eye_y", "right_eye_x", "nose_x", "right_eye_y"`
	out["mirrored"] = document(t, sides+`, "scaling": "standardize"`, member("one", eyes, layers, `, "output": {"flip_average": true, "shift": [1, -0.5, 0.25, 0, 2]}, "weight": 2`),
		member("two", `"nose_x"`, layers, `, "output": {"flip_average": true, "scale": 3, "shift": [0.75]}`))
	out["output-elsewhere"] = document(t, sides, member("net", three, layers+`, {"name": "unused", "kind": "softmax"}`, `, "output": {"layer": "y"}`))
	return out
}

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

// writeAnswers writes images and what the model predicts for them as NAME.images.npy and NAME.BACKEND.points.npy.
func writeAnswers(t *testing.T, folder, name string, m *model.Model) {
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
		for _, f := range formats {
			if err := Write(filepath.Join(folder, name+string(f)), m, Options{Version: "v1"}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		writeAnswers(t, folder, name, m)
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
		m := randomModel(t, d, 4)
		if err := Write(filepath.Join(folder, a.Name+".onnx"), m, Options{}); err != nil {
			t.Fatal(err)
		}
		writeAnswers(t, folder, a.Name, m)
	}
	if !several {
		t.Error("found no architecture of several members, want the specialists")
	}
	found := check(t, folder)
	for _, a := range list {
		found[a.Name].agrees(t, a.Name)
		t.Logf("%s: %v pixels", a.Name, found[a.Name].Differences)
	}
}

// Every layer kind of the table can be said, or is refused by name; and a kind that can't be is.
func TestTableOfKinds(t *testing.T) {
	for i := range blueprint.Kinds {
		if kind := blueprint.Kinds[i].Name; lowerings[kind] == nil {
			t.Errorf("%s: found no way to say it in ONNX", kind)
		}
	}
	for kind := range lowerings {
		if blueprint.KindByName(kind) == nil {
			t.Errorf("%s: found in ONNX, not in the table of kinds", kind)
		}
	}
	m := randomModel(t, cases(t)["softmax"], 1)
	was := lowerings["softmax"]
	delete(lowerings, "softmax")
	defer func() { lowerings["softmax"] = was }()
	path := filepath.Join(t.TempDir(), "m.onnx")
	err := Write(path, m, Options{})
	if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), `m.onnx: member net: layer "c": kind softmax`) {
		t.Errorf("found %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("found a file: %v", err)
	}
}

func TestImportGivesTheModelBack(t *testing.T) {
	for _, name := range []string{"members-mean", "batch_norm", "attention"} {
		m := randomModel(t, cases(t)[name], 5)
		for _, f := range []Format{Safetensors, NPZ} {
			folder := t.TempDir()
			path := filepath.Join(folder, "m"+string(f))
			if err := Write(path, m, Options{}); err != nil {
				t.Fatal(err)
			}
			again := filepath.Join(folder, "again"+string(f))
			if err := Write(again, m, Options{}); err != nil {
				t.Fatal(err)
			}
			one, err1 := os.ReadFile(path)
			two, err2 := os.ReadFile(again)
			if err1 != nil || err2 != nil || string(one) != string(two) {
				t.Errorf("%s%s: the same model gives other bytes", name, f)
			}
			back, err := imported(t, path)
			if err != nil {
				t.Fatal(err)
			}
			if back.Digest != m.Digest {
				t.Errorf("%s%s: found digest %s in the file, want %s", name, f, back.Digest, m.Digest)
			}
			if err := back.Save(filepath.Join(folder, "back.fkz"), false); err != nil {
				t.Fatal(err)
			}
			if back.Digest != m.Digest || back.Provenance.Seed != 5 {
				t.Errorf("%s%s: found digest %s, provenance %+v, want %s", name, f, back.Digest, back.Provenance, m.Digest)
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
		"m.onnx": safetensors.ErrFormat.Error(), "none.npz": safetensors.ErrFormat.Error(), "numpy.npz": ErrNoBlueprint.Error(),
		"plain.safetensors": ErrNoBlueprint.Error(), "less.safetensors": "missing, want shape",
		"broken.safetensors": "blueprint: ", "history.safetensors": "metadata fkzoo.history: ",
		"wide.safetensors": "found type float64, want float32",
	} {
		if _, err := imported(t, at(name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, want %q", name, err, want)
		}
	}
}

func imported(t *testing.T, path string) (*model.Model, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return Import(f, info.Size())
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
	for _, f := range formats {
		if err := Write(filepath.Join(folder, "model"+string(f)), m, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	writeAnswers(t, folder, "model", m)
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
