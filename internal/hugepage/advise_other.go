//go:build !linux

// Package hugepage has the system give memory in large pages, where that is known how.
package hugepage

// Advise does nothing here.
func Advise([]byte) {}
