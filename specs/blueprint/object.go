package blueprint

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// maxDepth limits the nesting of a document; fkzoo's own reach 8.
const maxDepth = 64

// scanDepth refuses text nested more deeply than any document needs, before a
// recursive parser sees it.
func scanDepth(data []byte) error {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("found more than %d nested objects and arrays at byte %d", maxDepth, i)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// decodeObject fills the struct behind into from a JSON object, field by
// field by their exact names, and gives the fields that the struct lacks.
func decodeObject(data []byte, into any) (Extra, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, describe(err)
	}
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		raw, ok := fields[name]
		if name == "-" || !ok {
			continue
		}
		if err := json.Unmarshal(raw, v.Field(i).Addr().Interface()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, describe(err))
		}
		delete(fields, name)
	}
	if len(fields) == 0 {
		return nil, nil
	}
	return fields, nil
}

// encodeObject is the struct's JSON object with the extra fields behind its
// own, sorted by name.
func encodeObject(v any, extra Extra) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil || len(extra) == 0 {
		return b, err
	}
	b = b[:len(b)-1]
	for _, k := range sortedKeys(extra) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		name, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), extra[k]...)
	}
	return append(b, '}'), nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// describe says what encoding/json's errors mean in the document's own terms.
func describe(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		found, _, _ := strings.Cut(t.Value, " ")
		want := map[reflect.Kind]string{
			reflect.Int: "a whole number", reflect.Int64: "a whole number", reflect.Uint64: "a whole number of at least 0",
			reflect.Float64: "a number", reflect.String: "a string", reflect.Bool: "true or false",
			reflect.Slice: "an array", reflect.Map: "an object", reflect.Struct: "an object",
		}[t.Type.Kind()]
		if want == "" {
			want = t.Type.String()
		}
		return fmt.Errorf("found %s, want %s", found, want)
	}
	return err
}

func (d *Document) UnmarshalJSON(b []byte) (err error) {
	type plain Document
	d.Extra, err = decodeObject(b, (*plain)(d))
	return err
}

func (d Document) MarshalJSON() ([]byte, error) {
	type plain Document
	return encodeObject(plain(d), d.Extra)
}

func (in *Input) UnmarshalJSON(b []byte) (err error) {
	type plain Input
	in.Extra, err = decodeObject(b, (*plain)(in))
	return err
}

func (in Input) MarshalJSON() ([]byte, error) {
	type plain Input
	return encodeObject(plain(in), in.Extra)
}

func (m *Member) UnmarshalJSON(b []byte) (err error) {
	type plain Member
	if m.Extra, err = decodeObject(b, (*plain)(m)); err != nil {
		return fmt.Errorf("member %q: %w", m.Name, err)
	}
	return nil
}

func (m Member) MarshalJSON() ([]byte, error) {
	type plain Member
	return encodeObject(plain(m), m.Extra)
}

func (o *Output) UnmarshalJSON(b []byte) (err error) {
	type plain Output
	o.Extra, err = decodeObject(b, (*plain)(o))
	return err
}

func (o Output) MarshalJSON() ([]byte, error) {
	type plain Output
	return encodeObject(plain(o), o.Extra)
}

// layerHead are the fields that every layer has.
type layerHead struct {
	Name   string   `json:"name"`
	Kind   string   `json:"kind"`
	Inputs []string `json:"inputs,omitempty"`
}

func (l *Layer) UnmarshalJSON(b []byte) error {
	var head layerHead
	fields, err := decodeObject(b, &head)
	if err != nil {
		return fmt.Errorf("layer %q: %w", head.Name, err)
	}
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

func (l Layer) MarshalJSON() ([]byte, error) {
	fields := Extra{}
	maps.Copy(fields, l.Extra)
	for name, v := range l.Settings {
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("layer %q, setting %s: %w", l.Name, name, err)
		}
		fields[name] = raw
	}
	return encodeObject(layerHead{l.Name, l.Kind, l.Inputs}, fields)
}

func (r *Recipe) UnmarshalJSON(b []byte) (err error) {
	type plain Recipe
	r.Extra, err = decodeObject(b, (*plain)(r))
	return err
}

func (r Recipe) MarshalJSON() ([]byte, error) {
	type plain Recipe
	return encodeObject(plain(r), r.Extra)
}

func (l *Loss) UnmarshalJSON(b []byte) (err error) {
	type plain Loss
	l.Extra, err = decodeObject(b, (*plain)(l))
	return err
}

func (l Loss) MarshalJSON() ([]byte, error) {
	type plain Loss
	return encodeObject(plain(l), l.Extra)
}

func (o *Optimizer) UnmarshalJSON(b []byte) (err error) {
	type plain Optimizer
	o.Extra, err = decodeObject(b, (*plain)(o))
	return err
}

func (o Optimizer) MarshalJSON() ([]byte, error) {
	type plain Optimizer
	return encodeObject(plain(o), o.Extra)
}

func (a *Augment) UnmarshalJSON(b []byte) (err error) {
	type plain Augment
	a.Extra, err = decodeObject(b, (*plain)(a))
	return err
}

func (a Augment) MarshalJSON() ([]byte, error) {
	type plain Augment
	return encodeObject(plain(a), a.Extra)
}

func (m *Mirror) UnmarshalJSON(b []byte) (err error) {
	type plain Mirror
	m.Extra, err = decodeObject(b, (*plain)(m))
	return err
}

func (m Mirror) MarshalJSON() ([]byte, error) {
	type plain Mirror
	return encodeObject(plain(m), m.Extra)
}

func (e *Erase) UnmarshalJSON(b []byte) (err error) {
	type plain Erase
	e.Extra, err = decodeObject(b, (*plain)(e))
	return err
}

func (e Erase) MarshalJSON() ([]byte, error) {
	type plain Erase
	return encodeObject(plain(e), e.Extra)
}

func (s *Stop) UnmarshalJSON(b []byte) (err error) {
	type plain Stop
	s.Extra, err = decodeObject(b, (*plain)(s))
	return err
}

func (s Stop) MarshalJSON() ([]byte, error) {
	type plain Stop
	return encodeObject(plain(s), s.Extra)
}

func (a *Average) UnmarshalJSON(b []byte) (err error) {
	type plain Average
	a.Extra, err = decodeObject(b, (*plain)(a))
	return err
}

func (a Average) MarshalJSON() ([]byte, error) {
	type plain Average
	return encodeObject(plain(a), a.Extra)
}
