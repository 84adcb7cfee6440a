package backend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomlx/go-xla/installer"

	"github.com/fkzoo/fkzoo/host/engine/backend/wheel"
)

func TestInstall(t *testing.T) {
	index := newFakeIndex(t)
	w := index.add("fake-cpu", makeWheel(t, "README", "hello", "pkg/lib.so", fakeLibrary), "pkg/lib.so")
	s := fakeStore(t, index, wheel.Set{w})
	tried := 0
	s.try = func(_ context.Context, k Kind, library string) (answer, error) {
		tried++
		data, err := os.ReadFile(library)
		if err != nil || string(data) != fakeLibrary {
			t.Errorf("tried %q, %v, want the wheel's library", data, err)
		}
		return answer{"fake 1.2", "device 0"}, nil
	}
	var stages []string
	var last Progress
	o := Options{Progress: func(p Progress) {
		if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
			stages = append(stages, p.Stage)
		}
		if p.Stage == StageDownload {
			last = p
		}
	}}
	ctx := context.Background()
	if got := listed(t, s, "cpu"); got.State != NotInstalled || got.Name != "cpu" {
		t.Errorf("before: found %+v, want not installed", got)
	}
	info, err := s.Install(ctx, "cpu", o)
	if err != nil {
		t.Fatal(err)
	}
	clean(t, s)
	if want := []string{StageDownload, StageUnpack, StageTry}; !slices.Equal(stages, want) {
		t.Errorf("stages: found %q, want %q", stages, want)
	}
	if last.Done != w.Size || last.Total != w.Size || last.File != w.File {
		t.Errorf("last of the download: found %+v, want all %d bytes", last, w.Size)
	}
	p := info.Provenance
	if info.State != Ready || info.Version != "fake 1.2" || p == nil {
		t.Fatalf("found %+v, want ready, fake 1.2, with provenance", info)
	}
	if !slices.Equal(p.Packages, []wheel.Package{w.Package}) || p.LibrarySHA256 != sum([]byte(fakeLibrary)) ||
		p.LibrarySize != int64(len(fakeLibrary)) || p.Own != "" || time.Since(p.Installed) > time.Hour {
		t.Errorf("provenance: found %+v", p)
	}
	if data, err := os.ReadFile(info.Library); err != nil || string(data) != fakeLibrary {
		t.Errorf("library: found %q, %v", data, err)
	}
	// The same again asks neither the index nor the library.
	asked, served := index.asked.Load(), index.served.Load()
	if _, err := s.Install(ctx, "cpu", o); err != nil {
		t.Error(err)
	}
	if index.asked.Load() != asked || index.served.Load() != served {
		t.Error("second installation: found a download, want none")
	}
	if got := listed(t, s, "cpu"); got.State != Ready || got.Library != info.Library {
		t.Errorf("after: found %+v, want ready", got)
	}
	if tried != 1 {
		t.Errorf("found %d trials, want 1", tried)
	}
	if err := s.Remove(ctx, "cpu"); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, s, "cpu"); got.State != NotInstalled {
		t.Errorf("after removal: found %+v, want not installed", got)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "cpu*")); len(left) > 0 {
		t.Errorf("after removal: found %q, want nothing", left)
	}
	if err := s.Remove(ctx, "cpu"); !errors.Is(err, ErrNotInstalled) || !errors.As(err, new(*InstallError)) {
		t.Errorf("second removal: found %v, want %v, as one that installing helps", err, ErrNotInstalled)
	}
}

func TestInstallCUDA(t *testing.T) {
	index := newFakeIndex(t)
	set := wheel.Set{
		index.add("fake-cuda", makeWheel(t, "jax/xla_cuda_plugin.so", fakeLibrary), "jax/xla_cuda_plugin.so"),
		index.add("fake-cublas", makeWheel(t, "nvidia/cu13/lib/libcublas.so.13", "blas", "x.dist-info/License.txt", "no"), ""),
		index.add("fake-nvcc", makeWheel(t, "nvidia/cu13/bin/ptxas", "ptxas"), ""),
	}
	s := fakeStore(t, index, set)
	s.gpu = func() bool { return false }
	if _, err := s.Install(context.Background(), "cuda", Options{}); err == nil || !strings.Contains(err.Error(), "no NVIDIA GPU") {
		t.Errorf("without a GPU: found %v, want an error that says so", err)
	}
	if n := index.asked.Load(); n != 0 {
		t.Errorf("without a GPU: found %d questions to the index, want none", n)
	}
	s.gpu = func() bool { return true }
	info, err := s.Install(context.Background(), "cuda", Options{})
	if err != nil {
		t.Fatal(err)
	}
	clean(t, s)
	dir := filepath.Dir(info.Library)
	if filepath.Base(dir) != "nvidia" {
		t.Errorf("library: found %s, want it in a folder nvidia", info.Library)
	}
	for name, want := range map[string]string{"cu13/lib/libcublas.so.13": "blas", "cu13/bin/ptxas": "ptxas"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: found %q, %v, want %q", name, got, err, want)
		}
	}
	if st, err := os.Stat(filepath.Join(dir, "cu13/bin/ptxas")); err != nil || st.Mode()&0o100 == 0 {
		t.Errorf("ptxas: found mode %v, %v, want it executable", st.Mode(), err)
	}
	if got := info.Provenance.String(); got != "fake-cuda 1.0 and 2 more packages" {
		t.Errorf("provenance: found %q", got)
	}
}

