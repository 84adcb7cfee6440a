package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/host/file"
	"github.com/fkzoo/fkzoo/host/process"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func TestListAndBlueprint(t *testing.T) {
	h := newHost(t, testOptions(t, "good"))
	list, errs := h.List(t.Context())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var got []string
	for _, a := range list {
		got = append(got, a.FullName())
		if a.Parameters != tinyParameters {
			t.Errorf("%s: %d parameters, want %d", a.Name, a.Parameters, tinyParameters)
		}
		if !reflect.DeepEqual(a.Members, []string{"net"}) || a.Summary != "one layer" || a.Ambiguous {
			t.Errorf("%s: %+v", a.Name, a)
		}
		d, err := a.Document()
		if err != nil || d.Name != a.Name {
			t.Errorf("%s: document %+v, %v", a.Name, d, err)
		}
	}
	if want := []string{"good/tiny", "good/hidden"}; !reflect.DeepEqual(got, want) {
		t.Fatalf("List gave %v, want %v", got, want)
	}
	if want := []Setting{{"units", "30", "outputs"}}; !reflect.DeepEqual(list[1].Settings, want) {
		t.Errorf("settings %v, want %v", list[1].Settings, want)
	}

	columns := []string{"nose_x", "nose_y"}
	nan := float32(0)
	nan /= nan
	data, err := Summarize(columns, []float32{1, 2, nan, 4, 5, 6})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"hidden", "good/hidden"} {
		a, err := h.Blueprint(t.Context(), name, Request{Settings: map[string]string{"units": "2"}, Data: data})
		if err != nil {
			t.Fatal(err)
		}
		if want := "rows with nose_x: 2 of 3"; a.Document.Source != want {
			t.Errorf("%s: source %q, want %q", name, a.Document.Source, want)
		}
		if n, err := a.Document.Parameters(columns); err != nil || n != 96*96*2+2 {
			t.Errorf("%s: %d parameters, %v; want %d", name, n, err, 96*96*2+2)
		}
		want := PluginInfo{Name: "good", Path: filepath.Join(h.o.Beside, file.Base("good")), SHA256: binarySum(), Trust: Shipped}
		if a.Plugin != want {
			t.Errorf("%s: plugin %+v, want %+v", name, a.Plugin, want)
		}
	}
}

// What a plugin does wrong gives one error of the right kind that names it, in
// time, and leaves no process.
func TestFailures(t *testing.T) {
	const short = 700 * time.Millisecond
	for _, test := range []struct {
		plugin string
		kind   error
		says   string
		with   func(*Options)
	}{
		{plugin: "crash", kind: ErrCrashed, says: "ended at start with exit status 3; it said:\n    cannot find the net?[2J"},
		{plugin: "panic", kind: ErrCrashed, says: "ended at start with exit status 2; it said:\n    panic: out of cheese"},
		{plugin: "silent", kind: ErrCrashed, says: "ended at start with exit status 0"},
		{plugin: "hang", kind: ErrTimeout, says: "did not start within 700ms", with: func(o *Options) { o.Start = short }},
		{plugin: "chatty", kind: ErrHandshake, says: `found "Welcome to chatty 1.0!" on its standard output`},
		{plugin: "flood", kind: ErrHandshake, says: `found "flood flood`},
		{plugin: "future", kind: ErrVersion, says: "speaks version 7 of the plugin protocol, want 1: a newer fkzoo runs it"},
		{plugin: "core", kind: ErrVersion, says: "found go-plugin's handshake in version 2, want 1"},
		{plugin: "netrpc", kind: ErrHandshake, says: `speaks "netrpc", want "grpc"`},
		{plugin: "deaf", kind: ErrHandshake, says: "no connection"},
		{plugin: "open", kind: ErrHandshake, says: "no connection"},

		{plugin: "crashlist", kind: ErrCrashed, says: "asked what it offers: it ended with exit status 2; it said:\n    panic: index out of range"},
		{plugin: "crashblueprint", kind: ErrCrashed, says: "asked for the blueprint of net: it ended with exit status 2; it said:\n    panic: index out of range"},
		{plugin: "hanglist", kind: ErrTimeout, says: "asked what it offers: found no answer within 700ms", with: func(o *Options) { o.List = short }},
		{plugin: "hangblueprint", kind: ErrTimeout, says: "asked for the blueprint of net: found no answer within 700ms", with: func(o *Options) { o.Blueprint = short }},
		{plugin: "stopped", kind: ErrTimeout, says: "asked for the blueprint of net: found no answer within 700ms", with: func(o *Options) { o.Blueprint = short }},
		{plugin: "prone", kind: ErrAnswer, says: "the plugin's function panicked at main_test.go:"},

		{plugin: "nothing", kind: ErrAnswer, says: "found 0 architectures"},
		{plugin: "badname", kind: ErrAnswer, says: `asked what it offers: architecture 1: name "net 1\x1b[31m" has ' ' at byte 3`},
		{plugin: "twice", kind: ErrAnswer, says: "architecture net: found it twice"},
		{plugin: "longsummary", kind: ErrAnswer, says: "has 501 bytes, want at most 500"},
		{plugin: "wrongname", kind: ErrAnswer, says: `found a blueprint of "other", want one of "net"`},
		{plugin: "nojson", kind: ErrAnswer, says: "asked for the blueprint of net: blueprint: not a JSON document"},
		{plugin: "badshape", kind: ErrAnswer, says: "30"},
		{plugin: "newer", kind: blueprint.ErrVersion, says: "found 99, want at most 1"},
		{plugin: "large", kind: ErrTooLarge, says: "its answer is too large, want at most 5242880 bytes"},
	} {
		t.Run(test.plugin, func(t *testing.T) {
			o := testOptions(t, test.plugin)
			if test.with != nil {
				test.with(&o)
			}
			h := newHost(t, o)
			list, errs := h.List(t.Context())
			if len(list) != 0 || len(errs) != 1 {
				t.Fatalf("List gave %v and errors %v, want one error", list, errs)
			}
			checkFailure(t, errs[0], test.plugin, test.kind, test.says)

			_, err := h.Blueprint(t.Context(), test.plugin+"/net", Request{})
			checkFailure(t, err, test.plugin, test.kind, test.says)

			if err := h.Close(); err != nil {
				t.Error(err)
			}
			checkNoProcess(t, file.Base(test.plugin))
		})
	}
}

