package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/host/file"
)

// A plugin that hangs delays nobody who doesn't need it: with a start limit of
// an hour, these questions end only if they don't wait for it.
func TestRememberedNeedNoOther(t *testing.T) {
	o := memoryOptions(t, "good", "twin")
	listing(t, o)
	putPlugin(t, o.Beside, "hang")
	o.Shipped["hang"] = binarySum()
	o.Start = time.Hour
	h := newHost(t, o)
	for _, name := range []string{"hidden", "other", "good/tiny"} {
		if a, err := h.Architecture(t.Context(), name); err != nil || a.Name != filepath.Base(name) || a.Parameters != tinyParameters {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	if len(h.running) > 0 {
		t.Errorf("started %v, want none", h.running)
	}
	if answer, err := h.Blueprint(t.Context(), "hidden", Request{}); err != nil || answer.Plugin.Name != "good" {
		t.Errorf("hidden: %+v, %v", answer, err)
	}
	var ambiguous *AmbiguousError
	if _, err := h.Blueprint(t.Context(), "tiny", Request{}); !errors.As(err, &ambiguous) {
		t.Errorf("tiny: %v, want it ambiguous", err)
	}
	if h.running["hang"] != nil || h.running["twin"] != nil {
		t.Errorf("started %v, want good alone", h.running)
	}
}

// A failure lasts until the plugin's file changes, and the wait for it is told
// of once.
func TestFailureIsRemembered(t *testing.T) {
	o := memoryOptions(t, "good")
	folder := t.TempDir()
	log := filepath.Join(folder, "starts")
	path := filepath.Join(o.Beside, file.Base("slow2"))
	script := "#!/bin/sh\necho started >>" + log + "\nexec sleep 3600\n"
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("there is no shell here")
	}
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	o.Dev, o.Start = o.Beside, 700*time.Millisecond
	var mu sync.Mutex
	var warnings []string
	o.Warn = func(text string) {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(text, "waiting") && strings.Contains(text, "slow2") {
			warnings = append(warnings, text)
		}
	}
	h := newHost(t, o)
	h.notice = 10 * time.Millisecond
	starts := func() int {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "started")
	}

	_, errs := h.List(t.Context())
	if len(errs) != 1 || !errors.Is(errs[0], ErrTimeout) {
		t.Fatalf("List gave errors %v, want one of time", errs)
	}
	var all sync.WaitGroup
	for _, name := range []string{"unknown", "slow2/net", "unknown", "slow2/net"} {
		all.Go(func() {
			if _, err := h.Blueprint(t.Context(), name, Request{}); !errors.Is(err, ErrTimeout) {
				t.Errorf("%s: %v, want the failure of slow2", name, err)
			}
		})
	}
	all.Wait()
	if n := starts(); n != 1 {
		t.Errorf("started %d times, want once", n)
	}
	mu.Lock()
	if len(warnings) != 1 || !strings.Contains(warnings[0], "plugin slow2 ("+path+"): waiting") {
		t.Errorf("warnings %q, want one", warnings)
	}
	mu.Unlock()

	if err := os.WriteFile(path, []byte(script+"# changed\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Blueprint(t.Context(), "slow2/net", Request{}); !errors.Is(err, ErrTimeout) {
		t.Errorf("found %v, want a failure", err)
	}
	if n := starts(); n != 2 {
		t.Errorf("a changed plugin: started %d times, want twice", n)
	}
}
