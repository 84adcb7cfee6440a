// Package crc32 computes CRC-32 (IEEE) as hash/crc32 does, several times as fast where the processor multiplies 512 bits
// at once without carries: then checking what is read costs about as much as reading it. It knows nothing of files.
package crc32

import "hash/crc32"

// Checksum is the CRC-32 of data.
func Checksum(data []byte) uint32 { return Update(0, data) }

// Update adds p to the CRC-32 of the bytes before it.
func Update(crc uint32, p []byte) uint32 {
	crc, p = fold(crc, p)
	return crc32.Update(crc, crc32.IEEETable, p)
}
