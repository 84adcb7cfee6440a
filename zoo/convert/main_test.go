package convert

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/fkzoo/fkzoo/host"
)

// pluginDir has some of the shipped plugins.
var pluginDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "fkzoo-convert-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		pluginDir = dir
		return m.Run()
	}())
}

// architectures offers those of the report's networks that tests ask for.
func architectures(t *testing.T) *host.Host {
	t.Helper()
	for _, name := range []string{"baseline", "net11"} {
		file := filepath.Join(pluginDir, "fkzoo-plugin-"+name)
		if runtime.GOOS == "windows" {
			file += ".exe"
		}
		if _, err := os.Stat(file); err == nil {
			continue
		}
		if out, err := exec.Command("go", "build", "-o", file, "../../plugins/"+name).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	dir := t.TempDir()
	h, err := host.New(host.Options{Dev: pluginDir, Config: filepath.Join(dir, "config"), Cache: filepath.Join(dir, "cache")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}
