// Package guard gives tests memory that ends where reading ends. It knows nothing of what is kept there.
package guard

import (
	"testing"
	"unsafe"
)

// Floats is n float32 behind which a page lies that can't be read or written, where the system offers that: whoever reaches beyond
// ends the test.
func Floats(t testing.TB, n int) []float32 {
	t.Helper()
	if n == 0 {
		return nil
	}
	m := memory(t, 4*n)
	return unsafe.Slice((*float32)(unsafe.Pointer(&m[len(m)-4*n])), n)
}
