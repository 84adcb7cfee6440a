package format

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// kind is what a msgpack value is.
type kind uint8

const (
	kindNil kind = iota
	kindBool
	kindInt // negative; in item.u as two's complement
	kindUint
	kindFloat
	kindString
	kindBytes
	kindArray
	kindMap
)

func (k kind) String() string {
	return [...]string{"nil", "a bool", "a negative integer", "an integer", "a float", "a string", "bytes", "an array", "a map"}[k]
}

// nan is the one NaN of the header: processors make others, which would let equal models differ.
const nan = 0x7ff8000000000000

// item is the head of one value; scalars, strings and bytes are whole with it.
type item struct {
	kind  kind
	u     uint64 // integer, bool, or count of an array's values or a map's pairs
	body  []byte // of a string or bytes
	start int
}

// cursor walks msgpack in memory without recursion and without allocating. It accepts only what the format writes:
// each value in its shortest form, float64, UTF-8, no extension types.
type cursor struct {
	b      []byte
	pos    int
	base   int64 // the position of b in the file, for errors
	values int   // walked so far
}

func (c *cursor) fail(k error, start, end int, format string, args ...any) *Error {
	return &Error{Kind: k, Part: "header", Start: c.base + int64(start), End: c.base + int64(end), Detail: fmt.Sprintf(format, args...)}
}

// uint reads n big-endian bytes after the code.
func (c *cursor) uint(n int) (uint64, bool) {
	if len(c.b)-c.pos < n {
		return 0, false
	}
	var u uint64
	switch p := c.b[c.pos:]; n {
	case 1:
		u = uint64(p[0])
	case 2:
		u = uint64(binary.BigEndian.Uint16(p))
	case 4:
		u = uint64(binary.BigEndian.Uint32(p))
	case 8:
		u = binary.BigEndian.Uint64(p)
	}
	c.pos += n
	return u, true
}

// next reads one head and moves behind it; of an array or map the values follow.
func (c *cursor) next() (item, *Error) {
	start := c.pos
	if c.pos >= len(c.b) {
		return item{}, c.fail(ErrHeader, start, start+1, "ends where a value is due")
	}
	c.values++
	if c.values > MaxValues {
		return item{}, c.fail(ErrLimit, start, start+1, "has more than %d values", MaxValues)
	}
	code := c.b[c.pos]
	c.pos++
	it := item{start: start}
	width := 0         // bytes of number or count after the code
	least := uint64(0) // the smallest number that needs them
	switch {
	case code <= 0x7f:
		it.kind, it.u = kindUint, uint64(code)
		return it, nil
	case code >= 0xe0:
		it.kind, it.u = kindInt, uint64(int64(int8(code)))
		return it, nil
	case code <= 0x8f:
		it.kind, it.u = kindMap, uint64(code&0x0f)
	case code <= 0x9f:
		it.kind, it.u = kindArray, uint64(code&0x0f)
	case code <= 0xbf:
		it.kind, it.u = kindString, uint64(code&0x1f)
	default:
		switch code {
		case 0xc0:
			return it, nil
		case 0xc2, 0xc3:
			it.kind, it.u = kindBool, uint64(code&1)
			return it, nil
		case 0xc4, 0xc5, 0xc6:
			it.kind, width = kindBytes, 1<<(code-0xc4)
		case 0xcb:
			it.kind, width = kindFloat, 8
		case 0xcc, 0xcd, 0xce, 0xcf:
			it.kind, width = kindUint, 1<<(code-0xcc)
		case 0xd0, 0xd1, 0xd2, 0xd3:
			it.kind, width = kindInt, 1<<(code-0xd0)
		case 0xd9, 0xda, 0xdb:
			it.kind, width, least = kindString, 1<<(code-0xd9), 32
		case 0xdc, 0xdd:
			it.kind, width, least = kindArray, 2<<(code-0xdc), 16
		case 0xde, 0xdf:
			it.kind, width, least = kindMap, 2<<(code-0xde), 16
		case 0xca:
			return it, c.fail(ErrHeader, start, c.pos, "has a float32, want float64")
		default:
			return it, c.fail(ErrHeader, start, c.pos, "has msgpack code 0x%02x, which the format does not use", code)
		}
	}
	if width > 0 {
		u, ok := c.uint(width)
		if !ok {
			return it, c.fail(ErrHeader, start, len(c.b), "ends inside a value")
		}
		it.u = u
		if it.kind == kindFloat && math.IsNaN(math.Float64frombits(u)) && u != nan {
			return it, c.fail(ErrHeader, start, c.pos, "has the NaN %016x, want %016x", u, uint64(nan))
		}
		if !shortest(&it, width, least) {
			return it, c.fail(ErrHeader, start, c.pos, "has %s that could be shorter", it.kind)
		}
	}
	left := uint64(len(c.b) - c.pos)
	switch it.kind {
	case kindString, kindBytes:
		if it.u > left {
			return it, c.fail(ErrHeader, start, c.pos, "has %s of length %d where %d bytes are left", it.kind, it.u, left)
		}
		it.body = c.b[c.pos : c.pos+int(it.u)]
		c.pos += int(it.u)
		if it.kind == kindString && !utf8.Valid(it.body) {
			return it, c.fail(ErrHeader, start, c.pos, "has a string that is not UTF-8")
		}
	case kindArray:
		if it.u > left {
			return it, c.fail(ErrHeader, start, c.pos, "has an array of %d values where %d bytes are left", it.u, left)
		}
	case kindMap:
		if it.u > left/2 {
			return it, c.fail(ErrHeader, start, c.pos, "has a map of %d pairs where %d bytes are left", it.u, left)
		}
	}
	return it, nil
}

