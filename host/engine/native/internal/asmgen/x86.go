package main

import "fmt"

// x86 is AVX-512 or AVX2 with FMA.
type x86 struct {
	name  string
	reg   string // of vectors: Z or Y
	lanes int
	regs  int
	tiles []shape // of products along channels
	outer []shape // of products along pixels
}

// shape is a tile's: groups of pixels or rows, by vectors.
type shape struct{ rows, vecs int }

var (
	avx512 = &x86{"AVX512", "Z", 16, 32, []shape{{1, 1}, {1, 2}, {2, 1}, {2, 2}}, []shape{{4, 1}, {8, 1}, {12, 1}, {4, 2}, {8, 2}, {12, 2}}}
	avx2   = &x86{"AVX2", "Y", 8, 16, []shape{{1, 1}, {1, 2}}, []shape{{2, 1}, {4, 1}, {6, 1}, {2, 2}, {4, 2}, {6, 2}}}
)

// groupPixels is how many neighbouring pixels one address reaches: multiples of 1, 3 and 5 strides.
const groupPixels = 6

// Offsets in kernel.Tile and kernel.Outer.
const (
	tileIn, tileOut, tileW, tileBias          = 0, 16, 32, 40
	tileSpans, tileNSpans                     = 48, 56
	tileInPixel, tileOutPixel, tileCount      = 64, 72, 80
	tileInStep, tileOutStep, tileLow, tileAdd = 88, 96, 104, 112
	tileSkip                                  = 108
	tileInAt, tileOutAt                       = 120, 128

	outerA, outerB, outerC              = 0, 8, 16
	outerRows, outerPixels              = 24, 32
	outerAPixel, outerARow              = 40, 48
	outerBPixel, outerBRow, outerCRow   = 56, 64, 72
	outerAdd                            = 80
	columnsRows, columnsVecs, columnsAt = 0, 8, 16
	columnsConsts, columnsPtr           = 24, 32
	columnsStride                       = columnsPtr + 8*maxStreams
	maxStreams                          = 8
)

func (m *x86) kernels(s, stubs *text) {
	for _, t := range m.tiles {
		name := fmt.Sprintf("tile%s_%dx%d", m.name, t.rows, t.vecs)
		stub(stubs, name, "Tile")
		m.tile(s, name, t)
	}
	for _, t := range m.outer {
		name := fmt.Sprintf("outer%s_%dx%d", m.name, t.rows, t.vecs)
		stub(stubs, name, "Outer")
		m.outerTile(s, name, t)
	}
	m.peak(s)
	stub(stubs, "peak"+m.name, "int")
	m.dropout(s, stubs)
	if m == avx512 { // every machine that has it has AVX2's
		transformKernels(s, stubs, m)
		columnKernels(s, stubs, m)
		return
	}
	s.function("prefetch"+m.name, "asks for cache lines side by side.", "lines")
	s.say("\tMOVQ a+0(FP), AX\n\tMOVQ (AX), SI\n\tMOVQ 8(AX), CX\nline:\n\tPREFETCHT0 (SI)\n\tADDQ $64, SI\n\tDECQ CX\n\tJNZ line\n\tRET\n")
	stub(stubs, "prefetch"+m.name, "lines")
	transformKernels(s, stubs, m)
	columnKernels(s, stubs, m)
}

func (m *x86) v(i int) string { return fmt.Sprintf("%s%d", m.reg, i) }

func (m *x86) zero(s *text, i int) { s.say("\tVXORPS %s, %s, %s", m.v(i), m.v(i), m.v(i)) }

// peak is nothing but multiply-adds, as many in a turn as there are independent ones.
func (m *x86) peak(s *text) {
	n := m.regs * 3 / 4
	s.function("peak"+m.name, fmt.Sprintf("does %d independent multiply-adds of vectors, *a times.", n), "int")
	s.say("\tMOVQ a+0(FP), AX\n\tMOVQ (AX), CX")
	for i := range m.regs {
		m.zero(s, i)
	}
	s.say("turn:")
	for i := range n {
		s.say("\tVFMADD231PS %s, %s, %s", m.v(n), m.v(n+1), m.v(i))
	}
	s.say("\tDECQ CX\n\tJNZ turn\n\tVZEROUPPER\n\tRET\n")
}

