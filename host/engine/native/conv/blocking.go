package conv

// blocking is how channels are divided into the blocks that kernels compute; the last one may be half as wide.
type blocking struct{ channels, block int }

func (b blocking) count() int { return (b.channels + b.block - 1) / b.block }

// width is how many channels the kernels of a block compute, valid how many of them exist.
func (b blocking) width(block int) int {
	if 2*(b.channels-block*b.block) <= b.block {
		return b.block / 2
	}
	return b.block
}

func (b blocking) valid(block int) int { return min(b.width(block), b.channels-block*b.block) }

// padded is how many channels all blocks compute.
func (b blocking) padded() int { return (b.count()-1)*b.block + b.width(b.count()-1) }
