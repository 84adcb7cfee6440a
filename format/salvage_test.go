package format

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/format/header"
)

// salvageBytes salvages a file in memory and gives what a file of that would hold; now and then it is written.
func salvageBytes(t *testing.T, data []byte) (*Salvaged, []Tensor, error) {
	t.Helper()
	s, err := salvage(&File{path: "memory", file: memory{bytes.NewReader(data)}})
	if err != nil {
		return nil, nil, err
	}
	tensors, err := s.tensors()
	if err != nil {
		t.Fatalf("what was found intact can't be read: %v", err)
	}
	fields, err := s.Meta.fields()
	if err != nil {
		t.Fatalf("what was found intact can't be written: %v", err)
	}
	if _, err := describe(fields, tensors); err != nil {
		t.Fatalf("what was found intact can't be written: %v", err)
	}
	if data[len(data)-1]%50 == 0 {
		out := filepath.Join(t.TempDir(), "out.fkz")
		if err := s.Write(out, Options{}); err != nil {
			t.Fatal(err)
		}
		f := mustOpen(t, out)
		if err := f.Verify(); err != nil || len(f.Infos()) != len(tensors) {
			t.Fatalf("what was written has %d tensors, want %d (%v)", len(f.Infos()), len(tensors), err)
		}
		f.Close()
	}
	return s, tensors, nil
}

// intactOf says how many of the tensors are among those wanted, with their data, types and shapes.
func intactOf(got, want []Tensor) int {
	n := 0
	for _, x := range got {
		for _, y := range want {
			if x.Name == y.Name && x.Type == y.Type && slices.Equal(x.Shape, y.Shape) && bytes.Equal(x.Data, y.Data) {
				n++
			}
		}
	}
	return n
}

