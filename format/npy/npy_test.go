package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/tensor"
)

// numbers gives a tensor's elements as numbers.
func numbers(t *testing.T, x tensor.Tensor) (out []float64) {
	t.Helper()
	for v := range slices.Chunk(x.Data, x.Type.Size()) {
		bits := binary.LittleEndian.Uint64(append(slices.Clone(v), make([]byte, 8)...))
		switch x.Type {
		case tensor.Float64:
			out = append(out, math.Float64frombits(bits))
		case tensor.Float32:
			out = append(out, float64(math.Float32frombits(uint32(bits))))
		case tensor.Float16: // 1 bit sign, 5 bits exponent, 10 bits fraction; none of the values is subnormal
			f := math.Ldexp(1+float64(bits&1023)/1024, int(bits>>10&31)-15)
			if bits&0x7fff == 0 {
				f = 0
			}
			out = append(out, math.Copysign(f, -float64(bits>>15)+0.5))
		case tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64:
			unused := 64 - 8*x.Type.Size()
			out = append(out, float64(int64(bits<<unused)>>unused))
		default:
			out = append(out, float64(bits))
		}
	}
	return out
}

// value is number i of an array that testdata/make.py makes.
func value(t tensor.DType, i int) float64 {
	switch {
	case t == tensor.Bool:
		return map[bool]float64{true: 1}[i%3 == 1]
	case strings.HasPrefix(string(t), "float"):
		return float64(i)*0.25 - 2
	case strings.HasPrefix(string(t), "int"):
		return float64(i)*5 - 7
	}
	return float64(i * 5 % 128)
}

func check(t *testing.T, what string, x tensor.Tensor, typ tensor.DType, shape ...int) {
	t.Helper()
	n := 1
	for _, d := range shape {
		n *= d
	}
	if got := numbers(t, x); x.Type != typ || !slices.Equal(x.Shape, shape) || len(got) != n {
		t.Errorf("%s: found %s of shape %v with %d values, want %s of %v", what, x.Type, x.Shape, len(got), typ, shape)
	} else {
		for i, v := range got {
			if v != value(typ, i) {
				t.Errorf("%s: value %d: found %v, want %v", what, i, v, value(typ, i))
				return
			}
		}
	}
}

func TestReadsWhatNumPyWrote(t *testing.T) {
	two := []int{2, 3}
	for _, c := range []struct {
		file  string
		typ   tensor.DType
		shape []int
		same  bool // written again it has the same bytes
	}{
		{"b1", tensor.Bool, two, true}, {"i1", tensor.Int8, two, true}, {"u1", tensor.Uint8, two, true},
		{"i2", tensor.Int16, two, true}, {"i4", tensor.Int32, two, true}, {"i8", tensor.Int64, two, true},
		{"u2", tensor.Uint16, two, true}, {"u4", tensor.Uint32, two, true}, {"u8", tensor.Uint64, two, true},
		{"f2", tensor.Float16, two, true}, {"f4", tensor.Float32, two, true}, {"f8", tensor.Float64, two, true},
		{"i2-big", tensor.Int16, two, false}, {"i4-big", tensor.Int32, two, false}, {"i8-big", tensor.Int64, two, false},
		{"u2-big", tensor.Uint16, two, false}, {"u4-big", tensor.Uint32, two, false}, {"u8-big", tensor.Uint64, two, false},
		{"f2-big", tensor.Float16, two, false}, {"f4-big", tensor.Float32, two, false}, {"f8-big", tensor.Float64, two, false},
		{"f4-scalar", tensor.Float32, nil, true}, {"f4-empty", tensor.Float32, []int{3, 0, 2}, true}, {"f4-vector", tensor.Float32, []int{5}, true},
		{"f4-wide", tensor.Float32, append(slices.Repeat([]int{1}, 15), 6), true},
		{"f4-fortran", tensor.Float32, []int{2, 3, 4}, false}, {"i2-big-fortran", tensor.Int16, []int{3, 1, 2, 2}, false},
		{"f4-v2", tensor.Float32, two, false}, {"f4-v3", tensor.Float32, two, false}, {"f4-python2", tensor.Float32, two, false},
	} {
		path := filepath.Join("testdata", c.file+".npy")
		x, err := readFile(path)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		check(t, c.file, x, c.typ, c.shape...)
		var out bytes.Buffer
		if err := Write(&out, x); err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if want, err := os.ReadFile(path); err != nil || bytes.Equal(out.Bytes(), want) != c.same {
			t.Errorf("%s: written again it has the same bytes: want %v (%v)", c.file, c.same, err)
		}
		again, err := Read(&out, int64(out.Len()))
		if err != nil || !bytes.Equal(again.Data, x.Data) || !slices.Equal(again.Shape, x.Shape) {
			t.Errorf("%s: written and read again: %v", c.file, err)
		}
	}
}

