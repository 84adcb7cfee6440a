package kernel

import "golang.org/x/sys/cpu"

var (
	avx512Set = Set{Name: "avx512", kind: avx512, Lanes: 16, half: 8, Block: 32, Groups: 2, Masks: true, OuterRows: [3]int{12, 8, 4}, peakFMAs: 24 * 16}
	avx2Set   = Set{Name: "avx2", kind: avx2, Lanes: 8, Block: 16, Groups: 1, OuterRows: [3]int{6, 4, 2}, peakFMAs: 12 * 8}
)

// machineSets asks the processor, and the system whether it keeps the registers.
func machineSets() []*Set {
	var list []*Set
	x := &cpu.X86
	if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX2 && x.HasFMA {
		list = append(list, &avx512Set)
	}
	if x.HasAVX2 && x.HasFMA {
		list = append(list, &avx2Set)
	}
	return list
}

func (s *Set) tile(groups int, half bool, a *Tile) {
	switch {
	case s.kind == avx2 && half:
		tileAVX2_1x1(a)
	case s.kind == avx2:
		tileAVX2_1x2(a)
	case groups == 1 && half:
		tileAVX512_1x1(a)
	case groups == 1:
		tileAVX512_1x2(a)
	case half:
		tileAVX512_2x1(a)
	default:
		tileAVX512_2x2(a)
	}
}

func (s *Set) outer(rows int, half bool, a *Outer) {
	if s.kind == avx2 {
		outerAVX2(rows, half, a)
		return
	}
	switch {
	case rows == 4 && half:
		outerAVX512_4x1(a)
	case rows == 4:
		outerAVX512_4x2(a)
	case rows == 8 && half:
		outerAVX512_8x1(a)
	case rows == 8:
		outerAVX512_8x2(a)
	case half:
		outerAVX512_12x1(a)
	default:
		outerAVX512_12x2(a)
	}
}

func outerAVX2(rows int, half bool, a *Outer) {
	switch {
	case rows == 2 && half:
		outerAVX2_2x1(a)
	case rows == 2:
		outerAVX2_2x2(a)
	case rows == 4 && half:
		outerAVX2_4x1(a)
	case rows == 4:
		outerAVX2_4x2(a)
	case half:
		outerAVX2_6x1(a)
	default:
		outerAVX2_6x2(a)
	}
}

func (s *Set) columns(op Op, a *Columns) {
	if s.kind == avx2 {
		columnsAVX2(op, a)
		return
	}
	columnsAVX512(op, a)
}

func (s *Set) peak(turns int) {
	switch s.kind {
	case avx512:
		peakAVX512(&turns)
	case avx2:
		peakAVX2(&turns)
	default:
		peakPlain(turns)
	}
}

func (s *Set) prefetch(a *lines) {
	if s.kind != plain {
		prefetchAVX2(a)
	}
}

func (s *Set) dropout(a *Dropout) {
	if s.kind == avx2 {
		dropoutAVX2(a)
		return
	}
	dropoutAVX512(a)
}

func (s *Set) transform(t Transform, lanes int, a *Tiles) {
	if lanes == 16 {
		winogradAVX512(t, a)
		return
	}
	winogradAVX2(t, a)
}
