//go:build !unix

package atomicfile

// syncDir does nothing: these systems have no call that syncs a folder.
func syncDir(string) error { return nil }
