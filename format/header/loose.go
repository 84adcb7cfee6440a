package header

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/fkzoo/fkzoo/format/scan"
)

// Length finds the header's length, where what holds it may be damaged too, and says whether the header has the
// SHA-256 that the prologue says.
func Length(first, rest []byte) (int64, bool) {
	said := int64(binary.BigEndian.Uint32(first[7:]))
	ends := int64(-1) // the header is one msgpack object, so it says itself where it ends
	if c := (&scan.Cursor{B: rest}); c.Skip(0) == nil {
		ends = int64(c.Pos)
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

// Scavenge makes of a damaged header what parses, for a file with so many bytes of data: its fields, and entries of its
// index, which may be there twice. Names, types and shapes may have changed.
func Scavenge(head []byte, data int64) *Header {
	l := &loose{head: head}
	return &Header{Fields: l.fields(), Infos: l.infos(data)}
}

// loose reads a damaged header. All its walks together may take no more values than one header may have.
type loose struct {
	head   []byte
	values int
}

// perWalk is what beginning a walk costs, in values.
const perWalk = 16

func (l *loose) at(pos int) *scan.Cursor {
	l.values += perWalk
	return &scan.Cursor{B: l.head, Pos: pos, Base: PrologueLength, Values: l.values}
}

// looseField is a field with the positions of its key's first byte and of what follows its value.
type looseField struct {
	Field
	start, end int
}

// fields reads the fields but the index: those before the damage, and those behind it, from one of the format's own
// names on whose pairs reach to the header's end in order; of several such names the one that has the most behind it,
// since a damaged count may have swallowed fields.
func (l *loose) fields() []Field {
	before, pos := l.pairs(l.mapHead())
	var behind []looseField
	for i := range l.head {
		if l.values > scan.MaxValues {
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
		return f.end > pos || len(behind) > 0 && f.Name >= behind[0].Name
	})
	if n := len(before); n > 0 && !l.named(before[n-1].end) {
		before = before[:n-1] // it ends where no field begins: its length may be what is damaged
	}
	var list []Field
	for _, f := range append(before, behind...) {
		if f.Name != "index" {
			list = append(list, f.Field)
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
	for _, name := range append([]string{"index", SignaturesField}, Sections...) {
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
		key, err := c.Next()
		value := c.Pos
		if err == nil {
			err = c.Skip(1)
		}
		l.values = c.Values
		if n := len(list); err != nil || key.Kind != scan.String || n > 0 && string(key.Body) <= list[n-1].Name {
			break
		}
		list = append(list, looseField{Field{string(key.Body), l.head[value:c.Pos]}, pos, c.Pos})
		pos = c.Pos
	}
	return list, pos
}

// infos looks for entries of the index at every byte. Those of tensors within the file's so many bytes of data ask for no
// more than twice as many.
func (l *loose) infos(data int64) []Info {
	var list []Info
	left := 2 * data
	for pos := 0; pos+1 < len(l.head) && len(list) < MaxTensors && l.values <= scan.MaxValues; pos++ {
		a, b := l.head[pos], l.head[pos+1]
		if a&0xf0 != 0x80 && a != 0xde || b&0xe0 != 0xa0 && b != 0xd9 && a != 0xde { // a map, and a string in it
			continue
		}
		c := l.at(pos)
		t, err := parseInfo(c)
		l.values = c.Values
		inside := t.Offset+t.Length <= data
		if err != nil || t.Offset%Align != 0 || inside && t.Length > left {
			continue
		}
		if inside { // else nothing of it is read
			left -= t.Length
		}
		list = append(list, t)
		pos = c.Pos - 1
	}
	slices.SortStableFunc(list, func(a, b Info) int { return cmp.Compare(a.Offset, b.Offset) })
	return list
}
