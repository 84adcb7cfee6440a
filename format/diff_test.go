package format

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
)

// All values of the small floats are those of NumPy and ml_dtypes: testdata/floats.py.
func TestFloat(t *testing.T) {
	for line := range strings.Lines(string(read(t, "testdata/floats.txt"))) {
		var name, want string
		var n uint64
		if _, err := fmt.Sscan(line, &name, &n, &want); err != nil {
			t.Fatal(err)
		}
		var all []byte
		for bits := range n {
			f := Float(DType(name), bits)
			u := math.Float64bits(f)
			if math.IsNaN(f) {
				u = nan
			}
			all = binary.LittleEndian.AppendUint64(all, u)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(all)); got != want {
			t.Errorf("%s: the SHA-256 of its values is %s, want %s", name, got, want)
		}
	}
	if Float(Float32, 0xc0000000) != -2 || Float(Float64, math.Float64bits(0.1)) != 0.1 || !math.IsNaN(Float(Int8, 0)) {
		t.Error("float32, float64 or int8 is wrong")
	}
}

func TestDiffSame(t *testing.T) {
	m, tensors := example(t)
	m.Run = []any{math.NaN(), "x"}
	a, b := mustOpen(t, save(t, m, tensors)), mustOpen(t, save(t, m, tensors))
	if d, err := Diff(a, b); err != nil || len(d.Meta)+len(d.Tensors) > 0 {
		t.Errorf("two equal files: %+v (%v)", d, err)
	}
}

