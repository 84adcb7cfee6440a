package zoo_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/fkzoo/fkzoo/host"
)

// TestMain builds a plugin that the tests' zoos find.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "fkzoo-zoo-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(folder)
		for _, name := range []string{"baseline", "compact"} {
			out, err := exec.Command("go", "build", "-o", filepath.Join(folder, "plugins", "fkzoo-plugin-"+name), "../plugins/"+name).CombinedOutput()
			if err != nil {
				fmt.Fprintf(os.Stderr, "plugin %s: %v\n%s", name, err, out)
				return 1
			}
		}
		for name, value := range map[string]string{host.EnvDev: filepath.Join(folder, "plugins"), "HOME": folder, "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": ""} {
			os.Setenv(name, value)
		}
		return m.Run()
	}())
}
