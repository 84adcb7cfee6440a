// Package scan walks the msgpack of a model file's header before any decoder sees it: without recursion, without
// allocating, with limits on depth and counts, and refusing all but the one form that the format has for each value.
//
// It must not know what the values mean, nor what a header consists of.
package scan

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/fkzoo/fkzoo/format/fault"
)

// Limits of what is walked, far above any honest file. The text in specs/fkz.md states them too.
const (
	MaxDepth  = 128     // containers within each other, the header's own map counted
	MaxValues = 1 << 24 // values in the header, containers and keys counted
)

// Kind is what a msgpack value is.
type Kind uint8

// The kinds there are.
const (
	Nil Kind = iota
	Bool
	Int // negative; in Item.U as two's complement
	Uint
	Float
	String
	Bytes
	Array
	Map
)

func (k Kind) String() string {
	return [...]string{"nil", "a bool", "a negative integer", "an integer", "a float", "a string", "bytes", "an array", "a map"}[k]
}

// NaN is the one NaN of the header: processors make others, which would let equal models differ.
const NaN = 0x7ff8000000000000

// Item is the head of one value; scalars, strings and bytes are whole with it.
type Item struct {
	Kind  Kind
	U     uint64 // integer, bool, or count of an array's values or a map's pairs
	Body  []byte // of a string or bytes
	Start int
}

// Cursor walks msgpack in memory without recursion and without allocating. It accepts only what the format writes:
// each value in its shortest form, float64, UTF-8, no extension types.
type Cursor struct {
	B      []byte
	Pos    int
	Base   int64 // the position of B in the file, for errors
	Values int   // walked so far
}

// Fail says what is wrong with the bytes of B from start to end, end not included.
func (c *Cursor) Fail(k error, start, end int, format string, args ...any) *fault.Error {
	return &fault.Error{Kind: k, Part: "header", Start: c.Base + int64(start), End: c.Base + int64(end), Detail: fmt.Sprintf(format, args...)}
}

// uint reads n big-endian bytes after the code.
func (c *Cursor) uint(n int) (uint64, bool) {
	if len(c.B)-c.Pos < n {
		return 0, false
	}
	var u uint64
	switch p := c.B[c.Pos:]; n {
	case 1:
		u = uint64(p[0])
	case 2:
		u = uint64(binary.BigEndian.Uint16(p))
	case 4:
		u = uint64(binary.BigEndian.Uint32(p))
	case 8:
		u = binary.BigEndian.Uint64(p)
	}
	c.Pos += n
	return u, true
}

// Next reads one head and moves behind it; of an array or map the values follow.
func (c *Cursor) Next() (Item, *fault.Error) {
	start := c.Pos
	if c.Pos >= len(c.B) {
		return Item{}, c.Fail(fault.ErrHeader, start, start+1, "ends where a value is due")
	}
	c.Values++
	if c.Values > MaxValues {
		return Item{}, c.Fail(fault.ErrLimit, start, start+1, "has more than %d values", MaxValues)
	}
	code := c.B[c.Pos]
	c.Pos++
	it := Item{Start: start}
	width := 0         // bytes of number or count after the code
	least := uint64(0) // the smallest number that needs them
	switch {
	case code <= 0x7f:
		it.Kind, it.U = Uint, uint64(code)
		return it, nil
	case code >= 0xe0:
		it.Kind, it.U = Int, uint64(int64(int8(code)))
		return it, nil
	case code <= 0x8f:
		it.Kind, it.U = Map, uint64(code&0x0f)
	case code <= 0x9f:
		it.Kind, it.U = Array, uint64(code&0x0f)
	case code <= 0xbf:
		it.Kind, it.U = String, uint64(code&0x1f)
	default:
		switch code {
		case 0xc0:
			return it, nil
		case 0xc2, 0xc3:
			it.Kind, it.U = Bool, uint64(code&1)
			return it, nil
		case 0xc4, 0xc5, 0xc6:
			it.Kind, width = Bytes, 1<<(code-0xc4)
		case 0xcb:
			it.Kind, width = Float, 8
		case 0xcc, 0xcd, 0xce, 0xcf:
			it.Kind, width = Uint, 1<<(code-0xcc)
		case 0xd0, 0xd1, 0xd2, 0xd3:
			it.Kind, width = Int, 1<<(code-0xd0)
		case 0xd9, 0xda, 0xdb:
			it.Kind, width, least = String, 1<<(code-0xd9), 32
		case 0xdc, 0xdd:
			it.Kind, width, least = Array, 2<<(code-0xdc), 16
		case 0xde, 0xdf:
			it.Kind, width, least = Map, 2<<(code-0xde), 16
		case 0xca:
			return it, c.Fail(fault.ErrHeader, start, c.Pos, "has a float32, want float64")
		default:
			return it, c.Fail(fault.ErrHeader, start, c.Pos, "has msgpack code 0x%02x, which the format does not use", code)
		}
	}
	if width > 0 {
		u, ok := c.uint(width)
		if !ok {
			return it, c.Fail(fault.ErrHeader, start, len(c.B), "ends inside a value")
		}
		it.U = u
		if it.Kind == Float && math.IsNaN(math.Float64frombits(u)) && u != NaN {
			return it, c.Fail(fault.ErrHeader, start, c.Pos, "has the NaN %016x, want %016x", u, uint64(NaN))
		}
		if !shortest(&it, width, least) {
			return it, c.Fail(fault.ErrHeader, start, c.Pos, "has %s that could be shorter", it.Kind)
		}
	}
	return it, c.rest(&it)
}

