package main

import (
	"fmt"
	"slices"
)

// target turns an operation's steps into instructions.
type target interface {
	// width is a vector's bytes.
	width() int
	registers() int
	prefix() string
	// Around an operation's steps: atVec begins a vector of channels, channel reads or writes the numbers that belong to it, nextRow
	// moves the streams, ret goes to the next vector.
	begin(s *text, o *operation)
	atVec(s *text, o *operation)
	channel(s *text, stream, reg int, store bool)
	nextRow(s *text, o *operation)
	ret(s *text)
	// loop begins a loop over so many rows at once, unless fewer are left; again ends it.
	loop(s *text, label string, rows int)
	again(s *text, label string, rows int)
	step(s *text, i instr, to int, args []int)
	finish(s *text)
	// dispatch goes on to the operation of a number.
	dispatch(s *text)
	// destructive tells which argument's register the result takes, -1 for none.
	destructive(op string) int
}

// lowerer gives each value a register.
type lowerer struct {
	t      target
	b      *body
	regs   map[val]int
	free   []int
	last   map[val]int
	pinned map[val]bool
	sums   []map[int]int // registers by stream, of each row that is summed at once
}

// sumRows is how many rows are summed at once, each by itself, since an addition takes as long as several begin in.
const sumRows = 4

// columnKernels writes all operations, and the function that goes on to one of them by its number: they have its arguments.
func columnKernels(s, stubs *text, t target) {
	entry := "columns" + t.prefix()
	stubs.say("//go:noescape\nfunc %s(op Op, a *Columns)\n", entry)
	for i := range operations {
		s.say("DATA operations%s<>+%d(SB)/8, $col%s_%s<>(SB)", t.prefix(), 8*i, t.prefix(), operations[i].name)
	}
	s.say("GLOBL operations%s<>(SB), RODATA, $%d\n", t.prefix(), 8*len(operations))
	s.say("// func %s(op Op, a *Columns)\nTEXT ·%s(SB), NOSPLIT, $0-16", entry, entry)
	t.dispatch(s)
	for i := range operations {
		o := &operations[i]
		name := "col" + t.prefix() + "_" + o.name
		s.say("// %s\nTEXT %s<>(SB), NOSPLIT, $0-16", o.doc, name)
		if !lower(s, t, o, true) && !lower(s, t, o, false) {
			panic(name + ": too few registers")
		}
	}
	t.finish(s)
}

// lower writes an operation, numbers that don't change in registers of their own if they are to be hoisted; false: there are too few.
func lower(s *text, t target, o *operation, hoist bool) bool {
	l := &lowerer{t: t, b: newBody(o), regs: map[val]int{}, last: map[val]int{}, pinned: map[val]bool{}}
	for r := t.registers() - 1; r >= 0; r-- {
		l.free = append(l.free, r)
	}
	for i, x := range l.b.list {
		for _, v := range x.args {
			l.last[v] = i
		}
	}
	var w text
	t.begin(&w, o)
	fixed := func(i instr) bool { return i.op == "channel" || hoist && (i.op == "literal" || i.op == "const") }
	for _, x := range l.b.list {
		if fixed(x) && x.op != "channel" {
			if !l.pin(x.to) {
				return false
			}
			t.step(&w, x, l.regs[x.to], nil)
		}
	}
	w.say("vector:")
	t.atVec(&w, o)
	for _, x := range l.b.list {
		if x.op == "channel" {
			if !l.pin(x.to) {
				return false
			}
			t.channel(&w, x.n, l.regs[x.to], false)
		}
	}
	if !l.takeSums(&w, o) {
		return false
	}
	for _, rows := range []int{len(l.sums), 1} {
		label := fmt.Sprintf("rows%d", rows)
		t.loop(&w, label, rows)
		for r := range rows {
			for i, x := range l.b.list {
				if !fixed(x) && !l.step(&w, i, x, l.sums[r]) {
					return false
				}
			}
			t.nextRow(&w, o)
		}
		t.again(&w, label, rows)
		if rows == 1 {
			break
		}
	}
	l.storeSums(&w, o)
	t.ret(&w)
	s.Write(w.Bytes())
	return true
}

