package format

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format/tensor"
)

// example is a small model with every type, a scalar, an empty tensor and unknown fields.
func example(t testing.TB) (Meta, []Tensor) {
	t.Helper()
	m := Meta{
		Blueprint:  map[string]any{"blueprint": 1, "name": "tiny", "members": []any{map[string]any{"layers": []any{}, "weight": 0.5}}},
		History:    []any{map[string]any{"epoch": 1, "loss": 0.25}, map[string]any{"epoch": 2, "loss": 0.125}},
		State:      nil,
		Provenance: map[string]any{"fkzoo": "0.1.0", "seed": uint64(math.MaxUint64), "data": []byte{0, 1, 2}},
		Run:        map[string]any{"seconds": []any{1.5, 1.25}, "command": "fkzoo train tiny", "note": "été"},
		Extra:      map[string]any{"zz_later": []any{int64(-1), false}, "aa_later": "kept"},
	}
	var list []Tensor
	for i, d := range tensor.DTypes {
		data := make([]byte, 6*d.Size())
		for j := range data {
			data[j] = byte(i*31 + j*7)
			if d == Bool {
				data[j] &= 1
			}
		}
		list = append(list, Tensor{Name: "all/" + string(d), Type: d, Shape: []int{2, 3}, Data: data})
	}
	scalar, err := NewTensor("scalar", Float32, nil, []float32{1.5})
	if err != nil {
		t.Fatal(err)
	}
	empty, err := NewTensor("empty", Int64, []int{3, 0}, []int64{})
	if err != nil {
		t.Fatal(err)
	}
	scalar.Extra = map[string]any{"note": "kept too", "a": 1}
	return m, append(list, scalar, empty)
}

func save(t testing.TB, m Meta, tensors []Tensor) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.fkz")
	if err := Write(path, m, tensors, Options{}); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustOpen(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	m, tensors := example(t)
	path := save(t, m, tensors)
	for _, mapped := range []bool{true, false} {
		f, err := open(path, mapped)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Mapped() && !mapped {
			t.Error("mapped unasked")
		}
		if err := f.Verify(); err != nil {
			t.Error(err)
		}
		if len(f.Infos()) != len(tensors) || f.Version() != 1 || f.Size() != int64(len(read(t, path))) || f.Path() != path {
			t.Errorf("%d tensors, version %d, size %d", len(f.Infos()), f.Version(), f.Size())
		}
		for _, want := range tensors {
			view, err := f.Tensor(want.Name)
			if err != nil {
				t.Fatal(err)
			}
			own, err := f.Copy(want.Name)
			if err != nil {
				t.Fatal(err)
			}
			into := make([]byte, len(want.Data))
			if err := f.CopyInto(into, want.Name); err != nil {
				t.Fatal(err)
			}
			for _, got := range []Tensor{view, own} {
				if got.Name != want.Name || got.Type != want.Type || !bytes.Equal(got.Data, want.Data) || fmt.Sprint(got.Shape) != fmt.Sprint(want.Shape) {
					t.Errorf("%s came back as %v", want.Name, got)
				}
			}
			if !bytes.Equal(into, want.Data) {
				t.Errorf("CopyInto of %s gave %x, want %x", want.Name, into, want.Data)
			}
		}
		if x, _ := f.Tensor("scalar"); !reflect.DeepEqual(x.Extra, map[string]any{"note": "kept too", "a": int64(1)}) {
			t.Errorf("unknown index fields came back as %v", x.Extra)
		}
		got, err := f.Meta()
		if err != nil {
			t.Fatal(err)
		}
		want := Meta{
			Blueprint:  map[string]any{"blueprint": int64(1), "name": "tiny", "members": []any{map[string]any{"layers": []any{}, "weight": 0.5}}},
			History:    []any{map[string]any{"epoch": int64(1), "loss": 0.25}, map[string]any{"epoch": int64(2), "loss": 0.125}},
			Provenance: m.Provenance, Run: m.Run, Extra: m.Extra,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("metadata came back as %v, want %v", got, want)
		}
		if v, err := f.Field("aa_later"); v != "kept" || err != nil {
			t.Errorf("Field gave %v, %v", v, err)
		}
		if v, err := f.Field("none"); v != nil || err != nil {
			t.Errorf("Field of nothing gave %v, %v", v, err)
		}
		if _, err := f.Tensor("none"); !errors.Is(err, ErrNoTensor) {
			t.Errorf("unknown name: %v", err)
		}
		if err := f.CopyInto(make([]byte, 3), "scalar"); !errors.Is(err, ErrValue) {
			t.Errorf("wrong length: %v", err)
		}
	}
}

