package pickle

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
)

// Opcodes, by their names in pickletools.
const (
	opMARK           = '('
	opSTOP           = '.'
	opPOP            = '0'
	opPOPMARK        = '1'
	opDUP            = '2'
	opFLOAT          = 'F'
	opINT            = 'I'
	opBININT         = 'J'
	opBININT1        = 'K'
	opLONG           = 'L'
	opBININT2        = 'M'
	opNONE           = 'N'
	opPERSID         = 'P'
	opBINPERSID      = 'Q'
	opREDUCE         = 'R'
	opSTRING         = 'S'
	opBINSTRING      = 'T'
	opSHORTBINSTRING = 'U'
	opUNICODE        = 'V'
	opBINUNICODE     = 'X'
	opAPPEND         = 'a'
	opBUILD          = 'b'
	opGLOBAL         = 'c'
	opDICT           = 'd'
	opAPPENDS        = 'e'
	opGET            = 'g'
	opBINGET         = 'h'
	opINST           = 'i'
	opLONGBINGET     = 'j'
	opLIST           = 'l'
	opOBJ            = 'o'
	opPUT            = 'p'
	opBINPUT         = 'q'
	opLONGBINPUT     = 'r'
	opSETITEM        = 's'
	opTUPLE          = 't'
	opSETITEMS       = 'u'
	opBINBYTES       = 'B'
	opSHORTBINBYTES  = 'C'
	opBINFLOAT       = 'G'
	opEMPTYTUPLE     = ')'
	opEMPTYLIST      = ']'
	opEMPTYDICT      = '}'

	opPROTO           = 0x80
	opNEWOBJ          = 0x81
	opEXT1            = 0x82
	opEXT2            = 0x83
	opEXT4            = 0x84
	opTUPLE1          = 0x85
	opTUPLE2          = 0x86
	opTUPLE3          = 0x87
	opNEWTRUE         = 0x88
	opNEWFALSE        = 0x89
	opLONG1           = 0x8a
	opLONG4           = 0x8b
	opSHORTBINUNICODE = 0x8c
	opBINUNICODE8     = 0x8d
	opBINBYTES8       = 0x8e
	opEMPTYSET        = 0x8f
	opADDITEMS        = 0x90
	opFROZENSET       = 0x91
	opNEWOBJEX        = 0x92
	opSTACKGLOBAL     = 0x93
	opMEMOIZE         = 0x94
	opFRAME           = 0x95
	opBYTEARRAY8      = 0x96
	opNEXTBUFFER      = 0x97
	opREADONLYBUFFER  = 0x98
)

// MaxProtocol is the newest protocol that Read knows.
const MaxProtocol = 5

// maxGlobalName limits a global's module and name, bytes each.
const maxGlobalName = 4096

// maxStates is how often an object's state can be set. Python's pickler does it
// once; who reads an attribute looks through all of them.
const maxStates = 16

// argument is the fixed part of what follows each opcode, bytes; those that are
// lines or have a length of their own are handled apart.
var argument = [256]int8{
	opBININT: 4, opBININT1: 1, opBININT2: 2, opBINFLOAT: 8, opBINGET: 1, opLONGBINGET: 4, opBINPUT: 1, opLONGBINPUT: 4,
	opPROTO: 1, opEXT1: 1, opEXT2: 2, opEXT4: 4, opLONG1: 1, opLONG4: 4, opFRAME: 8,
}

// reader is the machine's state.
type reader struct {
	*Graph
	stack paged
	marks paged
	memo  paged
	// sparse are memo entries far beyond those put so far.
	sparse map[uint64]Ref
	put    uint64 // memo entries there are
	pos    uint64 // behind the opcode under way
	at     uint64 // of it
	names  map[GlobalUse]uint64
}

// Read reads the pickle that data begins with. The graph refers to data, which
// must not change. The error is an [Error].
func Read(data []byte) (*Graph, error) {
	r := &reader{Graph: &Graph{data: data}, names: map[GlobalUse]uint64{}, sparse: map[uint64]Ref{}}
	r.words.push(0) // so that 0 is no block
	for {
		done, err := r.step()
		if err != nil {
			return nil, err
		}
		if done {
			r.Length = int64(r.pos)
			return r.Graph, nil
		}
	}
}

func (r *reader) fail(kind error, format string, args ...any) error {
	return &Error{int64(r.at), kind, fmt.Sprintf(format, args...)}
}

func (r *reader) left() uint64 { return uint64(len(r.data)) - r.pos }

// take gives the next n bytes.
func (r *reader) take(n uint64) ([]byte, error) {
	if n > r.left() {
		return nil, r.fail(ErrTruncated, "found %d bytes after the opcode, want %d", r.left(), n)
	}
	b := r.data[r.pos : r.pos+n]
	r.pos += n
	return b, nil
}

// takeLine gives the text up to the next line end.
func (r *reader) takeLine() ([]byte, error) {
	n := bytes.IndexByte(r.data[r.pos:], '\n')
	if n < 0 {
		return nil, r.fail(ErrTruncated, "found no end of the line after the opcode")
	}
	b := r.data[r.pos : r.pos+uint64(n)]
	r.pos += uint64(n) + 1
	return b, nil
}

func (r *reader) push(v Ref) { r.stack.push(uint64(v)) }

// floor is the stack's height that pops must not go below: that of the last mark.
func (r *reader) floor() uint64 {
	if r.marks.n == 0 {
		return 0
	}
	return r.marks.at(r.marks.n - 1)
}

