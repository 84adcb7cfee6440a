package format

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

const (
	magic       = "\x94\xa3fkz" // an array of four that begins with "fkz"
	prologueLen = 45
	align       = 64
	binHead     = 5 // bytes of a bin 32's code and length
)

// rawField is a field kept as its msgpack bytes.
type rawField struct {
	name string
	raw  []byte
}

// header is a header's content: the sections as their bytes, the index decoded.
type header struct {
	fields []rawField     // all but the index, sorted by name
	infos  []Info         // in the file's order
	byName map[string]int // their places; of a header that was read
}

// indexFields are those of a tensor's entry in the index.
var indexFields = []string{"crc32", "length", "name", "offset", "sha256", "shape", "type"}

// sections are the fields every header has beside the index.
var sections = []string{"blueprint", "history", "provenance", "run", "state"}

func (h *header) field(name string) []byte {
	i, ok := slices.BinarySearchFunc(h.fields, name, func(f rawField, n string) int { return cmp.Compare(f.name, n) })
	if !ok {
		return nil
	}
	return h.fields[i].raw
}

// prologue gives a file's first 45 bytes for its header.
func prologue(head []byte) []byte {
	b := append(make([]byte, 0, prologueLen), magic...)
	b = append(b, 1, 0xce)
	b = binary.BigEndian.AppendUint32(b, uint32(len(head)))
	sum := sha256.Sum256(head)
	b = append(b, 0xc4, byte(len(sum)))
	return append(b, sum[:]...)
}

func roundUp(n int64) int64 { return (n + align - 1) &^ (align - 1) }

// place gives each tensor its offset. The first one's is first; each further one begins at the first multiple of 64 that
// leaves room for its bin head.
func place(infos []Info, first int64) {
	for i := range infos {
		infos[i].Offset = first
		first = roundUp(first + infos[i].Length + binHead)
	}
}

// fits0 says whether the first tensor may have offset 0: whether its bin head fits before the first multiple of 64.
func fits0(headerLen int64) bool {
	end := prologueLen + headerLen
	return roundUp(end)-end >= binHead
}

// encode gives the header's bytes and sets the offsets, which depend on the header's length, which depends on them.
func (h *header) encode() ([]byte, error) {
	place(h.infos, 0)
	head, err := h.bytes()
	if err == nil && len(h.infos) > 0 && !fits0(int64(len(head))) {
		// Offset 64 is right for any length, should this header again be longer.
		place(h.infos, align)
		head, err = h.bytes()
	}
	if err != nil {
		return nil, err
	}
	if len(head) > MaxHeader {
		return nil, &Error{Kind: ErrLimit, Part: "header", Detail: fmt.Sprintf("has %d bytes, at most %d are allowed", len(head), MaxHeader)}
	}
	// Whatever could not be read back must not be written.
	if _, err := parseHeader(head); err != nil {
		return nil, err
	}
	return head, nil
}

func (h *header) bytes() ([]byte, error) {
	e := newEncoder()
	if err := e.EncodeMapLen(len(h.fields) + 1); err != nil {
		return nil, err
	}
	done := false
	index := func() error {
		done = true
		if err := e.EncodeString("index"); err != nil {
			return err
		}
		return e.index(h.infos)
	}
	for _, f := range h.fields {
		if f.name > "index" && !done {
			if err := index(); err != nil {
				return nil, err
			}
		}
		if err := e.string(f.name); err != nil {
			return nil, err
		}
		e.buf.Write(f.raw)
	}
	if !done {
		if err := index(); err != nil {
			return nil, err
		}
	}
	return e.buf.Bytes(), nil
}

func (e *encoder) index(infos []Info) error {
	if err := e.EncodeArrayLen(len(infos)); err != nil {
		return err
	}
	for i := range infos {
		t := &infos[i]
		fields := map[string][]byte{}
		for _, f := range t.extra {
			fields[f.name] = f.raw
		}
		for name, v := range map[string]any{
			"crc32": t.CRC, "length": t.Length, "name": t.Name, "offset": t.Offset,
			"sha256": t.SHA256[:], "shape": append([]int{}, t.Shape...), "type": string(t.Type),
		} {
			raw, err := encodeValue(v, name)
			if err != nil {
				return err
			}
			fields[name] = raw
		}
		if err := e.EncodeMapLen(len(fields)); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if err := e.string(name); err != nil {
				return err
			}
			e.buf.Write(fields[name])
		}
	}
	return nil
}

