//go:build cgo && linux

package backend

/*
#include <malloc.h>

// In every step XLA's CPU client allocates the same few hundred megabytes and frees
// them. glibc gives such blocks back to the system each time, and the system clears
// them page by page when they come again: a quarter of compact-s's step. This keeps
// them. It has to happen before other threads allocate, for each would get an arena
// of its own, which hold no large blocks.
__attribute__((constructor)) static void keep_freed_memory(void) {
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}
*/
import "C"
