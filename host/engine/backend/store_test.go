package backend

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"

	"github.com/fkzoo/fkzoo/host/engine/backend/wheel"
)

func installed(t testing.TB) (*Store, Info) {
	t.Helper()
	index := newFakeIndex(t)
	s := fakeStore(t, index, wheel.Set{index.add("fake", makeWheel(t, "lib.so", fakeLibrary), "lib.so")})
	info, err := s.Install(context.Background(), "cpu", Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, info
}

// TestBroken damages what is installed: List and Open must say what is wrong, and auto must go on to the next.
func TestBroken(t *testing.T) {
	cases := []struct {
		name   string
		damage func(t *testing.T, s *Store, info Info) error
		says   string
	}{
		{"library is missing", func(t *testing.T, s *Store, info Info) error { return os.Remove(info.Library) }, "file is missing"},
		{"library has changed", func(t *testing.T, s *Store, info Info) error {
			return os.WriteFile(info.Library, []byte("\x7fELF otherwise "), 0o644)
		}, "wrong checksum"},
		{"library is a folder", func(t *testing.T, s *Store, info Info) error {
			return errors.Join(os.Remove(info.Library), os.Mkdir(info.Library, 0o755))
		}, "found a folder, want an ordinary file"},
		{"record is damaged", func(t *testing.T, s *Store, info Info) error {
			return os.WriteFile(filepath.Join(s.dir, "cpu.json"), []byte("{"), 0o644)
		}, "cpu.json"},
		{"record is for another", func(t *testing.T, s *Store, info Info) error {
			return os.WriteFile(filepath.Join(s.dir, "cpu.json"), []byte(`{"backend":"cuda","library":"x"}`), 0o644)
		}, `want backend "cpu"`},
		{"record leads out", func(t *testing.T, s *Store, info Info) error {
			return os.WriteFile(filepath.Join(s.dir, "cpu.json"), []byte(`{"backend":"cpu","library":"../../x.so"}`), 0o644)
		}, "inside its folder"},
		{"library no longer works", func(t *testing.T, s *Store, info Info) error {
			s.try = func(context.Context, Kind, string) (answer, error) { return answer{}, errors.New("compute: no") }
			return os.Remove(s.memoryPath(XLACPU))
		}, "compute: no"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, info := installed(t)
			if err := c.damage(t, s, info); err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			if got := listed(t, s, "cpu"); got.State != Broken || !strings.Contains(got.Why, c.says) {
				t.Errorf("list: found %q, %q, want broken, %q", got.State, got.Why, c.says)
			}
			if _, err := s.Open(ctx, "cpu"); !errors.Is(err, ErrBroken) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("open: found %v, want %v, %q", err, ErrBroken, c.says)
			}
			t.Setenv(kernel.Variable, "plain") // which cpu is better than
			b, err := s.Open(ctx, Auto)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			if b.Name() != "go" || !strings.Contains(b.Reason(), c.says) || !strings.HasSuffix(b.Reason(), "took go") {
				t.Errorf("auto: found %s because %q, want go because %q", b.Name(), b.Reason(), c.says)
			}
			// Installing again mends all of these.
			s.try = func(context.Context, Kind, string) (answer, error) { return answer{}, nil }
			if info, err := s.Install(ctx, "cpu", Options{}); err != nil || info.State != Ready {
				t.Errorf("install: found %+v, %v, want ready", info, err)
			}
		})
	}
}

// TestMemory: a library is run again only when it or its surroundings have changed.
func TestMemory(t *testing.T) {
	s, info := installed(t)
	ctx := context.Background()
	tried := 0
	s.try = func(context.Context, Kind, string) (answer, error) { tried++; return answer{"again", ""}, nil }
	later := time.Now().Add(time.Hour)
	steps := []struct {
		name  string
		do    func() error
		tried int
	}{
		{"nothing changed", func() error { return nil }, 0},
		{"only the time changed", func() error { return os.Chtimes(info.Library, later, later) }, 0},
		{"surroundings changed", func() error { return os.Setenv("LD_LIBRARY_PATH", "/elsewhere") }, 1},
		{"and stayed so", func() error { return nil }, 1},
		{"memory is lost", func() error { return os.Remove(s.memoryPath(XLACPU)) }, 2},
		{"memory is damaged", func() error { return os.WriteFile(s.memoryPath(XLACPU), []byte("{"), 0o644) }, 3},
		{"memory can't be kept", func() error {
			s.cache = filepath.Join(info.Library, "no")
			return nil
		}, 4},
	}
	t.Setenv("LD_LIBRARY_PATH", "")
	// The variable may have been set when the library was installed.
	if _, err := s.check(ctx, XLACPU); err != nil {
		t.Fatal(err)
	}
	tried = 0
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.check(ctx, XLACPU); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if tried != step.tried {
			t.Errorf("%s: found %d trials so far, want %d", step.name, tried, step.tried)
		}
	}
}

