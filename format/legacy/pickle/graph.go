package pickle

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is what a value is.
type Kind uint8

// The kinds of values. Bytes are Python 3's bytes and bytearray, and Python 2's
// str; Text is Python 3's str and Python 2's unicode.
const (
	None Kind = iota
	Bool
	Int
	Long // an integer of more than 56 bits
	Float
	Text
	Bytes
	Tuple
	List
	Dict
	Set // frozen or not
	Global
	Object     // what a call would have given
	Persistent // something outside the pickle
)

var kindNames = [...]string{"None", "bool", "int", "long integer", "float", "text", "bytes", "tuple", "list", "dict", "set", "global", "object", "persistent object"}

func (k Kind) String() string { return kindNames[k] }

// Ref is a value of a [Graph]. Two refs of a container or object are equal
// where they are the same one.
type Ref uint64

const payloadBits = 56

// Kind says what the value is.
func (r Ref) Kind() Kind { return Kind(r >> payloadBits) }

func (r Ref) payload() uint64 { return uint64(r) & (1<<payloadBits - 1) }

func ref(k Kind, payload uint64) Ref { return Ref(uint64(k)<<payloadBits | payload) }

// Nothing is None, and what lookups give where there is nothing.
var Nothing = ref(None, 0)

// GlobalUse is a global that a pickle names.
type GlobalUse struct {
	Module, Name string
	Named        int // times that an opcode named it
	Called       int // times that it would have been called, or an object made of it
}

// String is module.name.
func (g GlobalUse) String() string { return g.Module + "." + g.Name }

// Graph is what a pickle describes.
type Graph struct {
	Root     Ref
	Protocol int
	Length   int64 // bytes up to the pickle's end; more may follow in the file

	data    []byte
	words   paged // containers and objects
	globals []GlobalUse
}

// Globals are all globals that the pickle names, in the order of their first mention.
func (g *Graph) Globals() []GlobalUse { return g.globals }

// Global gives the global of a ref of kind [Global]; elsewhere an empty one.
func (g *Graph) Global(r Ref) GlobalUse {
	if r.Kind() != Global {
		return GlobalUse{}
	}
	return g.globals[r.payload()]
}

// Int gives an integer that fits in 64 bits, or a bool as Python counts it.
func (g *Graph) Int(r Ref) (int64, bool) {
	switch r.Kind() {
	case Bool:
		return int64(r.payload()), true
	case Int:
		return int64(r.payload()<<(64-payloadBits)) >> (64 - payloadBits), true
	case Long:
		if at := r.payload(); g.data[at] == opLONG1 && g.data[at+1] == 8 {
			return int64(binary.LittleEndian.Uint64(g.data[at+2:])), true
		}
	}
	return 0, false
}

// Float gives a float, or an integer as one.
func (g *Graph) Float(r Ref) (float64, bool) {
	if r.Kind() == Float {
		at := r.payload()
		if g.data[at] == opBINFLOAT {
			return math.Float64frombits(binary.BigEndian.Uint64(g.data[at+1:])), true
		}
		v, _ := strconv.ParseFloat(string(trimSpace(line(g.data[at+1:]))), 64) // out of range: an infinity, as in Python
		return v, true
	}
	n, ok := g.Int(r)
	return float64(n), ok
}

// Text gives a text, or bytes as the text that a Python 2 str is; none that is
// not UTF-8 is taken for Latin-1. The string is a copy.
func (g *Graph) Text(r Ref) (string, bool) {
	switch r.Kind() {
	case Text:
		at := r.payload()
		raw := g.stringAt(at)
		if g.data[at] == opUNICODE {
			return decodeRawUnicode(raw), true
		}
		return string(raw), true
	case Bytes:
		b, _ := g.Bytes(r)
		if utf8.Valid(b) {
			return string(b), true
		}
		return latin1(b), true
	}
	return "", false
}

func latin1(b []byte) string {
	var out strings.Builder
	out.Grow(len(b) + len(b)/2)
	for _, c := range b {
		out.WriteRune(rune(c))
	}
	return out.String()
}