// failure is a fault of the index or the wheel, and what Install says.
type failure struct {
	name   string
	wheel  []byte
	change func(s *Store, f *fakeIndex, w *wheel.Wheel)
	serve  handler
	served int // requests for the file
	is     error
	says   string
}

// failures are those that can be had with a wheel that is good.
func failures(t *testing.T, good []byte) []failure {
	half := func(w http.ResponseWriter, data []byte) {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data[:len(data)/2])
	}
	return []failure{
		{name: "other content", served: 1, is: ErrChecksum, says: "found SHA-256", serve: func(w http.ResponseWriter, _ *http.Request, data []byte, _ int) {
			other := bytes.Clone(data)
			other[len(other)/2]++
			_, _ = w.Write(other)
		}},
		{name: "more content", served: 1, is: ErrChecksum, says: "more than the", serve: func(w http.ResponseWriter, _ *http.Request, data []byte, _ int) {
			_, _ = w.Write(append(bytes.Clone(data), 'x'))
		}},
		{name: "index knows another checksum", is: ErrChecksum, says: "the index gives", change: func(s *Store, f *fakeIndex, w *wheel.Wheel) {
			f.info["fake"].Releases["1.0"][1].Digests["sha256"] = strings.Repeat("0", 64)
		}},
		{name: "index lacks the version", is: wheel.ErrGone, change: func(s *Store, f *fakeIndex, w *wheel.Wheel) {
			w.Version = "1.1"
		}},
		{name: "index gives no address", says: "want a whole one", change: func(s *Store, f *fakeIndex, w *wheel.Wheel) {
			f.info["fake"].Info.ProjectURL = ""
		}},
		{name: "index doesn't answer", says: "no route", change: func(s *Store, f *fakeIndex, w *wheel.Wheel) {
			s.index = func(string) (*installer.PipPackageInfo, error) { return nil, errors.New("no route") }
		}},
		{name: "file is gone", served: 1, is: wheel.ErrGone, serve: func(w http.ResponseWriter, r *http.Request, _ []byte, _ int) {
			http.NotFound(w, r)
		}},
		{name: "forbidden", served: 1, says: "403", serve: func(w http.ResponseWriter, r *http.Request, _ []byte, _ int) {
			http.Error(w, "no", http.StatusForbidden)
		}},
		{name: "server is down", served: wheel.Attempts, says: "503", serve: func(w http.ResponseWriter, r *http.Request, _ []byte, _ int) {
			http.Error(w, "no", http.StatusServiceUnavailable)
		}},
		{name: "breaks off each time", served: wheel.Attempts, says: "", serve: func(w http.ResponseWriter, r *http.Request, data []byte, _ int) {
			half(w, data)
		}},
		{name: "no library in it", wheel: makeWheel(t, "README", "hello"), served: 1, says: "has no lib.so"},
		{name: "not a zip file", wheel: []byte("hello"), served: 1, says: "zip"},
		{name: "damaged inside", wheel: bytes.Replace(good, []byte(fakeLibrary), []byte(strings.ToUpper(fakeLibrary)), 1), served: 1, says: "checksum"},
		{name: "does not run", served: 1, is: ErrBroken, says: "no such luck", change: func(s *Store, f *fakeIndex, w *wheel.Wheel) {
			s.try = func(_ context.Context, _ Kind, library string) (answer, error) {
				if data, _ := os.ReadFile(library); string(data) == "old" {
					return answer{}, nil
				}
				return answer{}, errors.New("no such luck")
			}
		}},
	}
}