func (r *reader) pop() (Ref, error) {
	if r.stack.n <= r.floor() {
		return 0, r.fail(ErrStack, "found nothing on the stack, want a value")
	}
	r.stack.n--
	return Ref(r.stack.at(r.stack.n)), nil
}

func (r *reader) top() (Ref, error) {
	if r.stack.n <= r.floor() {
		return 0, r.fail(ErrStack, "found nothing on the stack, want a value")
	}
	return Ref(r.stack.at(r.stack.n - 1)), nil
}

// unmark takes the last mark away and gives its height: what lies above is the opcode's.
func (r *reader) unmark() (uint64, error) {
	if r.marks.n == 0 {
		return 0, r.fail(ErrStack, "found no mark on the stack, want one")
	}
	r.marks.n--
	return r.marks.at(r.marks.n), nil
}

// tuple makes one of what lies on the stack from a height on.
func (r *reader) tuple(from uint64) Ref {
	n := r.stack.n - from
	if n == 0 {
		return ref(Tuple, 0)
	}
	at := r.words.push(n)
	for i := from; i < r.stack.n; i++ {
		r.words.push(r.stack.at(i))
	}
	r.stack.n = from
	return ref(Tuple, at)
}

// container makes a list, dict or set of what lies on the stack from a height on.
func (r *reader) container(k Kind, from uint64) (Ref, error) {
	at := r.words.push(0)
	err := r.add(ref(k, at), k, from)
	return ref(k, at), err
}

// add puts what lies on the stack from a height on into a container or object.
func (r *reader) add(to Ref, k Kind, from uint64) error {
	at := to.payload()
	switch {
	case to.Kind() == k:
	case to.Kind() == Object && k == Dict:
		at += objectPairs
	case to.Kind() == Object:
		at += objectItems
	default:
		return r.fail(ErrType, "found %s, want a %s or an object to add to", r.Show(to), k)
	}
	n := r.stack.n - from
	if k == Dict && n%2 != 0 {
		return r.fail(ErrStack, "found %d values, want a key and a value each", n)
	}
	r.extend(at, &r.stack, from)
	r.stack.n = from
	return nil
}

// call makes the object that calling callee would have given.
func (r *reader) call(callee, args Ref) (Ref, error) {
	switch callee.Kind() {
	case Global:
		r.globals[callee.payload()].Called++
	case Object, Persistent:
	default:
		return 0, r.fail(ErrType, "found %s, want something that can be called", r.Show(callee))
	}
	at := r.words.push(uint64(callee))
	r.words.push(uint64(args))
	for range objectWords - 2 {
		r.words.push(0)
	}
	return ref(Object, at), nil
}

func (r *reader) global(module, name []byte) (Ref, error) {
	if n := max(len(module), len(name)); n > maxGlobalName {
		return 0, r.fail(ErrValue, "found a global's name of %d bytes, want at most %d", n, maxGlobalName)
	}
	key := GlobalUse{Module: string(module), Name: string(name)}
	i, ok := r.names[key]
	if !ok {
		i = uint64(len(r.globals))
		r.names[key] = i
		r.globals = append(r.globals, key)
	}
	r.globals[i].Named++
	return ref(Global, i), nil
}

func (r *reader) remember(i uint64) error {
	v, err := r.top()
	if err != nil {
		return err
	}
	if _, again := r.sparse[i]; again || i > 2*r.put+pageWords {
		if !again {
			r.put++
		}
		r.sparse[i] = v
		return nil
	}
	for r.memo.n <= i {
		r.memo.push(uint64(unput))
	}
	if Ref(r.memo.at(i)) == unput {
		r.put++
	}
	r.memo.set(i, uint64(v))
	return nil
}

// unput marks memo entries that aren't there.
const unput = Ref(math.MaxUint64)

func (r *reader) recall(i uint64) error {
	if i < r.memo.n && Ref(r.memo.at(i)) != unput {
		r.push(Ref(r.memo.at(i)))
		return nil
	}
	v, ok := r.sparse[i]
	if !ok {
		return r.fail(ErrMemo, "found number %d", i)
	}
	r.push(v)
	return nil
}

// memoIndex reads the number of a text GET or PUT.
func (r *reader) memoIndex() (uint64, error) {
	text, err := r.takeLine()
	if err != nil {
		return 0, err
	}
	i, err := strconv.ParseUint(string(clip(trimSpace(text))), 10, 63)
	if err != nil {
		return 0, r.fail(ErrValue, "found memo number %q", clip(text))
	}
	return i, nil
}

// clip keeps what may be in a message.
func clip(b []byte) []byte { return b[:min(len(b), 40)] }

// stringLength says how many bytes a string opcode and its length take, and the
// length that follows; 1 and 0 for those that are lines. ok: there are so many.
func stringLength(b []byte) (head int, n uint64, ok bool) {
	switch b[0] {
	case opSHORTBINSTRING, opSHORTBINBYTES, opSHORTBINUNICODE:
		head = 2
	case opBINSTRING, opBINBYTES, opBINUNICODE:
		head = 5
	case opBINUNICODE8, opBINBYTES8, opBYTEARRAY8:
		head = 9
	default:
		return 1, 0, true
	}
	if len(b) < head {
		return head, 0, false
	}
	for i := head - 1; i > 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return head, n, true
}

// str reads a string opcode with a length.
func (r *reader) str(k Kind) error {
	head, n, ok := stringLength(r.data[r.at:])
	if !ok {
		return r.fail(ErrTruncated, "found no length of the %s", k)
	}
	r.pos = r.at + uint64(head)
	if _, err := r.take(n); err != nil {
		return err
	}
	r.push(ref(k, r.at))
	return nil
}
