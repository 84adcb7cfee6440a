package main

var (
	armStreams = []string{"R0", "R1", "R2", "R3", "R4", "R5", "R6"}
	armStrides = []string{"R7", "R8", "R9", "R11", "R12", "R13", "R14"}
)

func (m *arm) width() int     { return 16 }
func (m *arm) registers() int { return 31 } // the last is a spare one
func (m *arm) prefix() string { return "NEON" }

func (m *arm) begin(s *text, o *operation) {
	s.say("\tMOVD a+8(FP), R10\n\tMOVD $0, R16\n\tMOVD %d(R10), R17\n\tMOVD %d(R10), R20", columnsVecs, columnsConsts)
	for _, i := range rowStreams(o) {
		s.say("\tMOVD %d(R10), %s", columnsStride+8*i, armStrides[i])
	}
}

func (m *arm) atVec(s *text, o *operation) {
	s.say("\tMOVD %d(R10), R15", columnsRows)
	for _, i := range rowStreams(o) {
		s.say("\tMOVD %d(R10), %s\n\tADD R16, %s, %s", columnsPtr+8*i, armStreams[i], armStreams[i], armStreams[i])
	}
}

func (m *arm) channel(s *text, stream, reg int, store bool) {
	s.say("\tMOVD %d(R10), R19\n\tADD R16, R19, R19", columnsPtr+8*stream)
	if store {
		s.say("\tVST1 [V%d.S4], (R19)", reg)
		return
	}
	s.say("\tVLD1 (R19), [V%d.S4]", reg)
}

func (m *arm) nextRow(s *text, o *operation) {
	for _, i := range rowStreams(o) {
		s.say("\tADD %s, %s, %s", armStrides[i], armStreams[i], armStreams[i])
	}
}

func (m *arm) loop(s *text, label string, rows int) {
	s.say("\tSUBS $%d, R15, R15\n\tBLT %sEnd\n%s:", rows, label, label)
}

func (m *arm) again(s *text, label string, rows int) {
	s.say("\tSUBS $%d, R15, R15\n\tBGE %s\n%sEnd:\n\tADD $%d, R15, R15", rows, label, label, rows)
}

func (m *arm) ret(s *text) {
	s.say("\tADD $%d, R16, R16\n\tSUBS $1, R17, R17\n\tBNE vector\n\tRET\n", m.width())
}

func (m *arm) dispatch(s *text) {
	s.say("\tMOVD op+0(FP), R0\n\tMOVD $operationsNEON<>(SB), R1\n\tMOVD (R1)(R0<<3), R0\n\tJMP (R0)\n")
}

func (m *arm) finish(s *text) { writeLiterals(s, "NEON") }

func (m *arm) destructive(op string) int {
	switch op {
	case "fma", "fnma":
		return 2
	case "choose":
		return 0
	}
	return -1
}

// armThree are the instructions of two arguments.
var armThree = map[string]uint32{"add": fadd, "sub": fsub, "mul": fmul, "div": fdiv, "max": fmax, "min": fmin, "keep": vand,
	"greater": fcmgt, "equal": fcmeq, "choose": bsl}

func (m *arm) step(s *text, i instr, to int, args []int) {
	two := func(code uint32, from, to int) { s.say("\tWORD $%#x", code|uint32(from)<<5|uint32(to)) }
	switch i.op {
	case "zero":
		m.zero(s, to)
	case "copy":
		s.say("\tVMOV V%d.B16, V%d.B16", args[0], to)
	case "load":
		s.say("\tVLD1 (%s), [V%d.S4]", armStreams[i.n], to)
	case "store":
		s.say("\tVST1 [V%d.S4], (%s)", args[0], armStreams[i.n])
	case "literal":
		s.say("\tMOVD $literalsNEON<>+%d(SB), R19\n\tVLD1R (R19), [V%d.S4]", literalAt("NEON", i.bits), to)
	case "const":
		s.say("\tADD $%d, R20, R19\n\tVLD1R (R19), [V%d.S4]", 4*i.n, to)
	case "fma":
		s.say("\tVFMLA V%d.S4, V%d.S4, V%d.S4", args[1], args[0], to)
	case "fnma":
		s.say("\tVFMLS V%d.S4, V%d.S4, V%d.S4", args[1], args[0], to)
	case "sqrt":
		two(fsqrt, args[0], to)
	case "round":
		two(frintn, args[0], to)
	case "pow2":
		two(fcvtns, args[0], 31)
		m.three(s, vadd, 31, args[1], 31)
		two(shl23, 31, to)
	case "choose":
		m.three(s, bsl, args[1], args[2], to)
	case "sum":
		m.three(s, fadd, to, args[0], to)
	case "dot":
		s.say("\tVFMLA V%d.S4, V%d.S4, V%d.S4", args[1], args[0], to)
	case "top":
		m.three(s, fmax, to, args[0], to)
	default:
		code, ok := armThree[i.op]
		if !ok {
			panic(i.op)
		}
		m.three(s, code, args[0], args[1], to)
	}
}
