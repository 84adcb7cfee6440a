package main

import (
	"fmt"
	"strings"
)

// arm is NEON: 32 vectors of 4.
type arm struct {
	tiles []shape
	outer []shape
}

var neon = &arm{[]shape{{1, 2}, {1, 4}}, []shape{{2, 2}, {4, 2}, {6, 2}, {2, 4}, {4, 4}, {6, 4}}}

func (m *arm) kernels(s, stubs *text) {
	for _, t := range m.tiles {
		name := fmt.Sprintf("tileNEON_%dx%d", t.rows, t.vecs)
		stub(stubs, name, "Tile")
		m.tile(s, name, t)
	}
	for _, t := range m.outer {
		name := fmt.Sprintf("outerNEON_%dx%d", t.rows, t.vecs)
		stub(stubs, name, "Outer")
		m.outerTile(s, name, t)
	}
	m.peak(s)
	stub(stubs, "peakNEON", "int")
	s.function("prefetchNEON", "asks for cache lines side by side.", "lines")
	s.say("\tMOVD a+0(FP), R0\n\tMOVD (R0), R1\n\tMOVD 8(R0), R2\nline:\n\tPRFM (R1), PLDL1KEEP\n\tADD $64, R1, R1\n\tSUBS $1, R2, R2\n\tBNE line\n\tRET\n")
	stub(stubs, "prefetchNEON", "lines")
	transformKernels(s, stubs, m)
	columnKernels(s, stubs, m)
}

// vectors names neighbouring registers for loads and stores.
func vectors(first, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("V%d.S4", first+i)
	}
	return "[" + strings.Join(list, ", ") + "]"
}

func (m *arm) zero(s *text, i int) { s.say("\tVEOR V%d.B16, V%d.B16, V%d.B16", i, i, i) }

// three is an instruction of three vectors that Go's assembler has no name for.
func (m *arm) three(s *text, code uint32, a, b, to int) {
	s.say("\tWORD $%#x", code|uint32(b)<<16|uint32(a)<<5|uint32(to))
}

const (
	fadd  = 0x4e20d400
	fsub  = 0x4ea0d400
	fmul  = 0x6e20dc00
	fdiv  = 0x6e20fc00
	fmax  = 0x4e20f400
	fmin  = 0x4ea0f400
	fcmgt = 0x6ea0e400
	fcmge = 0x6e20e400
	fcmeq = 0x4e20e400
	bsl   = 0x6e601c00
	vadd  = 0x4ea08400
	vsub  = 0x6ea08400
	vand  = 0x4e201c00
	vorr  = 0x4ea01c00
	veor  = 0x6e201c00
	// Of two vectors.
	fsqrt  = 0x6ea1f800
	frintn = 0x4e218800
	fcvtns = 0x4e21a800
	shl23  = 0x4f375400
	sshr1  = 0x4f3f0400
)

func (m *arm) peak(s *text) {
	s.function("peakNEON", "does 24 independent multiply-adds of vectors, *a times.", "int")
	s.say("\tMOVD a+0(FP), R0\n\tMOVD (R0), R1")
	for i := range 32 {
		m.zero(s, i)
	}
	s.say("turn:")
	for i := range 24 {
		s.say("\tVFMLA V24.S4, V25.S4, V%d.S4", i)
	}
	s.say("\tSUBS $1, R1, R1\n\tBNE turn\n\tRET\n")
}