// Bytes gives bytes: a view on the file, but for Python 2's escaped ones.
func (g *Graph) Bytes(r Ref) ([]byte, bool) {
	if r.Kind() != Bytes {
		return nil, false
	}
	at := r.payload()
	raw := g.stringAt(at)
	if g.data[at] == opSTRING {
		return decodeString(raw), true
	}
	return raw, true
}

// Encoded gives the bytes of a text's own encoding in the file, UTF-8; nothing
// where it is written with escapes.
func (g *Graph) Encoded(r Ref) ([]byte, bool) {
	if r.Kind() != Text || g.data[r.payload()] == opUNICODE {
		return nil, false
	}
	return g.stringAt(r.payload()), true
}

// Size is the number of bytes that a text or bytes take in the file.
func (g *Graph) Size(r Ref) int {
	if k := r.Kind(); k != Text && k != Bytes {
		return 0
	}
	return len(g.stringAt(r.payload()))
}

// stringAt gives the content of the string opcode at an offset, without its quotes.
func (g *Graph) stringAt(at uint64) []byte {
	head, n, _ := stringLength(g.data[at:])
	b := g.data[at+uint64(head):]
	if head == 1 { // a line
		b = line(b)
		if g.data[at] == opSTRING {
			b = trimSpace(b)
			return b[1 : len(b)-1]
		}
		return b
	}
	return b[:n:n]
}

// Len is the number of a tuple's, list's, set's or dict's entries, or of an
// object's list entries. It takes as long as there are blocks of them.
func (g *Graph) Len(r Ref) int {
	n := 0
	switch r.Kind() {
	case Tuple:
		if at := r.payload(); at != 0 {
			n = int(g.words.at(at))
		}
	case List, Set:
		n = g.chainLen(r.payload())
	case Dict:
		n = g.chainLen(r.payload()) / 2
	case Object:
		n = g.chainLen(r.payload() + objectItems)
	}
	return n
}

// Items are the entries of a tuple, list or set, or what was appended to an object.
func (g *Graph) Items(r Ref) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		switch r.Kind() {
		case Tuple:
			at := r.payload()
			if at == 0 {
				return
			}
			for i := range g.words.at(at) {
				if !yield(Ref(g.words.at(at + 1 + i))) {
					return
				}
			}
		case List, Set:
			g.chain(r.payload(), yield)
		case Object:
			g.chain(r.payload()+objectItems, yield)
		}
	}
}

// Pairs are the keys and values of a dict, or those set on an object, in the
// file's order. A key that was set twice comes twice: the last one stands.
func (g *Graph) Pairs(r Ref) iter.Seq2[Ref, Ref] {
	return func(yield func(k, v Ref) bool) {
		var at uint64
		switch r.Kind() {
		case Dict:
			at = r.payload()
		case Object:
			at = r.payload() + objectPairs
		default:
			return
		}
		key, isKey := Nothing, true
		g.chain(at, func(v Ref) bool {
			if isKey = !isKey; !isKey {
				key = v
				return true
			}
			return yield(key, v)
		})
	}
}

// States are what an object's state would have been set to, in order.
func (g *Graph) States(r Ref) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		if r.Kind() == Object {
			g.chain(r.payload()+objectStates, yield)
		}
	}
}

// Callee is what would have been called to make an object.
func (g *Graph) Callee(r Ref) Ref {
	if r.Kind() != Object {
		return Nothing
	}
	return Ref(g.words.at(r.payload() + objectCallee))
}

// Args are the call's arguments: a tuple, mostly. Keyword arguments, which only
// [opNEWOBJEX] has, are not in it.
func (g *Graph) Args(r Ref) Ref {
	if r.Kind() != Object {
		return Nothing
	}
	return Ref(g.words.at(r.payload() + objectArgs))
}

