package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/zoo"
)

// A program that isn't fkzoo, as this test, has no checksums linked into it: it starts the plugins that the user accepted.
func TestPluginsOfOtherPrograms(t *testing.T) {
	for name, value := range map[string]string{
		"HOME": t.TempDir(), "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": "", host.EnvDev: "", host.EnvPath: binDir,
	} {
		t.Setenv(name, value)
	}
	list := func(o zoo.Options) (found []host.Architecture, failed []error) {
		t.Helper()
		z := zoo.Open(o)
		defer z.Close()
		found, failed, err := z.List(t.Context(), "net1")
		if err != nil {
			t.Error(err)
		}
		return found, failed
	}
	found, failed := list(zoo.Options{})
	if len(found) != 0 || !errors.Is(errors.Join(failed...), host.ErrUntrusted) {
		t.Errorf("before: found %v, %v, want %v", found, failed, host.ErrUntrusted)
	}
	plugin := filepath.Join(binDir, "fkzoo-plugin-baseline")
	if out, err := exec.Command(filepath.Join(binDir, "fkzoo"), "plugin", "install", plugin).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found, _ = list(zoo.Options{})
	if len(found) != 1 || found[0].Plugin.Trust != host.Installed {
		t.Fatalf("installed: found %v, want net1 of an installed plugin", found)
	}
	found, _ = list(zoo.Options{Plugins: &host.Options{Path: []string{binDir}, Shipped: map[string]string{"baseline": found[0].Plugin.SHA256}}})
	if len(found) != 1 || found[0].Plugin.Trust != host.Shipped {
		t.Errorf("told by the options: found %v, want net1 of a plugin that is known", found)
	}
}
