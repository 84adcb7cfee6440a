package format

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
)

// typed fails the test where an error is none of the package's.
func typed(t *testing.T, err error) {
	t.Helper()
	var e *Error
	var v *VerifyError
	if err != nil && !errors.As(err, &e) && !errors.As(err, &v) {
		t.Errorf("error without a kind: %v", err)
	}
}

// FuzzFile opens, reads and verifies anything, in memory. The header's SHA-256 is put right too, so that what lies behind
// it is reached.
func FuzzFile(f *testing.F) {
	for _, v := range vectors(f) {
		if data := read(f, filepath.Join(vectorFolder, v.File)); len(data) < 4096 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzFile(t, data)
		if len(data) < prologueLen {
			return
		}
		data = bytes.Clone(data)
		end := min(uint64(len(data)), prologueLen+uint64(data[9])<<8+uint64(data[10]))
		sum := sha256.Sum256(data[prologueLen:end])
		copy(data[13:], sum[:])
		fuzzFile(t, data)
	})
}

func fuzzFile(t *testing.T, data []byte) {
	t.Helper()
	var errs [2]error
	for i, mapped := range []bool{true, false} {
		when, err := examineFile(openBytes(data, mapped))
		typed(t, err)
		if errs[i] = err; when == "meta" || when == "tensor" {
			t.Errorf("%s gave %v", when, err)
		}
	}
	if fmt.Sprint(errs[0]) != fmt.Sprint(errs[1]) {
		t.Errorf("mapped it gave %v, else %v", errs[0], errs[1])
	}
	if errs[0] == nil {
		sameAgain(t, data)
	}
}

// sameAgain rewrites a good file with its own metadata: equal bytes, but for where the first tensor begins.
func sameAgain(t *testing.T, data []byte) {
	t.Helper()
	f, err := openBytes(data, true)
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Meta()
	if err != nil {
		t.Fatal(err)
	}
	fields, err := m.fields()
	if err != nil {
		t.Fatal(err)
	}
	h := &header{fields: fields, infos: f.Infos()}
	head, err := h.encode()
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := f.copyTensors(&again, h, head); err != nil {
		t.Fatal(err)
	}
	if when, err := examineFile(openBytes(again.Bytes(), true)); err != nil {
		t.Errorf("rewritten: %s gave %v", when, err)
	}
	if h.digest() != f.Digest() {
		t.Error("rewritten with another digest")
	}
	if infos := f.Infos(); (len(infos) == 0 || infos[0].Offset == 0) && !bytes.Equal(again.Bytes(), data) {
		t.Errorf("rewritten with other bytes:\n%x\n%x", data, again.Bytes())
	}
}

