package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/file"
	"github.com/fkzoo/fkzoo/host/trust"
)

// An unknown plugin is refused; once it is installed it runs; a changed one is
// refused again.
func TestUntrustedInstalledChanged(t *testing.T) {
	o := testOptions(t)
	path := copyBinary(t, os.Args[0], filepath.Join(o.Beside, file.Base("good")))
	h := newHost(t, o)
	ask := func() error { _, err := h.Blueprint(t.Context(), "good/tiny", Request{}); return err }

	checkUntrusted(t, h, ask(), "not trusted: found checksum "+binarySum(), path)

	list, err := h.Install(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].FullName() != "good/tiny" || list[0].Plugin.Trust != Installed || list[0].Plugin.Path != path {
		t.Errorf("Install gave %+v", list)
	}
	if err := ask(); err != nil {
		t.Error(err)
	}
	infos, errs := h.Plugins()
	if want := []PluginInfo{{"good", path, binarySum(), Installed}}; len(errs) > 0 || !reflect.DeepEqual(infos, want) {
		t.Errorf("Plugins gave %v, %v; want %v", infos, errs, want)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}

	// One byte more, and it is another program.
	if f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	} else if _, err := f.Write([]byte{0}); err != nil {
		t.Fatal(err)
	} else if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	h = newHost(t, o)
	err = ask()
	checkUntrusted(t, h, err, "changed: found checksum ", path)
	if !strings.Contains(err.Error(), "want "+binarySum()) {
		t.Errorf("error %v, want the accepted checksum in it", err)
	}

	if err := h.Remove("good"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the plugin's file outside the user's folder: %v, want it left", err)
	}
	checkUntrusted(t, h, ask(), "not trusted: found checksum ", path)
	if err := h.Remove("good"); !errors.Is(err, ErrMissing) {
		t.Errorf("removing it again: %v, want %v", err, ErrMissing)
	}
}

func checkUntrusted(t *testing.T, h *Host, err error, says, path string) {
	t.Helper()
	checkFailure(t, err, "good", ErrUntrusted, says)
	var e *Error
	if !errors.As(err, &e) || e.Path != path || strings.Contains(err.Error(), "install") {
		t.Errorf("error %v of the file %q, want %q, and no command in it", err, e.Path, path)
	}
	if runtime.GOOS == "linux" && len(processes(file.Base("good"))) > 0 {
		t.Error("the plugin runs")
	}
	if list, errs := h.List(t.Context()); len(list) != 0 || len(errs) != 1 || !errors.Is(errs[0], ErrUntrusted) {
		t.Errorf("List gave %v, %v; want the same error", list, errs)
	}
}

// A shipped checksum is for one name only.
func TestShippedUnderAnotherName(t *testing.T) {
	o := testOptions(t, "good")
	putPlugin(t, o.Beside, "twin")
	h := newHost(t, o)
	_, err := h.Blueprint(t.Context(), "twin/other", Request{})
	checkFailure(t, err, "twin", ErrUntrusted, "not trusted")
}

