package model_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

// The digest of a file is a promise: it may change with no version.
func TestGoldenDigests(t *testing.T) {
	for _, c := range []struct {
		training bool
		want     string
	}{
		{false, "424c6de97ab060eff170b270b543d6559fd77e0f4400cf33dd0e4f1d6f0106fb"},
		{true, "d0ff0cd4fb35043e0d10136a159db6acdf2a4789f4ad455f25fbc16bc54553be"},
	} {
		m := zootest.HandMade(t, c.training)
		path := filepath.Join(t.TempDir(), "m.fkz")
		if err := m.Save(path, false); err != nil {
			t.Fatal(err)
		}
		if m.Digest != c.want {
			t.Errorf("in training %v: found digest %s, want %s", c.training, m.Digest, c.want)
		}
		// What says where and when isn't part of it.
		m.Provenance, m.Run = model.Provenance{}, model.Run{}
		if err := m.Save(path, true); err != nil || m.Digest != c.want {
			t.Errorf("in training %v, without provenance: found digest %s (%v), want %s", c.training, m.Digest, err, c.want)
		}
	}
}

// randomModel is a model with random values and lengths, a third of them in training.
func randomModel(t testing.TB, r *rand.Rand) *model.Model {
	m := zootest.HandMade(t, r.IntN(3) == 0)
	text := func() string {
		return []string{"", "a", "é\x00\n", "日本", `"quoted" <&>`, strings.Repeat("x", r.IntN(300))}[r.IntN(6)]
	}
	value := func() float64 {
		return []float64{0, 1, -1, 0.1, math.MaxFloat64, 5e-324, math.Copysign(0, -1), float64(r.IntN(1 << 20)), r.NormFloat64()}[r.IntN(9)]
	}
	values := func(n int) (out []float64) {
		for range n {
			out = append(out, value())
		}
		return out
	}
	texts := func() (out []string) {
		for range r.IntN(3) {
			out = append(out, text())
		}
		return out
	}
	for i := range m.History {
		n := r.IntN(5)
		h := model.MemberHistory{Member: m.History[i].Member, TrainLoss: values(n), Rate: values(n)}
		if r.IntN(2) == 0 {
			h.ValidationLoss, h.RMSEPixels = values(n), values(n)
			h.BestEpoch, h.Stopped = r.IntN(n+1), m.State == nil && r.IntN(2) == 0
		}
		m.History[i] = h
	}
	m.Provenance = model.Provenance{Fkzoo: text(), Plugin: model.PluginFrom{text(), text()}, Data: model.DataFrom{text(), text(), r.IntN(10), texts(), values(r.IntN(3))},
		Seed: r.Uint64(), Backend: text(), Kernels: text(), Options: texts(), Start: text()}
	m.Run = model.Run{Started: text(), Machine: text(), Command: texts(), Seconds: values(r.IntN(4)), Resumed: r.IntN(3)}
	if m.State != nil {
		m.State.Epoch, m.State.Step = len(m.History[1].TrainLoss), r.IntN(math.MaxInt)
		m.State.LossSum, m.State.Cells = value(), math.Abs(value())
	}
	for _, a := range m.Weights {
		for k := range a.Data {
			a.Data[k] = math.Float32frombits(r.Uint32()) // NaNs too
		}
	}
	if r.IntN(2) == 0 {
		m.Extra = map[string]any{"later": []any{int64(1), 0.5, []byte{1}}}
	}
	return m
}

// Saving and loading gives the model back, and saving that the same bytes.
func TestRoundTrips(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	folder := t.TempDir()
	for i := range 60 {
		m := randomModel(t, r)
		first, second := filepath.Join(folder, fmt.Sprint(i, "a.fkz")), filepath.Join(folder, fmt.Sprint(i, "b.fkz"))
		if err := m.Save(first, false); err != nil {
			t.Fatal(err)
		}
		got := zootest.MustLoad(t, first)
		if err := got.Save(second, false); err != nil {
			t.Fatal(err)
		}
		a, _ := os.ReadFile(first)
		b, _ := os.ReadFile(second)
		if string(a) != string(b) {
			t.Errorf("model %d: the second file has other bytes", i)
		}
		got.ForgetUnknown()
		sameContent(t, fmt.Sprintf("model %d", i), got, m)
	}
}

