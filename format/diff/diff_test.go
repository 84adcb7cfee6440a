package diff

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/tensor"
)

func save(t *testing.T, m format.Meta, tensors []format.Tensor) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.fkz")
	if err := format.Write(path, m, tensors, format.Options{}); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustOpen(t *testing.T, path string) *format.File {
	t.Helper()
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A vector with every type, and a NaN in the metadata.
func TestDiffSame(t *testing.T) {
	m, tensors, err := format.Load("../../specs/testdata/fkz/v1/types.fkz")
	if err != nil || len(tensors) < len(tensor.DTypes) {
		t.Fatalf("found %d tensors (%v), want one of each type", len(tensors), err)
	}
	m.Run = []any{math.NaN(), "x"}
	a, b := mustOpen(t, save(t, m, tensors)), mustOpen(t, save(t, m, tensors))
	if d, err := Files(a, b); err != nil || len(d.Meta)+len(d.Tensors) > 0 {
		t.Errorf("two equal files: %+v (%v)", d, err)
	}
}

func TestDiffMeta(t *testing.T) {
	m := func() format.Meta {
		return format.Meta{Blueprint: map[string]any{"a": 1, "b": map[string]any{"c": []any{1, 2.5, "x"}}}, History: []any{1}, Extra: map[string]any{"later": true}}
	}
	cases := []struct {
		name   string
		change func(*format.Meta)
		want   string
	}{
		{"a number", func(m *format.Meta) { m.Blueprint.(map[string]any)["a"] = 2 }, "blueprint.a: 1, 2"},
		{"another kind", func(m *format.Meta) { m.Blueprint.(map[string]any)["a"] = 1.0 }, "blueprint.a: 1, 1"},
		{"deep", func(m *format.Meta) { m.Blueprint.(map[string]any)["b"].(map[string]any)["c"].([]any)[1] = nil }, "blueprint.b.c[1]: 2.5, <nil>"},
		{"one more", func(m *format.Meta) { m.History = []any{1, "y"} }, "history[1]: -, y"},
		{"one less", func(m *format.Meta) { m.History = []any{} }, "history[0]: 1, -"},
		{"a map for a list", func(m *format.Meta) { m.History = map[string]any{} }, "history: [1], map[]"},
		{"a new name", func(m *format.Meta) { m.Blueprint.(map[string]any)["b"].(map[string]any)["x y"] = "z" }, `blueprint.b["x y"]: -, z`},
		{"an empty name", func(m *format.Meta) { m.Run = map[string]any{"": 1} }, "run: <nil>, map[:1]"},
		{"an unknown field", func(m *format.Meta) { m.Extra = nil }, "later: true, -"},
		{"two", func(m *format.Meta) { m.State, m.Provenance = "s", "p" }, "provenance: <nil>, p; state: <nil>, s"},
	}
	for _, c := range cases {
		other := m()
		c.change(&other)
		d, err := Files(mustOpen(t, save(t, m(), nil)), mustOpen(t, save(t, other, nil)))
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

func one[T format.Element](t *testing.T, d format.DType, values ...T) format.Tensor {
	t.Helper()
	x, err := format.NewTensor("x", d, []int{len(values)}, values)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestDiffTensors(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	cases := []struct {
		name string
		a, b format.Tensor
		want TensorDifference // Name, A and B apart
	}{
		{"floats", one(t, format.Float32, 1, 2, 3, float32(4)), one(t, format.Float32, 1, 2.5, 1, float32(4)), TensorDifference{Elements: 4, Unequal: 2, Largest: 2, Mean: 0.625}},
		{"doubles", one(t, format.Float64, 0.0, nan, nan, inf, inf, 1), one(t, format.Float64, math.Copysign(0, -1), 1, math.Float64frombits(0xfff8000000000001), inf, -inf, 4),
			TensorDifference{Elements: 6, Unequal: 5, Largest: 3, Mean: 0.75, Incomparable: 2}},
		{"a sum over the largest float64", one(t, format.Float64, 1.5e308, 1.5e308, 1.5e308, 0), one(t, format.Float64, 0, 0, 0, 0.0),
			TensorDifference{Elements: 4, Unequal: 3, Largest: 1.5e308, Mean: 1.125e308}},
		{"bfloat16", one(t, format.BFloat16, uint16(0x3f80)), one(t, format.BFloat16, uint16(0x4000)), TensorDifference{Elements: 1, Unequal: 1, Largest: 1, Mean: 1}},
		{"float8", one(t, format.Float8E4M3, uint8(0x38), 0x7f), one(t, format.Float8E4M3, uint8(0x40), 0x7e), TensorDifference{Elements: 2, Unequal: 2, Largest: 1, Mean: 1, Incomparable: 1}},
		{"int64", one(t, format.Int64, math.MaxInt64, int64(-1)), one(t, format.Int64, math.MinInt64, int64(1)), TensorDifference{Elements: 2, Unequal: 2, Largest: math.MaxUint64, Mean: (float64(math.MaxUint64) + 2) / 2}},
		{"int8", one(t, format.Int8, int8(-128)), one(t, format.Int8, int8(127)), TensorDifference{Elements: 1, Unequal: 1, Largest: 255, Mean: 255}},
		{"uint16", one(t, format.Uint16, uint16(65535)), one(t, format.Uint16, uint16(1)), TensorDifference{Elements: 1, Unequal: 1, Largest: 65534, Mean: 65534}},
		{"uint64", one(t, format.Uint64, uint64(math.MaxUint64)), one(t, format.Uint64, uint64(math.MaxUint64-7)), TensorDifference{Elements: 1, Unequal: 1, Largest: 7, Mean: 7}},
		{"bool", one(t, format.Bool, true, false, true), one(t, format.Bool, true, true, false), TensorDifference{Elements: 3, Unequal: 2, Largest: 1, Mean: 2.0 / 3}},
		{"type", one(t, format.Float32, float32(1)), one(t, format.Int32, int32(1)), TensorDifference{}},
		{"shape", one(t, format.Int8, int8(1)), one(t, format.Int8, int8(1), 2), TensorDifference{}},
	}
	for _, c := range cases {
		d, err := Files(mustOpen(t, save(t, format.Meta{}, []format.Tensor{c.a})), mustOpen(t, save(t, format.Meta{}, []format.Tensor{c.b})))
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
	a, b, c := one(t, format.Int8, int8(1)), one(t, format.Int8, int8(1)), one(t, format.Int8, int8(1))
	a.Name, b.Name, c.Extra = "a", "b", map[string]any{"later": 1}
	d, err := Files(mustOpen(t, save(t, format.Meta{}, []format.Tensor{a, c})), mustOpen(t, save(t, format.Meta{}, []format.Tensor{b, one(t, format.Int8, int8(1))})))
	if err != nil || len(d.Tensors) != 3 || d.Tensors[0].B != nil || d.Tensors[1].A != nil || !d.Tensors[2].Extra || d.Tensors[2].Unequal != 0 {
		t.Errorf("found %+v (%v)", d, err)
	}
	// A damaged tensor isn't compared as if it were whole.
	path := save(t, format.Meta{}, []format.Tensor{a})
	data := read(t, path)
	data[len(data)-1] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Files(mustOpen(t, path), mustOpen(t, save(t, format.Meta{}, []format.Tensor{a}))); !errors.Is(err, format.ErrDamaged) {
		t.Errorf("a damaged file: %v", err)
	}
}
