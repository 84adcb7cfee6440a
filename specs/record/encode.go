package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
)

// Encode gives v, a struct or a list, as a tree. old is the tree that a document
// had there before: its fields that v's type lacks are kept. A float that isn't
// finite is an [*Error], whose path begins with at.
func Encode(v any, old any, at string) (any, error) {
	out, err := encode(reflect.ValueOf(v), old, false)
	return out, new(decoder).under(at, err)
}

// MarshalJSON is a struct's JSON object: its fields in their order, and behind
// them those of its field Extra, sorted by name. A field whose type has a method
// MarshalJSON writes itself.
func MarshalJSON(v any) ([]byte, error) {
	object, err := encodeObject(reflect.ValueOf(v), nil, true)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := write(&out, object); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// member is one field of an object that keeps its order.
type member struct {
	name  string
	value any
}

func encode(v reflect.Value, old any, toJSON bool) (any, error) {
	if toJSON {
		if own, ok := v.Interface().(json.Marshaler); ok && (v.Kind() != reflect.Pointer || !v.IsNil()) {
			text, err := own.MarshalJSON()
			return json.RawMessage(text), err
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil, nil
		}
		return encode(v.Elem(), old, toJSON)
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, &Error{Found: fmt.Sprint(f), Want: words[reflect.Float64][0]}
		}
		return v.Float(), nil
	case reflect.Int, reflect.Int64:
		return v.Int(), nil
	case reflect.Slice:
		return encodeList(v, old, toJSON)
	case reflect.Struct:
		object, err := encodeObject(v, old, toJSON)
		if err != nil || toJSON {
			return object, err
		}
		m := make(map[string]any, len(object))
		for _, f := range object {
			m[f.name] = f.value
		}
		return m, nil
	}
	return v.Interface(), nil // bool, string, uint64
}

func encodeList(v reflect.Value, old any, toJSON bool) (any, error) {
	if toJSON && v.IsNil() {
		return nil, nil
	}
	before, _ := old.([]any)
	list := make([]any, v.Len())
	for i := range list {
		var o any
		if i < len(before) {
			o = before[i]
		}
		var err error
		if list[i], err = encode(v.Index(i), o, toJSON); err != nil {
			return nil, new(decoder).under(fmt.Sprintf("[%d]", i), err)
		}
	}
	return list, nil
}

func encodeObject(v reflect.Value, old any, toJSON bool) (out []member, err error) {
	before, _ := old.(map[string]any)
	for _, f := range fields(v.Type()) {
		field := v.Field(f.index)
		keeps := false // as empty as it is, it has unknown fields
		if m, ok := before[f.name].(map[string]any); ok && field.Kind() == reflect.Struct {
			keeps = len(unknown(m, field.Type())) > 0
		}
		if f.omits(field) && !keeps {
			continue
		}
		inner, err := encode(field, before[f.name], toJSON)
		if err != nil {
			return nil, new(decoder).under(f.name, err)
		}
		out = append(out, member{f.name, inner})
	}
	for _, name := range unknown(before, v.Type()) {
		out = append(out, member{name, before[name]})
	}
	if e := extra(v); e.IsValid() && toJSON {
		kept := e.Convert(reflect.TypeFor[map[string]json.RawMessage]()).Interface().(map[string]json.RawMessage)
		for _, name := range slices.Sorted(maps.Keys(kept)) {
			out = append(out, member{name, kept[name]})
		}
	}
	return out, nil
}

// write writes a value as JSON, of an object the fields in their order.
func write(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case []member:
		b.WriteByte('{')
		for i, f := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			name, err := Text(f.name)
			if err != nil {
				return err
			}
			b.Write(name)
			b.WriteByte(':')
			if err := write(b, f.value); err != nil {
				return err
			}
		}
		b.WriteByte('}')
		return nil
	case []any:
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := write(b, x); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	case json.RawMessage:
		return json.Compact(b, v)
	}
	text, err := Text(v)
	b.Write(text)
	return err
}

// Text is a value's JSON, in which <, > and & stay readable.
func Text(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
