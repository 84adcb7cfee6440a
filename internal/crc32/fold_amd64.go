package crc32

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"

	"golang.org/x/sys/cpu"
)

const (
	block = 4 * 64  // bytes that are folded at a time: four registers
	chunk = 1 << 20 // bytes of a call of assembly, which can't be interrupted
)

var (
	wide = cpu.X86.HasAVX512F && cpu.X86.HasAVX512VPCLMULQDQ
	// What moves a lane of 128 bits over a block, its low and its high half.
	keys = [2]uint64{power(8*block + 32), power(8*block - 32)}
)

// power is x^n modulo CRC-32's polynomial, the bits in reverse as the CRC has them, times two because the product of two
// reversed polynomials comes out one bit lower.
func power(n int) uint64 {
	r := uint32(1)
	for range n {
		carry := r >> 31
		r = r<<1 ^ carry*bits.Reverse32(crc32.IEEE)
	}
	return uint64(bits.Reverse32(r)) << 1
}

// fold replaces the whole blocks of p by the CRC of all before the rest. It is the folding of V. Gopal et al., «Fast CRC
// Computation for Generic Polynomials Using PCLMULQDQ Instruction» (Intel, 2009): a block is added to the next after
// multiplication with x^(its bits) modulo the polynomial, which leaves one block with the CRC of all.
func fold(crc uint32, p []byte) (uint32, []byte) {
	if !wide || len(p) < 2*block {
		return crc, p
	}
	var state [block / 8]uint64
	for i := range state {
		state[i] = binary.LittleEndian.Uint64(p[8*i:])
	}
	state[0] ^= uint64(^crc) // the CRC so far is added to the first four bytes
	for p = p[block:]; len(p) >= block; {
		n := min(len(p), chunk) / block
		foldBlocks(&state, &p[0], n, &keys)
		p = p[n*block:]
	}
	var rest [block]byte
	for i, v := range state {
		binary.LittleEndian.PutUint64(rest[8*i:], v)
	}
	// hash/crc32 begins and ends with a complement.
	return crc32.Update(^uint32(0), crc32.IEEETable, rest[:]), p
}

// foldBlocks adds so many blocks of p to the state, one after the other.
//
//go:noescape
func foldBlocks(state *[block / 8]uint64, p *byte, blocks int, key *[2]uint64)
