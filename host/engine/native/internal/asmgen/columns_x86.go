package main

import "slices"

var x86Streams = []string{"SI", "DI", "BX", "DX", "R8", "R9", "R10"}

// literals are a machine's, in the order of their first use.
var literals = map[string]*[]uint32{}

func literalAt(machine string, bits uint32) int {
	list, ok := literals[machine]
	if !ok {
		list = new([]uint32)
		literals[machine] = list
	}
	i := slices.Index(*list, bits)
	if i < 0 {
		i = len(*list)
		*list = append(*list, bits)
	}
	return 4 * i
}

func writeLiterals(s *text, machine string) {
	list := *literals[machine]
	for i, bits := range list {
		s.say("DATA literals%s<>+%d(SB)/4, $%#08x", machine, 4*i, bits)
	}
	s.say("GLOBL literals%s<>(SB), RODATA|NOPTR, $%d", machine, 4*len(list))
}

func (m *x86) width() int     { return m.lanes * 4 }
func (m *x86) registers() int { return m.regs - 1 } // the last is a spare one
func (m *x86) prefix() string { return m.name }

func (m *x86) begin(s *text, o *operation) {
	s.say("\tMOVQ a+8(FP), AX\n\tMOVQ $0, %d(AX)\n\tMOVQ %d(AX), R12", columnsAt, columnsConsts)
}

func (m *x86) atVec(s *text, o *operation) {
	s.say("\tMOVQ %d(AX), R11\n\tMOVQ %d(AX), CX", columnsAt, columnsRows)
	for _, i := range rowStreams(o) {
		s.say("\tMOVQ %d(AX), %s\n\tADDQ R11, %s", columnsPtr+8*i, x86Streams[i], x86Streams[i])
	}
}

func (m *x86) channel(s *text, stream, reg int, store bool) {
	if store {
		s.say("\tMOVQ %d(AX), R13\n\tVMOVUPS %s, (R13)(R11*1)", columnsPtr+8*stream, m.v(reg))
		return
	}
	s.say("\tMOVQ %d(AX), R13\n\tVMOVUPS (R13)(R11*1), %s", columnsPtr+8*stream, m.v(reg))
}

func (m *x86) nextRow(s *text, o *operation) {
	for _, i := range rowStreams(o) {
		s.say("\tADDQ %d(AX), %s", columnsStride+8*i, x86Streams[i])
	}
}

func (m *x86) loop(s *text, label string, rows int) {
	s.say("\tSUBQ $%d, CX\n\tJLT %sEnd\n%s:", rows, label, label)
}

func (m *x86) again(s *text, label string, rows int) {
	s.say("\tSUBQ $%d, CX\n\tJGE %s\n%sEnd:\n\tADDQ $%d, CX", rows, label, label, rows)
}

func (m *x86) ret(s *text) {
	s.say("\tADDQ $%d, %d(AX)\n\tDECQ %d(AX)\n\tJNZ vector\n\tVZEROUPPER\n\tRET\n", m.width(), columnsAt, columnsVecs)
}

func (m *x86) dispatch(s *text) {
	s.say("\tMOVQ op+0(FP), AX\n\tLEAQ operations%s<>(SB), BX\n\tMOVQ (BX)(AX*8), AX\n\tJMP AX\n", m.name)
}

func (m *x86) finish(s *text) { writeLiterals(s, m.name) }

func (m *x86) destructive(op string) int {
	switch {
	case op == "fma" || op == "fnma":
		return 2
	case op == "choose" && m.reg == "Z":
		return 0
	}
	return -1
}

func (m *x86) step(s *text, i instr, to int, args []int) {
	v := func(k int) string { return m.v(args[k]) }
	d, spare := m.v(to), m.v(m.regs-1)
	three := func(name string) { s.say("\t%s %s, %s, %s", name, v(1), v(0), d) }
	compare := func(kind int) {
		if m.reg == "Z" {
			s.say("\tVCMPPS $%d, %s, %s, K1\n\tVPMOVM2D K1, %s", kind, v(1), v(0), d)
		} else {
			s.say("\tVCMPPS $%d, %s, %s, %s", kind, v(1), v(0), d)
		}
	}
	switch i.op {
	case "zero":
		m.zero(s, to)
	case "copy":
		s.say("\tVMOVAPS %s, %s", v(0), d)
	case "load":
		s.say("\tVMOVUPS (%s), %s", x86Streams[i.n], d)
	case "store":
		s.say("\tVMOVUPS %s, (%s)", v(0), x86Streams[i.n])
	case "literal":
		s.say("\tVBROADCASTSS literals%s<>+%d(SB), %s", m.name, literalAt(m.name, i.bits), d)
	case "const":
		s.say("\tVBROADCASTSS %d(R12), %s", 4*i.n, d)
	case "add":
		three("VADDPS")
	case "sub":
		three("VSUBPS")
	case "mul":
		three("VMULPS")
	case "div":
		three("VDIVPS")
	case "max":
		three("VMAXPS")
	case "min":
		three("VMINPS")
	case "fma":
		s.say("\tVFMADD231PS %s, %s, %s", v(1), v(0), d)
	case "fnma":
		s.say("\tVFNMADD231PS %s, %s, %s", v(1), v(0), d)
	case "sqrt":
		s.say("\tVSQRTPS %s, %s", v(0), d)
	case "round":
		s.say("\t%s $8, %s, %s", map[string]string{"Z": "VRNDSCALEPS", "Y": "VROUNDPS"}[m.reg], v(0), d)
	case "pow2":
		s.say("\tVCVTPS2DQ %s, %s\n\tVPADDD %s, %s, %s\n\tVPSLLD $23, %s, %s", v(0), spare, v(1), spare, spare, spare, d)
	case "greater":
		compare(30)
	case "equal":
		compare(0)
	case "keep":
		three("VANDPS")
	case "choose":
		if m.reg == "Z" {
			s.say("\tVPTERNLOGD $0xca, %s, %s, %s", v(2), v(1), d)
		} else {
			s.say("\tVBLENDVPS %s, %s, %s, %s", v(0), v(1), v(2), d)
		}
	case "sum":
		s.say("\tVADDPS %s, %s, %s", v(0), d, d)
	case "dot":
		s.say("\tVFMADD231PS %s, %s, %s", v(1), v(0), d)
	case "top":
		s.say("\tVMAXPS %s, %s, %s", v(0), d, d)
	default:
		panic(i.op)
	}
}
