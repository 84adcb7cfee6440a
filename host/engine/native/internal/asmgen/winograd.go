package main

import "fmt"

// transform is one of Winograd's: a linear map of lines of in values to lines of out values, done to a tile's rows and then to its
// columns, [in, in] to [out, out], for a vector of channels at once. Matrices are those of F(2x2, 3x3) and F(2x2, 2x2): Lavin and Gray
// 2016, with the points 0, 1, -1 and infinity, or without -1.
type transform struct {
	name, doc string
	in, out   int
	line      func(b *body, x []val) []val
	bound     bool // a bias is added, and a lower bound applied
	add       bool // to what is there
	largest   bool // of all outputs is the one
}

// lines are the maps of the lines for filters of a size.
type lines struct {
	size                                          int
	input, filter, output, outputBack, filterBack func(b *body, x []val) []val
}

var three = lines{3,
	func(b *body, x []val) []val {
		return []val{b.sub(x[0], x[2]), b.add(x[1], x[2]), b.sub(x[2], x[1]), b.sub(x[1], x[3])}
	},
	func(b *body, x []val) []val {
		ends, half := b.add(x[0], x[2]), b.lit(0.5)
		return []val{x[0], b.mul(b.add(ends, x[1]), half), b.mul(b.sub(ends, x[1]), half), x[2]}
	},
	func(b *body, x []val) []val {
		return []val{b.add(b.add(x[0], x[1]), x[2]), b.sub(b.sub(x[1], x[2]), x[3])}
	},
	func(b *body, x []val) []val {
		return []val{x[0], b.add(x[0], x[1]), b.sub(x[0], x[1]), b.sub(b.lit(0), x[1])}
	},
	func(b *body, x []val) []val {
		sum := b.mul(b.add(x[1], x[2]), b.lit(0.5))
		return []val{b.add(x[0], sum), b.mul(b.sub(x[1], x[2]), b.lit(0.5)), b.add(sum, x[3])}
	},
}

var two = lines{2,
	func(b *body, x []val) []val { return []val{b.sub(x[0], x[1]), x[1], b.sub(x[2], x[1])} },
	func(b *body, x []val) []val { return []val{x[0], b.add(x[0], x[1]), x[1]} },
	func(b *body, x []val) []val { return []val{b.add(x[0], x[1]), b.add(x[1], x[2])} },
	func(b *body, x []val) []val { return []val{x[0], b.add(x[0], x[1]), x[1]} },
	func(b *body, x []val) []val { return []val{b.add(x[0], x[1]), b.add(x[1], x[2])} },
}

// transforms are in the order of kernel.Transform.
func transforms() (list []transform) {
	for _, l := range []lines{three, two} {
		tile, of := l.size+1, fmt.Sprintf(" of %dx%d filters", l.size, l.size)
		for _, t := range []transform{
			{name: "Input", doc: "an input's tile" + of + ": B'xB", in: tile, out: tile, line: l.input},
			{name: "Filter", doc: "a filter" + of + ": GwG'", in: l.size, out: tile, line: l.filter},
			{name: "Output", doc: "an output's tile" + of + ": A'mA", in: tile, out: 2, bound: true, line: l.output},
			{name: "OutputMax", doc: "an output's tile" + of + ", of which the largest number is written: A'mA", in: tile, out: 2, bound: true, largest: true, line: l.output},
			{name: "OutputAdd", doc: "an output's tile" + of + ", which is added: A'mA", in: tile, out: 2, add: true, line: l.output},
			{name: "OutputBack", doc: "the gradient of an output's tile" + of + ": AyA'", in: 2, out: tile, line: l.outputBack},
			{name: "FilterBack", doc: "the gradient of a filter" + of + ": G'mG", in: tile, out: l.size, line: l.filterBack},
		} {
			t.name = fmt.Sprintf("%s%d", t.name, l.size)
			list = append(list, t)
		}
	}
	return list
}

// Offsets in kernel.Tiles.
const (
	tilesIn, tilesOut           = 0, 8
	tilesInRow, tilesInPixel    = 16, 24
	tilesOutRow, tilesOutPixel  = 32, 40
	tilesInStep, tilesOutStep   = 48, 56
	tilesCount, tilesVecs       = 64, 72
	tilesBias, tilesLow         = 80, 88
	frame                       = 100 // loads and stores from this number on are of the function's frame
	mostSpilled, spilledLargest = 16, 32
)

