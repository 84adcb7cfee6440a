// Package header is the header of a model file and the prologue in front of it: fields kept as their msgpack, the index of
// the tensors, where these lie, the digest; written, read, and read as far as it goes where it is damaged.
//
// It works on bytes in memory and must not know files, nor what the fields mean.
package header

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/scan"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/format/value"
)

// Limits of a header, far above any honest file's. The text in specs/fkz.md states them too.
const (
	MaxHeader  = 128 << 20 // bytes of the header
	MaxTensors = tensor.MaxTensors
)

// The sizes of a file's parts in bytes.
const (
	PrologueLength = 45
	Align          = 64 // what each tensor's first byte lies at a multiple of
	BinHead        = 5  // a bin 32's code and length, in front of a tensor's data
)

// Magic is what a file begins with: an array of four that begins with "fkz".
const Magic = "\x94\xa3fkz"

// Field is a field kept as its msgpack bytes.
type Field struct {
	Name string
	Raw  []byte
}

// Header is a header's content: the sections as their bytes, the index decoded.
type Header struct {
	Fields []Field        // all but the index, sorted by name
	Infos  []Info         // in the file's order
	byName map[string]int // their places; of a header that was read
}

// indexFields are those of a tensor's entry in the index.
var indexFields = []string{"crc32", "length", "name", "offset", "sha256", "shape", "type"}

// Sections are the fields every header has beside the index.
var Sections = []string{"blueprint", "history", "provenance", "run", "state"}

// SignaturesField is the field of a file that is signed.
const SignaturesField = "signatures"

// Raw gives a field as its msgpack bytes, nil where there is none.
func (h *Header) Raw(name string) []byte {
	i, ok := slices.BinarySearchFunc(h.Fields, name, func(f Field, n string) int { return cmp.Compare(f.Name, n) })
	if !ok {
		return nil
	}
	return h.Fields[i].Raw
}

// Prologue gives a file's first 45 bytes for its header.
func Prologue(head []byte) []byte {
	b := append(make([]byte, 0, PrologueLength), Magic...)
	b = append(b, 1, 0xce)
	b = binary.BigEndian.AppendUint32(b, uint32(len(head)))
	sum := sha256.Sum256(head)
	b = append(b, 0xc4, byte(len(sum)))
	return append(b, sum[:]...)
}

// ParsePrologue gives the header's length and SHA-256.
func ParsePrologue(b []byte) (int64, [32]byte, error) {
	var sum [32]byte
	if len(b) != PrologueLength || !bytes.Equal(b[:6], []byte(Magic+"\x01")) || b[6] != 0xce || b[11] != 0xc4 || b[12] != 32 {
		return 0, sum, &fault.Error{Kind: fault.ErrHeader, Part: "prologue", Start: 0, End: PrologueLength,
			Detail: `is not an array of "fkz", 1, a length as uint32 and 32 bytes`}
	}
	copy(sum[:], b[13:])
	return int64(binary.BigEndian.Uint32(b[7:])), sum, nil
}

// Encode gives the header's bytes and sets the offsets, which depend on the header's length, which depends on them.
func (h *Header) Encode() ([]byte, error) {
	place(h.Infos, 0)
	head, err := h.Bytes()
	if err == nil && len(h.Infos) > 0 && !fits0(int64(len(head))) {
		// Offset 64 is right for any length, should this header again be longer.
		place(h.Infos, Align)
		head, err = h.Bytes()
	}
	if err != nil {
		return nil, err
	}
	if len(head) > MaxHeader {
		return nil, &fault.Error{Kind: fault.ErrLimit, Part: "header", Detail: fmt.Sprintf("has %d bytes, at most %d are allowed", len(head), MaxHeader)}
	}
	// Whatever could not be read back must not be written.
	if _, err := Parse(head); err != nil {
		return nil, err
	}
	return head, nil
}

// Bytes gives the header as msgpack, the index in its place among the fields.
func (h *Header) Bytes() ([]byte, error) {
	e := value.NewEncoder()
	if err := e.EncodeMapLen(len(h.Fields) + 1); err != nil {
		return nil, err
	}
	done := false
	index := func() error {
		done = true
		if err := e.EncodeString("index"); err != nil {
			return err
		}
		return encodeIndex(e, h.Infos)
	}
	for _, f := range h.Fields {
		if f.Name > "index" && !done {
			if err := index(); err != nil {
				return nil, err
			}
		}
		if err := e.Text(f.Name); err != nil {
			return nil, err
		}
		e.Raw(f.Raw)
	}
	if !done {
		if err := index(); err != nil {
			return nil, err
		}
	}
	return e.Bytes(), nil
}

// Parse checks a header's bytes and takes them apart. What it returns shares their memory.
func Parse(b []byte) (*Header, error) {
	h := &Header{}
	c := &scan.Cursor{B: b, Base: PrologueLength}
	var indexErr *fault.Error
	indexed := false
	err := c.EachPair(func(name []byte) *fault.Error {
		before := *c
		if string(name) == "index" {
			indexed = true
			if indexErr = h.parseIndex(c, int64(len(b))); indexErr == nil {
				return nil
			}
			*c = before // it may be wrong for what it is made of: that comes first
		}
		raw, err := c.Value(1)
		if err == nil && string(name) != "index" {
			h.Fields = append(h.Fields, Field{string(name), raw})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if c.Pos != len(b) {
		return nil, c.Fail(fault.ErrHeader, c.Pos, len(b), "goes on after its end")
	}
	for _, name := range Sections {
		if h.Raw(name) == nil {
			return nil, c.Fail(fault.ErrHeader, 0, len(b), "has no field %q", name)
		}
	}
	if !indexed {
		return nil, c.Fail(fault.ErrHeader, 0, len(b), "has no field %q", "index")
	}
	if indexErr != nil {
		return nil, indexErr
	}
	return h, nil
}

// Find gives a tensor's place in Infos, of a header that was read.
func (h *Header) Find(name string) (int, bool) {
	i, ok := h.byName[name]
	return i, ok
}

// Digest identifies the model: the SHA-256 of the msgpack array [blueprint, history, state, tensors], in which tensors is
// the array of [name, type, shape, sha256], sorted by name.
func (h *Header) Digest() [32]byte {
	e := value.NewEncoder()
	// Nothing here can fail: it writes to memory what has been encoded before.
	_ = e.EncodeArrayLen(4)
	for _, name := range []string{"blueprint", "history", "state"} {
		e.Raw(h.Raw(name))
	}
	byName := make([]*Info, len(h.Infos))
	for i := range h.Infos {
		byName[i] = &h.Infos[i]
	}
	slices.SortFunc(byName, func(a, b *Info) int { return cmp.Compare(a.Name, b.Name) })
	_ = e.EncodeArrayLen(len(byName))
	for _, t := range byName {
		_ = e.Value([]any{t.Name, string(t.Type), append([]int{}, t.Shape...), t.SHA256[:]}, 2)
	}
	return sha256.Sum256(e.Bytes())
}