func sameContent(t *testing.T, what string, got, want *model.Model) {
	t.Helper()
	bits := func(all engine.Arrays) map[string]string {
		out := map[string]string{}
		for name, a := range all {
			for _, v := range a.Data {
				out[name] += fmt.Sprintf("%x ", math.Float32bits(v))
			}
			out[name] += fmt.Sprint(a.Shape)
		}
		return out
	}
	arrays := func(m *model.Model) []map[string]string {
		out := []map[string]string{bits(m.Weights)}
		if m.State != nil {
			out = append(out, bits(m.State.Tensors), bits(m.State.Best), bits(m.State.Final))
		}
		return out
	}
	if !reflect.DeepEqual(arrays(got), arrays(want)) {
		t.Errorf("%s: the tensors differ", what)
	}
	strip := func(m *model.Model) model.Model {
		c := *m
		c.Weights = nil
		if c.State != nil {
			s := *c.State
			s.Tensors, s.Best, s.Final = nil, nil, nil
			c.State = &s
		}
		return c
	}
	g, w := strip(got), strip(want)
	if (g.State == nil) != (w.State == nil) || g.State != nil && plain(g.State) != plain(w.State) {
		t.Errorf("%s: found state %+v, want %+v", what, g.State, w.State)
	}
	g.State, w.State = nil, nil
	if !reflect.DeepEqual(emptied(g), emptied(w)) {
		t.Errorf("%s: found %+v, want %+v", what, g, w)
	}
}

// plainState is a State without its tensors, which can be compared.
type plainState struct {
	member, epoch, step int
	sum, cells          float64
}

func plain(s *model.State) plainState {
	return plainState{s.Member, s.Epoch, s.Step, s.LossSum, s.Cells}
}

// emptied is a value's text, in which an empty list is the same as none.
func emptied(m model.Model) string {
	m.Document = nil
	return strings.ReplaceAll(fmt.Sprintf("%#v", m), "(nil)", "{}")
}

// Fields that a newer version adds anywhere are there still after loading and saving.
func TestUnknownFieldsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.fkz")
	if err := zootest.HandMade(t, true).Save(path, false); err != nil {
		t.Fatal(err)
	}
	meta, tensors, err := format.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	later := func(object any) {
		m := object.(map[string]any)
		m["later"] = map[string]any{"a": []any{int64(1), 2.0, "three", []byte{4}}, "b": nil}
		m["zz"] = math.Inf(1)
	}
	history := meta.History.([]any)
	provenance := meta.Provenance.(map[string]any)
	for _, object := range []any{history[0], history[1], meta.State, provenance, provenance["plugin"], provenance["data"], meta.Run} {
		later(object)
	}
	meta.Extra = map[string]any{"signature": []byte{1, 2}, "aa": int64(1)}
	d := meta.Blueprint.(map[string]any)
	for _, object := range []any{d, d["members"].([]any)[0], d["members"].([]any)[1].(map[string]any)["recipe"]} {
		object.(map[string]any)["later"] = []any{int64(1), "two"}
	}
	for i := range tensors {
		tensors[i].Extra = map[string]any{"later": int64(i)}
	}
	if err := format.Write(path, meta, tensors, format.Options{Force: true}); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := zootest.MustLoad(t, path)
	if err := m.Save(path, true); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(after) != string(before) {
		got, _, _ := format.Load(path)
		t.Errorf("loading and saving changed the file: found %+v, want %+v", got, meta)
	}

	// What is known changes, what isn't stays.
	m.History[1].Stopped, m.Run.Resumed, m.Provenance.Plugin, m.State = true, 0, model.PluginFrom{}, nil
	if err := m.Save(path, true); err != nil {
		t.Fatal(err)
	}
	got, _, err := format.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	h, run, plugin := got.History.([]any)[1].(map[string]any), got.Run.(map[string]any), got.Provenance.(map[string]any)["plugin"].(map[string]any)
	if h["stopped"] != true || h["later"] == nil || run["resumed"] != nil || run["later"] == nil || plugin["later"] == nil || plugin["name"] != "" || got.State != nil {
		t.Errorf("found history %v, run %v, plugin %v, state %v", h, run, plugin, got.State)
	}
}

// tensor adds a tensor of zeros to a file, or replaces one.
func tensor(t *testing.T, name string, shape []int) func(*format.Meta, []format.Tensor) []format.Tensor {
	return func(_ *format.Meta, all []format.Tensor) []format.Tensor {
		n := 1
		for _, d := range shape {
			n *= d
		}
		x, err := format.NewTensor(name, format.Float32, shape, make([]float32, n))
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			if all[i].Name == name {
				all[i] = x
				return all
			}
		}
		return append(all, x)
	}
}

