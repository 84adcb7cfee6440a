package pickle

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
)

// step does one opcode; done tells that it was the last.
func (r *reader) step() (done bool, err error) {
	r.at = r.pos
	if r.left() == 0 {
		return false, r.fail(ErrTruncated, "found the end of the file, want an opcode")
	}
	if r.words.n+r.stack.n+objectWords > math.MaxUint32 { // an opcode moves at most the stack there
		return false, r.fail(ErrUnsupported, "found more than %d values", uint32(math.MaxUint32))
	}
	op := r.data[r.pos]
	r.pos++
	var arg []byte
	if n := argument[op]; n > 0 {
		if arg, err = r.take(uint64(n)); err != nil {
			return false, err
		}
	}
	switch op {
	case opSTOP:
		r.Root, err = r.pop()
		return true, err
	case opPROTO:
		if r.Protocol = int(arg[0]); r.Protocol > MaxProtocol {
			return false, r.fail(ErrUnsupported, "found protocol %d, want at most %d", r.Protocol, MaxProtocol)
		}
		return false, nil
	case opFRAME:
		if n := binary.LittleEndian.Uint64(arg); n > r.left() {
			return false, r.fail(ErrTruncated, "found a frame of %d bytes and %d bytes left", n, r.left())
		}
		return false, nil
	case opEXT1, opEXT2, opEXT4:
		code := uint64(0)
		for i := len(arg) - 1; i >= 0; i-- {
			code = code<<8 | uint64(arg[i])
		}
		return false, r.fail(ErrUnsupported, "found code %d of Python's extension registry, which only the program that wrote the file knows", code)
	case opNEXTBUFFER, opREADONLYBUFFER:
		return false, r.fail(ErrUnsupported, "found a buffer that was kept outside the pickle (protocol 5, out of band)")
	}
	known, err := r.stackOp(op, arg)
	if !known {
		known, err = r.containerOp(op)
	}
	if !known {
		known, err = r.scalarOp(op, arg)
	}
	if !known {
		known, err = r.stringOp(op)
	}
	if !known {
		known, err = r.objectOp(op)
	}
	if !known {
		return false, r.fail(ErrOpcode, "found 0x%02x", op)
	}
	return false, err
}

// stackOp does what moves values: marks, pops and the memo.
func (r *reader) stackOp(op byte, arg []byte) (known bool, err error) {
	var i uint64
	switch op {
	case opMARK:
		r.marks.push(r.stack.n)
	case opPOP:
		if r.marks.n > 0 && r.stack.n == r.floor() {
			r.marks.n-- // as Python: a mark counts as a value here
		} else {
			_, err = r.pop()
		}
	case opPOPMARK:
		if i, err = r.unmark(); err == nil {
			r.stack.n = i
		}
	case opDUP:
		var v Ref
		if v, err = r.top(); err == nil {
			r.push(v)
		}
	case opMEMOIZE:
		err = r.remember(r.put)
	case opBINPUT:
		err = r.remember(uint64(arg[0]))
	case opLONGBINPUT:
		err = r.remember(uint64(binary.LittleEndian.Uint32(arg)))
	case opPUT:
		if i, err = r.memoIndex(); err == nil {
			err = r.remember(i)
		}
	case opBINGET:
		err = r.recall(uint64(arg[0]))
	case opLONGBINGET:
		err = r.recall(uint64(binary.LittleEndian.Uint32(arg)))
	case opGET:
		if i, err = r.memoIndex(); err == nil {
			err = r.recall(i)
		}
	default:
		return false, nil
	}
	return true, err
}

// scalarOp does what makes numbers and constants.
func (r *reader) scalarOp(op byte, arg []byte) (known bool, err error) {
	switch op {
	case opNONE:
		r.push(Nothing)
	case opNEWTRUE:
		r.push(ref(Bool, 1))
	case opNEWFALSE:
		r.push(ref(Bool, 0))
	case opBININT:
		r.pushInt(int64(int32(binary.LittleEndian.Uint32(arg))))
	case opBININT1:
		r.pushInt(int64(arg[0]))
	case opBININT2:
		r.pushInt(int64(binary.LittleEndian.Uint16(arg)))
	case opLONG1:
		err = r.long(uint64(arg[0]))
	case opLONG4:
		n := int32(binary.LittleEndian.Uint32(arg))
		if n < 0 {
			return true, r.fail(ErrValue, "found an integer of %d bytes", n)
		}
		err = r.long(uint64(n))
	case opBINFLOAT:
		r.push(ref(Float, r.at))
	case opINT, opLONG, opFLOAT:
		err = r.textNumber(op)
	default:
		return false, nil
	}
	return true, err
}

