package host

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// memoryOptions have a cache of their own.
func memoryOptions(t testing.TB, names ...string) Options {
	o := testOptions(t, names...)
	o.Cache = t.TempDir()
	return o
}

// listing lists with a new host and says which plugins it started.
func listing(t testing.TB, o Options) ([]string, []string) {
	t.Helper()
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	list, errs := h.List(t.Context())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var names, started []string
	for _, a := range list {
		names = append(names, fmt.Sprintf("%s %s %d %v", a.FullName(), a.Summary, a.Parameters, a.Members))
	}
	for name := range h.running {
		started = append(started, name)
	}
	return names, started
}

func TestListStartsNothingWhenNothingChanged(t *testing.T) {
	o := memoryOptions(t, "good", "twin")
	cold, started := listing(t, o)
	if len(started) != 2 {
		t.Errorf("the first List started %v, want both plugins", started)
	}
	warm, started := listing(t, o)
	if len(started) != 0 {
		t.Errorf("the second List started %v, want none", started)
	}
	if fmt.Sprint(cold) != fmt.Sprint(warm) || len(warm) != 4 {
		t.Errorf("the second List gave %v, want %v", warm, cold)
	}
}

// Whatever happens to the cache, the list is right.
func TestDamagedMemory(t *testing.T) {
	o := memoryOptions(t, "good")
	want, _ := listing(t, o)
	memory := filepath.Join(o.Cache, "offers", "good-"+binarySum()+".json")
	whole, err := os.ReadFile(memory)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func() error{
		"removed":    func() error { return os.Remove(memory) },
		"empty":      func() error { return os.WriteFile(memory, nil, 0o600) },
		"cut short":  func() error { return os.WriteFile(memory, whole[:len(whole)/2], 0o600) },
		"not JSON":   func() error { return os.WriteFile(memory, []byte("\x00\x01\x02"), 0o600) },
		"of another": func() error { return os.WriteFile(memory, []byte(`{"memory":1,"plugin":"twin"}`), 0o600) },
		"of no nets": func() error {
			return os.WriteFile(memory, []byte(`{"memory":1,"plugin":"good","sha256":"`+binarySum()+`","program":"`+thisProgram()+`"}`), 0o600)
		},
		"a folder":     func() error { return os.MkdirAll(filepath.Join(memory, "x"), 0o700) },
		"no checksums": func() error { return os.WriteFile(filepath.Join(o.Cache, "checksums.json"), []byte("[]"), 0o600) },
		"no cache":     func() error { return os.RemoveAll(o.Cache) },
	} {
		if name == "a folder" {
			_ = os.RemoveAll(memory)
		}
		if err := damage(); err != nil {
			t.Fatal(name, err)
		}
		got, started := listing(t, o)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: List gave %v, want %v", name, got, want)
		}
		if len(started) != 1 && name != "no checksums" {
			t.Errorf("%s: List started %v, want the plugin", name, started)
		}
		_ = os.RemoveAll(memory)
		if _, err := os.Stat(o.Cache); err == nil {
			_ = os.WriteFile(memory, whole, 0o600)
		}
	}
}

// A memory made by another fkzoo is not believed: it may count otherwise.
func TestMemoryOfAnotherProgram(t *testing.T) {
	o := memoryOptions(t, "good")
	listing(t, o)
	h := newHost(t, o)
	remembered := h.recall("good", binarySum())
	if remembered == nil {
		t.Fatal("nothing is remembered")
	}
	real := thisProgram
	defer func() { thisProgram = real }()
	thisProgram = func() string { return "another" }
	if h.recall("good", binarySum()) != nil {
		t.Error("what another fkzoo remembered is believed")
	}
}

// A file that was settled when it was hashed is not read again; one that
// changed since is, even if its size and time of modification are the same.
func TestChecksumsAreRemembered(t *testing.T) {
	o := memoryOptions(t)
	path := filepath.Join(o.Beside, fileName("good"))
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	h := newHost(t, o)
	p := found{name: "good", path: path}
	first, err := h.quickChecksum(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.checksums.files) != 0 && identity(stat(t, path)).Changed != 0 {
		t.Error("a file that changed just now is taken for settled")
	}

	// As if hashed long after it was written.
	h.checksums.put(path, identity(stat(t, path)), first)
	h.checksums.save()
	h = newHost(t, o)
	if sum, known := h.checksums.get(path, identity(stat(t, path))); !known || sum != first {
		t.Errorf("checksum of an unchanged file: %q, %v; want %q remembered", sum, known, first)
	}
	time.Sleep(20 * time.Millisecond) // more than a tick of the file system's clock
	write("two")
	second, err := h.quickChecksum(p)
	if err != nil || second == first {
		t.Errorf("checksum of a changed file: %q, %v; want another than %q", second, err, first)
	}
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// What was not used for long goes, what is used stays.
func TestPrune(t *testing.T) {
	folder := t.TempDir()
	for name, age := range map[string]time.Duration{
		"new":                    0,
		"old":                    unusedFor + time.Hour,
		temporaryPrefix + "now":  time.Hour,
		temporaryPrefix + "left": 25 * time.Hour,
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-age)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
	}
	prune(folder)
	var left []string
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if fmt.Sprint(left) != fmt.Sprint([]string{temporaryPrefix + "now", "new"}) {
		t.Errorf("left %v", left)
	}
}

var seven = []string{"good", "twin", "flexible", "env", "good2", "twin2", "good3"}

func BenchmarkListCold(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		o := memoryOptions(b, seven...)
		b.StartTimer()
		listing(b, o)
		b.StopTimer()
		os.RemoveAll(o.Cache)
		b.StartTimer()
	}
}

func BenchmarkListWarm(b *testing.B) {
	o := memoryOptions(b, seven...)
	time.Sleep(settled + 100*time.Millisecond) // as it is for everybody who did not just build them
	listing(b, o)
	for b.Loop() {
		if _, started := listing(b, o); len(started) > 0 {
			b.Fatal("started", started)
		}
	}
}

func BenchmarkBlueprint(b *testing.B) {
	h := newHost(b, testOptions(b, "good"))
	for b.Loop() {
		if _, err := h.Blueprint(b.Context(), "good/tiny", Request{}); err != nil {
			b.Fatal(err)
		}
	}
}

// Whatever a memory holds, it is believed or ignored, without a panic.
func FuzzRecall(f *testing.F) {
	sum := fmt.Sprintf("%064d", 7)
	o := Options{Config: f.TempDir(), Cache: f.TempDir(), Shipped: map[string]string{}}
	h, err := New(o)
	if err != nil {
		f.Fatal(err)
	}
	h.remember(&offer{plugin: PluginInfo{Name: "net", SHA256: sum}, Architectures: []remembered{{Name: "net", Members: []string{"m"}, Document: tinyText("net")}}})
	path := memoryPath(o.Cache, "net", sum)
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(seed[:len(seed)/2])
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		o := h.recall("net", sum)
		if o == nil {
			return
		}
		for _, a := range o.list() {
			if _, err := a.Document(); err != nil && a.Name == "" {
				t.Errorf("a nameless architecture was remembered: %+v", a)
			}
		}
	})
}

// FuzzParseShipped: what the linker sets is taken whole or refused.
func FuzzParseShipped(f *testing.F) {
	f.Add("")
	f.Add("net7=" + fmt.Sprintf("%064x", 255))
	f.Add("net7=,=,")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parseShipped(text)
		for name, sum := range all {
			if err == nil && !isChecksum(sum) {
				t.Errorf("%q gave %q the checksum %q", text, name, sum)
			}
		}
	})
}