func TestRefusesArrays(t *testing.T) {
	for _, c := range []struct {
		file string
		kind error
		want string
	}{
		{"bad-object", ErrObject, `found values of type "|O", Python objects, which would have to be unpickled, want numbers`},
		{"bad-record", ErrType, "found an array of records, want one of numbers"},
		{"bad-text", ErrType, `found values of type "<U3" (text), want floats, integers or bool`},
		{"bad-complex", ErrType, `(complex numbers)`},
		{"bad-time", ErrType, `(times)`},
		{"bad-short", ErrFormat, "found 151 bytes, want 152 for shape [2 3] of <f4"},
		{"bad-long", ErrFormat, "found 153 bytes, want 152"},
		{"bad-cut-header", ErrFormat, "found the end of the file in the .npy header"},
		{"bad-bool", ErrFormat, "found the byte 2 as value 6 of a bool array, want 0 or 1"},
		{"bad-huge", fault.ErrLimit, "found shape [1000000 1000000]"},
	} {
		path := filepath.Join("testdata", c.file+".npy")
		_, err := readFile(path)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: found %v, want %q", c.file, err, c.want)
		}
	}
}

func TestRefusesToWrite(t *testing.T) {
	for _, c := range []struct {
		x    tensor.Tensor
		want string
	}{
		{tensor.Tensor{Type: tensor.BFloat16, Shape: []int{1}, Data: make([]byte, 2)}, "want one that NumPy has"},
		{tensor.Tensor{Type: tensor.Float32, Shape: []int{2}, Data: make([]byte, 4)}, "found 4 bytes of data, want 8"},
		{tensor.Tensor{Type: "float12"}, "float12"},
	} {
		var out bytes.Buffer
		if err := Write(&out, c.x); err == nil || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
			t.Errorf("%v: found %v and %d bytes, want %q", c.x, err, out.Len(), c.want)
		}
	}
}

func open(t *testing.T, name string) *Archive {
	t.Helper()
	a, err := readArchive(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func readFile(path string) (tensor.Tensor, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return tensor.Tensor{}, err
	}
	return Read(bytes.NewReader(data), int64(len(data)))
}

func readArchive(name string) (*Archive, error) {
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		return nil, err
	}
	return NewArchive(bytes.NewReader(data), int64(len(data)))
}

func TestArchivesOfNumPy(t *testing.T) {
	for _, file := range []string{"stored.npz", "deflated.npz"} {
		a := open(t, file)
		if names := a.Names(); !slices.Equal(names, []string{"a/weights", "a/bias", "mask", "n"}) {
			t.Fatalf("%s: found %q", file, names)
		}
		for name, want := range map[string]struct {
			typ   tensor.DType
			shape []int
		}{"a/weights": {tensor.Float32, []int{2, 3}}, "a/bias": {tensor.Float64, []int{3}}, "mask": {tensor.Bool, []int{2, 3}}, "n": {tensor.Int64, nil}} {
			x, err := a.Array(name)
			if err != nil || x.Name != name {
				t.Fatalf("%s: %s: %q, %v", file, name, x.Name, err)
			}
			check(t, file+" "+name, x, want.typ, want.shape...)
			if h, err := a.Header(name); err != nil || !slices.Equal(h.Shape, want.shape) || h.Type != want.typ {
				t.Errorf("%s: %s: header %+v, %v", file, name, h, err)
			}
		}
		if _, err := a.Array("b"); !errors.Is(err, ErrName) || !strings.HasPrefix(err.Error(), "b.npy: ") {
			t.Errorf("%s: found %v, want %v", file, err, ErrName)
		}
	}
	if names := open(t, "numbered.npz").Names(); !slices.Equal(names, []string{"arr_0", "arr_1"}) {
		t.Errorf("numbered: found %q", names)
	}
	a := open(t, "with-others.npz")
	text, err := a.Other("about.json")
	if err != nil || string(text) != `{"a": 1}` || !slices.Equal(a.Others(), []string{"about.json"}) || len(a.Names()) != 1 {
		t.Errorf("with others: %q, %q, %v", a.Others(), text, err)
	}
}

func TestRefusesArchives(t *testing.T) {
	for _, c := range []struct {
		file string
		kind error
		want string
	}{
		{"bad-object.npz", ErrObject, "x.npy: found values of type"},
		{"bad-checksum.npz", ErrFormat, "a/weights.npy: zip: checksum error"},
		{"bad-method.npz", ErrFormat, "compressed by method 12, want it stored or deflated"},
		{"bad-bomb.npz", fault.ErrLimit, "found compressed entries that become 3221225472 bytes, want at most 1073741824"},
		{"f4.npy", ErrFormat, "found no .npz file"},
	} {
		a, err := readArchive(c.file)
		if err == nil {
			_, err = a.Array(a.Names()[0])
		}
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: found %v, want %q", c.file, err, c.want)
		}
	}
}

