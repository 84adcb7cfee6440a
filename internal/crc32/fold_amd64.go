//go:build goexperiment.simd

package crc32

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"simd/archsimd"
)

const (
	width = 64        // bytes in a register
	block = 4 * width // bytes that are folded at a time
)

var (
	wide = archsimd.X86.AVX512() && archsimd.X86.AVX512VPCLMULQDQ()
	// What moves a lane of 128 bits over a block.
	lowKey, highKey = power(8*block + 32), power(8*block - 32)
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
	at := func(i int) archsimd.Uint64x8 {
		return archsimd.LoadUint8x64((*[width]byte)(p[i*width:])).AsUint64x8()
	}
	var keys [8]uint64
	for i := range keys {
		keys[i] = [2]uint64{lowKey, highKey}[i%2]
	}
	key := archsimd.LoadUint64x8(&keys)
	start := [8]uint64{uint64(^crc)} // the CRC so far is added to the first four bytes
	a, b, c, d := at(0).Xor(archsimd.LoadUint64x8(&start)), at(1), at(2), at(3)
	for p = p[block:]; len(p) >= block; p = p[block:] {
		a = a.CarrylessMultiplyGrouped(0, 0, key).Xor(a.CarrylessMultiplyGrouped(1, 1, key)).Xor(at(0))
		b = b.CarrylessMultiplyGrouped(0, 0, key).Xor(b.CarrylessMultiplyGrouped(1, 1, key)).Xor(at(1))
		c = c.CarrylessMultiplyGrouped(0, 0, key).Xor(c.CarrylessMultiplyGrouped(1, 1, key)).Xor(at(2))
		d = d.CarrylessMultiplyGrouped(0, 0, key).Xor(d.CarrylessMultiplyGrouped(1, 1, key)).Xor(at(3))
	}
	var last [4][8]uint64
	a.Store(&last[0])
	b.Store(&last[1])
	c.Store(&last[2])
	d.Store(&last[3])
	archsimd.ClearAVXUpperBits()
	var rest [block]byte
	for i := range block / 8 {
		binary.LittleEndian.PutUint64(rest[8*i:], last[i/8][i%8])
	}
	// hash/crc32 begins and ends with a complement.
	return crc32.Update(^uint32(0), crc32.IEEETable, rest[:]), p
}