func checkFailure(t *testing.T, err error, plugin string, kind error, says string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("found error %v, want one of a plugin", err)
	}
	if e.Plugin != plugin || !strings.HasPrefix(err.Error(), "plugin "+plugin+" (") {
		t.Errorf("error names plugin %q: %v, want %q", e.Plugin, err, plugin)
	}
	if !errors.Is(err, kind) {
		t.Errorf("error %v is a %v, want a %v", err, e.Kind, kind)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("error %q, want it to say %q", err, says)
	}
	if strings.ContainsAny(err.Error(), "\x1b\x00\r") {
		t.Errorf("error %q has control characters", err)
	}
	if strings.Contains(err.Error(), "rpc error") || strings.Contains(err.Error(), "goroutine") {
		t.Errorf("error %q shows what lies below", err)
	}
}

// checkNoProcess waits a moment for the processes of that name to be gone.
func checkNoProcess(t *testing.T, name string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	var pids []string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if pids = processes(name); len(pids) == 0 {
			return
		}
	}
	t.Errorf("processes %v of %s are left", pids, name)
}

// processes gives the numbers of the processes whose first argument is name
// and whose program is this test's.
func processes(name string) []string {
	var pids []string
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		text, err := os.ReadFile(line)
		if err != nil {
			continue
		}
		program, _ := os.Readlink(filepath.Join(filepath.Dir(line), "exe"))
		first, _, _ := strings.Cut(string(text), "\x00")
		if first == name && strings.HasPrefix(program, sharedCache) {
			pids = append(pids, filepath.Base(filepath.Dir(line)))
		}
	}
	return pids
}

