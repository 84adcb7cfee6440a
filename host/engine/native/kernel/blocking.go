package kernel

// Blocking is how channels are divided into the blocks that kernels compute; the last one may be half as wide.
type Blocking struct{ Channels, Block int }

// Blocking divides so many channels.
func (s *Set) Blocking(channels int) Blocking { return Blocking{channels, s.Block} }

// Count is how many blocks there are.
func (b Blocking) Count() int { return (b.Channels + b.Block - 1) / b.Block }

// Width is how many channels the kernels of a block compute, Valid how many of them exist.
func (b Blocking) Width(block int) int {
	if 2*(b.Channels-block*b.Block) <= b.Block {
		return b.Block / 2
	}
	return b.Block
}

// Valid is how many of a block's channels exist.
func (b Blocking) Valid(block int) int { return min(b.Width(block), b.Channels-block*b.Block) }

// Padded is how many channels all blocks compute.
func (b Blocking) Padded() int { return (b.Count()-1)*b.Block + b.Width(b.Count()-1) }

// OuterTiles divides so many rows into those that an Outer may have, and tells how many these are in all.
func (s *Set) OuterTiles(count int) (list []int, all int) {
	for rest := count; rest > 0; {
		rows := s.OuterRows[0]
		for _, r := range s.OuterRows {
			if r >= rest {
				rows = r
			}
		}
		list = append(list, rows)
		all += rows
		rest -= rows
	}
	return list, all
}