// FuzzIndex parses anything as the index of a header of any length: what is accepted lies in order, without holes and
// inside what int64 can say, and has one encoding.
func FuzzIndex(f *testing.F) {
	n := 0
	for _, v := range vectors(f) {
		data := read(f, filepath.Join(vectorFolder, v.File))
		at := bytes.Index(data, []byte("\xa5index"))
		if at < 0 || len(data) > 4096 {
			continue
		}
		c := &cursor{b: data, pos: at + 6}
		if c.skip(1) == nil {
			f.Add(data[at+6:c.pos], uint32(len(data)))
			n++
		}
	}
	if n < 30 {
		f.Fatalf("found %d indexes in the vectors, want some", n)
	}
	f.Fuzz(func(t *testing.T, data []byte, length uint32) {
		c := &cursor{b: data}
		if c.skip(1) != nil {
			return // the header's own walk has refused it before
		}
		data = data[:c.pos]
		h := &header{}
		if err := h.parseIndex(&cursor{b: data}, int64(length)); err != nil {
			typed(t, err)
			return
		}
		due, names := int64(0), map[string]bool{}
		for i, info := range h.infos {
			if i == 0 && info.Offset == align {
				due = align
			}
			if info.Offset != due || info.Offset%align != 0 || info.Length < 0 || info.Length > MaxTensor || names[info.Name] {
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
			due = roundUp(info.Offset + info.Length + binHead)
		}
		e := newEncoder()
		if err := e.index(h.infos); err != nil || !bytes.Equal(e.buf.Bytes(), data) {
			t.Fatalf("the index\n%x comes back as\n%x (%v)", data, e.buf.Bytes(), err)
		}
	})
}

// FuzzHeader parses anything as a header; what is accepted must be the one encoding of what it says.
func FuzzHeader(f *testing.F) {
	for _, v := range vectors(f) {
		if data := read(f, filepath.Join(vectorFolder, v.File)); len(data) > prologueLen && len(data) < 4096 {
			f.Add(data[prologueLen:])
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := parseHeader(data)
		if err != nil {
			typed(t, err)
			// A whole file's bytes go on after its header: try the header alone.
			c := &cursor{b: data}
			if c.skip(0) != nil || c.pos == len(data) {
				return
			}
			if h, err = parseHeader(data[:c.pos]); err != nil {
				typed(t, err)
				return
			}
			data = data[:c.pos]
		}
		for i := range h.fields {
			field := &h.fields[i]
			v, err := decodeValue(field.raw)
			if err != nil {
				t.Fatalf("accepted, but: %v", err)
			}
			raw, err := encodeValue(v, field.name)
			if err != nil || !bytes.Equal(raw, field.raw) {
				t.Fatalf("%x comes back as %x (%v)", field.raw, raw, err)
			}
			field.raw = raw
		}
		h.digest()
		if again, err := h.bytes(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("the header\n%x comes back as\n%x (%v)", data, again, err)
		}
	})
}

// FuzzSalvage salvages anything: what it finds can be written, and the damage is told.
func FuzzSalvage(f *testing.F) {
	m, tensors := example(f)
	whole := read(f, save(f, m, tensors))
	f.Add(whole)
	for i := 0; i < len(whole); i += 97 {
		data := bytes.Clone(whole)
		data[i] ^= 0xff
		f.Add(data)
	}
	for _, v := range vectors(f) {
		if data := read(f, filepath.Join(vectorFolder, v.File)); len(data) < 4096 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := salvage(&File{path: "memory", file: memory{bytes.NewReader(data)}})
		if err != nil {
			typed(t, err)
			return
		}
		if _, err := examineFile(openBytes(data, true)); (err == nil) != (len(s.Damage) == 0) {
			t.Errorf("opened and verified it gave %v, salvaged %v", err, s.Damage)
		}
		list, err := s.tensors()
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, x := range list {
			total += len(x.Data)
		}
		if total > 2*len(data) {
			t.Errorf("found %d bytes of tensors in a file of %d", total, len(data))
		}
		fields, err := s.Meta.fields()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := describe(fields, list); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzScan walks anything as one value: what the scanner accepts, the decoder reads, and it is in its one form.
func FuzzScan(f *testing.F) {
	for _, v := range []any{nil, true, -1, int64(1) << 40, 0.5, "text", []byte{1}, []any{1, []any{}}, map[string]any{"a": 1, "b": map[string]any{}}} {
		raw, err := encodeValue(v, "")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add(bytes.Repeat([]byte{0x91}, 1000))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &cursor{b: data}
		if err := c.skip(1); err != nil {
			return
		}
		v, err := decodeValue(data[:c.pos])
		if err != nil {
			t.Fatalf("accepted, but: %v", err)
		}
		if raw, err := encodeValue(v, ""); err != nil || !bytes.Equal(raw, data[:c.pos]) {
			t.Fatalf("%x comes back as %x (%v)", data[:c.pos], raw, err)
		}
	})
}

// FuzzJSON: what has a value has JSON again, with the same value.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,-0,1e300,null,true,"x\u0000\ud800"]}`, `18446744073709551615`, `{"a":{"":{}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := FromJSON(data)
		if err != nil {
			return
		}
		out, err := ToJSON(v)
		if err != nil {
			t.Fatal(err)
		}
		again, err := FromJSON(out)
		if err != nil || !equal(v, again) {
			t.Fatalf("%s gave %v, then %s gave %v (%v)", data, v, out, again, err)
		}
	})
}