// parseHeader checks a header's bytes and takes them apart. What it returns shares their memory.
func parseHeader(b []byte) (*header, error) {
	h := &header{}
	c := &cursor{b: b, base: prologueLen}
	var indexErr *Error
	indexed := false
	err := c.eachPair(func(name []byte) *Error {
		before := *c
		if string(name) == "index" {
			indexed = true
			if indexErr = h.parseIndex(c, int64(len(b))); indexErr == nil {
				return nil
			}
			*c = before // it may be wrong for what it is made of: that comes first
		}
		raw, err := c.value(1)
		if err == nil && string(name) != "index" {
			h.fields = append(h.fields, rawField{string(name), raw})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if c.pos != len(b) {
		return nil, c.fail(ErrHeader, c.pos, len(b), "goes on after its end")
	}
	for _, name := range sections {
		if h.field(name) == nil {
			return nil, c.fail(ErrHeader, 0, len(b), "has no field %q", name)
		}
	}
	if !indexed {
		return nil, c.fail(ErrHeader, 0, len(b), "has no field %q", "index")
	}
	if indexErr != nil {
		return nil, indexErr
	}
	return h, nil
}

// parseIndex reads the index, where c stands, of a header of so many bytes.
func (h *header) parseIndex(c *cursor, headerLen int64) *Error {
	head, err := c.next()
	if err != nil {
		return err
	}
	if head.kind != kindArray {
		return c.fail(ErrHeader, head.start, c.pos, "has %s as the index, want an array", head.kind)
	}
	if head.u > MaxTensors {
		return c.fail(ErrLimit, head.start, c.pos, "has an index of %d tensors, at most %d are allowed", head.u, MaxTensors)
	}
	// An entry has more than 64 bytes, so this room is less than the header's own.
	room := min(head.u, uint64(len(c.b))/64)
	h.infos, h.byName = make([]Info, 0, room), make(map[string]int, room)
	due := int64(0) // the offset the next tensor must have
	for i := range head.u {
		start := c.pos
		t, err := parseInfo(c)
		if err != nil {
			err.Part, err.Tensor = fmt.Sprintf("index, entry %d", i), t.Name
			if t.Name != "" {
				err.Part += ", " + tensorPart(t.Name)
			}
			return err
		}
		if len(h.infos) == 0 && (t.Offset == align || !fits0(headerLen)) {
			due = align
		}
		_, twice := h.byName[t.Name]
		if why := misplaced(&t, due, twice); why != "" {
			e := c.fail(ErrIndex, start, c.pos, "%s", why)
			e.Part, e.Tensor = "index, "+tensorPart(t.Name), t.Name
			return e
		}
		h.byName[t.Name] = len(h.infos)
		due = roundUp(t.Offset + t.Length + binHead)
		h.infos = append(h.infos, t)
	}
	return nil
}

// misplaced says what is wrong with a tensor that should be at offset due, or nothing.
func misplaced(t *Info, due int64, twice bool) string {
	switch {
	case twice:
		return "is there twice"
	case t.Offset%align != 0:
		return fmt.Sprintf("has the offset %d, which is no multiple of %d", t.Offset, align)
	case t.Offset < due:
		return fmt.Sprintf("has the offset %d, want %d: it overlaps what comes before", t.Offset, due)
	case t.Offset > due:
		return fmt.Sprintf("has the offset %d, want %d: it leaves a hole", t.Offset, due)
	}
	return ""
}

// parseInfo reads one entry of the index.
func parseInfo(c *cursor) (Info, *Error) {
	var t Info
	var had [7]bool // of indexFields
	entry := c.pos
	err := c.eachPair(func(name []byte) *Error {
		for i, known := range indexFields {
			if string(name) == known {
				had[i] = true
				return t.set(known, c)
			}
		}
		raw, err := c.value(3)
		t.extra = append(t.extra, rawField{string(name), raw})
		return err
	})
	if err != nil {
		return t, err
	}
	fail := func(format string, args ...any) (Info, *Error) {
		return t, c.fail(ErrIndex, entry, c.pos, format, args...)
	}
	if slices.Contains(had[:], false) {
		var missing []string
		for i, name := range indexFields {
			if !had[i] {
				missing = append(missing, name)
			}
		}
		return fail("lacks %s", strings.Join(missing, ", "))
	}
	if why := badName(t.Name); why != "" {
		return fail("%s", why)
	}
	want, why := byteLength(t.Type, t.Shape)
	if why != "" {
		return fail("%s", why)
	}
	if t.Length != want {
		return fail("has a length of %d bytes, want %d for %s of shape %v", t.Length, want, t.Type, t.Shape)
	}
	return t, nil
}

// set reads a known field's value.
func (t *Info) set(name string, c *cursor) *Error {
	start := c.pos
	it, err := c.next()
	if err != nil {
		return err
	}
	fail := func(format string, args ...any) *Error {
		c.pos = start
		if err := c.skip(3); err != nil {
			return err
		}
		return c.fail(ErrIndex, start, c.pos, format, args...)
	}
	due := kindUint
	switch name {
	case "name", "type":
		due = kindString
	case "sha256":
		due = kindBytes
	case "shape":
		due = kindArray
	}
	if it.kind != due {
		return fail("has %s as %s, want %s", it.kind, name, due)
	}
	switch name {
	case "name":
		t.Name = string(it.body)
	case "type":
		t.Type = dtypeOf(it.body)
	case "sha256":
		if len(it.body) != len(t.SHA256) {
			return fail("has a sha256 of %d bytes, want %d", len(it.body), len(t.SHA256))
		}
		copy(t.SHA256[:], it.body)
	case "crc32":
		if it.u > math.MaxUint32 {
			return fail("has the crc32 %d, which has more than 32 bits", it.u)
		}
		t.CRC = uint32(it.u)
	case "length", "offset":
		// Twice the sum of the largest tensors is far below this, so that no sum of the two overflows.
		if it.u > 1<<56 {
			return fail("has the %s %d, want at most %d", name, it.u, int64(1<<56))
		}
		if name == "length" {
			t.Length = int64(it.u)
		} else {
			t.Offset = int64(it.u)
		}
	case "shape":
		if it.u > MaxRank {
			e := fail("has %d axes, at most %d are allowed", it.u, MaxRank)
			if e.Kind == ErrIndex {
				e.Kind = ErrLimit
			}
			return e
		}
		t.Shape = make([]int, it.u)
		for i := range t.Shape {
			d, err := c.next()
			if err != nil {
				return err
			}
			if d.kind != kindUint || d.u > MaxTensor || d.u > math.MaxInt {
				return fail("has %s in the shape, want an integer from 0 to %d", d.describe(), int64(MaxTensor))
			}
			t.Shape[i] = int(d.u)
		}
	}
	return nil
}

func (it item) describe() string {
	switch it.kind {
	case kindUint:
		return fmt.Sprint(it.u)
	case kindInt:
		return fmt.Sprint(int64(it.u))
	}
	return it.kind.String()
}