// body is the transform's steps. Loads and stores are numbered row by row. With spills what lies between rows and columns is kept in
// the frame.
func (t *transform) body(spills bool) *body {
	b := newBody(&operation{body: func(*body) {}})
	between := make([][]val, t.out)
	for i := range t.in {
		x := make([]val, t.in)
		for j := range x {
			x[j] = b.emit("load", i*t.in+j)
		}
		for j, v := range t.line(b, x) {
			if between[j] = append(between[j], v); spills {
				b.emit("store", frame+i*t.out+j, v)
			}
		}
	}
	var top []val
	for j, x := range between {
		for i := range x {
			if spills {
				x[i] = b.emit("load", frame+i*t.out+j)
			}
		}
		for i, v := range t.line(b, x) {
			if t.largest {
				if top = append(top, v); len(top) < t.out*t.out {
					continue
				}
				i, j = 0, 0
				v = b.max(b.max(top[0], top[1]), b.max(top[2], top[3]))
			}
			if t.add {
				v = b.add(b.emit("there", i*t.out+j), v)
			}
			if t.bound {
				v = b.max(b.emit("low", 0), b.add(v, b.emit("bias", 0)))
			}
			b.emit("store", i*t.out+j, v)
		}
	}
	return b
}

// places is a machine whose loads and stores are a tile's.
type places interface {
	target
	// goOn jumps to the transform of a number.
	goOn(s *text)
	// open begins the loops over tiles and vectors, close ends them.
	open(s *text)
	close(s *text)
	// place does a load or store of the input's, or the output's, place in a line; unless it is found already, its address is found from
	// that before.
	place(s *text, load, output, found bool, line, at, reg int)
	spill(s *text, load bool, slot, reg int)
	// fixed is the bias, or the lower bound.
	fixed(s *text, bias bool, reg int)
}

// onTiles is the machine as a lowerer's target.
type onTiles struct {
	places
	t *transform
}

func (o onTiles) step(s *text, i instr, to int, args []int) {
	load := i.op == "load"
	switch {
	case load && i.n >= frame, i.op == "store" && i.n >= frame:
		if !load {
			to = args[0]
		}
		o.spill(s, load, i.n-frame, to)
	case load:
		o.place(s, true, false, false, i.n/o.t.in, i.n%o.t.in, to)
	case i.op == "store", i.op == "there":
		// Where something is there, its address has been found for it.
		found := i.op == "store" && o.t.add
		if i.op == "store" {
			to = args[0]
		}
		o.place(s, i.op == "there", true, found, i.n%o.t.out, i.n/o.t.out, to)
	case i.op == "bias", i.op == "low":
		o.fixed(s, i.op == "bias", to)
	default:
		o.places.step(s, i, to, args)
	}
}

// transformKernels writes all transforms, and the function that goes on to one of them by its number.
func transformKernels(s, stubs *text, p places) {
	list := transforms()
	name := "winograd" + p.prefix()
	stubs.say("//go:noescape\nfunc %s(t Transform, a *Tiles)\n", name)
	for i, t := range list {
		s.say("DATA transforms%s<>+%d(SB)/8, $%s_%s<>(SB)", p.prefix(), 8*i, name, t.name)
	}
	s.say("GLOBL transforms%s<>(SB), RODATA, $%d\n", p.prefix(), 8*len(list))
	s.say("// func %s(t Transform, a *Tiles)\nTEXT ·%s(SB), NOSPLIT, $0-16", name, name)
	p.goOn(s)
	for i := range list {
		t := &list[i]
		if !lowerTransform(s, p, t, name+"_"+t.name, false) && !lowerTransform(s, p, t, name+"_"+t.name, true) {
			panic(name + t.name + ": too few registers")
		}
	}
}

func lowerTransform(s *text, p places, t *transform, name string, spills bool) bool {
	o := onTiles{p, t}
	l := &lowerer{t: o, b: t.body(spills), regs: map[val]int{}, last: map[val]int{}, pinned: map[val]bool{}}
	for r := p.registers() - 1; r >= 0; r-- {
		l.free = append(l.free, r)
	}
	for i, x := range l.b.list {
		for _, v := range x.args {
			l.last[v] = i
		}
	}
	var w text
	size := 0
	if spills {
		size = mostSpilled * spilledLargest
	}
	w.say("// %s transforms %s.\nTEXT %s<>(SB), NOSPLIT, $%d-16", name, t.doc, name, size)
	p.open(&w)
	for i, x := range l.b.list {
		if !l.step(&w, i, x, nil) {
			return false
		}
	}
	p.close(&w)
	s.Write(w.Bytes())
	return true
}

// The tile's addresses: SI and DI are the first pixels of a vector's, BX and R13 one pixel and three of the input, R8 its row; R9 and
// R11 are one row and three of the output, DX its pixel; R14 is the bias.
func (m *x86) open(s *text) {
	s.say("\tMOVQ a+8(FP), AX\n\tMOVQ %d(AX), R8\n\tMOVQ %d(AX), BX\n\tMOVQ %d(AX), R9\n\tMOVQ %d(AX), DX", tilesInRow, tilesInPixel, tilesOutRow, tilesOutPixel)
	s.say("\tLEAQ (BX)(BX*2), R13\n\tLEAQ (R9)(R9*2), R11")
	s.say("tile:\n\tMOVQ %d(AX), SI\n\tMOVQ %d(AX), DI\n\tMOVQ %d(AX), CX\n\tMOVQ %d(AX), R14\nvector:", tilesIn, tilesOut, tilesVecs, tilesBias)
}