// Of an intact file all is found, and written again it has the same bytes, signatures too.
func TestSalvageIntact(t *testing.T) {
	for _, path := range []string{signed(t), signed(t, 1, 2)} {
		s, err := Salvage(path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		out := filepath.Join(t.TempDir(), "out.fkz")
		if err := s.Write(out, Options{}); err != nil || !bytes.Equal(read(t, out), read(t, path)) {
			t.Errorf("written again it is another file (%v)", err)
		}
		if len(s.Damage) > 0 || !s.Checked || len(s.Lost) > 0 || s.Size != int64(len(read(t, out))) {
			t.Errorf("found %+v in an intact file", s)
		}
		if err := s.Write(out, Options{}); !errors.Is(err, ErrExists) {
			t.Errorf("an existing file: %v", err)
		}
	}
}

// With any byte changed, all tensors but the one that it belongs to are there, and the metadata where the header has its
// SHA-256. In a damaged header a byte costs at most one tensor, and at most the field it lies in and the one before.
func TestSalvageEveryFlip(t *testing.T) {
	m, tensors := example(t)
	f := mustOpen(t, save(t, m, tensors))
	whole := read(t, f.Path())
	want, err := f.Meta()
	if err != nil {
		t.Fatal(err)
	}
	owner := make([]string, len(whole))
	for _, info := range f.Infos() {
		start, end := f.Range(&info)
		for i := start; i < end; i++ {
			owner[i] = info.Name
		}
	}
	end := header.PrologueLength + len(f.head)
	for i := range whole {
		for _, mask := range []byte{1 << (i % 8), 0xff} {
			data := bytes.Clone(whole)
			data[i] ^= mask
			s, got, err := salvageBytes(t, data)
			where := fmt.Sprintf("byte %d ^ %02x", i, mask)
			if i == 5 && mask != 0xff { // another version
				if err == nil {
					t.Errorf("%s: the version was salvaged", where)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", where, err)
				continue
			}
			if len(s.Damage) == 0 {
				t.Errorf("%s: found no damage", where)
			}
			there, fields := intactOf(got, tensors), sameFields(s.Meta, want)
			switch {
			case i < header.PrologueLength:
				if there != len(tensors) || fields != 7 || s.Checked != (i < 13) {
					t.Errorf("%s, in the prologue: %d tensors, %d fields, header checked is %v", where, there, fields, s.Checked)
				}
			case i < end:
				if there < len(tensors)-1 || fields < 5 || s.Checked {
					t.Errorf("%s, in the header: %d of %d tensors, %d of 7 fields, header checked is %v", where, there, len(tensors), fields, s.Checked)
				}
			case owner[i] == "":
				if there != len(tensors) || fields != 7 || !s.Checked {
					t.Errorf("%s, outside the data: %d tensors, %d fields", where, there, fields)
				}
			default:
				if there != len(tensors)-1 || len(got) != there || fields != 7 || !s.Checked || s.Damage[0].Tensor != owner[i] {
					t.Errorf("%s, of %s: %d tensors, %d fields: %v", where, owner[i], there, fields, s.Damage[0])
				}
			}
		}
	}
}

// sameFields counts the fields that are alike: the five, and two unknown ones.
func sameFields(a, b Meta) int {
	n := 0
	for _, name := range header.Sections {
		if equal(a.section(name), b.section(name)) {
			n++
		}
	}
	for name, v := range b.Extra {
		if got, ok := a.Extra[name]; ok && equal(got, v) {
			n++
		}
	}
	return n
}

// A file that was cut keeps what lies before the cut; one with something behind its end keeps all.
func TestSalvageCut(t *testing.T) {
	m, tensors := example(t)
	f := mustOpen(t, save(t, m, tensors))
	whole := read(t, f.Path())
	for n := 0; n < len(whole); n += 7 {
		want := 0
		for _, info := range f.Infos() {
			if _, end := f.Range(&info); end <= int64(n) {
				want++
			}
		}
		_, got, err := salvageBytes(t, whole[:n])
		switch {
		case n < header.PrologueLength+60:
			if err == nil {
				continue // a few fields at most
			}
			if !errors.Is(err, ErrTruncated) {
				t.Errorf("cut to %d bytes: %v", n, err)
			}
		case n < int(header.PrologueLength)+len(f.head):
			if err != nil || len(got) != 0 {
				t.Errorf("cut to %d bytes, in the header: %d tensors (%v)", n, len(got), err)
			}
		default:
			if err != nil || len(got) != want || intactOf(got, tensors) != want {
				t.Errorf("cut to %d bytes: %d tensors (%v), want %d", n, len(got), err, want)
			}
		}
	}
	s, got, err := salvageBytes(t, append(bytes.Clone(whole), 0xc0, 1))
	if err != nil || intactOf(got, tensors) != len(tensors) || sameFields(s.Meta, m) != 7 || !errors.Is(s.Damage[0], ErrTrailing) {
		t.Errorf("with bytes behind the end: %d tensors (%v)", len(got), err)
	}
}

// What cannot have been a model of version 1 is no case for salvage.
func TestSalvageRefuses(t *testing.T) {
	for _, v := range vectors(t) {
		s, err := Salvage(filepath.Join(vectorFolder, v.File))
		if err == nil {
			s.Close()
		}
		switch v.Outcome {
		case "ok":
			if err != nil || len(s.Damage) > 0 || len(s.Intact) != len(v.Tensors) {
				t.Errorf("%s: %v", v.File, err)
			}
		case "version", "not-fkz":
			if !errors.Is(err, outcomes[v.Outcome]) {
				t.Errorf("%s: %v, want %s", v.File, err, v.Outcome)
			}
		default:
			if err == nil && len(s.Damage) == 0 {
				t.Errorf("%s: found no damage", v.File)
			}
		}
	}
	if _, err := Salvage(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// A header made to cost much when it is searched byte by byte is given up in time that its size allows.
func TestSalvageCosts(t *testing.T) {
	unit := append([]byte("\xd9\xf0"), bytes.Repeat([]byte("\x81\xa0\xdd\x00\x0f\xff\xff"), 34)...)
	unit = append(unit, 0xc0, 0xc0)
	head := append([]byte{0x81, 0xa1, 'x', 0xdd, 0, 0x0f, 0xff, 0xff}, bytes.Repeat(unit, 40_000)...)
	data := append(header.Prologue(head), head...)
	data[20] ^= 1
	if _, _, err := salvageBytes(t, data); err == nil {
		t.Error("found something in nothing")
	}
}