func (r *reader) pushInt(v int64) {
	if v<<(64-payloadBits)>>(64-payloadBits) != v {
		r.push(ref(Long, r.at))
		return
	}
	r.push(ref(Int, uint64(v)&(1<<payloadBits-1)))
}

// long reads an integer of n bytes, little-endian, two's complement.
func (r *reader) long(n uint64) error {
	b, err := r.take(n)
	if err != nil {
		return err
	}
	if n > 8 || n == 8 && r.data[r.at] != opLONG1 {
		r.push(ref(Long, r.at))
		return nil
	}
	var v int64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | int64(b[i])
	}
	if n > 0 {
		shift := 64 - 8*n
		v = v << shift >> shift
	}
	r.pushInt(v)
	return nil
}

func (r *reader) textNumber(op byte) error {
	text, err := r.takeLine()
	if err != nil {
		return err
	}
	text = trimSpace(text)
	switch {
	case op == opINT && (string(text) == "00" || string(text) == "01"): // how protocols 0 and 1 write False and True
		r.push(ref(Bool, uint64(text[1]-'0')))
		return nil
	case op == opLONG:
		text = bytes.TrimSuffix(text, []byte("L"))
	case op == opFLOAT:
		if _, err := strconv.ParseFloat(string(text), 64); err != nil && !isRange(err) {
			return r.fail(ErrValue, "found %q, want a number", clip(text))
		}
		r.push(ref(Float, r.at))
		return nil
	}
	if v, err := strconv.ParseInt(string(text), 10, payloadBits); err == nil {
		r.pushInt(v)
		return nil
	}
	digits := bytes.TrimLeft(text, "+-")
	if len(digits) == 0 || len(bytes.Trim(digits, "0123456789")) != 0 {
		return r.fail(ErrValue, "found %q, want a whole number", clip(text))
	}
	r.push(ref(Long, r.at))
	return nil
}

func isRange(err error) bool {
	e, ok := err.(*strconv.NumError)
	return ok && e.Err == strconv.ErrRange
}

// stringOp does what makes texts and bytes.
func (r *reader) stringOp(op byte) (known bool, err error) {
	switch op {
	case opSHORTBINSTRING, opBINSTRING, opSHORTBINBYTES, opBINBYTES, opBINBYTES8, opBYTEARRAY8:
		err = r.str(Bytes)
	case opSHORTBINUNICODE, opBINUNICODE, opBINUNICODE8:
		err = r.str(Text)
	case opUNICODE:
		if _, err = r.takeLine(); err == nil {
			r.push(ref(Text, r.at))
		}
	case opSTRING:
		var b []byte
		if b, err = r.takeLine(); err != nil {
			return true, err
		}
		b = trimSpace(b)
		if n := len(b); n < 2 || b[0] != b[n-1] || b[0] != '\'' && b[0] != '"' {
			return true, r.fail(ErrValue, "found %q, want a text in quotes", clip(b))
		}
		r.push(ref(Bytes, r.at))
	default:
		return false, nil
	}
	return true, err
}

// containerOp does what makes or fills tuples, lists, dicts and sets.
func (r *reader) containerOp(op byte) (known bool, err error) {
	switch op {
	case opEMPTYTUPLE:
		r.push(ref(Tuple, 0))
	case opEMPTYLIST:
		r.push(ref(List, r.words.push(0)))
	case opEMPTYDICT:
		r.push(ref(Dict, r.words.push(0)))
	case opEMPTYSET:
		r.push(ref(Set, r.words.push(0)))
	case opTUPLE1, opTUPLE2, opTUPLE3:
		n := uint64(op - opTUPLE1 + 1)
		if r.stack.n < r.floor()+n {
			return true, r.fail(ErrStack, "found %d values on the stack, want %d", r.stack.n-r.floor(), n)
		}
		r.push(r.tuple(r.stack.n - n))
	case opTUPLE, opLIST, opDICT, opFROZENSET:
		err = r.gather(op)
	case opAPPEND:
		err = r.addTop(List, 1)
	case opSETITEM:
		err = r.addTop(Dict, 2)
	case opAPPENDS:
		err = r.addMarked(List)
	case opSETITEMS:
		err = r.addMarked(Dict)
	case opADDITEMS:
		err = r.addMarked(Set)
	default:
		return false, nil
	}
	return true, err
}

// gather makes a container of all above the last mark.
func (r *reader) gather(op byte) error {
	from, err := r.unmark()
	if err != nil {
		return err
	}
	if op == opTUPLE {
		r.push(r.tuple(from))
		return nil
	}
	v, err := r.container(map[byte]Kind{opLIST: List, opDICT: Dict, opFROZENSET: Set}[op], from)
	if err == nil {
		r.push(v)
	}
	return err
}

