package host

import (
	"errors"
	"os"
	"testing"

	"github.com/fkzoo/fkzoo/host/file"
	"github.com/fkzoo/fkzoo/host/process"
)

func withoutDeathSignal() { process.DeathSignal = 0 }

// A host that is killed with SIGKILL leaves no plugin behind: by the death
// signal, and without it by the plugin's own watch over its connection; and
// the next host removes its sockets.
func TestKilledHostLeavesNoPlugin(t *testing.T) {
	for name, env := range map[string]string{
		"death signal": "FKZOO_TEST_NO_DEATH_SIGNAL=",
		"lifeline":     "FKZOO_TEST_NO_DEATH_SIGNAL=1",
	} {
		t.Run(name, func(t *testing.T) {
			plugins := []string{"good", "twin", "slow"}
			if name == "death signal" {
				plugins = append(plugins, "stubborn", "hanglist") // without the SDK: nothing else ends them
			}
			// Of its own: any host that starts elsewhere clears up after dead ones.
			temp, err := os.MkdirTemp("", "k")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(temp) })
			t.Setenv("TMPDIR", temp)
			o := testOptions(t, plugins...)
			cmd, sockets := startHost(t, o, env, plugins...)
			for _, p := range plugins {
				if pids := processes(file.Base(p)); len(pids) != 1 {
					t.Errorf("%s: processes %v before the kill, want one", p, pids)
				}
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			for _, p := range plugins {
				checkNoProcess(t, file.Base(p))
			}

			if _, err := os.Stat(sockets); err != nil {
				t.Fatalf("sockets of the killed host: %v", err)
			}
			h := newHost(t, testOptions(t, "good"))
			if _, err := h.Blueprint(t.Context(), "good/tiny", Request{}); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(sockets); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("sockets of the killed host after the next start: %v, want them gone", err)
			}
			if _, err := os.Stat(h.sockets.Path); err != nil {
				t.Errorf("sockets of the living host: %v", err)
			}
		})
	}
}
