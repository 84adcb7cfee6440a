package header

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/scan"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/format/value"
)

func encodeIndex(e *value.Encoder, infos []Info) error {
	if err := e.EncodeArrayLen(len(infos)); err != nil {
		return err
	}
	for i := range infos {
		t := &infos[i]
		fields := map[string][]byte{}
		for _, f := range t.extra {
			fields[f.Name] = f.Raw
		}
		for name, v := range map[string]any{
			"crc32": t.CRC, "length": t.Length, "name": t.Name, "offset": t.Offset,
			"sha256": t.SHA256[:], "shape": append([]int{}, t.Shape...), "type": string(t.Type),
		} {
			raw, err := value.Encode(v, name)
			if err != nil {
				return err
			}
			fields[name] = raw
		}
		if err := e.EncodeMapLen(len(fields)); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if err := e.Text(name); err != nil {
				return err
			}
			e.Raw(fields[name])
		}
	}
	return nil
}

// parseIndex reads the index, where c stands, of a header of so many bytes.
func (h *Header) parseIndex(c *scan.Cursor, headerLen int64) *fault.Error {
	head, err := c.Next()
	if err != nil {
		return err
	}
	if head.Kind != scan.Array {
		return c.Fail(fault.ErrHeader, head.Start, c.Pos, "has %s as the index, want an array", head.Kind)
	}
	if head.U > MaxTensors {
		return c.Fail(fault.ErrLimit, head.Start, c.Pos, "has an index of %d tensors, at most %d are allowed", head.U, MaxTensors)
	}
	// An entry has more than 64 bytes, so this room is less than the header's own.
	room := min(head.U, uint64(len(c.B))/64)
	h.Infos, h.byName = make([]Info, 0, room), make(map[string]int, room)
	due := int64(0) // the offset the next tensor must have
	for i := range head.U {
		start := c.Pos
		t, err := parseInfo(c)
		if err != nil {
			err.Part, err.Tensor = fmt.Sprintf("index, entry %d", i), t.Name
			if t.Name != "" {
				err.Part += ", " + fault.TensorPart(t.Name)
			}
			return err
		}
		if len(h.Infos) == 0 && (t.Offset == Align || !fits0(headerLen)) {
			due = Align
		}
		_, twice := h.byName[t.Name]
		if why := misplaced(&t, due, twice); why != "" {
			e := c.Fail(fault.ErrIndex, start, c.Pos, "%s", why)
			e.Part, e.Tensor = "index, "+fault.TensorPart(t.Name), t.Name
			return e
		}
		h.byName[t.Name] = len(h.Infos)
		due = RoundUp(t.Offset + t.Length + BinHead)
		h.Infos = append(h.Infos, t)
	}
	return nil
}

// misplaced says what is wrong with a tensor that should be at offset due, or nothing.
func misplaced(t *Info, due int64, twice bool) string {
	switch {
	case twice:
		return "is there twice"
	case t.Offset%Align != 0:
		return fmt.Sprintf("has the offset %d, which is no multiple of %d", t.Offset, Align)
	case t.Offset < due:
		return fmt.Sprintf("has the offset %d, want %d: it overlaps what comes before", t.Offset, due)
	case t.Offset > due:
		return fmt.Sprintf("has the offset %d, want %d: it leaves a hole", t.Offset, due)
	}
	return ""
}

// parseInfo reads one entry of the index.
func parseInfo(c *scan.Cursor) (Info, *fault.Error) {
	var t Info
	var had [7]bool // of indexFields
	entry := c.Pos
	err := c.EachPair(func(name []byte) *fault.Error {
		for i, known := range indexFields {
			if string(name) == known {
				had[i] = true
				return t.set(known, c)
			}
		}
		raw, err := c.Value(3)
		t.extra = append(t.extra, Field{string(name), raw})
		return err
	})
	if err != nil {
		return t, err
	}
	fail := func(format string, args ...any) (Info, *fault.Error) {
		return t, c.Fail(fault.ErrIndex, entry, c.Pos, format, args...)
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
	if why := tensor.BadName(t.Name); why != "" {
		return fail("%s", why)
	}
	want, why := tensor.Length(t.Type, t.Shape)
	if why != "" {
		return fail("%s", why)
	}
	if t.Length != want {
		return fail("has a length of %d bytes, want %d for %s of shape %v", t.Length, want, t.Type, t.Shape)
	}
	return t, nil
}

// set reads a known field's value.
func (t *Info) set(name string, c *scan.Cursor) *fault.Error {
	start := c.Pos
	it, err := c.Next()
	if err != nil {
		return err
	}
	fail := func(format string, args ...any) *fault.Error {
		c.Pos = start
		if err := c.Skip(3); err != nil {
			return err
		}
		return c.Fail(fault.ErrIndex, start, c.Pos, format, args...)
	}
	due := scan.Uint
	switch name {
	case "name", "type":
		due = scan.String
	case "sha256":
		due = scan.Bytes
	case "shape":
		due = scan.Array
	}
	if it.Kind != due {
		return fail("has %s as %s, want %s", it.Kind, name, due)
	}
	switch name {
	case "name":
		t.Name = string(it.Body)
	case "type":
		t.Type = tensor.Named(it.Body)
	case "sha256":
		if len(it.Body) != len(t.SHA256) {
			return fail("has a sha256 of %d bytes, want %d", len(it.Body), len(t.SHA256))
		}
		copy(t.SHA256[:], it.Body)
	case "crc32":
		if it.U > math.MaxUint32 {
			return fail("has the crc32 %d, which has more than 32 bits", it.U)
		}
		t.CRC = uint32(it.U)
	case "length", "offset":
		// Twice the sum of the largest tensors is far below this, so that no sum of the two overflows.
		if it.U > 1<<56 {
			return fail("has the %s %d, want at most %d", name, it.U, int64(1<<56))
		}
		if name == "length" {
			t.Length = int64(it.U)
		} else {
			t.Offset = int64(it.U)
		}
	case "shape":
		if it.U > tensor.MaxRank {
			e := fail("has %d axes, at most %d are allowed", it.U, tensor.MaxRank)
			if e.Kind == fault.ErrIndex {
				e.Kind = fault.ErrLimit
			}
			return e
		}
		t.Shape = make([]int, it.U)
		for i := range t.Shape {
			d, err := c.Next()
			if err != nil {
				return err
			}
			if d.Kind != scan.Uint || d.U > tensor.MaxTensor || d.U > math.MaxInt {
				return fail("has %s in the shape, want an integer from 0 to %d", d.Describe(), int64(tensor.MaxTensor))
			}
			t.Shape[i] = int(d.U)
		}
	}
	return nil
}
