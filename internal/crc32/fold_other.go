//go:build !(amd64 && goexperiment.simd)

package crc32

// fold takes nothing of p where Go has no wide instructions for it.
func fold(crc uint32, p []byte) (uint32, []byte) { return crc, p }
