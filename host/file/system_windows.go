package file

import "io/fs"

// CheckPrivate: the folders used lie in the user's profile, which other users
// can't write to.
func CheckPrivate(string) error { return nil }

// executable: a file's name says it.
func executable(fs.FileInfo) bool { return true }

// IdentityOf is what changes when a file's content does, short of reading it.
func IdentityOf(info fs.FileInfo) Identity {
	return Identity{Size: info.Size(), Modified: info.ModTime().UnixNano()}
}