// rest checks a length against what is left, and takes the bytes of a string or bytes.
func (c *Cursor) rest(it *Item) *fault.Error {
	left := uint64(len(c.B) - c.Pos)
	switch it.Kind {
	case String, Bytes:
		if it.U > left {
			return c.Fail(fault.ErrHeader, it.Start, c.Pos, "has %s of length %d where %d bytes are left", it.Kind, it.U, left)
		}
		it.Body = c.B[c.Pos : c.Pos+int(it.U)]
		c.Pos += int(it.U)
		if it.Kind == String && !utf8.Valid(it.Body) {
			return c.Fail(fault.ErrHeader, it.Start, c.Pos, "has a string that is not UTF-8")
		}
	case Array:
		if it.U > left {
			return c.Fail(fault.ErrHeader, it.Start, c.Pos, "has an array of %d values where %d bytes are left", it.U, left)
		}
	case Map:
		if it.U > left/2 {
			return c.Fail(fault.ErrHeader, it.Start, c.Pos, "has a map of %d pairs where %d bytes are left", it.U, left)
		}
	}
	return nil
}

// shortest says whether a number or count of so many bytes needs them; a signed number is extended to 64 bits on the way.
func shortest(it *Item, width int, least uint64) bool {
	switch it.Kind {
	case Float:
		return true
	case Int:
		shift := 64 - 8*width
		n := int64(it.U<<shift) >> shift
		it.U = uint64(n)
		if width == 1 {
			return n < -32
		}
		return n < -1<<(4*width-1)
	case Uint:
		least = 0x80
	}
	switch width {
	case 1:
		return it.U >= least
	case 2:
		if it.Kind == Array || it.Kind == Map {
			return it.U >= least
		}
		return it.U >= 1<<8
	case 4:
		return it.U >= 1<<16
	default:
		return it.U >= 1<<32
	}
}

// Skip walks one whole value that lies depth containers deep, and checks it: nesting, and that a map's keys are strings
// in strictly rising order.
func (c *Cursor) Skip(depth int) *fault.Error {
	type frame struct {
		left uint64 // values still to come
		keys bool   // a map
		last []byte // its last key
	}
	stack := make([]frame, 0, 8) // more is rare, and clearing room for it costs more than all else here
	for {
		it, err := c.Next()
		if err != nil {
			return err
		}
		if len(stack) > 0 {
			f := &stack[len(stack)-1]
			if f.keys && f.left%2 == 0 {
				if err := c.key(it, f.last, f.last == nil); err != nil {
					return err
				}
				f.last = it.Body
			}
			f.left--
		}
		if it.Kind == Array || it.Kind == Map {
			if len(stack)+depth >= MaxDepth {
				return c.Fail(fault.ErrLimit, it.Start, c.Pos, "nests deeper than %d", MaxDepth)
			}
			f := frame{left: it.U, keys: it.Kind == Map}
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
func (c *Cursor) key(it Item, last []byte, first bool) *fault.Error {
	if it.Kind != String {
		return c.Fail(fault.ErrHeader, it.Start, c.Pos, "has a map with %s as a key, want a string", it.Kind)
	}
	if !first && string(it.Body) <= string(last) {
		if string(it.Body) == string(last) {
			return c.Fail(fault.ErrHeader, it.Start, c.Pos, "has a map with the key %.100q twice", it.Body)
		}
		return c.Fail(fault.ErrHeader, it.Start, c.Pos, "has a map whose keys are not sorted: %.100q after %.100q", it.Body, last)
	}
	return nil
}

// EachPair reads a map's head, then each key, and calls f, which must walk the value.
func (c *Cursor) EachPair(f func(key []byte) *fault.Error) *fault.Error {
	head, err := c.Next()
	if err != nil {
		return err
	}
	if head.Kind != Map {
		return c.Fail(fault.ErrHeader, head.Start, c.Pos, "has %s where a map is due", head.Kind)
	}
	var last []byte
	for i := range head.U {
		it, err := c.Next()
		if err != nil {
			return err
		}
		if err := c.key(it, last, i == 0); err != nil {
			return err
		}
		last = it.Body
		if err := f(it.Body); err != nil {
			return err
		}
	}
	return nil
}

// Value walks a value that lies depth containers deep, and gives its bytes.
func (c *Cursor) Value(depth int) ([]byte, *fault.Error) {
	start := c.Pos
	if err := c.Skip(depth); err != nil {
		return nil, err
	}
	return c.B[start:c.Pos], nil
}

// Describe says what it is: a number by its value, else the kind.
func (it Item) Describe() string {
	switch it.Kind {
	case Uint:
		return fmt.Sprint(it.U)
	case Int:
		return fmt.Sprint(int64(it.U))
	}
	return it.Kind.String()
}