// takeSums gives the sums registers: as many sets as there are rows summed at once, of which the first begins with what is there
// already.
func (l *lowerer) takeSums(w *text, o *operation) bool {
	l.sums = []map[int]int{{}}
	for i, x := range o.streams {
		if x.role != sum {
			continue
		}
		for k := range sumRows {
			r, ok := l.take()
			if !ok {
				return false
			}
			if len(l.sums) == k {
				l.sums = append(l.sums, map[int]int{})
			}
			l.sums[k][i] = r
			if k == 0 {
				l.t.channel(w, i, r, false)
			} else if l.sumOp(i) == "top" {
				l.t.step(w, instr{op: "copy"}, r, []int{l.sums[0][i]})
			} else {
				l.t.step(w, instr{op: "zero"}, r, nil)
			}
		}
	}
	return true
}

// sumOp is how a sum is made.
func (l *lowerer) sumOp(stream int) string {
	for _, x := range l.b.list {
		if x.n == stream && slices.Contains([]string{"sum", "dot", "top"}, x.op) {
			return x.op
		}
	}
	panic("a sum of nothing")
}

// storeSums joins the sums of the rows and writes them.
func (l *lowerer) storeSums(w *text, o *operation) {
	for i := range o.streams {
		to, ok := l.sums[0][i]
		if !ok {
			continue
		}
		join := "sum"
		if l.sumOp(i) == "top" {
			join = "top"
		}
		for _, more := range l.sums[1:] {
			l.t.step(w, instr{op: join}, to, []int{more[i]})
		}
		l.t.channel(w, i, to, true)
	}
}

func (l *lowerer) take() (int, bool) {
	if len(l.free) == 0 {
		return 0, false
	}
	r := l.free[len(l.free)-1]
	l.free = l.free[:len(l.free)-1]
	return r, true
}

func (l *lowerer) pin(v val) bool {
	r, ok := l.take()
	l.regs[v], l.pinned[v] = r, true
	return ok
}

// step writes one instruction and frees what is read for the last time.
func (l *lowerer) step(w *text, i int, x instr, sums map[int]int) bool {
	args := make([]int, len(x.args))
	for k, v := range x.args {
		args[k] = l.regs[v]
	}
	dies := func(v val) bool { return l.last[v] == i && !l.pinned[v] }
	if r, ok := sums[x.n]; ok && slices.Contains([]string{"sum", "dot", "top"}, x.op) {
		l.t.step(w, x, r, args)
		l.release(x, dies, -1)
		return true
	}
	if x.op == "store" {
		l.t.step(w, x, 0, args)
		l.release(x, dies, -1)
		return true
	}
	to, kept := 0, -1
	if d := l.t.destructive(x.op); d >= 0 && dies(x.args[d]) {
		to, kept = args[d], d
	} else {
		r, ok := l.take()
		if !ok {
			return false
		}
		to = r
		if d >= 0 {
			l.t.step(w, instr{op: "copy"}, to, []int{args[d]})
		}
	}
	l.t.step(w, x, to, args)
	keptVal := val(-1)
	if kept >= 0 {
		keptVal = x.args[kept]
	}
	l.release(x, dies, keptVal)
	l.regs[x.to] = to
	return true
}

func (l *lowerer) release(x instr, dies func(val) bool, kept val) {
	seen := map[val]bool{kept: true}
	for _, v := range x.args {
		if dies(v) && !seen[v] {
			seen[v] = true
			l.free = append(l.free, l.regs[v])
		}
	}
}

// rowStreams are those that go on from row to row. They stand before the others.
func rowStreams(o *operation) []int {
	var list []int
	for i, s := range o.streams {
		if s.role > inout {
			continue
		}
		if list = append(list, i); len(list) <= i {
			panic(o.name + ": a stream of rows behind one of channels")
		}
	}
	if len(o.streams) > maxStreams {
		panic(fmt.Sprintf("%s: %d streams", o.name, len(o.streams)))
	}
	return list
}
