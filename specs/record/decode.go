package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
)

// Decode fills the value behind into from a tree. Fields that its type lacks are
// passed over; one that isn't there, or nil, leaves the value as it is. An error
// is an [*Error], whose path begins with at.
func Decode(into any, from any, at string) error {
	d := decoder{}
	return d.under(at, d.value(reflect.ValueOf(into).Elem(), from))
}

// UnmarshalJSON fills the struct or list behind into from JSON, fields by their
// exact names. A field that is always written is required, and a null is
// refused; what the struct lacks goes to its field Extra. A field whose type has
// a method UnmarshalJSON reads itself.
func UnmarshalJSON(text []byte, into any) error {
	d := decoder{json: true}
	raw := json.RawMessage(bytes.TrimLeft(text, " \t\r\n"))
	v := reflect.ValueOf(into).Elem()
	if v.Kind() == reflect.Struct {
		return d.object(v, raw) // and not by its own method, which this may be called from
	}
	return d.value(v, raw)
}

type decoder struct {
	json bool // values are JSON's text, opened as far as a type goes
}

// under puts a step in front of the place that an error names.
func (d *decoder) under(step string, err error) error {
	e, ok := err.(*Error)
	switch {
	case err == nil:
		return nil
	case d.json || !ok:
		return fmt.Errorf("%s: %w", step, err)
	case e.Path != "" && e.Path[0] != '[':
		step += "."
	}
	e.Path = step + e.Path
	return e
}

func (d *decoder) wrong(found any, want reflect.Kind) error {
	if d.json {
		text := Cut(fmt.Sprint(found))
		switch found.(type) {
		case nil:
			text = "null"
		case map[string]any:
			text = "object"
		case []any:
			text = "array"
		case string:
			text = "string"
		case bool:
			text = "bool"
		case json.Number:
			if want == reflect.String || want == reflect.Bool || want == reflect.Slice || want == reflect.Struct {
				text = "number"
			}
		}
		return &Error{Found: text, Want: words[want][1]}
	}
	return &Error{Found: described(found), Want: words[want][0]}
}

// open gives a value of a tree as it is, and of JSON's text the outermost level; of
// an object an empty one, to be named in an error.
func open(from any) (any, error) {
	raw, ok := from.(json.RawMessage)
	if !ok {
		return from, nil
	}
	var v any
	switch {
	case len(raw) > 0 && raw[0] == '[':
		var parts []json.RawMessage
		if err := json.Unmarshal(raw, &parts); err != nil {
			return nil, err
		}
		list := make([]any, len(parts))
		for i, part := range parts {
			list[i] = part
		}
		return list, nil
	case len(raw) > 0 && raw[0] == '{':
		return map[string]any{}, nil
	case len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9'):
		return json.Number(raw), nil
	}
	err := json.Unmarshal(raw, &v)
	return v, err
}

// value sets v.
func (d *decoder) value(v reflect.Value, from any) error {
	if raw, ok := from.(json.RawMessage); ok {
		if own, ok := v.Addr().Interface().(json.Unmarshaler); ok {
			return own.UnmarshalJSON(raw)
		}
	}
	if from == nil {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		to := reflect.New(v.Type().Elem())
		v.Set(to)
		return d.value(to.Elem(), from)
	case reflect.Struct:
		return d.object(v, from)
	case reflect.Slice:
		return d.list(v, from)
	}
	return d.leaf(v, from)
}

func (d *decoder) object(v reflect.Value, from any) error {
	if raw, ok := from.(json.RawMessage); ok && len(raw) > 0 && raw[0] == '{' {
		return d.objectJSON(v, raw)
	}
	from, err := open(from)
	if err != nil {
		return err
	}
	m, ok := from.(map[string]any)
	if !ok {
		return d.wrong(from, reflect.Struct)
	}
	for _, f := range fields(v.Type()) {
		if err := d.value(v.Field(f.index), m[f.name]); err != nil {
			return d.under(f.name, err)
		}
	}
	return nil
}

func (d *decoder) objectJSON(v reflect.Value, raw json.RawMessage) error {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return err
	}
	var missing error
	for _, f := range fields(v.Type()) {
		part, ok := parts[f.name]
		if !ok {
			if !f.optional() && missing == nil {
				missing = fmt.Errorf("no field %q, want one", f.name)
			}
			continue
		}
		if string(part) == "null" {
			return fmt.Errorf("%s: found null, want a value or no such field", f.name)
		}
		if err := d.value(v.Field(f.index), part); err != nil {
			return d.under(f.name, err)
		}
		delete(parts, f.name)
	}
	if e := extra(v); missing == nil && e.IsValid() {
		if len(parts) == 0 {
			parts = nil
		}
		e.Set(reflect.ValueOf(parts).Convert(e.Type()))
	}
	return missing
}

func (d *decoder) list(v reflect.Value, from any) error {
	from, err := open(from)
	if err != nil {
		return err
	}
	list, ok := from.([]any)
	if !ok {
		return d.wrong(from, reflect.Slice)
	}
	out := reflect.MakeSlice(v.Type(), len(list), len(list))
	for i, x := range list {
		if x == nil {
			return &Error{Path: fmt.Sprintf("[%d]", i), Found: "nil", Want: "a value"}
		}
		err := d.value(out.Index(i), x)
		if err != nil && !d.json { // JSON's errors name objects by their own names
			err = d.under(fmt.Sprintf("[%d]", i), err)
		}
		if err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

// leaf sets a number, a text or a flag.
func (d *decoder) leaf(v reflect.Value, from any) error {
	from, err := open(from)
	if err != nil {
		return err
	}
	ok := false
	switch v.Kind() {
	case reflect.Float64:
		var f float64
		if f, ok = number(from); ok {
			v.SetFloat(f)
		}
	case reflect.Int, reflect.Int64:
		var i int64
		switch x := from.(type) {
		case int64:
			i, ok = x, true
		case json.Number:
			i, err = strconv.ParseInt(string(x), 10, 64)
			ok = err == nil
		}
		if ok = ok && !v.OverflowInt(i); ok {
			v.SetInt(i)
		}
	case reflect.Uint64:
		var u uint64
		switch x := from.(type) {
		case uint64:
			u, ok = x, true
		case int64:
			u, ok = uint64(x), x >= 0
		case json.Number:
			u, err = strconv.ParseUint(string(x), 10, 64)
			ok = err == nil
		}
		if ok {
			v.SetUint(u)
		}
	case reflect.String:
		var s string
		if s, ok = from.(string); ok {
			v.SetString(s)
		}
	case reflect.Bool:
		var b bool
		if b, ok = from.(bool); ok {
			v.SetBool(b)
		}
	default:
		panic("record: a field of the type " + v.Type().String())
	}
	if !ok {
		return d.wrong(from, v.Kind())
	}
	return nil
}

// number gives a value's number, if it is a finite one.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil
	}
	return 0, false
}
