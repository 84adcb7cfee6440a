package format

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
)

// Meta is what a model file says beside its tensors. Each field is one value as the package's comment lists them.
// Blueprint, History and State are part of the digest, so they hold nothing that differs between two runs of the same
// training: clock, machine, command line, seconds and resumptions go to Run.
type Meta struct {
	Blueprint  any
	History    any
	State      any // what a checkpoint has beside its tensors; nil for a finished model
	Provenance any
	Run        any
	Extra      map[string]any // header fields that this version doesn't know; kept when a file is rewritten
}

func (m *Meta) section(name string) any {
	switch name {
	case "blueprint":
		return m.Blueprint
	case "history":
		return m.History
	case "state":
		return m.State
	case "provenance":
		return m.Provenance
	}
	return m.Run
}

// fields encodes all of it, sorted by name.
func (m *Meta) fields() ([]rawField, error) {
	var list []rawField
	add := func(name string, v any) error {
		raw, err := encodeValue(v, name)
		list = append(list, rawField{name, raw})
		return err
	}
	for _, name := range sections {
		if err := add(name, m.section(name)); err != nil {
			return nil, err
		}
	}
	for name, v := range m.Extra {
		if name == "index" || slices.Contains(sections, name) {
			return nil, &Error{Kind: ErrValue, Part: "extra", Detail: fmt.Sprintf("has the name %q, which the format itself uses", name)}
		}
		if err := add(name, v); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b rawField) int { return cmp.Compare(a.name, b.name) })
	return list, nil
}

// Meta decodes all of the header but the index.
func (f *File) Meta() (Meta, error) {
	var m Meta
	for _, field := range f.h.fields {
		v, err := decodeValue(field.raw)
		if err != nil { // not after the scan
			return m, &Error{Kind: ErrHeader, Path: f.path, Part: field.name, Cause: err}
		}
		switch field.name {
		case "blueprint":
			m.Blueprint = v
		case "history":
			m.History = v
		case "state":
			m.State = v
		case "provenance":
			m.Provenance = v
		case "run":
			m.Run = v
		default:
			if m.Extra == nil {
				m.Extra = map[string]any{}
			}
			m.Extra[field.name] = v
		}
	}
	return m, nil
}

// Field decodes one of the header's fields alone ("blueprint", "history", ...); one that is not there is nil.
func (f *File) Field(name string) (any, error) {
	raw := f.h.field(name)
	if raw == nil {
		return nil, nil
	}
	v, err := decodeValue(raw)
	if err != nil {
		return nil, &Error{Kind: ErrHeader, Path: f.path, Part: name, Cause: err}
	}
	return v, nil
}

// Digest identifies the model: the SHA-256 of the msgpack array [blueprint, history, state, tensors], in which tensors is
// the array of [name, type, shape, sha256], sorted by name. Provenance, run and unknown fields are not in it, nor is the
// order of the tensors in the file.
func (f *File) Digest() [32]byte { return f.h.digest() }

func (h *header) digest() [32]byte {
	e := newEncoder()
	// Nothing here can fail: it writes to memory what has been encoded before.
	_ = e.EncodeArrayLen(4)
	for _, name := range []string{"blueprint", "history", "state"} {
		e.buf.Write(h.field(name))
	}
	byName := make([]*Info, len(h.infos))
	for i := range h.infos {
		byName[i] = &h.infos[i]
	}
	slices.SortFunc(byName, func(a, b *Info) int { return cmp.Compare(a.Name, b.Name) })
	_ = e.EncodeArrayLen(len(byName))
	for _, t := range byName {
		_ = e.value([]any{t.Name, string(t.Type), append([]int{}, t.Shape...), t.SHA256[:]}, 2)
	}
	return sha256.Sum256(e.buf.Bytes())
}

// Extra decodes the fields of the tensor's index entry that this version doesn't know; nil if there are none.
func (t *Info) Extra() (map[string]any, error) {
	if len(t.extra) == 0 {
		return nil, nil
	}
	m := make(map[string]any, len(t.extra))
	for _, field := range t.extra {
		v, err := decodeValue(field.raw)
		if err != nil {
			return nil, &Error{Kind: ErrHeader, Part: "index, " + tensorPart(t.Name), Tensor: t.Name, Cause: err}
		}
		m[field.name] = v
	}
	return m, nil
}

// setExtra keeps the unknown fields given with a tensor.
func (t *Info) setExtra(m map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if slices.Contains(indexFields, name) {
			return &Error{Kind: ErrValue, Part: tensorPart(t.Name), Tensor: t.Name, Detail: fmt.Sprintf("has the extra field %q, which the format itself uses", name)}
		}
		raw, err := encodeValue(m[name], name)
		if err != nil {
			return under(tensorPart(t.Name)+", ", err)
		}
		t.extra = append(t.extra, rawField{name, raw})
	}
	return nil
}
