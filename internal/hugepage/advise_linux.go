// Package hugepage has the system give memory in large pages: of 80 MB, handing out pages of 4 KB one by one takes longer than to fill
// them. It must not know what the memory is for.
package hugepage

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// least is how much memory there must be.
const least = 4 << 20

// Advise is for memory that nothing has been written to yet. What isn't possible is left as it is.
func Advise(b []byte) {
	if len(b) < least {
		return
	}
	page := uintptr(unix.Getpagesize())
	at := uintptr(unsafe.Pointer(&b[0]))
	skip := (page - at%page) % page
	_ = unix.Madvise(b[skip:uintptr(len(b))-(at+uintptr(len(b)))%page], unix.MADV_HUGEPAGE) // advice alone
}