// A plugin from elsewhere is copied to the user's plugin folder, works without
// the original, and is removed with its file.
func TestInstallFromElsewhere(t *testing.T) {
	o := testOptions(t)
	elsewhere := t.TempDir()
	path := putPlugin(t, elsewhere, "good")
	h := newHost(t, o)
	list, err := h.Install(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(o.User, file.Base("good"))
	if list[0].Plugin.Path != target {
		t.Errorf("installed to %s, want %s", list[0].Plugin.Path, target)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	answer, err := h.Blueprint(t.Context(), "tiny", Request{})
	if err != nil || answer.Plugin != (PluginInfo{"good", target, binarySum(), Installed}) {
		t.Errorf("found %+v, %v", answer.Plugin, err)
	}
	if err := h.Remove("good"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(target); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file after Remove: %v, want it gone", err)
	}
}

func TestInstallRefused(t *testing.T) {
	o := testOptions(t, "good")
	elsewhere := t.TempDir()
	h := newHost(t, o)
	for _, test := range []struct {
		path string
		says string
	}{
		{putPlugin(t, elsewhere, "crash"), "ended at start with exit status 3"},
		{putPlugin(t, elsewhere, "twice"), "found it twice"},
		{putPlugin(t, elsewhere, "good"), "which stands before it"},
		{filepath.Join(elsewhere, file.Base("none")), "missing: there is no such file"},
		{copyBinary(t, os.Args[0], filepath.Join(elsewhere, "good")), `want fkzoo-plugin-NAME`},
	} {
		_, err := h.Install(t.Context(), test.path)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("Install(%s): %v, want it to say %q", test.path, err, test.says)
		}
	}
	if s, err := h.rules.Store.Read(); err != nil || len(s.Plugins) != 0 {
		t.Errorf("recorded %v, %v; want nothing", s, err)
	}
	if entries, _ := os.ReadDir(o.User); len(entries) != 0 {
		t.Errorf("the user's plugin folder has %v, want nothing", entries)
	}
	if err := h.Remove("good"); err == nil || !strings.Contains(err.Error(), "shipped with fkzoo") {
		t.Errorf("removing a shipped one: %v", err)
	}
}

// Nothing is trusted by a damaged store, and a damaged store isn't overwritten.
func TestDamagedStore(t *testing.T) {
	for name, text := range map[string]string{
		"cut short": `{"version": 1, "plugins": {"good": {"sha`,
		"newer":     `{"version": 2, "plugins": {}}`,
		"checksum":  `{"version": 1, "plugins": {"good": {"sha256": "*"}}}`,
	} {
		o := testOptions(t)
		path := putPlugin(t, o.Beside, "good")
		store := filepath.Join(o.Config, "plugins.json")
		if err := os.WriteFile(store, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		h := newHost(t, o)
		_, err := h.Blueprint(t.Context(), "good/tiny", Request{})
		checkFailure(t, err, "good", ErrUntrusted, "trust store "+store)
		if _, err := h.Install(t.Context(), path); err == nil {
			t.Errorf("%s: installed over it", name)
		}
		if after, err := os.ReadFile(store); err != nil || string(after) != text {
			t.Errorf("%s: the store became %q, %v", name, after, err)
		}
	}
}

// The folder under development is not checked, and the user is told once.
func TestDevelopmentFolder(t *testing.T) {
	o := testOptions(t)
	o.Dev = t.TempDir()
	putPlugin(t, o.Dev, "good")
	putPlugin(t, o.Beside, "twin")
	var warnings []string
	o.Warn = func(text string) { warnings = append(warnings, text) }
	h := newHost(t, o)
	for range 2 {
		a, err := h.Blueprint(t.Context(), "good/tiny", Request{})
		if err != nil || a.Plugin.Trust != Development {
			t.Errorf("found %+v, %v", a.Plugin, err)
		}
	}
	_, err := h.Blueprint(t.Context(), "twin/other", Request{})
	checkFailure(t, err, "twin", ErrUntrusted, "not trusted")
	if want := []string{"FKZOO_DEV_PLUGINS: plugins in " + o.Dev + " run unchecked"}; !reflect.DeepEqual(warnings, want) {
		t.Errorf("warnings %q, want %q", warnings, want)
	}
}

// The first plugin of a name stands, in the order of the folders, even if it is
// not trusted and a later one is.
func TestSearchOrder(t *testing.T) {
	o := testOptions(t, "good")
	first, second := t.TempDir(), t.TempDir()
	o.Path = []string{first, second, filepath.Join(first, "not there")}
	if err := os.MkdirAll(o.User, 0o755); err != nil {
		t.Fatal(err)
	}
	putPlugin(t, o.User, "good")
	want := []string{filepath.Join(o.Beside, file.Base("good"))}
	for _, folder := range []string{second, first} {
		want = append(want, putPlugin(t, folder, "good"))
		h := newHost(t, o)
		a, err := h.Blueprint(t.Context(), "good/tiny", Request{})
		if err != nil || a.Plugin.Path != want[len(want)-1] {
			t.Errorf("found %s, %v; want %s", a.Plugin.Path, err, want[len(want)-1])
		}
	}
	untrusted := t.TempDir()
	o.Path = []string{untrusted}
	copyBinary(t, os.Args[0], filepath.Join(untrusted, file.Base("good")))
	f, err := os.OpenFile(filepath.Join(untrusted, file.Base("good")), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString("changed")
	f.Close()
	_, err = newHost(t, o).Blueprint(t.Context(), "good/tiny", Request{})
	checkFailure(t, err, "good", ErrUntrusted, "changed")
}

// The plugin's file is replaced after it was checked: what runs is what was
// checked.
func TestReplacedAfterTheCheck(t *testing.T) {
	o := testOptions(t)
	o.Cache = t.TempDir()
	path := copyBinary(t, os.Args[0], filepath.Join(o.Beside, file.Base("good")))
	h := newHost(t, o)
	p := file.File{Name: "good", Path: path}
	running, err := h.startTrusting(t.Context(), p, func(sum string) (Trust, error) {
		// The check has said yes; now the file becomes another one.
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\ntouch "+path+".ran\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return Installed, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := running.Blueprint(t.Context(), "tiny", nil, DataSummary{Columns: []string{"a_x", "a_y"}}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path + ".ran"); err == nil {
		t.Error("the replacement ran")
	}
}

// The file is overwritten in place between the check and the copy: no copy.
func TestOverwrittenWhileCopied(t *testing.T) {
	o := testOptions(t)
	o.Cache = t.TempDir()
	path := filepath.Join(o.Beside, file.Base("good"))
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, o)
	_, _, err := h.privateCopy(file.File{Name: "good", Path: path}, func(string) error {
		return os.WriteFile(path, []byte("#!/bin/sh\nexit 2\n"), 0o755)
	})
	checkFailure(t, err, "good", ErrStart, "changed while it was read")
}

// A copy that was tampered with is not run but made anew; a folder that others
// may write to is not used.
func TestPrivateCopies(t *testing.T) {
	o := testOptions(t)
	o.Cache = t.TempDir()
	path := filepath.Join(o.Beside, file.Base("script"))
	text := []byte("#!/bin/sh\nexit 1\n")
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, o)
	p := file.File{Name: "script", Path: path}
	open := func() *os.File {
		f, _, err := h.privateCopy(p, func(string) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	first := open()
	if err := os.Chmod(first.Name(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(first.Name(), []byte("#!/bin/sh\nexit 9\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	again := open()
	if _, err := again.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(again); err != nil || !bytes.Equal(got, text) {
		t.Errorf("the copy has %q, %v; want %q", got, err, text)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(filepath.Dir(first.Name()), 0o777); err != nil {
		t.Fatal(err)
	}
	var warnings []string
	h.o.Warn = func(text string) { warnings = append(warnings, text) }
	if private := open(); strings.HasPrefix(private.Name(), o.Cache) {
		t.Errorf("the copy is %s, in a folder that others may write to", private.Name())
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "nobody else may write") {
		t.Errorf("warnings %q, want one", warnings)
	}
}

func TestStoreIsReadable(t *testing.T) {
	o := testOptions(t)
	path := putPlugin(t, o.Beside, "good")
	if _, err := newHost(t, o).Install(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(o.Config, "plugins.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s trust.Accepted
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if r := s.Plugins["good"]; s.Version != 1 || r.SHA256 != binarySum() || r.Path != path || r.Installed.IsZero() {
		t.Errorf("the store has %s", text)
	}
}