// Failures that show before anything runs.
func TestBadFiles(t *testing.T) {
	const system = runtime.GOOS + "/" + runtime.GOARCH
	if runtime.GOOS == "windows" {
		t.Skip("modes and ELF headers mean nothing here")
	}
	riscv := append([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00\x01\x00\x00\x00"), make([]byte, 40)...)
	riscv[52] = 64 // size of the header
	riscv[58] = 64 // size of a section's header
	for _, test := range []struct {
		name string
		text []byte
		mode os.FileMode
		kind error
		says string
	}{
		{"mode", []byte("#!/bin/sh\n"), 0o644, ErrNotExecutable, "not executable: found mode -rw-r--r--"},
		{"empty", nil, 0o755, ErrStart, "found no program for " + system + " in it"},
		{"text", []byte("hello, world\n"), 0o755, ErrStart, "found no program for " + system + " in it"},
		{"riscv", riscv, 0o755, ErrStart, "it is built for linux/riscv64, want " + system},
		{"lost", []byte("#!/no/such/interpreter\n"), 0o755, ErrStart, "the interpreter or loader that it needs is missing"},
		{"shell", []byte("#!/bin/sh\necho no config >&2\nexit 5\n"), 0o755, ErrCrashed, "ended at start with exit status 5; it said:\n    no config"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := testOptions(t)
			path := filepath.Join(o.Beside, file.Base(test.name))
			if err := os.WriteFile(path, test.text, test.mode); err != nil {
				t.Fatal(err)
			}
			o.Dev = o.Beside // their checksums don't matter
			h := newHost(t, o)
			_, errs := h.List(t.Context())
			if len(errs) != 1 {
				t.Fatalf("found errors %v, want one", errs)
			}
			checkFailure(t, errs[0], test.name, test.kind, test.says)
			_, err := h.Blueprint(t.Context(), test.name+"/net", Request{})
			checkFailure(t, err, test.name, test.kind, test.says)
		})
	}
}

func TestMissing(t *testing.T) {
	o := testOptions(t)
	o.Shipped["lost"] = binarySum()
	h := newHost(t, o)
	_, errs := h.List(t.Context())
	if len(errs) != 1 || !errors.Is(errs[0], ErrMissing) ||
		!strings.Contains(errs[0].Error(), "plugin lost: shipped with fkzoo but missing, want "+file.Base("lost")+" in "+o.Beside) {
		t.Errorf("List gave errors %v", errs)
	}
	_, err := h.Blueprint(t.Context(), "nowhere/net", Request{})
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "plugin nowhere: missing") {
		t.Errorf("Blueprint gave %v", err)
	}
	if err := os.Symlink(filepath.Join(o.Beside, "nothing"), filepath.Join(o.Beside, file.Base("dangling"))); err == nil {
		_, err := h.Blueprint(t.Context(), "dangling/net", Request{})
		checkFailure(t, err, "dangling", ErrMissing, "missing: there is no such file")
	}
}

func TestUnknownAndAmbiguous(t *testing.T) {
	h := newHost(t, testOptions(t, "good", "twin"))
	list, errs := h.List(t.Context())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	ambiguous := map[string]bool{}
	for _, a := range list {
		ambiguous[a.FullName()] = a.Ambiguous
	}
	if want := map[string]bool{"good/tiny": true, "good/hidden": false, "twin/tiny": true, "twin/other": false}; !reflect.DeepEqual(ambiguous, want) {
		t.Errorf("ambiguous: %v, want %v", ambiguous, want)
	}

	_, err := h.Blueprint(t.Context(), "tiny", Request{})
	var a *AmbiguousError
	if !errors.As(err, &a) || !reflect.DeepEqual(a.Offered, []string{"good/tiny", "twin/tiny"}) {
		t.Errorf("tiny: %v", err)
	}
	if answer, err := h.Blueprint(t.Context(), "twin/tiny", Request{}); err != nil || answer.Plugin.Name != "twin" {
		t.Errorf("twin/tiny: %+v, %v", answer, err)
	}
	if answer, err := h.Blueprint(t.Context(), "other", Request{}); err != nil || answer.Plugin.Name != "twin" {
		t.Errorf("other: %+v, %v", answer, err)
	}

	var u *UnknownError
	_, err = h.Blueprint(t.Context(), "hiden", Request{})
	if !errors.As(err, &u) || !strings.Contains(err.Error(), "the nearest name is hidden") {
		t.Errorf("hiden: %v", err)
	}
	_, err = h.Blueprint(t.Context(), "good/other", Request{})
	if !errors.As(err, &u) || !reflect.DeepEqual(u.Offered, []string{"good/tiny", "good/hidden"}) {
		t.Errorf("good/other: %v", err)
	}
}

// An architecture that only a broken plugin may offer: its failure is told.
func TestUnknownTellsOfBrokenPlugins(t *testing.T) {
	h := newHost(t, testOptions(t, "good", "crash"))
	_, err := h.Blueprint(t.Context(), "net", Request{})
	var u *UnknownError
	if !errors.As(err, &u) || !errors.Is(err, ErrCrashed) || !strings.Contains(err.Error(), "plugin crash") {
		t.Errorf("found %v, want an unknown architecture with the crash of plugin crash", err)
	}
	if _, err := h.Blueprint(t.Context(), "tiny", Request{}); err != nil {
		t.Errorf("a broken neighbour: %v", err)
	}
}