// Index gives entry i of a tuple, counted from 0; Nothing where there is none.
func (g *Graph) Index(r Ref, i int) Ref {
	if at := r.payload(); r.Kind() == Tuple && at != 0 && i >= 0 && uint64(i) < g.words.at(at) {
		return Ref(g.words.at(at + 1 + uint64(i)))
	}
	return Nothing
}

// Words of an object, from its payload.
const (
	objectCallee = iota
	objectArgs
	objectStates
	objectItems
	objectPairs
	objectWords
)

// A chain is a word, first block and last block, 32 bits each, and blocks: a
// word with the next block and the number of values, and these.

// extend adds the values of a stack from a height on to the chain at a word.
func (g *Graph) extend(at uint64, stack *paged, from uint64) {
	n := stack.n - from
	if n == 0 {
		return
	}
	block := g.words.push(n)
	for i := from; i < stack.n; i++ {
		g.words.push(stack.at(i))
	}
	head := g.words.at(at)
	if head == 0 {
		g.words.set(at, block<<32|block)
		return
	}
	last := head & math.MaxUint32
	g.words.set(last, g.words.at(last)|block<<32)
	g.words.set(at, head&^math.MaxUint32|block)
}

func (g *Graph) chain(at uint64, yield func(Ref) bool) {
	for block := g.words.at(at) >> 32; block != 0; block = g.words.at(block) >> 32 {
		for i := range g.words.at(block) & math.MaxUint32 {
			if !yield(Ref(g.words.at(block + 1 + i))) {
				return
			}
		}
	}
}

func (g *Graph) chainLen(at uint64) int {
	n := uint64(0)
	for block := g.words.at(at) >> 32; block != 0; block = g.words.at(block) >> 32 {
		n += g.words.at(block) & math.MaxUint32
	}
	return int(n)
}

// paged is a list that grows without being copied.
type paged struct {
	pages []*[pageWords]uint64
	n     uint64
}

const (
	pageBits  = 10
	pageWords = 1 << pageBits
)

func (p *paged) push(v uint64) uint64 {
	at := p.n
	if at>>pageBits == uint64(len(p.pages)) {
		p.pages = append(p.pages, new([pageWords]uint64))
	}
	p.pages[at>>pageBits][at&(pageWords-1)] = v
	p.n++
	return at
}

func (p *paged) at(i uint64) uint64 { return p.pages[i>>pageBits][i&(pageWords-1)] }

func (p *paged) set(i, v uint64) { p.pages[i>>pageBits][i&(pageWords-1)] = v }

// Show is a value for a message: its kind, and what little of it fits on a line.
func (g *Graph) Show(r Ref) string {
	switch r.Kind() {
	case None:
		return "None"
	case Bool:
		if r.payload() != 0 {
			return "True"
		}
		return "False"
	case Int:
		n, _ := g.Int(r)
		return strconv.FormatInt(n, 10)
	case Long:
		return g.showLong(r)
	case Float:
		v, _ := g.Float(r)
		return strconv.FormatFloat(v, 'g', -1, 64)
	case Text, Bytes:
		if g.Size(r) > 200 {
			return fmt.Sprintf("%s of %d bytes", r.Kind(), g.Size(r))
		}
		s, _ := g.Text(r)
		return strconv.Quote(s)
	case Tuple, List, Set, Dict:
		return fmt.Sprintf("a %s of %d", r.Kind(), g.Len(r))
	case Global:
		return g.Global(r).String()
	case Object:
		if c := g.Callee(r); c.Kind() == Global {
			return g.Global(c).String() + " object"
		}
	}
	return r.Kind().String()
}

// showLong writes an integer of up to 64 bytes.
func (g *Graph) showLong(r Ref) string {
	at := r.payload()
	if g.data[at] != opLONG1 || g.data[at+1] > 64 {
		return r.Kind().String()
	}
	b := g.data[at+2 : at+2+uint64(g.data[at+1])]
	n := new(big.Int)
	for i := len(b) - 1; i >= 0; i-- {
		n.Or(n.Lsh(n, 8), big.NewInt(int64(b[i])))
	}
	if b[len(b)-1]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n.String()
}
