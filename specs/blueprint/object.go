package blueprint

import (
	"fmt"
	"maps"
	"slices"

	"github.com/fkzoo/fkzoo/specs/record"
)

// limits of a document's text. fkzoo's own nest 8 deep, and a document of 4 MiB
// of layers has fewer values.
var limits = record.Limits{Depth: 64, Entries: 1 << 14, Values: 1 << 19}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Objects are read and written by [record]: field by field, what they lack kept.

func (d *Document) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, d) }
func (d Document) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(d) }

func (in *Input) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, in) }
func (in Input) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(in) }

func (d *Uncertainty) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, d) }
func (d Uncertainty) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(d) }

func (o *Output) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, o) }
func (o Output) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(o) }

func (r *Recipe) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, r) }
func (r Recipe) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(r) }

func (l *Loss) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, l) }
func (l Loss) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(l) }

func (o *Optimizer) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, o) }
func (o Optimizer) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(o) }

func (a *Augment) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, a) }
func (a Augment) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(a) }

func (m *Mirror) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, m) }
func (m Mirror) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(m) }

func (e *Erase) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, e) }
func (e Erase) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(e) }

func (f *Fold) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, f) }
func (f Fold) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(f) }

func (s *Subset) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, s) }
func (s Subset) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(s) }

func (s *Stop) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, s) }
func (s Stop) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(s) }

func (a *Average) UnmarshalJSON(b []byte) error { return record.UnmarshalJSON(b, a) }
func (a Average) MarshalJSON() ([]byte, error)  { return record.MarshalJSON(a) }

// UnmarshalJSON reads a member. The error names it.
func (m *Member) UnmarshalJSON(b []byte) error {
	if err := record.UnmarshalJSON(b, m); err != nil {
		return fmt.Errorf("member %q: %w", m.Name, err)
	}
	return nil
}

func (m Member) MarshalJSON() ([]byte, error) { return record.MarshalJSON(m) }

// layerHead are the fields that every layer has.
type layerHead struct {
	Name   string   `json:"name"`
	Kind   string   `json:"kind"`
	Inputs []string `json:"inputs,omitzero"` // an empty list is written, and refused
	Extra  Extra    `json:"-"`               // settings and unknown fields
}

// UnmarshalJSON reads a layer, its settings by its kind's row. The error names it.
func (l *Layer) UnmarshalJSON(b []byte) error {
	var head layerHead
	if err := record.UnmarshalJSON(b, &head); err != nil {
		return fmt.Errorf("layer %q: %w", head.Name, err)
	}
	fields := head.Extra
	*l = Layer{Name: head.Name, Kind: head.Kind, Inputs: head.Inputs}
	kind := KindByName(l.Kind)
	if kind == nil { // named with its neighbours by check
		l.Extra = fields
		return nil
	}
	for i := range kind.Settings {
		s := &kind.Settings[i]
		raw, ok := fields[s.Name]
		if !ok {
			continue
		}
		v, err := s.parse(raw)
		if err != nil {
			return fmt.Errorf("layer %q (%s), setting %s: %w", l.Name, l.Kind, s.Name, err)
		}
		if l.Settings == nil {
			l.Settings = Settings{}
		}
		l.Settings[s.Name] = v
		delete(fields, s.Name)
	}
	if len(fields) > 0 {
		l.Extra = fields
	}
	return nil
}

// MarshalJSON writes a layer, its settings in their shortest forms.
func (l Layer) MarshalJSON() ([]byte, error) {
	fields := Extra{}
	maps.Copy(fields, l.Extra)
	kind := KindByName(l.Kind)
	for name, v := range l.Settings {
		raw, err := record.Text(v)
		if err != nil {
			return nil, fmt.Errorf("layer %q, setting %s: %w", l.Name, name, err)
		}
		if kind != nil {
			if s := kind.row().setting(name); s != nil {
				raw = s.canonical(raw)
			}
		}
		fields[name] = raw
	}
	return record.MarshalJSON(layerHead{l.Name, l.Kind, l.Inputs, fields})
}