// Each tensor's data begins at a multiple of 64 in the file and, mapped, in memory.
func TestAlignment(t *testing.T) {
	m, tensors := example(t)
	f := mustOpen(t, save(t, m, tensors))
	whole := read(t, f.Path())
	for _, info := range f.Infos() {
		start, end := f.Range(&info)
		if start%64 != 0 || info.Offset%64 != 0 {
			t.Errorf("%s is at %d, offset %d", info.Name, start, info.Offset)
		}
		x, _ := f.Tensor(info.Name)
		if !bytes.Equal(whole[start:end], x.Data) {
			t.Errorf("%s: the range's bytes are not the tensor's", info.Name)
		}
	}
}

func TestDeterminism(t *testing.T) {
	m, tensors := example(t)
	path := save(t, m, tensors)
	want := read(t, path)
	rand.Shuffle(len(tensors), func(i, j int) { tensors[i], tensors[j] = tensors[j], tensors[i] })
	if got := read(t, save(t, m, tensors)); !bytes.Equal(got, want) {
		t.Error("another order of the tensors gave other bytes")
	}
	m2, loaded, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, save(t, m2, loaded)); !bytes.Equal(got, want) {
		t.Error("saving what was loaded gave other bytes")
	}
}

func TestDigest(t *testing.T) {
	m, tensors := example(t)
	want := mustOpen(t, save(t, m, tensors)).Digest()
	changes := []struct {
		name   string
		change func(*Meta, []Tensor)
		same   bool
	}{
		{"nothing", func(*Meta, []Tensor) {}, true},
		{"run", func(m *Meta, _ []Tensor) { m.Run = "other" }, true},
		{"provenance", func(m *Meta, _ []Tensor) { m.Provenance = nil }, true},
		{"unknown field", func(m *Meta, _ []Tensor) { m.Extra = nil }, true},
		{"unknown index field", func(_ *Meta, x []Tensor) { x[3].Extra = map[string]any{"a": 1} }, true},
		{"blueprint", func(m *Meta, _ []Tensor) { m.Blueprint = nil }, false},
		{"history", func(m *Meta, _ []Tensor) { m.History = []any{} }, false},
		{"state", func(m *Meta, _ []Tensor) { m.State = 1 }, false},
		{"one byte", func(_ *Meta, x []Tensor) { x[0].Data = append([]byte{x[0].Data[0] ^ 1}, x[0].Data[1:]...) }, false},
		{"a name", func(_ *Meta, x []Tensor) { x[0].Name += "x" }, false},
		{"a shape", func(_ *Meta, x []Tensor) { x[0].Shape = []int{3, 2} }, false},
		{"a type", func(_ *Meta, x []Tensor) { x[0].Type = Int64 }, false},
	}
	for _, c := range changes {
		m, tensors := example(t)
		c.change(&m, tensors)
		if got := mustOpen(t, save(t, m, tensors)).Digest(); (got == want) != c.same {
			t.Errorf("%s: same digest is %v, want %v", c.name, got == want, c.same)
		}
	}
}

