package header

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/scan"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/format/value"
)

// vectors gives the paths of the format's test vectors.
func vectors(t testing.TB) (files []string) {
	t.Helper()
	for _, pattern := range []string{"*.fkz", "attacks/*.fkz"} {
		some, err := filepath.Glob(filepath.Join("../../specs/testdata/fkz/v1", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, some...)
	}
	if len(files) < 100 {
		t.Fatalf("found %d vectors, want at least 100", len(files))
	}
	return files
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// typed fails the test where an error is none of the format's.
func typed(t *testing.T, err error) {
	t.Helper()
	var e *fault.Error
	if err != nil && !errors.As(err, &e) {
		t.Errorf("error without a kind: %v", err)
	}
}

// FuzzIndex parses anything as the index of a header of any length: what is accepted lies in order, without holes and
// inside what int64 can say, and has one encoding.
func FuzzIndex(f *testing.F) {
	n := 0
	for _, v := range vectors(f) {
		data := read(f, v)
		at := bytes.Index(data, []byte("\xa5index"))
		if at < 0 || len(data) > 4096 {
			continue
		}
		c := &scan.Cursor{B: data, Pos: at + 6}
		if c.Skip(1) == nil {
			f.Add(data[at+6:c.Pos], uint32(len(data)))
			n++
		}
	}
	if n < 30 {
		f.Fatalf("found %d indexes in the vectors, want some", n)
	}
	f.Fuzz(func(t *testing.T, data []byte, length uint32) {
		c := &scan.Cursor{B: data}
		if c.Skip(1) != nil {
			return // the header's own walk has refused it before
		}
		data = data[:c.Pos]
		h := &Header{}
		if err := h.parseIndex(&scan.Cursor{B: data}, int64(length)); err != nil {
			typed(t, err)
			return
		}
		due, names := int64(0), map[string]bool{}
		for i, info := range h.Infos {
			if i == 0 && info.Offset == Align {
				due = Align
			}
			if info.Offset != due || info.Offset%Align != 0 || info.Length < 0 || info.Length > tensor.MaxTensor || names[info.Name] {
				t.Fatalf("tensor %d was accepted: %+v, want the offset %d", i, info, due)
			}
			elements := int64(info.Type.Size())
			for _, d := range info.Shape {
				elements *= int64(d)
			}
			if elements != info.Length {
				t.Fatalf("tensor %d was accepted: shape %v of %s in %d bytes", i, info.Shape, info.Type, info.Length)
			}
			names[info.Name] = true
			due = RoundUp(info.Offset + info.Length + BinHead)
		}
		e := value.NewEncoder()
		if err := encodeIndex(e, h.Infos); err != nil || !bytes.Equal(e.Bytes(), data) {
			t.Fatalf("the index\n%x comes back as\n%x (%v)", data, e.Bytes(), err)
		}
	})
}

// FuzzHeader parses anything as a header; what is accepted must be the one encoding of what it says.
func FuzzHeader(f *testing.F) {
	for _, v := range vectors(f) {
		if data := read(f, v); len(data) > PrologueLength && len(data) < 4096 {
			f.Add(data[PrologueLength:])
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := Parse(data)
		if err != nil {
			typed(t, err)
			// A whole file's bytes go on after its header: try the header alone.
			c := &scan.Cursor{B: data}
			if c.Skip(0) != nil || c.Pos == len(data) {
				return
			}
			if h, err = Parse(data[:c.Pos]); err != nil {
				typed(t, err)
				return
			}
			data = data[:c.Pos]
		}
		for i := range h.Fields {
			field := &h.Fields[i]
			v, err := value.Decode(field.Raw)
			if err != nil {
				t.Fatalf("accepted, but: %v", err)
			}
			raw, err := value.Encode(v, field.Name)
			if err != nil || !bytes.Equal(raw, field.Raw) {
				t.Fatalf("%x comes back as %x (%v)", field.Raw, raw, err)
			}
			field.Raw = raw
		}
		h.Digest()
		if again, err := h.Bytes(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("the header\n%x comes back as\n%x (%v)", data, again, err)
		}
	})
}