// TestInstallFailures has the index or the wheel at fault; what was installed before must stay.
func TestInstallFailures(t *testing.T) {
	good := makeWheel(t, "lib.so", fakeLibrary, "filler", strings.Repeat("x", 3<<20))
	for _, c := range failures(t, good) {
		t.Run(c.name, func(t *testing.T) {
			index := newFakeIndex(t)
			data := c.wheel
			if data == nil {
				data = good
			}
			old := index.add("old", makeWheel(t, "lib.so", "old"), "lib.so")
			w := index.add("fake", data, "lib.so")
			s := fakeStore(t, index, wheel.Set{old})
			before, err := s.Install(context.Background(), "cpu", Options{})
			if err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				c.change(s, index, &w)
			}
			s.wheels = func(Kind) []wheel.Set { return []wheel.Set{{w}} }
			index.serve.Store(&c.serve)
			index.served.Store(0)
			_, err = s.Install(context.Background(), "cpu", Options{})
			if err == nil {
				t.Fatal("found no error")
			}
			if c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "backend cpu: ") {
				t.Errorf("found %q, want %v, %q", err, c.is, c.says)
			}
			if got := int(index.served.Load()); got != c.served {
				t.Errorf("found %d requests, want %d", got, c.served)
			}
			clean(t, s)
			if after := listed(t, s, "cpu"); after.State != Ready || after.Library != before.Library {
				t.Errorf("afterwards: found %+v, want the old one", after)
			}
		})
	}
}

// TestDownloadGoesOn has connections that break, and a download that must come out right all the same.
func TestDownloadGoesOn(t *testing.T) {
	data := makeWheel(t, "lib.so", fakeLibrary, "filler", strings.Repeat("0123456789", 200_000))
	part := func(w http.ResponseWriter, from, to int) {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)-from))
		if from > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
			w.WriteHeader(http.StatusPartialContent)
		}
		_, _ = w.Write(data[from:to])
	}
	begin := func(r *http.Request) int {
		n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"))
		return n
	}
	cases := []struct {
		name   string
		serve  handler
		served int
	}{
		{"goes on where it broke off", func(w http.ResponseWriter, r *http.Request, _ []byte, attempt int) {
			from := begin(r)
			if attempt > 1 && from == 0 {
				t.Errorf("attempt %d: found no range asked for", attempt)
			}
			part(w, from, min(len(data), from+len(data)/3+1))
		}, 3},
		{"begins again where ranges aren't known", func(w http.ResponseWriter, r *http.Request, _ []byte, attempt int) {
			part(w, 0, len(data)*min(attempt, 3)/3)
		}, 3},
		{"server is away for a moment", func(w http.ResponseWriter, r *http.Request, _ []byte, attempt int) {
			if attempt < 3 {
				http.Error(w, "later", http.StatusBadGateway)
				return
			}
			part(w, 0, len(data))
		}, 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			index := newFakeIndex(t)
			s := fakeStore(t, index, wheel.Set{index.add("fake", data, "lib.so")})
			index.serve.Store(&c.serve)
			if _, err := s.Install(context.Background(), "cpu", Options{}); err != nil {
				t.Fatal(err)
			}
			if got := int(index.served.Load()); got != c.served {
				t.Errorf("found %d requests, want %d", got, c.served)
			}
		})
	}
}