// tile is groups of 6 pixels by vectors of output channels. AX holds the arguments, SI and DI walk through the groups' input, BX
// through the weights, DX through the spans; R9 to R11 are 1, 3 and 5 pixels.
func (m *x86) tile(s *text, name string, t shape) {
	size := m.lanes * 4
	walk := []string{"SI", "DI"}[:t.rows]
	weights := groupPixels * t.rows * t.vecs
	s.function(name, fmt.Sprintf("computes tiles of %d groups of pixels by %d vectors of channels.", t.rows, t.vecs), "Tile")
	s.say("\tMOVQ a+0(FP), AX\n\tMOVQ %d(AX), R9\n\tLEAQ (R9)(R9*2), R10\n\tLEAQ (R9)(R9*4), R11", tileInPixel)
	s.say("\tMOVQ $0, %d(AX)\n\tMOVQ $0, %d(AX)", tileInAt, tileOutAt)
	s.say("tile:")
	for i := range weights {
		m.zero(s, i)
	}
	s.say("\tMOVQ %d(AX), BX\n\tMOVQ %d(AX), DX\n\tMOVQ %d(AX), R8", tileW, tileSpans, tileNSpans)
	s.say("span:\n\tMOVQ (DX), R12\n\tADDQ %d(AX), R12", tileInAt)
	for g, r := range walk {
		s.say("\tMOVQ %d(AX), %s\n\tADDQ R12, %s", tileIn+8*g, r, r)
	}
	step := func(k int) {
		for v := range t.vecs {
			s.say("\tVMOVUPS %d(BX), %s", (k*t.vecs+v)*size, m.v(weights+v))
		}
		for p := range groupPixels * t.rows {
			at := []string{"", "(R9*1)", "(R9*2)", "(R10*1)", "(R9*4)", "(R11*1)"}[p%groupPixels]
			spare := m.regs - weights - t.vecs
			x := m.v(weights + t.vecs + p%min(spare, 4))
			s.say("\tVBROADCASTSS %d(%s)%s, %s", 4*k, walk[p/groupPixels], at, x)
			for v := range t.vecs {
				s.say("\tVFMADD231PS %s, %s, %s", x, m.v(weights+v), m.v(p*t.vecs+v))
			}
		}
	}
	advance := func(k int) {
		for _, r := range walk {
			s.say("\tADDQ $%d, %s", 4*k, r)
		}
		s.say("\tADDQ $%d, BX", k*t.vecs*size)
	}
	s.say("\tMOVQ 8(DX), CX\n\tSUBQ $4, CX\n\tJLT rest\n\tPCALIGN $32\nfour:")
	for k := range 4 {
		step(k)
	}
	advance(4)
	s.say("\tSUBQ $4, CX\n\tJGE four\nrest:\n\tADDQ $4, CX\n\tJZ next\none:")
	step(0)
	advance(1)
	s.say("\tDECQ CX\n\tJNZ one\nnext:\n\tADDQ $16, DX\n\tDECQ R8\n\tJNZ span")
	m.tileEnd(s, t, weights)
	s.say("\tMOVQ %d(AX), R12\n\tADDQ R12, %d(AX)\n\tMOVQ %d(AX), R12\n\tADDQ R12, %d(AX)", tileInStep, tileInAt, tileOutStep, tileOutAt)
	s.say("\tDECQ %d(AX)\n\tJNZ tile\n\tVZEROUPPER\n\tRET\n", tileCount)
}

