package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/tensor"
)

func tensors(t *testing.T, f *File) (out []tensor.Tensor) {
	t.Helper()
	for _, info := range f.Infos() {
		x, err := f.Tensor(info.Name)
		if err != nil {
			t.Fatal(err)
		}
		if x.Name != info.Name || x.Type != info.Type || !slices.Equal(x.Shape, info.Shape) || int64(len(x.Data)) != info.Length {
			t.Errorf("%s: found %s %v, the list says %s %v", info.Name, x.Type, x.Shape, info.Type, info.Shape)
		}
		out = append(out, x)
	}
	return out
}

func open(t *testing.T, path string) *File {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Files of the format's own library are read, and written again have the same bytes.
func TestAgreesWithTheLibrary(t *testing.T) {
	for _, c := range []struct {
		file    string
		tensors int
	}{{"everything", 18}, {"plain", 1}, {"none", 0}} {
		path := filepath.Join("testdata", c.file+".safetensors")
		f := open(t, path)
		list := tensors(t, f)
		if len(list) != c.tensors {
			t.Errorf("%s: found %d tensors, want %d", c.file, len(list), c.tensors)
		}
		for _, x := range list {
			for i, b := range x.Data {
				want := byte(i * 3 % 120)
				if x.Type == tensor.Bool {
					want = byte(i % 2)
				}
				if b != want {
					t.Errorf("%s: %s: found %v", c.file, x.Name, x.Data)
					break
				}
			}
		}
		slices.Reverse(list) // the order given must not matter
		var out bytes.Buffer
		if err := Write(&out, list, f.Metadata()); err != nil {
			t.Fatal(err)
		}
		if want, err := os.ReadFile(path); err != nil || !bytes.Equal(out.Bytes(), want) {
			t.Errorf("%s: written again:\n%q\nwant\n%q %v", c.file, out.Bytes(), want, err)
		}
	}
}

func TestMetadataAndNames(t *testing.T) {
	f := open(t, "testdata/everything.safetensors")
	if m := f.Metadata(); !maps.Equal(m, map[string]string{"about": "a \"text\" <&> ü\n"}) {
		t.Errorf("found %q", m)
	}
	x, err := f.Tensor(`a "name" <with> ä\`)
	if err != nil || x.Type != tensor.Uint8 || !bytes.Equal(x.Data, []byte{0, 3, 6, 9, 12}) {
		t.Errorf("found %v, %v", x, err)
	}
	if x, err := f.Tensor("net/scalar"); err != nil || x.Type != tensor.Float32 || len(x.Shape) != 0 || len(x.Data) != 4 {
		t.Errorf("found %v, %v", x, err)
	}
	if _, err := f.Tensor("y"); !errors.Is(err, ErrName) || !strings.Contains(err.Error(), `tensor "y"`) {
		t.Errorf("found %v", err)
	}
}

// file is a header before so many zeros.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func entry(name, dtype, shape, places string) string {
	return `"` + name + `":{"dtype":"` + dtype + `","shape":[` + shape + `],"data_offsets":[` + places + `]}`
}

func TestRules(t *testing.T) {
	x := entry("x", "F32", "1", "0,4")
	for _, c := range []struct {
		what string
		file []byte
		kind error
		want string // of the error; empty: the file is valid
	}{
		{"one", file(`{`+x+`}`, 4), nil, ""},
		{"blanks behind", file(`{`+x+`}   `, 4), nil, ""},
		{"keys in another order", file(`{"x":{"shape":[1],"data_offsets":[0,4],"dtype":"F32"}}`, 4), nil, ""},
		{"an empty one at the end", file(`{`+x+`,`+entry("e", "F32", "0,7", "4,4")+`}`, 4), nil, ""},
		{"an empty one between", file(`{`+entry("z", "U8", "2", "4,6")+`,`+entry("e", "F32", "0", "4,4")+`,`+x+`}`, 6), nil, ""},
		{"metadata alone", file(`{"__metadata__":{"a":"b"}}`, 0), nil, ""},

		{"nothing", nil, ErrFormat, "found the end after 0 bytes, want 8"},
		{"a header over the limit", binary.LittleEndian.AppendUint64(nil, MaxHeader+1), ErrFormat, "found a header of 100000001 bytes, want at most 100000000"},
		{"a header beyond all", bytes.Repeat([]byte{255}, 20), ErrFormat, "found a header of 18446744073709551615 bytes"},
		{"cut in the header", file(`{`+x+`}`, 4)[:30], ErrFormat, "found a header of 54 bytes in a file of 30"},
		{"a blank before", file(` {`+x+`}`, 4), ErrFormat, "does not begin with {"},
		{"no header", file(``, 0), ErrFormat, "does not begin with {"},
		{"not UTF-8", file("{\"\xff\":1}", 0), ErrFormat, "not UTF-8"},
		{"not JSON", file(`{x}`, 0), ErrFormat, "invalid character"},
		{"no end", file(`{`+x, 4), ErrFormat, "want"},
		{"two objects", file(`{`+x+`}{}`, 4), ErrFormat, `found "{}" behind the JSON object`},
		{"a number", file(`{"x":1}`, 4), ErrFormat, "found 1, want {"},
		{"a name twice", file(`{`+x+`,`+x+`}`, 4), ErrFormat, `found the key "x" twice`},
		{"a key twice", file(`{"x":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), ErrFormat, `found the key "dtype" twice`},
		{"a key missing", file(`{"x":{"dtype":"F32","shape":[1]}}`, 4), ErrFormat, "found 2 of the keys"},
		{"a key too many", file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"a":0}}`, 4), ErrFormat, `found the key "a"`},
		{"metadata of numbers", file(`{"__metadata__":{"a":1}}`, 0), ErrFormat, "found 1, want a text"},
		{"another type", file(`{`+entry("x", "F4", "1", "0,4")+`}`, 4), ErrType, `tensor "x": found the type "F4", want one of U64, I64`},
		{"a hole before", file(`{`+entry("x", "F32", "1", "1,5")+`}`, 5), ErrFormat, `tensor "x": found its bytes at 1, want them at 0`},
		{"a hole between", file(`{`+x+`,`+entry("y", "F32", "1", "8,12")+`}`, 12), ErrFormat, `tensor "y": found its bytes at 8, want them at 4`},
		{"an overlap", file(`{`+x+`,`+entry("y", "F32", "1", "2,6")+`}`, 6), ErrFormat, "found its bytes at 2, want them at 4"},
		{"an empty one within", file(`{`+x+`,`+entry("y", "F32", "0", "2,2")+`}`, 4), ErrFormat, "found its bytes at 2, want them at 4"},
		{"bytes behind", file(`{`+x+`}`, 5), ErrFormat, "found 5 bytes behind the header, want 4"},
		{"cut in the data", file(`{`+x+`}`, 3), ErrFormat, "found 3 bytes behind the header, want 4"},
		{"backwards", file(`{`+entry("x", "F32", "1", "4,0")+`}`, 4), ErrFormat, "found data_offsets 4 to 0"},
		{"a length that the shape denies", file(`{`+entry("x", "F32", "2", "0,4")+`}`, 4), ErrFormat, "found data_offsets 0 to 4, want 8 bytes for float32 of shape [2]"},
		{"a negative axis", file(`{`+entry("x", "F32", "-1", "0,4")+`}`, 4), ErrFormat, "found -1, want a whole number"},
		{"a fraction", file(`{`+entry("x", "F32", "1.5", "0,4")+`}`, 4), ErrFormat, "found 1.5, want a whole number"},
		{"a huge axis", file(`{`+entry("x", "F32", "9223372036854775807,2", "0,4")+`}`, 4), fault.ErrLimit, "over the limit"},
		{"an overflow", file(`{`+entry("x", "F32", "4294967296,4294967296", "0,0")+`}`, 0), fault.ErrLimit, "over the limit"},
		{"many axes", file(`{`+entry("x", "F32", strings.Repeat("1,", 32)+"1", "0,4")+`}`, 4), fault.ErrLimit, "more than 32 numbers"},
		{"three places", file(`{`+entry("x", "F32", "1", "0,4,4")+`}`, 4), fault.ErrLimit, "more than 2 numbers"},
		{"one place", file(`{`+entry("x", "F32", "1", "4")+`}`, 4), ErrFormat, "want begin and end"},
	} {
		_, err := New(bytes.NewReader(c.file), int64(len(c.file)))
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: found %v, want %q", c.what, err, c.want)
		}
	}
}

func TestBools(t *testing.T) {
	b := file(`{`+entry("x", "BOOL", "2", "0,2")+`}`, 2)
	b[len(b)-1] = 2
	f, err := New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Tensor("x"); !errors.Is(err, fault.ErrValue) {
		t.Errorf("a bool of 2: %v", err)
	}
}

func TestRefusesToWrite(t *testing.T) {
	x := tensor.Tensor{Name: "x", Type: tensor.Float32, Data: make([]byte, 4)}
	for what, c := range map[string]struct {
		tensors  []tensor.Tensor
		metadata map[string]string
		want     string
	}{
		"twice":     {[]tensor.Tensor{x, x}, nil, "found the name twice"},
		"own name":  {[]tensor.Tensor{{Name: metadataKey, Type: tensor.Float32, Data: x.Data}}, nil, "found the name twice"},
		"no name":   {[]tensor.Tensor{{Type: tensor.Float32, Data: x.Data}}, nil, "empty name"},
		"too short": {[]tensor.Tensor{{Name: "x", Type: tensor.Float64, Data: x.Data}}, nil, "has 4 bytes"},
		"no type":   {[]tensor.Tensor{{Name: "x", Type: "float1", Data: x.Data}}, nil, "float1"},
		"not UTF-8": {nil, map[string]string{"a": "\xff"}, "not UTF-8"},
	} {
		var out bytes.Buffer
		if err := Write(&out, c.tensors, c.metadata); err == nil || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
			t.Errorf("%s: found %v and %d bytes, want %q", what, err, out.Len(), c.want)
		}
	}
}

// FuzzFile: no bytes may panic; what is valid can be written, and reads the same.
func FuzzFile(f *testing.F) {
	for _, name := range []string{"everything", "plain", "none"} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".safetensors"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(file(`{`+entry("z", "U8", "2", "4,6")+`,`+entry("e", "F32", "0", "4,4")+`,`+entry("x", "F32", "1", "0,4")+`} `, 6))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := New(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrType) && !errors.Is(err, fault.ErrLimit) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		var list []tensor.Tensor
		for _, info := range s.Infos() {
			x, err := s.Tensor(info.Name)
			if errors.Is(err, fault.ErrValue) {
				return // a name or a bool that fkzoo doesn't store
			}
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, x)
		}
		var out bytes.Buffer
		if err := Write(&out, list, s.Metadata()); err != nil {
			t.Fatal(err)
		}
		again, err := New(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil || !maps.Equal(again.Metadata(), s.Metadata()) {
			t.Fatalf("written and read again: %v", err)
		}
		for _, x := range list {
			y, err := again.Tensor(x.Name)
			if err != nil || !bytes.Equal(x.Data, y.Data) || x.Type != y.Type || !slices.Equal(x.Shape, y.Shape) {
				t.Fatalf("%q: %v", x.Name, err)
			}
		}
	})
}