func TestInstallFallsBack(t *testing.T) {
	index := newFakeIndex(t)
	gone := index.add("gone", makeWheel(t, "lib.so", "x"), "lib.so")
	delete(index.info, "gone")
	w := index.add("fake", makeWheel(t, "lib.so", fakeLibrary), "lib.so")
	s := fakeStore(t, index, wheel.Set{gone}, wheel.Set{w})
	info, err := s.Install(context.Background(), "cpu", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Provenance.Packages[0].Name; got != "fake" {
		t.Errorf("found %s, want the second one", got)
	}
}

func TestInstallCancelled(t *testing.T) {
	index := newFakeIndex(t)
	w := index.add("fake", makeWheel(t, "lib.so", fakeLibrary), "lib.so")
	s := fakeStore(t, index, wheel.Set{w})
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	misbehave := handler(func(rw http.ResponseWriter, r *http.Request, data []byte, _ int) {
		rw.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = rw.Write(data[:10])
		rw.(http.Flusher).Flush()
		cancel(why)
		<-r.Context().Done()
	})
	index.serve.Store(&misbehave)
	if _, err := s.Install(ctx, "cpu", Options{}); !errors.Is(err, why) {
		t.Errorf("found %v, want %v", err, why)
	}
	clean(t, s)
	if got := listed(t, s, "cpu"); got.State != NotInstalled {
		t.Errorf("found %+v, want not installed", got)
	}
}

// From a folder in which Python has its packages the library is copied, and what it needs linked to.
func TestInstallFromPython(t *testing.T) {
	index := newFakeIndex(t)
	set := wheel.Set{index.add("a", nil, "jax/xla_cuda_plugin.so"), index.add("b", nil, "")}
	s := fakeStore(t, index, set)
	python := filepath.Join(t.TempDir(), "site-packages")
	put := func(name, text string) {
		path := filepath.Join(python, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	put("jax/xla_cuda_plugin.so", fakeLibrary)
	ctx := context.Background()
	if _, err := s.Install(ctx, "cuda", Options{From: python}); err == nil || !strings.Contains(err.Error(), "not the libraries that it needs") {
		t.Errorf("without nvidia: found %v, want what is missing", err)
	}
	put("nvidia/cu13/lib/libx.so", "x")
	info, err := s.Install(ctx, "cuda", Options{From: python})
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(python, "jax", "xla_cuda_plugin.so"); info.Provenance.Own != want {
		t.Errorf("found the library of %s, want %s", info.Provenance.Own, want)
	}
	linked := filepath.Join(filepath.Dir(info.Library), "cu13")
	if to, err := os.Readlink(linked); err != nil || to != filepath.Join(python, "nvidia", "cu13") {
		t.Errorf("%s: found a link to %q, %v", linked, to, err)
	}
	if got := listed(t, s, "cuda"); got.State != Ready {
		t.Errorf("found %+v, want ready", got)
	}
	if err := s.Remove(ctx, "cuda"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(python, "nvidia", "cu13", "lib", "libx.so")); err != nil {
		t.Errorf("removal took what was linked to: %v", err)
	}
	clean(t, s)
}

func TestInstallFrom(t *testing.T) {
	index := newFakeIndex(t)
	data := makeWheel(t, "lib.so", fakeLibrary)
	one := wheel.Set{index.add("one", data, "lib.so")}
	two := wheel.Set{index.add("a", makeWheel(t, "lib.so", "a"), "lib.so"), index.add("b", makeWheel(t, "nvidia/b", "b"), "")}
	dir := filepath.Join(t.TempDir(), "with space, comma and \"quote\"")
	if err := os.MkdirAll(filepath.Join(dir, "both"), 0o755); err != nil {
		t.Fatal(err)
	}
	put := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put("both/"+two[0].File, index.files[two[0].File])
	put("both/"+two[1].File, index.files[two[1].File])
	put("damaged-is-elsewhere", nil)
	damaged := filepath.Join(dir, "damaged")
	if err := os.Mkdir(damaged, 0o755); err != nil {
		t.Fatal(err)
	}
	put("damaged/"+one[0].File, data[1:])
	cases := []struct {
		name, from string
		sets       []wheel.Set
		provenance string
		is         error
		says       string
	}{
		{name: "wheel under any name", from: put("x.zip", data), sets: []wheel.Set{two, one}, provenance: "one 1.0"},
		{name: "folder", from: filepath.Join(dir, "both"), sets: []wheel.Set{one, two}, provenance: "a 1.0 and 1 more packages"},
		{name: "own library", from: put("own.so", []byte(fakeLibrary)), sets: nil, provenance: "own library, SHA-256 " + sum([]byte(fakeLibrary))},
		{name: "unknown wheel", from: put("y.whl", makeWheel(t, "lib.so", "y")), sets: []wheel.Set{one}, is: ErrChecksum, says: one[0].SHA256},
		{name: "one wheel of two", from: put("a.whl", index.files[two[0].File]), sets: []wheel.Set{two}, says: "one of 2 wheels"},
		{name: "folder without", from: dir, sets: []wheel.Set{one, two}, says: "has no one-1.0.whl"},
		{name: "folder with damage", from: damaged, sets: []wheel.Set{one}, is: ErrChecksum, says: one[0].File},
		{name: "text", from: put("z.txt", []byte("hello")), sets: []wheel.Set{one}, says: "neither a wheel nor a shared library"},
		{name: "empty", from: put("empty", nil), sets: []wheel.Set{one}, says: "neither a wheel nor a shared library"},
		{name: "missing", from: filepath.Join(dir, "nothing"), sets: []wheel.Set{one}, is: fs.ErrNotExist},
		{name: "no wheel for this system", from: put("w.whl", data), sets: nil, is: ErrChecksum, says: "none for " + runtime.GOOS},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := fakeStore(t, index, c.sets...)
			s.index = func(string) (*installer.PipPackageInfo, error) {
				t.Error("asked the index, want no network")
				return nil, errors.New("no network")
			}
			info, err := s.Install(context.Background(), "cpu", Options{From: c.from})
			clean(t, s)
			if c.provenance == "" {
				if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("found %v, want %v, %q", err, c.is, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Provenance.String(); got != c.provenance {
				t.Errorf("found %q, want %q", got, c.provenance)
			}
			if strings.HasPrefix(c.provenance, "own") && info.Provenance.Own != c.from {
				t.Errorf("own: found %q, want %q", info.Provenance.Own, c.from)
			}
		})
	}
	t.Run("no package for this system", func(t *testing.T) {
		if _, err := fakeStore(t, index).Install(context.Background(), "cpu", Options{}); !errors.As(err, new(*NoPackageError)) {
			t.Errorf("found %v, want a %T", err, &NoPackageError{})
		}
	})
}

// TestInstallTogether: several at once, as from several terminals, do the work once and all succeed.
func TestInstallTogether(t *testing.T) {
	index := newFakeIndex(t)
	w := index.add("fake", makeWheel(t, "lib.so", fakeLibrary), "lib.so")
	first := fakeStore(t, index, wheel.Set{w})
	var wg sync.WaitGroup
	var waited atomic.Int32
	misbehave := handler(func(rw http.ResponseWriter, r *http.Request, data []byte, _ int) {
		time.Sleep(50 * time.Millisecond)
		_, _ = rw.Write(data)
	})
	index.serve.Store(&misbehave)
	for range 8 {
		s := *first
		wg.Go(func() {
			info, err := s.Install(context.Background(), "cpu", Options{Progress: func(p Progress) {
				if p.Stage == StageWait {
					waited.Add(1)
				}
			}})
			if err != nil || info.State != Ready {
				t.Errorf("found %+v, %v, want ready", info, err)
			}
		})
	}
	wg.Wait()
	if got := index.served.Load(); got != 1 {
		t.Errorf("found %d downloads, want 1", got)
	}
	if waited.Load() == 0 {
		t.Error("found nobody told of waiting")
	}
	clean(t, first)
	// Who waits can give up.
	unlock, err := first.lock(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := first.Install(ctx, "cpu", Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("found %v, want %v", err, context.DeadlineExceeded)
	}
}

// TestInstallAfterCrash begins with everything that a killed installation can leave.
func TestInstallAfterCrash(t *testing.T) {
	index := newFakeIndex(t)
	data := makeWheel(t, "lib.so", fakeLibrary)
	w := index.add("fake", data, "lib.so")
	s := fakeStore(t, index, wheel.Set{w})
	folder := "cpu-" + sum([]byte(fakeLibrary))[:12]
	for name, content := range map[string]string{
		".partial-1/pjrt_c_api_cpu_plugin.so":     "half",
		".partial-1-old/pjrt_c_api_cpu_plugin.so": "older",
		folder + "/pjrt_c_api_cpu_plugin.so":      "half",
		"cpu-0123456789ab/x":                      "older",
		".wheels/" + w.SHA256 + ".whl":            string(data[:9]),
		".wheels/" + w.SHA256 + ".part":           "half",
		"lock":                                    "",
	} {
		path := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := listed(t, s, "cpu"); got.State != NotInstalled {
		t.Errorf("found %+v, want not installed", got)
	}
	info, err := s.Install(context.Background(), "cpu", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(info.Library); string(got) != fakeLibrary {
		t.Errorf("library: found %q", got)
	}
	var names []string
	entries, _ := os.ReadDir(s.dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{folder, "cpu.json", "lock"}; !slices.Equal(names, want) {
		t.Errorf("store: found %q, want %q", names, want)
	}
}

func TestInstallNowhere(t *testing.T) {
	index := newFakeIndex(t)
	w := index.add("fake", makeWheel(t, "lib.so", fakeLibrary), "lib.so")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o555); err != nil {
		t.Fatal(err)
	}
	dirs := map[string]string{"file": filepath.Join(file, "data"), "proc": "/proc/self/fkzoo"}
	if os.Getuid() > 0 { // nothing is closed to root
		dirs["closed"] = filepath.Join(closed, "data")
	}
	for name, dir := range dirs {
		t.Run(name, func(t *testing.T) {
			s := fakeStore(t, index, wheel.Set{w})
			s.dir = dir
			if _, err := s.Install(context.Background(), "cpu", Options{}); err == nil || !strings.Contains(err.Error(), filepath.Dir(dir)) {
				t.Errorf("found %v, want an error that names the folder", err)
			}
		})
	}
	if n := index.asked.Load(); n != 0 {
		t.Errorf("found %d questions to the index, want none before there is a place", n)
	}
}
