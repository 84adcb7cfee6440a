package format

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/fkzoo/fkzoo/format/header"
)

// testKey is a fixed key; its number makes it another.
func testKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// signed gives the path of the example, signed by the keys of these numbers.
func signed(t *testing.T, keys ...byte) string {
	t.Helper()
	m, tensors := example(t)
	path := save(t, m, tensors)
	for _, n := range keys {
		f := mustOpen(t, path)
		if err := f.Sign(path, testKey(n), Options{Force: true}); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return path
}

func TestSign(t *testing.T) {
	m, tensors := example(t)
	before := mustOpen(t, save(t, m, tensors))
	f := mustOpen(t, signed(t, 2, 1, 2))
	if err := f.Verify(); err != nil {
		t.Error(err)
	}
	if f.Digest() != before.Digest() {
		t.Error("signing changed the digest")
	}
	list, err := f.Signatures()
	if err != nil || len(list) != 2 || !list[0].Good || !list[1].Good || bytes.Compare(list[0].Key, list[1].Key) >= 0 {
		t.Errorf("found %+v (%v), want two good signatures sorted by key", list, err)
	}
	for n, want := range map[byte]error{1: nil, 2: nil, 3: ErrUnsigned} {
		if err := f.SignedBy(public(testKey(n))); !errors.Is(err, want) {
			t.Errorf("key %d: %v, want %v", n, err, want)
		}
	}
	if err := before.SignedBy(public(testKey(1))); !errors.Is(err, ErrUnsigned) {
		t.Errorf("an unsigned file: %v", err)
	}
	// In whatever order they sign, the bytes are the same.
	if !bytes.Equal(read(t, signed(t, 1, 2)), read(t, f.Path())) {
		t.Error("another order of signing gave other bytes")
	}
	// Loaded and saved again it is the same file, its signatures in it.
	meta, loaded, err := Load(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, save(t, meta, loaded)), read(t, f.Path())) {
		t.Error("loaded and saved, a signed file is another")
	}
}

