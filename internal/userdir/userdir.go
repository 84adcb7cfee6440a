// Package userdir says where a user's data lie, which the standard library does for configuration and caches only.
package userdir

import (
	"os"
	"path/filepath"
	"runtime"
)

// Data is the folder for a user's data: $XDG_DATA_HOME where that is a full path, else the system's own, which is
// ~/.local/share, on macOS ~/Library/Application Support, on Windows %LocalAppData%.
func Data() (string, error) {
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return data, nil
	}
	switch runtime.GOOS {
	case "windows":
		return os.UserCacheDir() // %LocalAppData%: there is no other local place
	case "darwin", "ios", "plan9":
		return os.UserConfigDir()
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share"), err
}