func TestRefusedSettings(t *testing.T) {
	h := newHost(t, testOptions(t, "good"))
	for _, test := range []struct {
		name, setting, value string
		kind                 error
		says                 string
	}{
		{"hidden", "unit", "30", ErrRefused, `setting "unit": unknown, want one of units`},
		{"tiny", "units", "30", ErrRefused, `setting "units": unknown, want none`},
		{"hidden", "units", "many", ErrRefused, `setting units: found "many", want a whole number of at least 1`},
		{"hidden", "units", "31", ErrAnswer, "31"},
	} {
		_, err := h.Blueprint(t.Context(), test.name, Request{Settings: map[string]string{test.setting: test.value}})
		checkFailure(t, err, "good", test.kind, test.says)
	}
}

// A plugin sees neither the host's environment nor its standard input.
func TestPluginSeesLittle(t *testing.T) {
	t.Setenv("FKZOO_TEST_SECRET", "hunter2")
	h := newHost(t, testOptions(t, "env"))
	a, err := h.Blueprint(t.Context(), "env", Request{})
	if err != nil {
		t.Fatal(err)
	}
	stdin, env, _ := strings.Cut(a.Document.Source, "\n")
	if stdin != `stdin "" <nil>` {
		t.Errorf("standard input gave %s, want its end at once", stdin)
	}
	allowed := map[string]bool{"FKZOO_PLUGIN_COOKIE": true}
	for _, name := range process.PassedOn {
		allowed[name] = true
	}
	inCertificate := false
	for line := range strings.SplitSeq(env, "\n") {
		inCertificate = inCertificate || strings.HasPrefix(line, "PLUGIN_CLIENT_CERT=")
		name, _, _ := strings.Cut(line, "=")
		if line != "" && !inCertificate && !allowed[name] && !strings.HasPrefix(name, "PLUGIN_") {
			t.Errorf("the plugin sees %s", line)
		}
		inCertificate = inCertificate && !strings.HasPrefix(line, "-----END")
	}
	if strings.Contains(env, "hunter2") {
		t.Error("the plugin sees a secret")
	}
}

func TestVersionsAreNegotiated(t *testing.T) {
	h := newHost(t, testOptions(t, "flexible"))
	if a, err := h.Blueprint(t.Context(), "net", Request{}); err != nil || a.Document.Name != "net" {
		t.Errorf("found %+v, %v", a, err)
	}
}

// A question that is given up ends at once, and the next one gets an answer.
func TestContextEndsQuestions(t *testing.T) {
	h := newHost(t, testOptions(t, "hang", "hanglist", "good"))
	for _, name := range []string{"hang/net", "hanglist/net"} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := h.Blueprint(ctx, name, Request{})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: found %v, want the context's end", name, err)
		}
	}
	if _, err := h.Blueprint(t.Context(), "good/tiny", Request{}); err != nil {
		t.Error(err)
	}
}

// A plugin that died is started again when it is next needed.
func TestRestart(t *testing.T) {
	h := newHost(t, testOptions(t, "good"))
	for range 3 {
		if _, err := h.Blueprint(t.Context(), "tiny", Request{}); err != nil {
			t.Fatal(err)
		}
		running := h.running["good"].running
		running.Kill()
		<-running.Done()
	}
}

// Closing ends plugins that don't want to, and what a plugin left behind.
func TestCloseLeavesNothing(t *testing.T) {
	o := testOptions(t, "stubborn", "good", "twin", "child")
	h := newHost(t, o)
	_, errs := h.List(t.Context())
	if len(errs) != 1 {
		t.Errorf("found errors %v, want one", errs)
	}
	checkFailure(t, errs[0], "child", ErrCrashed, "ended at start with exit status 4")
	sockets := h.sockets.Path
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"stubborn", "good", "twin", "child", "hang"} {
		checkNoProcess(t, file.Base(name))
	}
	if _, err := os.Stat(sockets); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of sockets %s: %v, want it gone", sockets, err)
	}
	if _, err := h.Blueprint(t.Context(), "tiny", Request{}); err == nil {
		t.Error("a closed host answered")
	}
}

func TestManyQuestionsAtOnce(t *testing.T) {
	h := newHost(t, testOptions(t, "good", "twin"))
	failed := make(chan error)
	names := []string{"hidden", "good/tiny", "other", "twin/tiny"}
	for i := range 16 {
		go func() {
			_, err := h.Blueprint(t.Context(), names[i%len(names)], Request{})
			failed <- err
		}()
	}
	for range 16 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if runtime.GOOS == "linux" {
		for _, name := range []string{"good", "twin"} {
			if pids := processes(file.Base(name)); len(pids) != 1 {
				t.Errorf("%s: processes %v, want one", name, pids)
			}
		}
	}
}
