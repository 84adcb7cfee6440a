package host

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/host/cache"
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
	time.Sleep(cache.Settled + 100*time.Millisecond) // as it is for everybody who did not just build them
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
