package format

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/format/header"
	"github.com/fkzoo/fkzoo/format/value"
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
func (m *Meta) fields() ([]header.Field, error) {
	var list []header.Field
	add := func(name string, v any) error {
		raw, err := value.Encode(v, name)
		list = append(list, header.Field{Name: name, Raw: raw})
		return err
	}
	for _, name := range header.Sections {
		if err := add(name, m.section(name)); err != nil {
			return nil, err
		}
	}
	for name, v := range m.Extra {
		if name == "index" || slices.Contains(header.Sections, name) {
			return nil, &Error{Kind: ErrValue, Part: "extra", Detail: fmt.Sprintf("has the name %q, which the format itself uses", name)}
		}
		if err := add(name, v); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b header.Field) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// Fields decodes the header's fields but the index, by name.
func (f *File) Fields() (map[string]any, error) {
	m := make(map[string]any, len(f.h.Fields))
	for _, field := range f.h.Fields {
		v, err := value.Decode(field.Raw)
		if err != nil { // not after the scan
			return nil, &Error{Kind: ErrHeader, Path: f.path, Part: field.Name, Cause: err}
		}
		m[field.Name] = v
	}
	return m, nil
}

// Meta decodes all of the header but the index.
func (f *File) Meta() (Meta, error) {
	m, err := f.Fields()
	if err != nil {
		return Meta{}, err
	}
	take := func(name string) any {
		v := m[name]
		delete(m, name)
		return v
	}
	meta := Meta{Blueprint: take("blueprint"), History: take("history"), State: take("state"), Provenance: take("provenance"), Run: take("run")}
	if len(m) > 0 {
		meta.Extra = m
	}
	return meta, nil
}

// Field decodes one of the header's fields alone ("blueprint", "history", ...); one that is not there is nil.
func (f *File) Field(name string) (any, error) {
	raw := f.h.Raw(name)
	if raw == nil {
		return nil, nil
	}
	v, err := value.Decode(raw)
	if err != nil {
		return nil, &Error{Kind: ErrHeader, Path: f.path, Part: name, Cause: err}
	}
	return v, nil
}

// Digest identifies the model: the SHA-256 of the msgpack array [blueprint, history, state, tensors], in which tensors is
// the array of [name, type, shape, sha256], sorted by name. Provenance, run and unknown fields are not in it, nor is the
// order of the tensors in the file.
func (f *File) Digest() [32]byte { return f.h.Digest() }