// tileEnd adds the bias or what is there already, applies the lower bound and stores: with AVX-512, the channels of the last vector that
// there are. A bound is the second operand of the maximum, so that what isn't a number stays that.
func (m *x86) tileEnd(s *text, t shape, spare int) {
	size := m.lanes * 4
	low := m.v(spare)
	masked := func(v int) (load, store string) {
		if m.reg != "Z" || v < t.vecs-1 {
			return "", ""
		}
		return "K1, ", "K1, "
	}
	if m.reg == "Z" {
		s.say("\tMOVL %d(AX), CX\n\tMOVL $0xffff, R12\n\tSHRL CX, R12\n\tKMOVW R12, K1", tileSkip)
	}
	s.say("\tVBROADCASTSS %d(AX), %s\n\tMOVQ %d(AX), R13\n\tMOVQ %d(AX), BX\n\tCMPQ %d(AX), $0\n\tJNE add", tileLow, low, tileOutPixel, tileBias, tileAdd)
	store := func(base func(p, v int) string, there bool) {
		for g := range t.rows {
			s.say("\tMOVQ %d(AX), R12\n\tADDQ %d(AX), R12", tileOut+8*g, tileOutAt)
			for p := range groupPixels {
				for v := range t.vecs {
					i := (g*groupPixels+p)*t.vecs + v
					load, store := masked(v)
					if !there {
						load = "" // the bias has all channels
					}
					s.say("\tVADDPS %s, %s, %s%s", base(p, v), m.v(i), load, m.v(i))
					s.say("\tVMAXPS %s, %s, %s", m.v(i), low, m.v(i))
					s.say("\tVMOVUPS %s, %s%d(R12)", m.v(i), store, v*size)
				}
				s.say("\tADDQ R13, R12")
			}
		}
	}
	// With 16 registers the bias is read anew for each pixel.
	store(func(_, v int) string { return fmt.Sprintf("%d(BX)", v*size) }, false)
	s.say("\tJMP stored\nadd:")
	store(func(_, v int) string { return fmt.Sprintf("%d(R12)", v*size) }, true)
	s.say("stored:")
}

// outerTile sums products along pixels: rows of a by vectors of b.
func (m *x86) outerTile(s *text, name string, t shape) {
	size := m.lanes * 4
	n := t.rows * t.vecs
	s.function(name, fmt.Sprintf("sums products of %d values of a and %d vectors of b.", t.rows, t.vecs), "Outer")
	s.say("\tMOVQ a+0(FP), AX\n\tMOVQ %d(AX), R9\n\tMOVQ %d(AX), R10\n\tMOVQ %d(AX), R8", outerAPixel, outerBPixel, outerRows)
	s.say("\tMOVQ %d(AX), R11\n\tMOVQ %d(AX), R12", outerA, outerB)
	for i := range n {
		m.zero(s, i)
	}
	s.say("row:\n\tMOVQ R11, SI\n\tMOVQ R12, BX\n\tMOVQ %d(AX), CX\n\tPCALIGN $32\npixel:", outerPixels)
	for v := range t.vecs {
		s.say("\tVMOVUPS %d(BX), %s", v*size, m.v(n+v))
	}
	for r := range t.rows {
		x := m.v(n + t.vecs + r%min(m.regs-n-t.vecs, 4))
		s.say("\tVBROADCASTSS %d(SI), %s", 4*r, x)
		for v := range t.vecs {
			s.say("\tVFMADD231PS %s, %s, %s", x, m.v(n+v), m.v(r*t.vecs+v))
		}
	}
	s.say("\tADDQ R9, SI\n\tADDQ R10, BX\n\tDECQ CX\n\tJNZ pixel")
	s.say("\tADDQ %d(AX), R11\n\tADDQ %d(AX), R12\n\tDECQ R8\n\tJNZ row", outerARow, outerBRow)
	s.say("\tMOVQ %d(AX), DI\n\tMOVQ %d(AX), R13\n\tCMPQ %d(AX), $0\n\tJEQ store", outerC, outerCRow, outerAdd)
	s.say("\tMOVQ DI, SI")
	for r := range t.rows {
		for v := range t.vecs {
			s.say("\tVADDPS %d(SI), %s, %s", v*size, m.v(r*t.vecs+v), m.v(r*t.vecs+v))
		}
		s.say("\tADDQ R13, SI")
	}
	s.say("store:")
	for r := range t.rows {
		for v := range t.vecs {
			s.say("\tVMOVUPS %s, %d(DI)", m.v(r*t.vecs+v), v*size)
		}
		s.say("\tADDQ R13, DI")
	}
	s.say("\tVZEROUPPER\n\tRET\n")
}
