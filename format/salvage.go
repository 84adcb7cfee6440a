package format

import (
	"errors"
	"math"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/header"
)

// Salvaged is what can still be read of a file that may be damaged. Close it.
type Salvaged struct {
	Path   string
	Size   int64
	Damage []*Error // all that is wrong, in the file's order; empty for an intact file
	// Checked says that the header has its SHA-256. Where not, metadata and the tensors' names, types and shapes parse,
	// but may have changed; a tensor's bytes are known by their own checksums.
	Checked bool
	Meta    Meta     // what can be read of it
	Fields  []string // the header's fields that can be read, sorted
	Lost    []string // those of the format's six that can't
	Intact  []Info   // the tensors whose bytes have both checksums, in the file's order

	f *File // opened as far as it goes; its index is Intact
}

// Salvage finds what is intact in the file at path. Of a file whose header is damaged it takes what parses: fields, and
// tensors whose bytes have the checksums that an entry of the index says. An error is only what leaves nothing at all:
// another version (a changed version byte can't be told from one), no .fkz file, nothing that parses.
func Salvage(path string) (*Salvaged, error) {
	file, err := openDisk(path)
	if err != nil {
		return nil, err
	}
	s, err := salvage(&File{path: path, file: file})
	if err != nil {
		_ = file.Close()
		return nil, fault.At(path, err)
	}
	return s, nil
}

func salvage(f *File) (*Salvaged, error) {
	s := &Salvaged{Path: f.path, Checked: true, f: f}
	err := f.read()
	if f.h == nil { // else Verify says what is wrong with the length
		var e *Error
		if !errors.As(err, &e) {
			return nil, err
		}
		if err := s.scavenge(e); err != nil {
			return nil, err
		}
	}
	s.Size = f.size
	if err := s.verify(); err != nil {
		return nil, err
	}
	s.Intact = f.h.Infos
	if s.Meta, err = f.Meta(); err != nil {
		return nil, err
	}
	for _, field := range f.h.Fields {
		s.Fields = append(s.Fields, field.Name)
	}
	for _, name := range header.Sections {
		if f.h.Raw(name) == nil {
			s.Lost = append(s.Lost, name)
		}
	}
	if len(s.Intact) == 0 && len(s.Fields) == 0 {
		return nil, s.Damage[0]
	}
	return s, nil
}

// verify finds the damage and leaves the tensors in the file's index whose data is intact: the heads and the padding
// around it are made anew.
func (s *Salvaged) verify() error {
	f := s.f
	var report *VerifyError
	if s.Checked {
		if err := f.Verify(); err != nil && !errors.As(err, &report) {
			return err
		}
	}
	known := map[string]bool{}
	if report != nil {
		s.Damage = append(s.Damage, report.Damage...)
		for _, name := range report.Intact {
			known[name] = true
		}
	}
	intact := make([]bool, len(f.h.Infos))
	f.each(func(i int, t *Info) {
		_, end := f.Range(t)
		intact[i] = s.Checked && (report == nil || known[t.Name]) || end <= f.size && f.verifyData(t) == nil
	})
	var kept []Info
	seen := map[string]bool{}
	for i, t := range f.h.Infos {
		why := ""
		switch {
		case !intact[i]:
			why = "has not the bytes that the damaged header says"
		case seen[t.Name]:
			why = "is there twice in the damaged header"
		default:
			seen[t.Name] = true
			kept = append(kept, t)
			continue
		}
		if !s.Checked { // else it is in the report
			s.Damage = append(s.Damage, f.fail(ErrDamaged, &t, "%s", why))
		}
	}
	f.h.Infos = kept
	return nil
}

// scavenge makes of a file that could not be opened for cause a header of what parses.
func (s *Salvaged) scavenge(cause *Error) error {
	f := s.f
	if cause.Kind == ErrVersion || cause.Kind == ErrFault || cause.Kind == ErrLimit && cause.Part != "prologue" {
		return cause
	}
	first := make([]byte, min(header.PrologueLength, f.size))
	if err := f.readAt(first, 0, "prologue"); err != nil {
		return err
	}
	if len(first) < header.PrologueLength {
		return cause
	}
	rest := make([]byte, min(header.MaxHeader, f.size-header.PrologueLength))
	if err := f.readAt(rest, header.PrologueLength, "header"); err != nil {
		return err
	}
	n, sure := header.Length(first, rest)
	if cause.Kind == ErrNotFkz && !sure {
		return cause // nothing says that it ever was one
	}
	s.Damage, s.Checked = []*Error{cause}, sure
	cause.Path = f.path
	f.first, f.head, f.base = first, rest[:n], header.RoundUp(header.PrologueLength+n)
	if h, err := header.Parse(f.head); err == nil {
		f.h = h
		return nil
	}
	s.Checked = false
	f.h = header.Scavenge(f.head, f.size-f.base)
	if len(f.h.Fields) == 0 && len(f.h.Infos) == 0 {
		return cause
	}
	return nil
}

// Write makes the model file at path of what is intact; fields that are lost are nil. Its tensors are read into memory.
// Of an intact file whose tensors are sorted it makes the same bytes.
func (s *Salvaged) Write(path string, o Options) error {
	tensors, err := s.tensors()
	if err != nil {
		return err
	}
	return Write(path, s.Meta, tensors, o)
}

func (s *Salvaged) tensors() ([]Tensor, error) {
	done, err := s.f.use()
	if err != nil {
		return nil, err
	}
	defer done()
	list := make([]Tensor, len(s.Intact))
	for i := range s.Intact {
		t := &s.Intact[i]
		if t.Length > math.MaxInt {
			return nil, s.f.fail(ErrLimit, t, "has %d bytes, more than a 32-bit program can hold", t.Length)
		}
		data := make([]byte, t.Length)
		sum, bad, err := s.f.readData(t, data)
		if err == nil {
			err = s.f.compareData(t, sum, bad)
		}
		if err == nil {
			list[i], err = s.f.tensor(t, data)
		}
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Close closes the file.
func (s *Salvaged) Close() error { return s.f.Close() }