func TestRewrite(t *testing.T) {
	m, tensors := example(t)
	path := save(t, m, tensors)
	f := mustOpen(t, path)
	meta, err := f.Meta()
	if err != nil {
		t.Fatal(err)
	}
	// Lengths of every remainder by 64, so that the first offset changes between 0 and 64.
	for n := range 130 {
		meta.Run = strings.Repeat("x", n)
		other := filepath.Join(t.TempDir(), "other.fkz")
		if err := f.Rewrite(other, meta, Options{}); err != nil {
			t.Fatal(err)
		}
		if got := read(t, save(t, meta, tensors)); !bytes.Equal(got, read(t, other)) {
			t.Errorf("run of %d bytes: Rewrite and Write differ", n)
		}
		g := mustOpen(t, other)
		if err := g.Verify(); err != nil {
			t.Error(err)
		}
		if g.Digest() != f.Digest() {
			t.Error("the digest changed")
		}
		g.Close()
	}
	if err := f.Rewrite(path, meta, Options{}); !errors.Is(err, ErrExists) {
		t.Errorf("without Force: %v", err)
	}
	if err := f.Rewrite(path, meta, Options{Force: true}); err != nil {
		t.Errorf("onto itself: %v", err)
	}
	// The old file is still there for whoever has it open.
	if err := f.Verify(); err != nil {
		t.Error(err)
	}
	if err := mustOpen(t, path).Verify(); err != nil {
		t.Error(err)
	}
}

func TestForce(t *testing.T) {
	m, tensors := example(t)
	path := save(t, m, tensors)
	want := read(t, path)
	err := Write(path, Meta{}, nil, Options{})
	if !errors.Is(err, ErrExists) || !errors.Is(err, fs.ErrExist) {
		t.Errorf("existing file: %v", err)
	}
	if !bytes.Equal(read(t, path), want) {
		t.Error("the existing file changed")
	}
	if err := Write(path, Meta{}, nil, Options{Force: true}); err != nil {
		t.Error(err)
	}
	if n := len(mustOpen(t, path).Infos()); n != 0 {
		t.Errorf("%d tensors after replacing, want 0", n)
	}
}

func TestWriteRefuses(t *testing.T) {
	ok := Tensor{Name: "a", Type: Uint8, Shape: []int{2}, Data: []byte{1, 2}}
	with := func(f func(*Tensor)) []Tensor { x := ok; f(&x); return []Tensor{x} }
	self := map[string]any{}
	self["self"] = self
	many := make([]Tensor, MaxTensors+1)
	for i := range many {
		many[i] = ok
	}
	cases := []struct {
		name    string
		meta    Meta
		tensors []Tensor
		want    error
		says    string
	}{
		{"no name", Meta{}, with(func(x *Tensor) { x.Name = "" }), ErrValue, "empty name"},
		{"long name", Meta{}, with(func(x *Tensor) { x.Name = strings.Repeat("n", tensor.MaxName+1) }), ErrValue, "1025 bytes"},
		{"name not UTF-8", Meta{}, with(func(x *Tensor) { x.Name = "\xff" }), ErrValue, "UTF-8"},
		{"control character", Meta{}, with(func(x *Tensor) { x.Name = "a\x1b[0m" }), ErrValue, "control"},
		{"unknown type", Meta{}, with(func(x *Tensor) { x.Type = "complex64" }), ErrValue, "complex64"},
		{"negative dimension", Meta{}, with(func(x *Tensor) { x.Shape = []int{-2} }), ErrValue, "negative"},
		{"too few bytes", Meta{}, with(func(x *Tensor) { x.Shape = []int{3} }), ErrValue, "2 bytes of data, want 3"},
		{"shape overflows", Meta{}, with(func(x *Tensor) { x.Shape = []int{1 << 30, 1 << 30, 4} }), ErrValue, "limit"},
		{"shape overflows beside 0", Meta{}, with(func(x *Tensor) { x.Shape, x.Data = []int{0, 1 << 30, 1 << 30, 4}, nil }), ErrValue, "limit"},
		{"too many axes", Meta{}, with(func(x *Tensor) { x.Shape = make([]int, MaxRank+1) }), ErrValue, "axes"},
		{"bool of 2", Meta{}, with(func(x *Tensor) { x.Type = Bool }), ErrValue, "element 1"},
		{"twice", Meta{}, []Tensor{ok, ok}, ErrValue, "twice"},
		{"too many", Meta{}, many, ErrLimit, "100001 tensors"},
		{"unknown Go type", Meta{History: []any{0, map[string]any{"b": struct{}{}}}}, nil, ErrValue, "history[1].b"},
		{"text not UTF-8", Meta{Run: map[string]any{"a": "\xff"}}, nil, ErrValue, "run.a"},
		{"key not UTF-8", Meta{Run: map[string]any{"\xff": 1}}, nil, ErrValue, "run"},
		{"holds itself", Meta{Blueprint: self}, nil, ErrLimit, "blueprint.self"},
		{"reserved field", Meta{Extra: map[string]any{"index": 1}}, nil, ErrValue, "index"},
		{"reserved index field", Meta{}, with(func(x *Tensor) { x.Extra = map[string]any{"crc32": 1} }), ErrValue, "crc32"},
	}
	for _, c := range cases {
		path := filepath.Join(t.TempDir(), "model.fkz")
		err := Write(path, c.meta, c.tensors, Options{})
		if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.says) || !strings.HasPrefix(fmt.Sprint(err), path) {
			t.Errorf("%s: %v; want %v, naming %q", c.name, err, c.want, c.says)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: left a file", c.name)
		}
	}
}

