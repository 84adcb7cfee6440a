package host

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/file"
)

// Shipped plugins run without a home, with one that is no folder and with one
// that can't be written to; nothing is left behind.
func TestWithoutHome(t *testing.T) {
	readOnly := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(readOnly, 0o500); err != nil {
		t.Fatal(err)
	}
	ordinary := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(ordinary, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, home := range map[string]string{"none": "", "a file": ordinary, "read only": readOnly} {
		t.Run(name, func(t *testing.T) {
			if name == "read only" && (os.Geteuid() == 0 || runtime.GOOS == "windows") {
				t.Skip("nothing is read only for this user")
			}
			o := testOptions(t, "good")
			putPlugin(t, o.Beside, "twin") // shipped by nobody
			o.User, o.Config, o.Cache = "", "", ""
			if home != "" {
				o.User, o.Config, o.Cache = filepath.Join(home, "plugins"), filepath.Join(home, "config"), filepath.Join(home, "cache")
			}
			var warnings []string
			o.Warn = func(text string) { warnings = append(warnings, text) }
			h := newHost(t, o)
			for range 2 {
				list, errs := h.List(t.Context())
				if len(list) != 2 || len(errs) != 1 {
					t.Fatalf("List gave %v and errors %v, want two architectures and one error", list, errs)
				}
				checkFailure(t, errs[0], "twin", ErrUntrusted, "not trusted")
			}
			if h.recall("good", binarySum()) == nil {
				t.Error("nothing is remembered until Close")
			}
			if answer, err := h.Blueprint(t.Context(), "tiny", Request{}); err != nil || answer.Plugin.Trust != Shipped {
				t.Errorf("found %+v, %v", answer, err)
			}
			if told := strings.Contains(strings.Join(warnings, "\n"), "cache "+o.Cache+" can't be used"); told != (home != "") || len(warnings) > 1 {
				t.Errorf("warnings %q", warnings)
			}
			if _, err := h.Install(t.Context(), filepath.Join(o.Beside, file.Base("twin"))); err == nil || !strings.Contains(err.Error(), "trust store") {
				t.Errorf("Install without a trust store: %v, want an error", err)
			}
			private := h.sockets.Path
			if info, err := os.Stat(private); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
				t.Errorf("folder %v, %v; want it private", info, err)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(private); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("folder %s: %v, want it gone", private, err)
			}
		})
	}
}