func TestDiffMeta(t *testing.T) {
	m := func() Meta {
		return Meta{Blueprint: map[string]any{"a": 1, "b": map[string]any{"c": []any{1, 2.5, "x"}}}, History: []any{1}, Extra: map[string]any{"later": true}}
	}
	cases := []struct {
		name   string
		change func(*Meta)
		want   string
	}{
		{"a number", func(m *Meta) { m.Blueprint.(map[string]any)["a"] = 2 }, "blueprint.a: 1, 2"},
		{"another kind", func(m *Meta) { m.Blueprint.(map[string]any)["a"] = 1.0 }, "blueprint.a: 1, 1"},
		{"deep", func(m *Meta) { m.Blueprint.(map[string]any)["b"].(map[string]any)["c"].([]any)[1] = nil }, "blueprint.b.c[1]: 2.5, <nil>"},
		{"one more", func(m *Meta) { m.History = []any{1, "y"} }, "history[1]: -, y"},
		{"one less", func(m *Meta) { m.History = []any{} }, "history[0]: 1, -"},
		{"a map for a list", func(m *Meta) { m.History = map[string]any{} }, "history: [1], map[]"},
		{"a new name", func(m *Meta) { m.Blueprint.(map[string]any)["b"].(map[string]any)["x y"] = "z" }, `blueprint.b["x y"]: -, z`},
		{"an empty name", func(m *Meta) { m.Run = map[string]any{"": 1} }, "run: <nil>, map[:1]"},
		{"an unknown field", func(m *Meta) { m.Extra = nil }, "later: true, -"},
		{"two", func(m *Meta) { m.State, m.Provenance = "s", "p" }, "provenance: <nil>, p; state: <nil>, s"},
	}
	for _, c := range cases {
		other := m()
		c.change(&other)
		d, err := Diff(mustOpen(t, save(t, m(), nil)), mustOpen(t, save(t, other, nil)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range d.Meta {
			a, b := "-", "-"
			if x.InA {
				a = fmt.Sprint(x.A)
			}
			if x.InB {
				b = fmt.Sprint(x.B)
			}
			got = append(got, fmt.Sprintf("%s: %s, %s", x.Path, a, b))
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s: found %s, want %s", c.name, s, c.want)
		}
	}
}

func one[T Element](t *testing.T, d DType, values ...T) Tensor {
	t.Helper()
	x, err := NewTensor("x", d, []int{len(values)}, values)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestDiffTensors(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	cases := []struct {
		name string
		a, b Tensor
		want TensorDifference // Name, A and B apart
	}{
		{"floats", one(t, Float32, 1, 2, 3, float32(4)), one(t, Float32, 1, 2.5, 1, float32(4)), TensorDifference{Elements: 4, Unequal: 2, Largest: 2, Mean: 0.625}},
		{"doubles", one(t, Float64, 0.0, nan, nan, inf, inf, 1), one(t, Float64, math.Copysign(0, -1), 1, math.Float64frombits(0xfff8000000000001), inf, -inf, 4),
			TensorDifference{Elements: 6, Unequal: 5, Largest: 3, Mean: 0.75, Incomparable: 2}},
		{"a sum over the largest float64", one(t, Float64, 1.5e308, 1.5e308, 1.5e308, 0), one(t, Float64, 0, 0, 0, 0.0),
			TensorDifference{Elements: 4, Unequal: 3, Largest: 1.5e308, Mean: 1.125e308}},
		{"bfloat16", one(t, BFloat16, uint16(0x3f80)), one(t, BFloat16, uint16(0x4000)), TensorDifference{Elements: 1, Unequal: 1, Largest: 1, Mean: 1}},
		{"float8", one(t, Float8E4M3, uint8(0x38), 0x7f), one(t, Float8E4M3, uint8(0x40), 0x7e), TensorDifference{Elements: 2, Unequal: 2, Largest: 1, Mean: 1, Incomparable: 1}},
		{"int64", one(t, Int64, math.MaxInt64, int64(-1)), one(t, Int64, math.MinInt64, int64(1)), TensorDifference{Elements: 2, Unequal: 2, Largest: math.MaxUint64, Mean: (float64(math.MaxUint64) + 2) / 2}},
		{"int8", one(t, Int8, int8(-128)), one(t, Int8, int8(127)), TensorDifference{Elements: 1, Unequal: 1, Largest: 255, Mean: 255}},
		{"uint16", one(t, Uint16, uint16(65535)), one(t, Uint16, uint16(1)), TensorDifference{Elements: 1, Unequal: 1, Largest: 65534, Mean: 65534}},
		{"uint64", one(t, Uint64, uint64(math.MaxUint64)), one(t, Uint64, uint64(math.MaxUint64-7)), TensorDifference{Elements: 1, Unequal: 1, Largest: 7, Mean: 7}},
		{"bool", one(t, Bool, true, false, true), one(t, Bool, true, true, false), TensorDifference{Elements: 3, Unequal: 2, Largest: 1, Mean: 2.0 / 3}},
		{"type", one(t, Float32, float32(1)), one(t, Int32, int32(1)), TensorDifference{}},
		{"shape", one(t, Int8, int8(1)), one(t, Int8, int8(1), 2), TensorDifference{}},
	}
	for _, c := range cases {
		d, err := Diff(mustOpen(t, save(t, Meta{}, []Tensor{c.a})), mustOpen(t, save(t, Meta{}, []Tensor{c.b})))
		if err != nil || len(d.Tensors) != 1 {
			t.Fatalf("%s: %+v (%v)", c.name, d, err)
		}
		got := d.Tensors[0]
		if got.Name != "x" || got.A.Type != c.a.Type || got.B.Type != c.b.Type || got.Comparable() != (c.want.Elements > 0) {
			t.Errorf("%s: found %+v", c.name, got)
		}
		got.Name, got.A, got.B = "", nil, nil
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: found %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestDiffNames(t *testing.T) {
	a, b, c := one(t, Int8, int8(1)), one(t, Int8, int8(1)), one(t, Int8, int8(1))
	a.Name, b.Name, c.Extra = "a", "b", map[string]any{"later": 1}
	d, err := Diff(mustOpen(t, save(t, Meta{}, []Tensor{a, c})), mustOpen(t, save(t, Meta{}, []Tensor{b, one(t, Int8, int8(1))})))
	if err != nil || len(d.Tensors) != 3 || d.Tensors[0].B != nil || d.Tensors[1].A != nil || !d.Tensors[2].Extra || d.Tensors[2].Unequal != 0 {
		t.Errorf("found %+v (%v)", d, err)
	}
	// A damaged tensor isn't compared as if it were whole.
	path := save(t, Meta{}, []Tensor{a})
	data := read(t, path)
	data[len(data)-1] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Diff(mustOpen(t, path), mustOpen(t, save(t, Meta{}, []Tensor{a}))); !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged file: %v", err)
	}
}
