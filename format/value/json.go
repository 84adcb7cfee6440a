package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/scan"
)

// FromJSON turns one JSON document into a value for Meta. A number without point or exponent becomes an integer (int64,
// above its range uint64; one outside both is refused), any other a float64, so that ToJSON and FromJSON undo each other.
// A name twice in an object, text that is not UTF-8 and nesting deeper than MaxDepth are refused.
func FromJSON(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("json: is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := jsonValue(d, 1)
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("json: near byte %d: %w", d.InputOffset(), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("json: near byte %d: more follows after the document's end", d.InputOffset())
	}
	return v, nil
}

func jsonValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		return jsonNumber(string(t))
	case json.Delim:
		if depth > scan.MaxDepth {
			return nil, fmt.Errorf("nests deeper than %d", scan.MaxDepth)
		}
		if t == '[' {
			list := []any{}
			for d.More() {
				v, err := jsonValue(d, depth+1)
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
			_, err := d.Token()
			return list, err
		}
		dict := map[string]any{}
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := k.(string) // the decoder accepts nothing else here
			if _, twice := dict[name]; twice {
				return nil, fmt.Errorf("has the name %.100q twice", name)
			}
			if dict[name], err = jsonValue(d, depth+1); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return dict, err
	}
	return t, nil // nil, bool, string
}

func jsonNumber(s string) (any, error) {
	if s == "-0" {
		return math.Copysign(0, -1), nil
	}
	if strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("number %.40s is too large for a float64", s)
		}
		return f, nil
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, nil
	}
	if u, err := strconv.ParseUint(s, 10, 64); err == nil {
		return u, nil
	}
	return nil, fmt.Errorf("integer %.40s has more than 64 bits", s)
}

// ToJSON gives a value's JSON in one form: names sorted, no spaces, a float always with a point or an exponent.
// NaN, infinities and bytes have no JSON form and are refused with fault.ErrValue, naming where they are.
func ToJSON(v any) ([]byte, error) {
	// The encoding's checks (types, UTF-8, depth) are the file's, so what has a JSON form here can be stored.
	raw, err := Encode(v, "value")
	if err != nil {
		return nil, err
	}
	if v, err = Decode(raw); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := writeJSON(&b, v); err != nil {
		return nil, fault.Under("value", err)
	}
	return b.Bytes(), nil
}

func writeJSON(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case uint64:
		b.WriteString(strconv.FormatUint(v, 10))
	case float64:
		text, err := json.Marshal(v)
		if err != nil {
			return &fault.Error{Kind: fault.ErrValue, Detail: fmt.Sprintf("is %v, which JSON cannot say", v)}
		}
		b.Write(text)
		if !bytes.ContainsAny(text, ".e") {
			b.WriteString(".0")
		}
	case string:
		writeText(b, v)
	case []any:
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, x); err != nil {
				return fault.Under("["+strconv.Itoa(i)+"]", err)
			}
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, k)
			b.WriteByte(':')
			if err := writeJSON(b, v[k]); err != nil {
				return fault.Under("."+k, err)
			}
		}
		b.WriteByte('}')
	default:
		return &fault.Error{Kind: fault.ErrValue, Detail: fmt.Sprintf("is a %T, which JSON cannot say", v)}
	}
	return nil
}

func writeText(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string into memory cannot fail
	b.Truncate(b.Len() - 1)
}
