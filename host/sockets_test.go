package host

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/fkzoo/fkzoo/host/file"
)

// A plugin that can't be started for want of a folder for its socket says so.
func TestNoFolderForSockets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the temporary folder is named otherwise")
	}
	o := testOptions(t, "good")
	t.Setenv("TMPDIR", "/tmp/fkzoo-no-such-folder")
	_, err := newHost(t, o).start(t.Context(), file.File{Name: "good", Path: filepath.Join(o.Beside, file.Base("good"))})
	checkFailure(t, err, "good", ErrStart, "can't be started: folder for sockets: ")
}