func TestWriteArchive(t *testing.T) {
	a := open(t, "stored.npz")
	var list []tensor.Tensor
	for _, name := range a.Names() {
		x, err := a.Array(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, x)
	}
	about := Other{"about.json", []byte(`{"b": 2}`)}
	var one, two bytes.Buffer
	for _, out := range []*bytes.Buffer{&one, &two} {
		if err := WriteArchive(out, list, about); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("the same arrays give other bytes")
	}
	b, err := NewArchive(bytes.NewReader(one.Bytes()), int64(one.Len()))
	if err != nil || !slices.Equal(a.Names(), b.Names()) {
		t.Fatalf("found %v", err)
	}
	for _, want := range list {
		if got, err := b.Array(want.Name); err != nil || !bytes.Equal(got.Data, want.Data) || got.Type != want.Type {
			t.Errorf("%s: %v", want.Name, err)
		}
	}
	if text, err := b.Other(about.Name); err != nil || !bytes.Equal(text, about.Data) {
		t.Errorf("found %q, %v", text, err)
	}
	for what, list := range map[string][]tensor.Tensor{
		"twice":    {list[0], list[0]},
		"unnamed":  {{Type: tensor.Float32, Data: make([]byte, 4)}},
		"strange":  {{Name: "x", Type: tensor.BFloat16, Data: make([]byte, 2)}},
		"too long": {{Name: "x", Type: tensor.Float32, Data: make([]byte, 8)}},
	} {
		if err := WriteArchive(&two, list); err == nil {
			t.Errorf("%s: written", what)
		}
	}
	if err := WriteArchive(&two, nil, Other{Name: "x.npy"}); err == nil {
		t.Error("an entry with an array's name: written")
	}
}

// FuzzRead: no bytes may panic or give a tensor that is not whole; what is read can be written, and reads the same.
func FuzzRead(f *testing.F) {
	for _, data := range seeds(f, "*.npy") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			known(t, err)
			return
		}
		x.Name = "x"
		if err := x.Check(); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := Write(&out, x); err != nil {
			t.Fatal(err)
		}
		y, err := Read(&out, int64(out.Len()))
		if err != nil || !bytes.Equal(x.Data, y.Data) || !slices.Equal(x.Shape, y.Shape) || x.Type != y.Type {
			t.Fatalf("read again: %v", err)
		}
	})
}

// FuzzArchive: no zip may panic or give arrays that are not whole.
func FuzzArchive(f *testing.F) {
	for _, data := range seeds(f, "*.npz") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := NewArchive(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			known(t, err)
			return
		}
		for _, name := range a.Names() {
			x, err := a.Array(name)
			if err != nil {
				known(t, err)
			} else if err := x.Check(); err != nil || x.Name != name {
				t.Fatalf("%q: %v", x.Name, err)
			}
		}
		for _, name := range a.Others() {
			_, _ = a.Other(name)
		}
	})
}

func seeds(f *testing.F, pattern string) (out [][]byte) {
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		f.Fatal("found no seeds", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

func known(t *testing.T, err error) {
	t.Helper()
	for _, kind := range []error{ErrFormat, ErrObject, ErrType, ErrName, fault.ErrLimit, fault.ErrValue} {
		if errors.Is(err, kind) {
			return
		}
	}
	t.Fatalf("an error of no kind: %v", err)
}

// What stands for an array of objects is handed on as it is.
func TestObjects(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "bad-object.npy"))
	if err != nil {
		t.Fatal(err)
	}
	pickle, err := Objects(bytes.NewReader(data), int64(len(data)))
	if err != nil || !bytes.HasSuffix(data, pickle) || !bytes.HasPrefix(pickle, []byte("\x80")) || !bytes.HasSuffix(pickle, []byte(".")) {
		t.Errorf("found %.20q (%v), want a pickle", pickle, err)
	}
	if pickle, err = open(t, "bad-object.npz").Objects("x"); err != nil || !bytes.HasPrefix(pickle, []byte("\x80")) {
		t.Errorf("found %.20q (%v), want a pickle", pickle, err)
	}
	if data, err = os.ReadFile(filepath.Join("testdata", "f4.npy")); err != nil {
		t.Fatal(err)
	}
	if _, err := Objects(bytes.NewReader(data), int64(len(data))); !errors.Is(err, ErrType) {
		t.Errorf("found %v, want %v", err, ErrType)
	}
	if _, err := Objects(bytes.NewReader(data[:5]), 5); !errors.Is(err, ErrFormat) {
		t.Errorf("found %v, want %v", err, ErrFormat)
	}
}
