package format

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/fkzoo/fkzoo/format/header"
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
		if len(data) < header.PrologueLength {
			return
		}
		data = bytes.Clone(data)
		end := min(uint64(len(data)), header.PrologueLength+uint64(data[9])<<8+uint64(data[10]))
		sum := sha256.Sum256(data[header.PrologueLength:end])
		copy(data[13:], sum[:])
		fuzzFile(t, data)
	})
}

func fuzzFile(t *testing.T, data []byte) {
	t.Helper()
	var errs [2]error
	for i, mapped := range []bool{true, false} {
		when, err := examineFile(openBytes("memory", data, mapped))
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
	f, err := openBytes("memory", data, true)
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
	h := &header.Header{Fields: fields, Infos: f.Infos()}
	head, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := f.copyTensors(&again, h, head); err != nil {
		t.Fatal(err)
	}
	if when, err := examineFile(openBytes("memory", again.Bytes(), true)); err != nil {
		t.Errorf("rewritten: %s gave %v", when, err)
	}
	if h.Digest() != f.Digest() {
		t.Error("rewritten with another digest")
	}
	if infos := f.Infos(); (len(infos) == 0 || infos[0].Offset == 0) && !bytes.Equal(again.Bytes(), data) {
		t.Errorf("rewritten with other bytes:\n%x\n%x", data, again.Bytes())
	}
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
		if _, err := examineFile(openBytes("memory", data, true)); (err == nil) != (len(s.Damage) == 0) {
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