// A CRC-32 that takes fewer bytes than the writer expects moves everything behind it.
func TestShortCRC(t *testing.T) {
	found := 0
	data := make([]byte, 8)
	for n := uint64(0); found < 2; n++ {
		for i := range data {
			data[i] = byte(n >> (8 * i))
		}
		crc, _ := hashes(data)
		if crc >= 1<<16 {
			continue
		}
		found++
		for pad := range 64 {
			m := Meta{Run: strings.Repeat("x", pad)}
			f := mustOpen(t, save(t, m, []Tensor{{Name: "a", Type: Uint64, Shape: []int{1}, Data: data}, {Name: "b", Type: Uint64, Shape: nil, Data: data}}))
			if err := f.Verify(); err != nil {
				t.Errorf("crc %08x, run of %d: %v", crc, pad, err)
			}
			f.Close()
		}
	}
}

func TestClosed(t *testing.T) {
	m, tensors := example(t)
	f := mustOpen(t, save(t, m, tensors))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	_, viewErr := f.Tensor("scalar")
	_, copyErr := f.Copy("scalar")
	_, allErr := f.CopyAll()
	for _, err := range []error{viewErr, copyErr, allErr, f.Verify(), f.Rewrite("x", m, Options{}), f.CopyInto(make([]byte, 4), "scalar")} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
	if f.Close() != nil {
		t.Error("closing twice is an error")
	}
	if _, err := f.Meta(); err != nil {
		t.Errorf("the header is in memory, but: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, ErrNotFkz) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
}

// CopyValues gives what Copy and Values give, and refuses a type that doesn't fit and a damaged tensor.
func TestCopyValues(t *testing.T) {
	m, tensors := example(t)
	path := save(t, m, tensors)
	f := mustOpen(t, path)
	same(t, CopyValues[float32], f, "all/float32")
	same(t, CopyValues[bool], f, "all/bool")
	same(t, CopyValues[uint16], f, "all/bfloat16")
	same(t, CopyValues[int64], f, "empty")
	if _, err := CopyValues[float64](f, "all/float32"); !errors.Is(err, ErrValue) {
		t.Errorf("float64 of a float32 tensor: error is %v, want ErrValue", err)
	}
	if _, err := CopyValues[float32](f, "none"); !errors.Is(err, ErrNoTensor) {
		t.Errorf("no such tensor: error is %v, want ErrNoTensor", err)
	}
	info, _ := f.Info("all/float32")
	start, _ := f.Range(&info)
	b := read(t, path)
	b[start] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := CopyValues[float32](mustOpen(t, path), "all/float32"); !errors.Is(err, ErrDamaged) {
		t.Errorf("damaged: error is %v, want ErrDamaged", err)
	}
}

func same[T Element](t *testing.T, copyValues func(*File, string) ([]T, error), f *File, name string) {
	t.Helper()
	x, err := f.Copy(name)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Values[T](x)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := copyValues(f, name); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: found %v (%v), want %v", name, got, err, want)
	}
}
