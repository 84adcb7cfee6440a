package format

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
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

// FuzzFile opens, reads and verifies anything. The header's SHA-256 is put right first, so that what lies behind it is reached.
func FuzzFile(f *testing.F) {
	for _, v := range vectors(f) {
		if data := read(f, filepath.Join(vectorFolder, v.File)); len(data) < 4096 {
			f.Add(data)
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "a.fkz")
		for _, right := range []bool{false, true} {
			if right {
				if len(data) < prologueLen {
					return
				}
				data = bytes.Clone(data)
				end := min(uint64(len(data)), prologueLen+uint64(data[9])<<8+uint64(data[10]))
				sum := sha256.Sum256(data[prologueLen:end])
				copy(data[13:], sum[:])
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, mapped := range []bool{true, false} {
				_, err := examine(path, mapped)
				typed(t, err)
				if err == nil && mapped {
					sameAgain(t, path, data)
				}
			}
		}
	})
}

// sameAgain rewrites a good file with its own metadata: equal bytes, but for where the first tensor begins.
func sameAgain(t *testing.T, path string, data []byte) {
	t.Helper()
	f := mustOpen(t, path)
	defer f.Close()
	m, err := f.Meta()
	if err != nil {
		t.Fatal(err)
	}
	other := path + ".again"
	if err := f.Rewrite(other, m, Options{Force: true}); err != nil {
		t.Fatal(err)
	}
	got := read(t, other)
	if when, err := examine(other, true); err != nil {
		t.Errorf("rewritten: %s gave %v", when, err)
	}
	if mustOpen(t, other).Digest() != f.Digest() {
		t.Error("rewritten with another digest")
	}
	if infos := f.Infos(); (len(infos) == 0 || infos[0].Offset == 0) && !bytes.Equal(got, data) {
		t.Errorf("rewritten with other bytes:\n%x\n%x", data, got)
	}
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
