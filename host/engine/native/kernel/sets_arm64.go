package kernel

var neonSet = Set{Name: "neon", kind: neon, Lanes: 4, Block: 16, Groups: 1, OuterRows: [3]int{6, 4, 2}, peakFMAs: 24 * 4}

// machineSets: every 64-bit ARM that Go runs on has NEON.
func machineSets() []*Set { return []*Set{&neonSet} }

func (s *Set) tile(_ int, half bool, a *Tile) {
	if half {
		tileNEON_1x2(a)
		return
	}
	tileNEON_1x4(a)
}

func (s *Set) outer(rows int, half bool, a *Outer) {
	switch {
	case rows == 2 && half:
		outerNEON_2x2(a)
	case rows == 2:
		outerNEON_2x4(a)
	case rows == 4 && half:
		outerNEON_4x2(a)
	case rows == 4:
		outerNEON_4x4(a)
	case half:
		outerNEON_6x2(a)
	default:
		outerNEON_6x4(a)
	}
}

func (s *Set) columns(op Op, a *Columns) { columnsNEON(op, a) }

func (s *Set) peak(turns int) {
	if s.kind == neon {
		peakNEON(&turns)
		return
	}
	peakPlain(turns)
}

func (s *Set) prefetch(a *lines) {
	if s.kind != plain {
		prefetchNEON(a)
	}
}

func (s *Set) dropout(a *Dropout) { dropoutPlain(a) }

func (s *Set) transform(t Transform, _ int, a *Tiles) { winogradNEON(t, a) }