func (m *x86) close(s *text) {
	s.say("\tADDQ $%d, SI\n\tADDQ $%d, DI\n\tADDQ $%d, R14\n\tDECQ CX\n\tJNZ vector", m.width(), m.width(), m.width())
	s.say("\tMOVQ %d(AX), R12\n\tADDQ R12, %d(AX)\n\tMOVQ %d(AX), R12\n\tADDQ R12, %d(AX)", tilesInStep, tilesIn, tilesOutStep, tilesOut)
	s.say("\tDECQ %d(AX)\n\tJNZ tile\n\tVZEROUPPER\n\tRET\n", tilesCount)
}

func (m *x86) place(s *text, load, output, found bool, line, at, reg int) {
	first, move, one, three := "SI", "R8", "BX", "R13"
	if output {
		first, move, one, three = "DI", "DX", "R9", "R11"
	}
	switch {
	case found || at > 0:
	case line == 0:
		s.say("\tMOVQ %s, R12", first)
	default:
		s.say("\tADDQ %s, R12", move)
	}
	address := []string{"(R12)", "(R12)(" + one + "*1)", "(R12)(" + one + "*2)", "(R12)(" + three + "*1)"}[at]
	if load {
		s.say("\tVMOVUPS %s, %s", address, m.v(reg))
	} else {
		s.say("\tVMOVUPS %s, %s", m.v(reg), address)
	}
}

func (m *x86) spill(s *text, load bool, slot, reg int) {
	if load {
		s.say("\tVMOVUPS slots-%d(SP), %s", mostSpilled*spilledLargest-slot*m.width(), m.v(reg))
	} else {
		s.say("\tVMOVUPS %s, slots-%d(SP)", m.v(reg), mostSpilled*spilledLargest-slot*m.width())
	}
}

func (m *x86) fixed(s *text, bias bool, reg int) {
	if bias {
		s.say("\tVMOVUPS (R14), %s", m.v(reg))
	} else {
		s.say("\tVBROADCASTSS %d(AX), %s", tilesLow, m.v(reg))
	}
}

// The tile's addresses: R0 and R1 are the first pixels of a vector's, R2 and R3 the input's row and pixel, R4 and R5 the output's; R11
// is the bias.
func (m *arm) open(s *text) {
	s.say("\tMOVD a+8(FP), R10\n\tMOVD %d(R10), R2\n\tMOVD %d(R10), R3\n\tMOVD %d(R10), R4\n\tMOVD %d(R10), R5", tilesInRow, tilesInPixel, tilesOutRow, tilesOutPixel)
	s.say("\tMOVD %d(R10), R12\n\tMOVD %d(R10), R13\n\tMOVD %d(R10), R9", tilesIn, tilesOut, tilesCount)
	s.say("tile:\n\tMOVD R12, R0\n\tMOVD R13, R1\n\tMOVD %d(R10), R8\n\tMOVD %d(R10), R11\nvector:", tilesVecs, tilesBias)
}

func (m *arm) close(s *text) {
	s.say("\tADD $16, R0, R0\n\tADD $16, R1, R1\n\tADD $16, R11, R11\n\tSUBS $1, R8, R8\n\tBNE vector")
	s.say("\tMOVD %d(R10), R6\n\tADD R6, R12, R12\n\tMOVD %d(R10), R6\n\tADD R6, R13, R13\n\tSUBS $1, R9, R9\n\tBNE tile\n\tRET\n", tilesInStep, tilesOutStep)
}

func (m *arm) place(s *text, load, output, found bool, line, at, reg int) {
	first, move, one := "R0", "R2", "R3"
	if output {
		first, move, one = "R1", "R5", "R4"
	}
	switch {
	case found:
	case at == 0 && line == 0:
		s.say("\tMOVD %s, R6\n\tMOVD R6, R7", first)
	case at == 0:
		s.say("\tADD %s, R6, R6\n\tMOVD R6, R7", move)
	default:
		s.say("\tADD %s, R7, R7", one)
	}
	if load {
		s.say("\tVLD1 (R7), [V%d.S4]", reg)
	} else {
		s.say("\tVST1 [V%d.S4], (R7)", reg)
	}
}

func (m *arm) spill(*text, bool, int, int) { panic("32 registers are enough") }

func (m *arm) fixed(s *text, bias bool, reg int) {
	if bias {
		s.say("\tVLD1 (R11), [V%d.S4]", reg)
	} else {
		s.say("\tMOVD $%d(R10), R14\n\tVLD1R (R14), [V%d.S4]", tilesLow, reg)
	}
}

func (m *x86) goOn(s *text) {
	s.say("\tMOVQ t+0(FP), AX\n\tLEAQ transforms%s<>(SB), BX\n\tMOVQ (BX)(AX*8), AX\n\tJMP AX\n", m.name)
}

func (m *arm) goOn(s *text) {
	s.say("\tMOVD t+0(FP), R0\n\tMOVD $transformsNEON<>(SB), R1\n\tMOVD (R1)(R0<<3), R0\n\tJMP (R0)\n")
}
