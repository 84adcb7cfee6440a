// Package record is the one codec of documents that keep what they don't know:
// Go structs, by the names of their json tags, to and from JSON and to and from
// trees, as a model file's header holds them; and in what two trees differ.
//
// A tree is nil, bool, int64, uint64, float64, json.Number, string, []byte,
// []any or map[string]any. It isn't made by way of JSON, which has one kind of
// number and no bytes: in it floats stay floats.
//
// A field of a document that a struct lacks is kept: of JSON in the struct's
// field Extra, as the text that it was; of a tree in the tree that the struct
// was read from, which is given again when it is written.
//
// The package imports nothing of fkzoo's and must not know what any document
// says.
package record

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Error says what was found at a place of a document, and what was wanted.
type Error struct {
	Path  string // as in history[0].loss; "": the whole
	Found string
	Want  string
}

func (e *Error) Error() string {
	text := "found " + e.Found + ", want " + e.Want
	if e.Path == "" {
		return text
	}
	return e.Path + ": " + text
}

// field is a struct's field as it stands in a document.
type field struct {
	index     int
	name      string
	omitEmpty bool
	omitZero  bool
}

// optional tells whether a document may lack the field.
func (f *field) optional() bool { return f.omitEmpty || f.omitZero }

// omits tells whether the field is left out where it has this value.
func (f *field) omits(v reflect.Value) bool {
	if f.omitEmpty && v.Kind() == reflect.Slice {
		return v.Len() == 0
	}
	return (f.omitZero || f.omitEmpty && v.Kind() != reflect.Struct) && v.IsZero()
}

// known are the fields of each type that was asked for, by the type.
var known sync.Map

func fields(t reflect.Type) []field {
	if all, ok := known.Load(t); ok {
		return all.([]field)
	}
	out := make([]field, 0, t.NumField())
	for i := range t.NumField() {
		tag := t.Field(i).Tag.Get("json")
		if tag == "" || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		out = append(out, field{i, name, options == "omitempty", options == "omitzero"})
	}
	known.Store(t, out)
	return out
}

// Fields are a struct's fields by their names in documents, in their order.
func Fields(object reflect.Value) iter.Seq2[string, reflect.Value] {
	return func(yield func(string, reflect.Value) bool) {
		for _, f := range fields(object.Type()) {
			if !yield(f.name, object.Field(f.index)) {
				return
			}
		}
	}
}

// extra is the struct's own place for unknown fields; not valid where it has none.
func extra(v reflect.Value) reflect.Value {
	f, ok := v.Type().FieldByName("Extra")
	if !ok || f.Tag.Get("json") != "-" || !f.Type.ConvertibleTo(reflect.TypeFor[map[string]json.RawMessage]()) {
		return reflect.Value{}
	}
	return v.FieldByIndex(f.Index)
}

// unknown are the names of a document's fields that a struct lacks, sorted.
func unknown[V any](m map[string]V, of reflect.Type) []string {
	own := fields(of)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(m)), func(name string) bool {
		return slices.ContainsFunc(own, func(f field) bool { return f.name == name })
	})
}

// words are what kinds of values are called, in trees and in JSON.
var words = map[reflect.Kind][2]string{
	reflect.Bool: {"true or false", "true or false"}, reflect.String: {"a text", "a string"},
	reflect.Float64: {"a finite number", "a number"}, reflect.Int: {"a whole number", "a whole number"}, reflect.Int64: {"a whole number", "a whole number"},
	reflect.Uint64: {"a whole number of at least 0", "a whole number of at least 0"},
	reflect.Slice:  {"an array", "an array"}, reflect.Struct: {"a map", "an object"},
}

// described is a tree's value as it fits in a message.
func described(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
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

// Cut keeps a text's first bytes, at most 60, as many as fit in a message.
func Cut(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	end := limit
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
