package model

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// A record is a part of a model file's header (history, state, provenance, run)
// as this package's structs: fields by the names of their json tags. It is not
// made by way of JSON, which has one kind of number: here floats stay floats.

// encode gives v as a header's value. old is what a file had there before: its
// fields that v's type lacks are kept. A float that isn't finite is an error,
// which names it by its place below at.
func encode(v reflect.Value, old any, at string) (any, error) {
	switch v.Kind() {
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%s: found %g, want a finite number", at, f)
		}
		return v.Float(), nil
	case reflect.Int:
		return v.Int(), nil
	case reflect.Slice:
		before, _ := old.([]any)
		list := make([]any, v.Len())
		for i := range list {
			var o any
			if i < len(before) {
				o = before[i]
			}
			var err error
			if list[i], err = encode(v.Index(i), o, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return nil, err
			}
		}
		return list, nil
	case reflect.Struct:
		return encodeStruct(v, old, at)
	}
	return v.Interface(), nil // bool, string, uint64
}

func encodeStruct(v reflect.Value, old any, at string) (any, error) {
	before, _ := old.(map[string]any)
	out := map[string]any{}
	for name, x := range before {
		out[name] = x
	}
	for _, f := range fields(v.Type()) {
		delete(out, f.name)
		inner, err := encode(v.Field(f.index), before[f.name], at+"."+f.name)
		if err != nil {
			return nil, err
		}
		// Empty, unless it holds unknown fields.
		if m, ok := inner.(map[string]any); f.optional && v.Field(f.index).IsZero() && (!ok || !unknown(m, v.Field(f.index).Type())) {
			continue
		}
		if list, ok := inner.([]any); ok && f.optional && len(list) == 0 {
			continue
		}
		out[f.name] = inner
	}
	return out, nil
}

// unknown tells whether a struct's record has fields that the struct lacks.
func unknown(m map[string]any, of reflect.Type) bool {
	known := fields(of)
	for name := range m {
		if !slices.ContainsFunc(known, func(f field) bool { return f.name == name }) {
			return true
		}
	}
	return false
}

// decode sets v from a header's value. Fields that v's type lacks are passed
// over; one that isn't there, or nil, leaves v as it is.
func decode(v reflect.Value, from any, at string) error {
	wrong := func(want string) error { return fmt.Errorf("%s: found %s, want %s", at, describe(from), want) }
	if from == nil {
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		m, ok := from.(map[string]any)
		if !ok {
			return wrong("a map")
		}
		for _, f := range fields(v.Type()) {
			if err := decode(v.Field(f.index), m[f.name], at+"."+f.name); err != nil {
				return err
			}
		}
	case reflect.Slice:
		list, ok := from.([]any)
		if !ok {
			return wrong("an array")
		}
		out := reflect.MakeSlice(v.Type(), len(list), len(list))
		for i, x := range list {
			if x == nil {
				return fmt.Errorf("%s[%d]: found nil, want a value", at, i)
			}
			if err := decode(out.Index(i), x, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		v.Set(out)
	case reflect.Float64:
		f, ok := number(from)
		if !ok {
			return wrong("a finite number")
		}
		v.SetFloat(f)
	case reflect.Int:
		i, ok := from.(int64)
		if !ok || v.OverflowInt(i) {
			return wrong("a whole number")
		}
		v.SetInt(i)
	case reflect.Uint64:
		switch x := from.(type) {
		case uint64:
			v.SetUint(x)
		case int64:
			if x < 0 {
				return wrong("a whole number of at least 0")
			}
			v.SetUint(uint64(x))
		default:
			return wrong("a whole number of at least 0")
		}
	case reflect.String:
		s, ok := from.(string)
		if !ok {
			return wrong("a text")
		}
		v.SetString(s)
	case reflect.Bool:
		b, ok := from.(bool)
		if !ok {
			return wrong("true or false")
		}
		v.SetBool(b)
	}
	return nil
}

// number gives a header's number, if it is a finite one.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	}
	return 0, false
}

func describe(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%.40q", v)
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case map[string]any:
		return "a map"
	case []byte:
		return fmt.Sprintf("%d bytes", len(v))
	}
	return fmt.Sprint(v)
}

// field is a struct's field as it is in a record.
type field struct {
	index    int
	name     string
	optional bool // not written where it is empty
}

func fields(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("json"); tag != "" {
			name, options, _ := strings.Cut(tag, ",")
			out = append(out, field{i, name, options != ""})
		}
	}
	return out
}
