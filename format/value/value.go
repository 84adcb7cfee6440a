// Package value writes and reads the values that a model file's header is made of, as msgpack in the one form that the
// format has for each, and as JSON.
//
// Values are what JSON and bytes can say: nil, bool, int64, uint64 (above int64's range), float64, string, []byte, []any
// and map[string]any. What is read has passed package scan before. The package must not know what any of them means.
package value

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/scan"
)

// Encoder writes values in the one form the format has for each.
type Encoder struct {
	*msgpack.Encoder
	buf bytes.Buffer
}

// NewEncoder makes an encoder into memory.
func NewEncoder() *Encoder {
	e := &Encoder{}
	e.Encoder = msgpack.NewEncoder(&e.buf)
	return e
}

// Raw writes msgpack as it is.
func (e *Encoder) Raw(b []byte) { e.buf.Write(b) }

// Bytes gives what was written.
func (e *Encoder) Bytes() []byte { return e.buf.Bytes() }

// Value writes v, which lies in so many containers.
func (e *Encoder) Value(v any, depth int) error {
	if depth > scan.MaxDepth {
		// Also what stops a value that holds itself.
		return &fault.Error{Kind: fault.ErrLimit, Detail: fmt.Sprintf("nests deeper than %d", scan.MaxDepth)}
	}
	switch v := v.(type) {
	case nil:
		return e.EncodeNil()
	case bool:
		return e.EncodeBool(v)
	case int:
		return e.EncodeInt(int64(v))
	case int8:
		return e.EncodeInt(int64(v))
	case int16:
		return e.EncodeInt(int64(v))
	case int32:
		return e.EncodeInt(int64(v))
	case int64:
		return e.EncodeInt(v)
	case uint:
		return e.EncodeUint(uint64(v))
	case uint8:
		return e.EncodeUint(uint64(v))
	case uint16:
		return e.EncodeUint(uint64(v))
	case uint32:
		return e.EncodeUint(uint64(v))
	case uint64:
		return e.EncodeUint(v)
	case float32:
		return e.float(float64(v))
	case float64:
		return e.float(v)
	case string:
		return e.Text(v)
	case []byte:
		return e.EncodeBytes(v)
	case []any:
		return list(e, v, depth)
	case []string:
		return list(e, v, depth)
	case []bool:
		return list(e, v, depth)
	case []int:
		return list(e, v, depth)
	case []int64:
		return list(e, v, depth)
	case []uint64:
		return list(e, v, depth)
	case []float64:
		return list(e, v, depth)
	case []map[string]any:
		return list(e, v, depth)
	case map[string]any:
		return dict(e, v, depth)
	case map[string]string:
		return dict(e, v, depth)
	case map[string]float64:
		return dict(e, v, depth)
	}
	return &fault.Error{Kind: fault.ErrValue, Detail: fmt.Sprintf("is a %T, want what JSON and bytes can say", v)}
}

func (e *Encoder) float(f float64) error {
	if math.IsNaN(f) {
		f = math.Float64frombits(scan.NaN)
	}
	return e.EncodeFloat64(f)
}

// Text writes a string, which must be UTF-8.
func (e *Encoder) Text(s string) error {
	if !utf8.ValidString(s) {
		return &fault.Error{Kind: fault.ErrValue, Detail: fmt.Sprintf("the text %.60q is not UTF-8", s)}
	}
	return e.EncodeString(s)
}

func list[T any](e *Encoder, v []T, depth int) error {
	if v == nil {
		return e.EncodeNil()
	}
	if err := e.EncodeArrayLen(len(v)); err != nil {
		return err
	}
	for i, x := range v {
		if err := e.Value(x, depth+1); err != nil {
			return fault.Under("["+strconv.Itoa(i)+"]", err)
		}
	}
	return nil
}

func dict[T any](e *Encoder, v map[string]T, depth int) error {
	if v == nil {
		return e.EncodeNil()
	}
	if err := e.EncodeMapLen(len(v)); err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(v)) {
		if err := e.Text(k); err != nil {
			return err
		}
		if err := e.Value(v[k], depth+1); err != nil {
			return fault.Under("."+k, err)
		}
	}
	return nil
}

// Encode gives a value's msgpack bytes, as in the header's field of that name.
func Encode(v any, name string) ([]byte, error) {
	e := NewEncoder()
	if err := e.Value(v, 1); err != nil {
		return nil, fault.Under(name, err)
	}
	return e.buf.Bytes(), nil
}

// Decode reads what the scanner has accepted, so it may recurse (to scan.MaxDepth) and trust lengths.
// Integers come back as int64, those above its range as uint64.
func Decode(b []byte) (any, error) {
	return decode(msgpack.NewDecoder(bytes.NewReader(b)))
}

func decode(d *msgpack.Decoder) (any, error) {
	code, err := d.PeekCode()
	if err != nil {
		return nil, err
	}
	switch {
	case code == msgpcode.Nil:
		return nil, d.DecodeNil()
	case code == msgpcode.True || code == msgpcode.False:
		return d.DecodeBool()
	case code == msgpcode.Double:
		return d.DecodeFloat64()
	case code == msgpcode.Uint64:
		u, err := d.DecodeUint64()
		if err == nil && u <= math.MaxInt64 {
			return int64(u), nil
		}
		return u, err
	case msgpcode.IsString(code):
		return d.DecodeString()
	case msgpcode.IsBin(code):
		p, err := d.DecodeBytes()
		if p == nil && err == nil {
			p = []byte{}
		}
		return p, err
	case msgpcode.IsFixedArray(code) || code == msgpcode.Array16 || code == msgpcode.Array32:
		n, err := d.DecodeArrayLen()
		if err != nil {
			return nil, err
		}
		list := make([]any, n)
		for i := range list {
			if list[i], err = decode(d); err != nil {
				return nil, err
			}
		}
		return list, nil
	case msgpcode.IsFixedMap(code) || code == msgpcode.Map16 || code == msgpcode.Map32:
		n, err := d.DecodeMapLen()
		if err != nil {
			return nil, err
		}
		dict := make(map[string]any, n)
		for range n {
			k, err := d.DecodeString()
			if err != nil {
				return nil, err
			}
			if dict[k], err = decode(d); err != nil {
				return nil, err
			}
		}
		return dict, nil
	}
	return d.DecodeInt64()
}