// addTop adds the n topmost values to what lies below them.
func (r *reader) addTop(k Kind, n uint64) error {
	if r.stack.n < r.floor()+n+1 {
		return r.fail(ErrStack, "found %d values on the stack, want %d", r.stack.n-r.floor(), n+1)
	}
	return r.add(Ref(r.stack.at(r.stack.n-n-1)), k, r.stack.n-n)
}

// addMarked adds all above the last mark to what lies below it.
func (r *reader) addMarked(k Kind) error {
	from, err := r.unmark()
	if err != nil {
		return err
	}
	if from <= r.floor() {
		return r.fail(ErrStack, "found nothing below the mark, want a %s", k)
	}
	return r.add(Ref(r.stack.at(from-1)), k, from)
}

// objectOp does what names globals, would call them, or would set a state.
func (r *reader) objectOp(op byte) (known bool, err error) {
	switch op {
	case opGLOBAL:
		var v Ref
		if v, err = r.namedGlobal(); err == nil {
			r.push(v)
		}
	case opSTACKGLOBAL:
		err = r.stackGlobal()
	case opREDUCE, opNEWOBJ:
		err = r.reduce()
	case opNEWOBJEX:
		if _, err = r.pop(); err == nil { // keyword arguments
			err = r.reduce()
		}
	case opINST, opOBJ:
		err = r.instance(op)
	case opBUILD:
		err = r.build()
	case opBINPERSID:
		if _, err = r.pop(); err == nil {
			r.push(ref(Persistent, r.at))
		}
	case opPERSID:
		if _, err = r.takeLine(); err == nil {
			r.push(ref(Persistent, r.at))
		}
	default:
		return false, nil
	}
	return true, err
}

// namedGlobal reads two lines, module and name.
func (r *reader) namedGlobal() (Ref, error) {
	module, err := r.takeLine()
	if err != nil {
		return 0, err
	}
	name, err := r.takeLine()
	if err != nil {
		return 0, err
	}
	return r.global(trimSpace(module), trimSpace(name))
}

func (r *reader) stackGlobal() error {
	var parts [2][]byte
	for i := 1; i >= 0; i-- {
		v, err := r.pop()
		if err != nil {
			return err
		}
		if v.Kind() != Text && v.Kind() != Bytes || r.data[v.payload()] == opUNICODE || r.data[v.payload()] == opSTRING {
			return r.fail(ErrType, "found %s, want a global's module and name", r.Show(v))
		}
		parts[i] = r.stringAt(v.payload())
	}
	v, err := r.global(parts[0], parts[1])
	if err == nil {
		r.push(v)
	}
	return err
}

func (r *reader) reduce() error {
	args, err := r.pop()
	if err != nil {
		return err
	}
	callee, err := r.pop()
	if err != nil {
		return err
	}
	if args.Kind() != Tuple {
		return r.fail(ErrType, "found %s, want a tuple of arguments", r.Show(args))
	}
	v, err := r.call(callee, args)
	if err == nil {
		r.push(v)
	}
	return err
}

// instance makes an object of an old-style class: INST names it, for OBJ it
// lies below its arguments.
func (r *reader) instance(op byte) (err error) {
	var class Ref
	if op == opINST {
		if class, err = r.namedGlobal(); err != nil {
			return err
		}
	}
	from, err := r.unmark()
	if err != nil {
		return err
	}
	if op == opOBJ {
		if from >= r.stack.n {
			return r.fail(ErrStack, "found nothing above the mark, want a class")
		}
		class = Ref(r.stack.at(from))
		from++
	}
	args := r.tuple(from)
	if op == opOBJ {
		r.stack.n = from - 1
	}
	v, err := r.call(class, args)
	if err == nil {
		r.push(v)
	}
	return err
}

func (r *reader) build() error {
	if r.stack.n < r.floor()+2 {
		return r.fail(ErrStack, "found %d values on the stack, want an object and its state", r.stack.n-r.floor())
	}
	to := Ref(r.stack.at(r.stack.n - 2))
	if to.Kind() != Object {
		return r.fail(ErrType, "found %s, want an object that has a state", r.Show(to))
	}
	states := to.payload() + objectStates
	if r.chainLen(states) >= maxStates {
		return r.fail(ErrUnsupported, "found more than %d states of one object", maxStates)
	}
	r.extend(states, &r.stack, r.stack.n-1)
	r.stack.n--
	return nil
}
