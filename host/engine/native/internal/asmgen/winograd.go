package main

import "fmt"

// transform is one of Winograd's: a linear map of lines of in values to lines of out values, done to a tile's rows and then to its
// columns, [in, in] to [out, out], for a vector of channels at once. Matrices are those of F(2x2, 3x3): Lavin and Gray 2016.
type transform struct {
	name, doc string
	in, out   int
	line      func(b *body, x []val) []val
	bound     bool // a bias is added, and a lower bound applied
	add       bool // to what is there
	largest   bool // of all outputs is the one
}

var transforms = []transform{
	{name: "Input", doc: "an input's tile: B'xB", in: 4, out: 4, line: func(b *body, x []val) []val {
		return []val{b.sub(x[0], x[2]), b.add(x[1], x[2]), b.sub(x[2], x[1]), b.sub(x[1], x[3])}
	}},
	{name: "Filter", doc: "a filter: GwG'", in: 3, out: 4, line: func(b *body, x []val) []val {
		ends := b.add(x[0], x[2])
		half := b.lit(0.5)
		return []val{x[0], b.mul(b.add(ends, x[1]), half), b.mul(b.sub(ends, x[1]), half), x[2]}
	}},
	{name: "Output", doc: "an output's tile: A'mA", in: 4, out: 2, bound: true, line: outputLine},
	{name: "OutputMax", doc: "an output's tile, of which the largest number is written: A'mA", in: 4, out: 2, bound: true, largest: true, line: outputLine},
	{name: "OutputAdd", doc: "an output's tile, which is added: A'mA", in: 4, out: 2, add: true, line: outputLine},
	{name: "OutputBack", doc: "the gradient of an output's tile: AyA'", in: 2, out: 4, line: func(b *body, x []val) []val {
		return []val{x[0], b.add(x[0], x[1]), b.sub(x[0], x[1]), b.sub(b.lit(0), x[1])}
	}},
	{name: "FilterBack", doc: "the gradient of a filter: G'mG", in: 4, out: 3, line: func(b *body, x []val) []val {
		sum := b.mul(b.add(x[1], x[2]), b.lit(0.5))
		return []val{b.add(x[0], sum), b.mul(b.sub(x[1], x[2]), b.lit(0.5)), b.add(sum, x[3])}
	}},
}

func outputLine(b *body, x []val) []val {
	return []val{b.add(b.add(x[0], x[1]), x[2]), b.sub(b.sub(x[1], x[2]), x[3])}
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

// transformKernels writes all transforms.
func transformKernels(s, stubs *text, p places) {
	for i := range transforms {
		t := &transforms[i]
		name := fmt.Sprintf("winograd%s_%s", p.prefix(), t.name)
		stub(stubs, name, "Tiles")
		if !lowerTransform(s, p, t, name, false) && !lowerTransform(s, p, t, name, true) {
			panic(name + ": too few registers")
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
	w.say("// func %s(a *Tiles)\n// transforms %s.\nTEXT ·%s(SB), NOSPLIT, $%d-8", name, t.doc, name, size)
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
	s.say("\tMOVQ a+0(FP), AX\n\tMOVQ %d(AX), R8\n\tMOVQ %d(AX), BX\n\tMOVQ %d(AX), R9\n\tMOVQ %d(AX), DX", tilesInRow, tilesInPixel, tilesOutRow, tilesOutPixel)
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
	s.say("\tMOVD a+0(FP), R10\n\tMOVD %d(R10), R2\n\tMOVD %d(R10), R3\n\tMOVD %d(R10), R4\n\tMOVD %d(R10), R5", tilesInRow, tilesInPixel, tilesOutRow, tilesOutPixel)
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
		s.say("\tMOVD $%d(R10), R7\n\tVLD1R (R7), [V%d.S4]", tilesLow, reg)
	}
}