// What is wrong with a file is said by name, and never a panic.
func TestLoadRefuses(t *testing.T) {
	set := func(change func(m *format.Meta)) func(*format.Meta, []format.Tensor) []format.Tensor {
		return func(m *format.Meta, all []format.Tensor) []format.Tensor {
			change(m)
			return all
		}
	}
	history := func(v any) func(*format.Meta, []format.Tensor) []format.Tensor {
		return set(func(m *format.Meta) { m.History = []any{v} })
	}
	for _, c := range []struct {
		name   string
		change func(*format.Meta, []format.Tensor) []format.Tensor
		kind   error
		want   string
	}{
		{"no blueprint", set(func(m *format.Meta) { m.Blueprint = nil }), model.ErrNotModel, "not a model of a network: no blueprint"},
		{"another blueprint", set(func(m *format.Meta) { m.Blueprint = "net6" }), nil, "field blueprint"},
		{"bytes in the blueprint", set(func(m *format.Meta) { m.Blueprint = []byte{1} }), model.ErrNotModel, "field blueprint"},
		{"a newer blueprint", set(func(m *format.Meta) { m.Blueprint.(map[string]any)["blueprint"] = int64(2) }), blueprint.ErrVersion, "field blueprint"},
		{"columns not resolved", set(func(m *format.Meta) {
			m.Blueprint.(map[string]any)["members"].([]any)[0].(map[string]any)["columns"] = []any{"*"}
		}), nil, `columns: found "*"`},
		{"history no list", set(func(m *format.Meta) { m.History = "long" }), model.ErrNotModel, `field history: found "long", want an array`},
		{"history of numbers", history(int64(1)), model.ErrNotModel, "field history[0]: found 1, want a map"},
		{"nil in history", history(nil), model.ErrNotModel, "field history[0]: found nil"},
		{"a text as a loss", history(map[string]any{"train_loss": []any{1.0, "2"}}), model.ErrNotModel, `field history[0].train_loss[1]: found "2", want a finite number`},
		{"a loss that is not a number", history(map[string]any{"rate": []any{math.NaN()}}), model.ErrNotModel, "field history[0].rate[0]: found NaN"},
		{"a fraction as an epoch", history(map[string]any{"best_epoch": 1.5}), model.ErrNotModel, "field history[0].best_epoch: found 1.5, want a whole number"},
		{"a huge epoch", history(map[string]any{"best_epoch": uint64(math.MaxUint64)}), model.ErrNotModel, "field history[0].best_epoch"},
		{"a number as a flag", history(map[string]any{"stopped": int64(1)}), model.ErrNotModel, "field history[0].stopped: found 1, want true or false"},
		{"lengths that differ", history(map[string]any{"member": "net", "train_loss": []any{1.0}}), model.ErrNotModel, `history of "net": found 0 rates`},
		{"a seed below 0", set(func(m *format.Meta) { m.Provenance = map[string]any{"seed": int64(-1)} }), model.ErrNotModel, "field provenance.seed: found -1"},
		{"bytes as a name", set(func(m *format.Meta) { m.Provenance = map[string]any{"plugin": map[string]any{"name": []byte("x")}} }), model.ErrNotModel, "field provenance.plugin.name: found 1 bytes, want a text"},
		{"run a list", set(func(m *format.Meta) { m.Run = []any{} }), model.ErrNotModel, "field run: found an array of 0, want a map"},
		{"state a list", set(func(m *format.Meta) { m.State = []any{} }), model.ErrNotModel, "field state: found an array of 0, want a map"},
		{"an empty state", set(func(m *format.Meta) { m.State = map[string]any{} }), model.ErrNotModel, "state: found epoch 0 of member eyes, want 2 as in its history"},
		{"a tensor more", tensor(t, "more", []int{2}), nil, "tensor more: no parameter of the blueprint has that name"},
		{"a tensor of another shape", tensor(t, "eyes/out/bias", []int{3}), nil, "tensor eyes/out/bias: found shape [3], want [4]"},
		{"a tensor of a training", tensor(t, "training/eyes/out/bias", []int{4}), nil, "tensor training/eyes/out/bias: no parameter"},
		{"a tensor less", func(_ *format.Meta, all []format.Tensor) []format.Tensor { return all[1:] }, nil, "tensor eyes/out/bias: missing, want shape [4]"},
		{"another type", func(_ *format.Meta, all []format.Tensor) []format.Tensor {
			all[0].Type, all[0].Data = format.Float64, make([]byte, 32)
			return all
		}, nil, "tensor eyes/out/bias: found type float64, want float32"},
	} {
		path := filepath.Join(t.TempDir(), "m.fkz")
		if err := zootest.HandMade(t, false).Save(path, false); err != nil {
			t.Fatal(err)
		}
		meta, tensors, err := format.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		tensors = c.change(&meta, tensors)
		if err := format.Write(path, meta, tensors, format.Options{Force: true}); err != nil {
			t.Fatal(err)
		}
		_, err = model.Describe(path)
		zootest.WantError(t, c.name+", described", err, c.kind, c.want)
		_, err = model.Load(path)
		zootest.WantError(t, c.name, err, c.kind, c.want)
		if err != nil && strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: error is %v, want it to name the file once", c.name, err)
		}
	}
}

func TestLoadRefusesFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.fkz")
	if err := zootest.HandMade(t, false).Save(path, false); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(path)
	b[len(b)-1] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := model.Load(path)
	zootest.WantError(t, "damaged", err, format.ErrDamaged, "nose/out/weights")
	if _, err := model.Load(filepath.Join(t.TempDir(), "none.fkz")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: error is %v", err)
	}
	if err := zootest.HandMade(t, false).Save(path, false); !errors.Is(err, format.ErrExists) {
		t.Errorf("an existing file: error is %v, want ErrExists", err)
	}
}

// Describe gives all that the header says, whatever the tensors' bytes are.
func TestDescribe(t *testing.T) {
	for _, training := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "m.fkz")
		if err := zootest.HandMade(t, training).Save(path, false); err != nil {
			t.Fatal(err)
		}
		want := zootest.MustLoad(t, path)
		b, _ := os.ReadFile(path)
		b[len(b)-1] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := model.Describe(path)
		if err != nil {
			t.Fatal(err)
		}
		if got.Weights != nil || (got.State != nil) != training {
			t.Errorf("found %d weights and state %v, want none and %v", len(got.Weights), got.State, training)
		}
		want.Weights = nil
		got.ForgetUnknown()
		want.ForgetUnknown()
		if training {
			want.State.Tensors, want.State.Best, want.State.Final = nil, nil, nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("found %+v, want %+v", got, want)
		}
	}
}

// A number that a file can't hold is an error that names it.
func TestSaveRefuses(t *testing.T) {
	m := zootest.HandMade(t, false)
	m.History[1].ValidationLoss[0] = math.Inf(1)
	path := filepath.Join(t.TempDir(), "m.fkz")
	zootest.WantError(t, "infinite loss", m.Save(path, false), nil, "m.fkz: history[1].validation_loss[0]: found +Inf, want a finite number")
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) > 0 {
		t.Errorf("found %v, want nothing written", files)
	}
}

// No header, however made up, ends in a panic; one that is accepted is saved
// and loaded again as it is.
func FuzzHeader(f *testing.F) {
	for _, training := range []bool{false, true} {
		path := filepath.Join(f.TempDir(), "m.fkz")
		if err := zootest.HandMade(f, training).Save(path, false); err != nil {
			f.Fatal(err)
		}
		meta, _, err := format.Load(path)
		if err != nil {
			f.Fatal(err)
		}
		var parts [4][]byte
		for i, v := range []any{meta.History, meta.State, meta.Provenance, meta.Run} {
			if parts[i], err = format.ToJSON(v); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(parts[0], parts[1], parts[2], parts[3])
	}
	f.Add([]byte(`[{"member":"eyes","later":1},null]`), []byte(`{}`), []byte(`{"plugin":[]}`), []byte(`{"seconds":[1e999]}`))
	f.Add([]byte(`{}`), []byte(`{"member":1,"epoch":1,"step":-1}`), []byte(`{"data":{"mean":[1],"columns":[]}}`), []byte(`null`))
	made := zootest.HandMade(f, false)
	path := filepath.Join(f.TempDir(), "made.fkz")
	if err := made.Save(path, false); err != nil {
		f.Fatal(err)
	}
	whole, _, err := format.Load(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, history, state, provenance, run []byte) {
		meta := format.Meta{Blueprint: whole.Blueprint}
		for _, p := range []struct {
			to   *any
			text []byte
		}{{&meta.History, history}, {&meta.State, state}, {&meta.Provenance, provenance}, {&meta.Run, run}} {
			v, err := format.FromJSON(p.text)
			if err != nil {
				t.Skip()
			}
			*p.to = v
		}
		m := &model.Model{Weights: made.Weights}
		if m.SetMeta(&meta) != nil || m.Check() != nil {
			return
		}
		first, err := m.Meta()
		if err != nil {
			t.Fatalf("accepted, but not saved: %v", err)
		}
		again := &model.Model{Weights: made.Weights}
		if err := errors.Join(again.SetMeta(&first), again.Check()); err != nil {
			t.Fatalf("saved, but not accepted: %v", err)
		}
		if second, err := again.Meta(); err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("found %v (%v), want %v", second, err, first)
		}
	})
}

// BenchmarkLoad is of a model of net11's size.
func BenchmarkLoad(b *testing.B) {
	o := traintest.Options(b, zootest.Document(b, zootest.Net("net", zootest.Every,
		`{"name": "flat", "kind": "flatten"}, {"name": "hidden", "kind": "dense", "units": 4000}, {"name": "hidden2", "kind": "dense", "units": 4900}, {"name": "out", "kind": "dense", "units": "columns"}`,
		zootest.Recipe(`"epochs": 1, "rate": 0`), "")), zootest.Faces(2, zootest.Every, 1))
	if _, err := train.Run(context.Background(), o); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(o.Output)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	for b.Loop() {
		zootest.MustLoad(b, o.Output)
	}
}