func TestNames(t *testing.T) {
	s := NewStore(t.TempDir(), t.TempDir())
	ctx := context.Background()
	for _, name := range []string{"", "GO", "tpu", "cpu ", "../cpu"} {
		_, err := s.Open(ctx, name)
		_, installErr := s.Install(ctx, name, Options{})
		for _, err := range []error{err, installErr, s.Remove(ctx, name)} {
			if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "auto, go, cpu, cuda") {
				t.Errorf("%q: found %v, want %v and the names there are", name, err, ErrUnknown)
			}
		}
	}
	if err := s.Remove(ctx, "go"); err == nil {
		t.Error("remove go: found no error")
	}
	if info, err := s.Install(ctx, "go", Options{}); err != nil || info.State != Ready {
		t.Errorf("install go: found %+v, %v, want ready", info, err)
	}
	for _, name := range []string{"cpu", "cuda"} {
		_, err := s.Open(ctx, name)
		if !errors.Is(err, ErrNotInstalled) && !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: found %v, want %v", name, err, ErrNotInstalled)
		}
		if at, ok := errors.AsType[*InstallError](err); errors.Is(err, ErrNotInstalled) && (!ok || at.Backend != name) {
			t.Errorf("%s: found %v, want what to do", name, err)
		}
	}
	b, err := s.Open(ctx, Auto)
	if err != nil {
		t.Fatal(err)
	}
	if b.Name() != "go" || b.Kind() != Go || b.NumThreads() < 1 || !strings.HasPrefix(b.Description(), "go: ") {
		t.Errorf("auto: found %s, %d threads, %q", b.Name(), b.NumThreads(), b.Description())
	}
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Error(err)
	}
}

func TestDefaultStore(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "c"))
	for _, c := range []struct{ xdg, want string }{
		{filepath.Join(home, "d"), filepath.Join(home, "d", "fkzoo", "backends")},
		{"not/absolute", ""},
		{"", ""},
	} {
		t.Setenv("XDG_DATA_HOME", c.xdg)
		s, err := DefaultStore()
		if err != nil {
			t.Fatal(err)
		}
		if c.want != "" && s.Dir() != c.want || !filepath.IsAbs(s.Dir()) || strings.Contains(s.Dir(), "not/absolute") {
			t.Errorf("XDG_DATA_HOME=%q: found %s, want %s", c.xdg, s.Dir(), c.want)
		}
	}
}

// FuzzProvenance: whatever stands in a record, it is an error or leads into the store.
func FuzzProvenance(f *testing.F) {
	good, err := json.Marshal(Provenance{Backend: "cpu", Library: "cpu-0123456789ab/lib.so", Packages: []wheel.Package{wheel.CPU[0][0].Package}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseProvenance(data, XLACPU)
		if err != nil {
			return
		}
		dir := t.TempDir()
		if rel, err := filepath.Rel(dir, filepath.Join(dir, filepath.FromSlash(p.Library))); err != nil || strings.HasPrefix(rel, "..") {
			t.Errorf("found library %q, outside of the store", p.Library)
		}
		_ = p.String()
	})
}

// Auto says that cuda isn't installed only where there is a GPU for it.
func TestAutoWithoutGPU(t *testing.T) {
	for _, gpu := range []bool{false, true} {
		s := NewStore(t.TempDir(), t.TempDir())
		s.gpu = func() bool { return gpu }
		b, err := s.Open(t.Context(), Auto)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.Reason(), "cuda: not installed"); got != gpu && !strings.Contains(b.Reason(), ErrUnsupported.Error()) {
			t.Errorf("a GPU: %v; found the reason %q", gpu, b.Reason())
		}
		b.Close()
	}
}

// What auto passes over for not being installed is told as such, whether another works or none does.
func TestAutoSaysWhatToInstall(t *testing.T) {
	s := NewStore(t.TempDir(), t.TempDir())
	s.gpu = func() bool { return false }
	installs := func(err error) bool {
		at, ok := errors.AsType[*InstallError](err)
		return ok && at.Backend == "cpu" || errors.Is(err, ErrUnsupported)
	}
	t.Setenv(kernel.Variable, "plain") // which cpu is better than
	b, err := s.Open(t.Context(), Auto)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if b.Name() != "go" || !slices.ContainsFunc(b.Missed(), installs) {
		t.Errorf("found %s and %v, want go and that cpu isn't installed", b.Name(), b.Missed())
	}
	t.Setenv(kernel.Variable, "mmx") // which go can't compute with
	if b, err := s.Open(t.Context(), Auto); !installs(err) {
		t.Errorf("found %v, %v, want that cpu isn't installed", b, err)
	}
}
