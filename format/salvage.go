package format

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
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
		return nil, at(path, err)
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
	s.Intact = f.h.infos
	if s.Meta, err = f.Meta(); err != nil {
		return nil, err
	}
	for _, field := range f.h.fields {
		s.Fields = append(s.Fields, field.name)
	}
	for _, name := range sections {
		if f.h.field(name) == nil {
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
	intact := make([]bool, len(f.h.infos))
	f.each(func(i int, t *Info) {
		_, end := f.Range(t)
		intact[i] = s.Checked && (report == nil || known[t.Name]) || end <= f.size && f.verifyData(t) == nil
	})
	var kept []Info
	seen := map[string]bool{}
	for i, t := range f.h.infos {
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
	f.h.infos = kept
	return nil
}

// scavenge makes of a file that could not be opened for cause a header of what parses.
func (s *Salvaged) scavenge(cause *Error) error {
	f := s.f
	if cause.Kind == ErrVersion || cause.Kind == ErrFault || cause.Kind == ErrLimit && cause.Part != "prologue" {
		return cause
	}
	first := make([]byte, min(prologueLen, f.size))
	if err := f.readAt(first, 0, "prologue"); err != nil {
		return err
	}
	if len(first) < prologueLen {
		return cause
	}
	rest := make([]byte, min(MaxHeader, f.size-prologueLen))
	if err := f.readAt(rest, prologueLen, "header"); err != nil {
		return err
	}
	n, sure := headerLength(first, rest)
	if cause.Kind == ErrNotFkz && !sure {
		return cause // nothing says that it ever was one
	}
	s.Damage, s.Checked = []*Error{cause}, sure
	cause.Path = f.path
	f.first, f.head, f.base = first, rest[:n], roundUp(prologueLen+n)
	if h, err := parseHeader(f.head); err == nil {
		f.h = h
		return nil
	}
	s.Checked = false
	l := &loose{head: f.head}
	f.h = &header{fields: l.fields(), infos: l.infos(f.size - f.base)}
	if len(f.h.fields) == 0 && len(f.h.infos) == 0 {
		return cause
	}
	return nil
}

// headerLength finds the header's length, where what holds it may be damaged too, and says whether the header has the
// SHA-256 that the prologue says.
func headerLength(first, rest []byte) (int64, bool) {
	said := int64(binary.BigEndian.Uint32(first[7:]))
	ends := int64(-1) // the header is one msgpack object, so it says itself where it ends
	if c := (&cursor{b: rest}); c.skip(0) == nil {
		ends = int64(c.pos)
	}
	for _, n := range []int64{said, ends} {
		if n > 0 && n <= int64(len(rest)) {
			if sum := sha256.Sum256(rest[:n]); bytes.Equal(sum[:], first[13:]) {
				return n, true
			}
		}
	}
	// Then it is the header that is damaged, most likely, and not its length.
	if said <= int64(len(rest)) || ends < 0 {
		return min(said, int64(len(rest))), false
	}
	return ends, false
}

// loose reads a damaged header. All its walks together may take no more values than one header may have.
type loose struct {
	head   []byte
	values int
}

// perWalk is what beginning a walk costs, in values.
const perWalk = 16

func (l *loose) at(pos int) *cursor {
	l.values += perWalk
	return &cursor{b: l.head, pos: pos, base: prologueLen, values: l.values}
}

// looseField is a field with the positions of its key's first byte and of what follows its value.
type looseField struct {
	rawField
	start, end int
}

// fields reads the fields but the index: those before the damage, and those behind it, from one of the format's own
// names on whose pairs reach to the header's end in order; of several such names the one that has the most behind it,
// since a damaged count may have swallowed fields.
func (l *loose) fields() []rawField {
	before, pos := l.pairs(l.mapHead())
	var behind []looseField
	for i := range l.head {
		if l.values > MaxValues {
			break
		}
		if l.named(i) {
			if list, end := l.pairs(i); end == len(l.head) && len(list) > len(behind) {
				behind = list
			}
		}
	}
	if len(behind) > 0 && behind[0].start < pos {
		pos = behind[0].start
	}
	before = slices.DeleteFunc(before, func(f looseField) bool {
		// Names rise, so one that is not below those to come is damaged.
		return f.end > pos || len(behind) > 0 && f.name >= behind[0].name
	})
	if n := len(before); n > 0 && !l.named(before[n-1].end) {
		before = before[:n-1] // it ends where no field begins: its length may be what is damaged
	}
	var list []rawField
	for _, f := range append(before, behind...) {
		if f.name != "index" {
			list = append(list, f.rawField)
		}
	}
	return list
}

// mapHead gives the length of the map's head that a header begins with.
func (l *loose) mapHead() int {
	switch {
	case len(l.head) > 0 && l.head[0] == 0xde:
		return 3
	case len(l.head) > 0 && l.head[0] == 0xdf:
		return 5
	}
	return 1
}

// named says whether one of the format's own names stands at pos, as a key would, or the header ends there.
func (l *loose) named(pos int) bool {
	if pos == len(l.head) || l.head[pos]&0xe0 != 0xa0 {
		return pos == len(l.head)
	}
	for _, name := range append([]string{"index", signaturesField}, sections...) {
		if l.head[pos] == 0xa0|byte(len(name)) && bytes.HasPrefix(l.head[pos+1:], []byte(name)) {
			return true
		}
	}
	return false
}

// pairs reads keys and values from pos on until one is damaged, and says where that one begins.
func (l *loose) pairs(pos int) (list []looseField, end int) {
	for pos < len(l.head) {
		c := l.at(pos)
		key, err := c.next()
		value := c.pos
		if err == nil {
			err = c.skip(1)
		}
		l.values = c.values
		if n := len(list); err != nil || key.kind != kindString || n > 0 && string(key.body) <= list[n-1].name {
			break
		}
		list = append(list, looseField{rawField{string(key.body), l.head[value:c.pos]}, pos, c.pos})
		pos = c.pos
	}
	return list, pos
}

// infos looks for entries of the index at every byte. Those of tensors within the file's so many bytes of data ask for no
// more than twice as many.
func (l *loose) infos(data int64) []Info {
	var list []Info
	left := 2 * data
	for pos := 0; pos+1 < len(l.head) && len(list) < MaxTensors && l.values <= MaxValues; pos++ {
		a, b := l.head[pos], l.head[pos+1]
		if a&0xf0 != 0x80 && a != 0xde || b&0xe0 != 0xa0 && b != 0xd9 && a != 0xde { // a map, and a string in it
			continue
		}
		c := l.at(pos)
		t, err := parseInfo(c)
		l.values = c.values
		inside := t.Offset+t.Length <= data
		if err != nil || t.Offset%align != 0 || inside && t.Length > left {
			continue
		}
		if inside { // else nothing of it is read
			left -= t.Length
		}
		list = append(list, t)
		pos = c.pos - 1
	}
	slices.SortStableFunc(list, func(a, b Info) int { return cmp.Compare(a.Offset, b.Offset) })
	return list
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
