package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Limits of a JSON text, so that what is built from it stays small.
type Limits struct {
	Depth   int // of nested objects and arrays
	Entries int // of one object or array
	Values  int // in all
}

// container is an object or array that Scan is in.
type container struct {
	names   map[string]bool // of an object's fields; nil: an array
	isName  bool            // the next token is a field's name
	entries int
}

// Scan walks a JSON text token by token, without recursion, and refuses what is
// over the limits, and fields given twice, before a parser builds anything from
// it. What it lets through may still not be JSON.
func Scan(data []byte, limits Limits) error {
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
					return fmt.Errorf("field %q before byte %d: given twice in one object, want it once", Cut(name), d.InputOffset())
				}
				in.names[name], in.isName = true, false
				continue
			}
			in.isName = in.names != nil
			if in.entries++; in.entries > limits.Entries {
				return fmt.Errorf("found more than %d entries in the object or array before byte %d", limits.Entries, d.InputOffset())
			}
		}
		if values++; values > limits.Values {
			return fmt.Errorf("found more than %d values before byte %d", limits.Values, d.InputOffset())
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, container{names: map[string]bool{}, isName: true})
		case json.Delim('['):
			stack = append(stack, container{})
		}
		if len(stack) > limits.Depth {
			return fmt.Errorf("found more than %d nested objects and arrays before byte %d", limits.Depth, d.InputOffset())
		}
	}
}

// ReadJSON reads a JSON value as a tree, its numbers digit by digit: a seed may
// have more of them than a float64 holds.
func ReadJSON(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more follows after the value")
	}
	return v, nil
}

// Tree is a value's JSON as a tree.
func Tree(v any) (any, error) {
	text, err := Text(v)
	if err != nil {
		return nil, err
	}
	return ReadJSON(text)
}
