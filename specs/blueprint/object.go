package blueprint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Limits of a document's text, so that what is built from it stays small. A
// document of 4 MiB of layers has fewer values.
const (
	maxDepth   = 64      // fkzoo's own reach 8
	maxEntries = 1 << 14 // of one object or array
	maxValues  = 1 << 19 // in all
)

// container is an object or array that scan is in.
type container struct {
	names   map[string]bool // of an object's fields; nil: an array
	isName  bool            // the next token is a field's name
	entries int
}

// scan walks a document's text token by token, without recursion, and refuses
// what no document needs, and fields given twice, before a parser builds
// anything from it. What it lets through may still not be JSON.
func scan(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var stack []container
	values := 0
	for {
		token, err := d.Token()
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil // the parser says what is missing, if anything is
		}
		if err != nil {
			return fmt.Errorf("not a JSON document: %w", err)
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			stack = stack[:len(stack)-1]
			continue
		}
		if len(stack) > 0 {
			in := &stack[len(stack)-1]
			if in.isName {
				name := token.(string)
				if in.names[name] {
					return fmt.Errorf("field %q before byte %d: given twice in one object, want it once", cut(name), d.InputOffset())
				}
				in.names[name], in.isName = true, false
				continue
			}
			in.isName = in.names != nil
			if in.entries++; in.entries > maxEntries {
				return fmt.Errorf("found more than %d entries in the object or array before byte %d", maxEntries, d.InputOffset())
			}
		}
		if values++; values > maxValues {
			return fmt.Errorf("found more than %d values before byte %d", maxValues, d.InputOffset())
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, container{names: map[string]bool{}, isName: true})
		case json.Delim('['):
			stack = append(stack, container{})
		}
		if len(stack) > maxDepth {
			return fmt.Errorf("found more than %d nested objects and arrays before byte %d", maxDepth, d.InputOffset())
		}
	}
}

// decodeObject fills the struct behind into from a JSON object, field by
// field by their exact names, and gives the fields that the struct lacks. A
// field that is always written is required.
func decodeObject(data []byte, into any) (Extra, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, describe(err)
	}
	if fields == nil {
		return nil, errors.New("found null, want an object")
	}
	v := reflect.ValueOf(into).Elem()
	var missing error
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		raw, ok := fields[name]
		if !ok {
			if options == "" && missing == nil {
				missing = fmt.Errorf("no field %q, want one", name)
			}
			continue
		}
		if string(raw) == "null" {
			return nil, fmt.Errorf("%s: found null, want a value or no such field", name)
		}
		if err := json.Unmarshal(raw, v.Field(i).Addr().Interface()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, describe(err))
		}
		delete(fields, name)
	}
	if missing != nil || len(fields) == 0 {
		return nil, missing
	}
	return fields, nil
}

// marshal is json.Marshal that leaves <, > and & readable.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// encodeObject is the struct's JSON object with the extra fields behind its
// own, sorted by name.
func encodeObject(v any, extra Extra) ([]byte, error) {
	b, err := marshal(v)
	if err != nil || len(extra) == 0 {
		return b, err
	}
	b = b[:len(b)-1]
	for _, k := range sortedKeys(extra) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		name, err := marshal(k)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), extra[k]...)
	}
	return append(b, '}'), nil
}

// deepCopy copies a value with all that it points to.
func deepCopy[T any](v T) T { return copyValue(reflect.ValueOf(v)).Interface().(T) }

func copyValue(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return v
		}
		if v.Kind() == reflect.Interface {
			return copyValue(v.Elem())
		}
		out = reflect.New(v.Type().Elem())
		out.Elem().Set(copyValue(v.Elem()))
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(copyValue(v.Index(i)))
		}
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out = reflect.MakeMapWithSize(v.Type(), v.Len())
		for k, x := range v.Seq2() {
			out.SetMapIndex(k, copyValue(x))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(copyValue(v.Field(i)))
		}
	default:
		return v
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// describe says what encoding/json's errors mean in the document's own terms.
func describe(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		found, value, _ := strings.Cut(t.Value, " ")
		if value != "" {
			found = cut(value)
		}
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
	Inputs []string `json:"inputs,omitzero"` // an empty list is written, and refused
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
	kind := KindByName(l.Kind)
	for name, v := range l.Settings {
		raw, err := marshal(v)
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

func (f *Fold) UnmarshalJSON(b []byte) (err error) {
	type plain Fold
	f.Extra, err = decodeObject(b, (*plain)(f))
	return err
}

func (f Fold) MarshalJSON() ([]byte, error) {
	type plain Fold
	return encodeObject(plain(f), f.Extra)
}

func (s *Subset) UnmarshalJSON(b []byte) (err error) {
	type plain Subset
	s.Extra, err = decodeObject(b, (*plain)(s))
	return err
}

func (s Subset) MarshalJSON() ([]byte, error) {
	type plain Subset
	return encodeObject(plain(s), s.Extra)
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