// tile is 6 pixels by vectors of output channels. R10 holds the arguments, R0 to R5 walk through the pixels, R6 through the
// weights, R9 through the spans.
func (m *arm) tile(s *text, name string, t shape) {
	weights := groupPixels * t.vecs
	s.function(name, fmt.Sprintf("computes tiles of %d group of pixels by %d vectors of channels.", t.rows, t.vecs), "Tile")
	s.say("\tMOVD a+0(FP), R10\n\tMOVD %d(R10), R11\n\tMOVD %d(R10), R12", tileInPixel, tileOutPixel)
	s.say("\tMOVD %d(R10), R13\n\tMOVD %d(R10), R14\n\tMOVD %d(R10), R15", tileIn, tileOut, tileCount)
	s.say("tile:")
	for i := range weights {
		m.zero(s, i)
	}
	s.say("\tMOVD %d(R10), R6\n\tMOVD %d(R10), R9\n\tMOVD %d(R10), R8", tileW, tileSpans, tileNSpans)
	s.say("span:\n\tMOVD (R9), R0\n\tMOVD 8(R9), R7\n\tADD $16, R9, R9\n\tADD R13, R0, R0")
	for p := 1; p < groupPixels; p++ {
		s.say("\tADD R11, R%d, R%d", p-1, p)
	}
	s.say("one:\n\tVLD1.P %d(R6), %s", 16*t.vecs, vectors(weights, t.vecs))
	for p := range groupPixels {
		x := weights + t.vecs + p%4
		s.say("\tVLD1R.P 4(R%d), [V%d.S4]", p, x)
		for v := range t.vecs {
			s.say("\tVFMLA V%d.S4, V%d.S4, V%d.S4", x, weights+v, p*t.vecs+v)
		}
	}
	s.say("\tSUBS $1, R7, R7\n\tBNE one\n\tSUBS $1, R8, R8\n\tBNE span")
	s.say("\tMOVD $%d(R10), R0\n\tVLD1R (R0), [V31.S4]", tileLow)
	s.say("\tMOVD %d(R10), R1\n\tMOVD R14, R2\n\tMOVD %d(R10), R3\n\tCBNZ R3, add", tileBias, tileAdd)
	for _, from := range []string{"R1", "R2"} {
		if from == "R2" {
			s.say("\tB stored\nadd:")
		}
		for p := range groupPixels {
			s.say("\tVLD1 (%s), %s", from, vectors(weights, t.vecs))
			for v := range t.vecs {
				m.three(s, fadd, weights+v, p*t.vecs+v, p*t.vecs+v)
				m.three(s, fmax, p*t.vecs+v, 31, p*t.vecs+v)
			}
			s.say("\tVST1 %s, (R2)\n\tADD R12, R2, R2", vectors(p*t.vecs, t.vecs))
		}
	}
	s.say("stored:\n\tMOVD %d(R10), R0\n\tADD R0, R13, R13\n\tMOVD %d(R10), R0\n\tADD R0, R14, R14", tileInStep, tileOutStep)
	s.say("\tSUBS $1, R15, R15\n\tBNE tile\n\tRET\n")
}

// outerTile sums products along pixels: rows of a by vectors of b.
func (m *arm) outerTile(s *text, name string, t shape) {
	n := t.rows * t.vecs
	s.function(name, fmt.Sprintf("sums products of %d values of a and %d vectors of b.", t.rows, t.vecs), "Outer")
	s.say("\tMOVD a+0(FP), R10\n\tMOVD %d(R10), R11\n\tMOVD %d(R10), R12\n\tMOVD %d(R10), R8", outerAPixel, outerBPixel, outerRows)
	s.say("\tMOVD %d(R10), R13\n\tMOVD %d(R10), R14\n\tMOVD %d(R10), R15\n\tMOVD %d(R10), R16", outerA, outerB, outerARow, outerBRow)
	for i := range n {
		m.zero(s, i)
	}
	s.say("row:\n\tMOVD R13, R0\n\tMOVD R14, R6\n\tMOVD %d(R10), R7\npixel:", outerPixels)
	s.say("\tVLD1 (R6), %s\n\tADD R12, R6, R6\n\tMOVD R0, R1", vectors(n, t.vecs))
	for r := range t.rows {
		x := n + t.vecs + r%4
		s.say("\tVLD1R.P 4(R1), [V%d.S4]", x)
		for v := range t.vecs {
			s.say("\tVFMLA V%d.S4, V%d.S4, V%d.S4", x, n+v, r*t.vecs+v)
		}
	}
	s.say("\tADD R11, R0, R0\n\tSUBS $1, R7, R7\n\tBNE pixel\n\tADD R15, R13, R13\n\tADD R16, R14, R14\n\tSUBS $1, R8, R8\n\tBNE row")
	s.say("\tMOVD %d(R10), R0\n\tMOVD %d(R10), R1\n\tMOVD %d(R10), R2\n\tCBZ R2, store\n\tMOVD R0, R3", outerC, outerCRow, outerAdd)
	for r := range t.rows {
		s.say("\tVLD1 (R3), %s\n\tADD R1, R3, R3", vectors(n, t.vecs))
		for v := range t.vecs {
			m.three(s, fadd, n+v, r*t.vecs+v, r*t.vecs+v)
		}
	}
	s.say("store:")
	for r := range t.rows {
		s.say("\tVST1 %s, (R0)\n\tADD R1, R0, R0", vectors(r*t.vecs, t.vecs))
	}
	s.say("\tRET\n")
}