// shortest says whether a number or count of so many bytes needs them; a signed number is extended to 64 bits on the way.
func shortest(it *item, width int, least uint64) bool {
	switch it.kind {
	case kindFloat:
		return true
	case kindInt:
		shift := 64 - 8*width
		n := int64(it.u<<shift) >> shift
		it.u = uint64(n)
		if width == 1 {
			return n < -32
		}
		return n < -1<<(4*width-1)
	case kindUint:
		least = 0x80
	}
	switch width {
	case 1:
		return it.u >= least
	case 2:
		if it.kind == kindArray || it.kind == kindMap {
			return it.u >= least
		}
		return it.u >= 1<<8
	case 4:
		return it.u >= 1<<16
	default:
		return it.u >= 1<<32
	}
}

// skip walks one whole value that lies depth containers deep, and checks it: nesting, and that a map's keys are strings
// in strictly rising order.
func (c *cursor) skip(depth int) *Error {
	type frame struct {
		left uint64 // values still to come
		keys bool   // a map
		last []byte // its last key
	}
	stack := make([]frame, 0, 8) // more is rare, and clearing room for it costs more than all else here
	for {
		it, err := c.next()
		if err != nil {
			return err
		}
		if len(stack) > 0 {
			f := &stack[len(stack)-1]
			if f.keys && f.left%2 == 0 {
				if err := c.key(it, f.last, f.last == nil); err != nil {
					return err
				}
				f.last = it.body
			}
			f.left--
		}
		if it.kind == kindArray || it.kind == kindMap {
			if len(stack)+depth >= MaxDepth {
				return c.fail(ErrLimit, it.start, c.pos, "nests deeper than %d", MaxDepth)
			}
			f := frame{left: it.u, keys: it.kind == kindMap}
			if f.keys {
				f.left *= 2
			}
			stack = append(stack, f)
		}
		for len(stack) > 0 && stack[len(stack)-1].left == 0 {
			stack = stack[:len(stack)-1]
		}
		if len(stack) == 0 {
			return nil
		}
	}
}

// key checks that it is a string greater than the last one.
func (c *cursor) key(it item, last []byte, first bool) *Error {
	if it.kind != kindString {
		return c.fail(ErrHeader, it.start, c.pos, "has a map with %s as a key, want a string", it.kind)
	}
	if !first && string(it.body) <= string(last) {
		if string(it.body) == string(last) {
			return c.fail(ErrHeader, it.start, c.pos, "has a map with the key %.100q twice", it.body)
		}
		return c.fail(ErrHeader, it.start, c.pos, "has a map whose keys are not sorted: %.100q after %.100q", it.body, last)
	}
	return nil
}

// eachPair reads a map's head, then each key, and calls f, which must walk the value.
func (c *cursor) eachPair(f func(key []byte) *Error) *Error {
	head, err := c.next()
	if err != nil {
		return err
	}
	if head.kind != kindMap {
		return c.fail(ErrHeader, head.start, c.pos, "has %s where a map is due", head.kind)
	}
	var last []byte
	for i := range head.u {
		it, err := c.next()
		if err != nil {
			return err
		}
		if err := c.key(it, last, i == 0); err != nil {
			return err
		}
		last = it.body
		if err := f(it.body); err != nil {
			return err
		}
	}
	return nil
}

// value walks a value that lies depth containers deep, and gives its bytes.
func (c *cursor) value(depth int) ([]byte, *Error) {
	start := c.pos
	if err := c.skip(depth); err != nil {
		return nil, err
	}
	return c.b[start:c.pos], nil
}