// A signature is gone once what it covers has changed, by Write and by Rewrite, and stays where that has not.
func TestSignatureOutlivesNoChange(t *testing.T) {
	path := signed(t, 1, 2)
	changes := []struct {
		name   string
		change func(*Meta, []Tensor)
		stays  bool
		write  bool // a change that Rewrite can't make
	}{
		{"nothing", func(*Meta, []Tensor) {}, true, false},
		{"run", func(m *Meta, _ []Tensor) { m.Run = "other" }, true, false},
		{"unknown field", func(m *Meta, _ []Tensor) { m.Extra["zz_later"] = 1 }, true, false},
		{"provenance", func(m *Meta, _ []Tensor) { m.Provenance = "other" }, false, false},
		{"blueprint", func(m *Meta, _ []Tensor) { m.Blueprint = nil }, false, false},
		{"history", func(m *Meta, _ []Tensor) { m.History = []any{} }, false, false},
		{"state", func(m *Meta, _ []Tensor) { m.State = 1 }, false, false},
		{"one byte", func(_ *Meta, x []Tensor) { x[0].Data[0] ^= 1 }, false, true},
		{"a name", func(_ *Meta, x []Tensor) { x[0].Name += "x" }, false, true},
	}
	for _, c := range changes {
		f := mustOpen(t, path)
		m, tensors, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		c.change(&m, tensors)
		files := []string{save(t, m, tensors)}
		if !c.write {
			files = append(files, filepath.Join(t.TempDir(), "rewritten.fkz"))
			if err := f.Rewrite(files[1], m, Options{}); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range files {
			g := mustOpen(t, name)
			list, err := g.Signatures()
			want := 0
			if c.stays {
				want = 2
			}
			if err != nil || len(list) != want || g.h.Raw(header.SignaturesField) != nil != c.stays {
				t.Errorf("%s, %s: found %d signatures (%v), want %d", c.name, filepath.Base(name), len(list), err, want)
			}
			if err := g.Verify(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			g.Close()
		}
		f.Close()
	}
}

// Of two signatures that are there already, the one of something else goes when the file is written anew with changes.
func TestGoodSignatureStaysAlone(t *testing.T) {
	m, tensors, err := Load(signed(t, 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	m.Extra[header.SignaturesField].([]any)[0].(map[string]any)["signature"].([]byte)[5] ^= 1
	list, err := mustOpen(t, save(t, m, tensors)).Signatures()
	if err != nil || len(list) != 1 || !list[0].Good {
		t.Errorf("found %+v (%v), want the good one alone", list, err)
	}
}

// tampered is a signed file with its signatures field changed, and its header's checksum right again.
func tampered(t *testing.T, change func(any) any) *File {
	t.Helper()
	f := mustOpen(t, signed(t, 1))
	m, err := f.Meta()
	if err != nil {
		t.Fatal(err)
	}
	m.Extra[header.SignaturesField] = change(m.Extra[header.SignaturesField])
	path := filepath.Join(t.TempDir(), "tampered.fkz")
	if err := f.Rewrite(path, m, Options{}); err != nil { // what is covered stays, so this keeps anything
		t.Fatal(err)
	}
	return mustOpen(t, path)
}

func TestBadSignatures(t *testing.T) {
	entry := func(v any) map[string]any { return v.([]any)[0].(map[string]any) }
	cases := []struct {
		name   string
		change func(any) any
		want   error // of SignedBy
		list   error // of Signatures
	}{
		{"a flipped bit", func(v any) any { entry(v)["signature"].([]byte)[9] ^= 4; return v }, ErrSignature, nil},
		{"another's signature", func(v any) any { entry(v)["signature"] = ed25519.Sign(testKey(2), []byte("x")); return v }, ErrSignature, nil},
		{"another key", func(v any) any { entry(v)["key"] = []byte(public(testKey(2))); return v }, ErrUnsigned, nil},
		{"none", func(v any) any { return []any{} }, ErrUnsigned, nil},
		{"an algorithm of later", func(v any) any { entry(v)["algorithm"] = "ml-dsa"; return v }, ErrUnsigned, nil},
		{"a field of later", func(v any) any { entry(v)["when"] = "later"; return v }, nil, nil},
		{"no array", func(any) any { return "x" }, ErrSignature, ErrSignature},
		{"no map", func(any) any { return []any{1} }, ErrSignature, ErrSignature},
		{"no algorithm", func(v any) any { delete(entry(v), "algorithm"); return v }, ErrSignature, ErrSignature},
		{"a short key", func(v any) any { entry(v)["key"] = []byte{1}; return v }, ErrSignature, ErrSignature},
		{"a short signature", func(v any) any { entry(v)["signature"] = []byte{1}; return v }, ErrSignature, ErrSignature},
		{"a key twice", func(v any) any { return append(v.([]any), v.([]any)[0]) }, ErrSignature, ErrSignature},
	}
	for _, c := range cases {
		f := tampered(t, c.change)
		if err := f.SignedBy(public(testKey(1))); !errors.Is(err, c.want) {
			t.Errorf("%s: SignedBy gave %v, want %v", c.name, err, c.want)
		}
		if _, err := f.Signatures(); !errors.Is(err, c.list) {
			t.Errorf("%s: Signatures gave %v, want %v", c.name, err, c.list)
		}
		if err := f.Verify(); err != nil { // the bytes are in order
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Damage is not signed.
func TestSignVerifiesFirst(t *testing.T) {
	m, tensors := example(t)
	path := save(t, m, tensors)
	f := mustOpen(t, path)
	b := read(t, path)
	info, _ := f.Info("all/float32")
	start, _ := f.Range(&info)
	b[start] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "signed.fkz")
	if err := f.Sign(out, testKey(1), Options{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("signing a damaged file: %v, want ErrDamaged", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("it was signed all the same")
	}
}
