//go:build cgo && linux

package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/fkzoo/fkzoo/host/engine/backend/wheel"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
)

// build compiles a library that misbehaves.
func build(t *testing.T, source string) string {
	t.Helper()
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	dir := t.TempDir()
	c, so := filepath.Join(dir, "x.c"), filepath.Join(dir, "a folder cpu.so")
	if err := os.WriteFile(c, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(cc, "-shared", "-fPIC", "-O0", "-o", so, c).CombinedOutput(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			t.Skip("no C compiler")
		}
		t.Fatalf("%v: %s", err, out)
	}
	return so
}

// TestBadLibraries loads libraries that do everything a library must not: each is an error that says what happened,
// from a child, while this process lives.
func TestBadLibraries(t *testing.T) {
	cases := []struct{ name, source, says string }{
		{"segfault when loaded", `__attribute__((constructor)) static void f(void) { *(volatile int *)0 = 1; }`, "load: the process that tried it ended with SIGSEGV: segmentation violation"},
		{"segfault when asked", `void *GetPjrtApi(void) { return *(void *volatile *)8; }`, "SIGSEGV"},
		{"abort", `#include <stdlib.h>
			__attribute__((constructor)) static void f(void) { abort(); }`, "SIGABRT"},
		{"fatal message", `#include <stdio.h>
			#include <stdlib.h>
			__attribute__((constructor)) static void f(void) {
				fputs("WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
				"F0000 00:00:1.5   123 flags.cc:234] Unknown flag: --x\n", stderr); exit(1); }`, "exit status 1: Unknown flag: --x"},
		{"ends without a word", `#include <unistd.h>
			__attribute__((constructor)) static void f(void) { _exit(0); }`, "exit status 0"},
		{"writes to every file", `#include <unistd.h>
			__attribute__((constructor)) static void f(void) { for (int i = 1; i < 99; i++) write(i, "hello\n", 6); _exit(3); }`, "exit status 3: hello"},
		{"hangs", `#include <unistd.h>
			__attribute__((constructor)) static void f(void) { for (;;) sleep(1); }`, "load: no end after"},
		{"not for XLA", `int x;`, "GetPjrtApi"},
		{"gives nothing", `void *GetPjrtApi(void) { return 0; }`, "load: "},
		{"gives an empty table", `static long table[1000] = {1144};
			void *GetPjrtApi(void) { return table; }`, "load: "},
		{"needs what isn't there", `extern void nowhere(void); void *GetPjrtApi(void) { nowhere(); return 0; }`, "nowhere"},
	}
	old := probeTimeout
	probeTimeout = 3 * time.Second
	defer func() { probeTimeout = old }()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			so := build(t, c.source)
			if _, err := probeChild(context.Background(), XLACPU, so); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("found %v, want %q", err, c.says)
			}
			// The same by the way a user goes.
			s := NewStore(t.TempDir(), t.TempDir())
			if _, err := s.Install(context.Background(), "cpu", Options{From: so}); c.name != "hangs" && (!errors.Is(err, ErrBroken) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("install: found %v, want %v, %q", err, ErrBroken, c.says)
			}
			if got := listed(t, s, "cpu"); got.State != NotInstalled {
				t.Errorf("afterwards: found %+v, want not installed", got)
			}
		})
	}
	files := map[string]struct{ content, says string }{
		"empty":     {"", "file too short"},
		"text":      {strings.Repeat("hello ", 1000), "invalid ELF header"},
		"cut short": {"\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x03\x00\x3e\x00", "file too short"},
	}
	for name, c := range files {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cpu.so")
			if err := os.WriteFile(path, []byte(c.content), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := probeChild(context.Background(), XLACPU, path); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("found %v, want %q", err, c.says)
			}
		})
	}
}

func TestProbeCancelled(t *testing.T) {
	so := build(t, `#include <unistd.h>
		__attribute__((constructor)) static void f(void) { for (;;) sleep(1); }`)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	if _, err := probeChild(ctx, XLACPU, so); !errors.Is(err, why) {
		t.Errorf("found %v, want %v", err, why)
	}
}

func TestCUDAFlag(t *testing.T) {
	for folder, want := range map[string]string{
		"/a/cu13":  `--xla_gpu_cuda_data_dir="/a/cu13"`,
		`/a b/"\c`: `--xla_gpu_cuda_data_dir="/a b/\"\\c"`,
	} {
		if got := cudaFlag(folder); got != want {
			t.Errorf("%s: found %s, want %s", folder, got, want)
		}
	}
}

// TestFindNVIDIA: in a folder without CUDA there is nothing to do; one that lacks a library is refused by its name.
func TestFindNVIDIA(t *testing.T) {
	t.Setenv("XLA_FLAGS", "--xla_gpu_autotune_level=0")
	dir := t.TempDir()
	if err := findNVIDIA(dir); err != nil {
		t.Error(err)
	}
	if got := os.Getenv("XLA_FLAGS"); strings.Contains(got, "cuda") {
		t.Errorf("XLA_FLAGS: found %s, want it unchanged", got)
	}
	if err := os.MkdirAll(filepath.Join(dir, "cu13", "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := findNVIDIA(dir); err == nil || !strings.Contains(err.Error(), "libcudart.so.13") {
		t.Errorf("found %v, want an error that names libcudart.so.13", err)
	}
	want := `--xla_gpu_autotune_level=0 --xla_gpu_cuda_data_dir="` + filepath.Join(dir, "cu13") + `"`
	if got := os.Getenv("XLA_FLAGS"); got != want {
		t.Errorf("XLA_FLAGS: found %s, want %s", got, want)
	}
	library := build(t, `int x;`)
	for _, name := range nvidiaLibraries {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(library, path); err != nil {
			t.Fatal(err)
		}
	}
	last := filepath.Join(dir, "cudnn/lib/libcudnn.so.9")
	replace := func(f func() error) {
		t.Helper()
		if err := errors.Join(os.Remove(last), f()); err != nil {
			t.Fatal(err)
		}
	}
	replace(func() error { return os.WriteFile(last, []byte("hello"), 0o644) })
	if err := findNVIDIA(dir); err == nil || !strings.Contains(err.Error(), "libcudnn.so.9") {
		t.Errorf("found %v, want an error that names libcudnn.so.9", err)
	}
	replace(func() error { return os.Symlink(library, last) })
	if err := findNVIDIA(dir); err != nil {
		t.Error(err)
	}
}

// TestInstallKilled kills a process that is downloading; the next one isn't kept waiting and finds nothing half done.
func TestInstallKilled(t *testing.T) {
	const variable = "FKZOO_TEST_KILLED"
	data := makeWheel(t, "lib.so", fakeLibrary)
	if v := os.Getenv(variable); v != "" { // the process to be killed
		var in struct{ Dir, URL string }
		if err := json.Unmarshal([]byte(v), &in); err != nil {
			t.Fatal(err)
		}
		index := newFakeIndex(t)
		w := index.add("fake", data, "lib.so")
		index.info["fake"].Releases["1.0"][1].URL = in.URL
		s := fakeStore(t, index, wheel.Set{w})
		s.dir = in.Dir
		_, err := s.Install(context.Background(), "cpu", Options{})
		t.Fatalf("the installation ended: %v", err)
	}
	index := newFakeIndex(t)
	s := fakeStore(t, index, wheel.Set{index.add("fake", data, "lib.so")})
	reached := make(chan struct{}, 1)
	release := make(chan struct{})
	misbehave := handler(func(w http.ResponseWriter, r *http.Request, data []byte, _ int) {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data[:len(data)/2])
		w.(http.Flusher).Flush()
		reached <- struct{}{}
		<-release
	})
	index.serve.Store(&misbehave)
	ask, err := json.Marshal(map[string]string{"Dir": s.dir, "URL": index.URL + "/fake-1.0.whl"})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestInstallKilled$")
	cmd.Env = append(os.Environ(), variable+"="+string(ask), "TMPDIR="+t.TempDir()) // it can't clean up
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached
	err = cmd.Process.Kill()
	_ = cmd.Wait()
	close(release)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, ".partial-*")); len(left) != 1 {
		t.Errorf("found %q, want the killed one's folder", left)
	}
	index.serve.Store(nil)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if info, err := s.Install(ctx, "cpu", Options{}); err != nil || info.State != Ready {
		t.Errorf("found %+v, %v, want ready", info, err)
	}
	clean(t, s)
}

// realStore is a store with the real library from the user's own store, in a folder whose name must not matter.
func realStore(t *testing.T, folder string) *Store {
	t.Helper()
	user, err := DefaultStore()
	if err != nil {
		t.Fatal(err)
	}
	info := listed(t, user, "cpu")
	if info.State != Ready {
		if strings.Contains(os.Getenv("FKZOO_BACKEND_TESTS"), "cpu") {
			t.Fatalf("backend cpu: %s", info.Why)
		}
		t.Skipf("backend cpu: %s", info.Why)
	}
	s := NewStore(filepath.Join(t.TempDir(), folder), t.TempDir())
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// A link to the library stands in for its 200 MB.
	p := *info.Provenance
	p.Library = "cpu-x/pjrt_c_api_cpu_plugin.so"
	if err := os.Mkdir(filepath.Join(s.dir, "cpu-x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(info.Library, filepath.Join(s.dir, p.Library)); err != nil {
		t.Fatal(err)
	}
	record, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "cpu.json"), record, 0o644); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReal(t *testing.T) {
	temp := t.TempDir() // a subtest's own would have its name in the path
	for _, folder := range []string{"plain", "with space", "with, comma", "NVIDIA cuda", `q"uo'te`, "ünï"} {
		t.Run(folder, func(t *testing.T) {
			s := realStore(t, folder)
			t.Setenv("TMPDIR", temp)
			for range 2 { // the second time the library is loaded and remembered
				b, err := s.Open(context.Background(), "cpu")
				if err != nil {
					t.Fatal(err)
				}
				if b.Kind() != XLACPU || b.NumThreads() < 1 || !strings.Contains(b.Description(), "PJRT API") {
					t.Errorf("found %v, %d threads, %q", b.Kind(), b.NumThreads(), b.Description())
				}
				if !b.Compute().HasSharedBuffers() {
					t.Error("found no shared buffers: go-xla took it for something other than a CPU")
				}
				out, err := graph.CallOnce(b.Compute(), func(x *graph.Node) *graph.Node { return graph.Square(x) }, []float32{1, 2, 3})
				if err != nil {
					t.Fatal(err)
				}
				if got := fmt.Sprint(tensors.MustCopyFlatData[float32](out)); got != "[1 4 9]" {
					t.Errorf("found %s, want [1 4 9]", got)
				}
				_ = out.FinalizeAll()
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
				t.Errorf("found %q left in the folder for temporary files", left)
			}
		})
	}
	t.Run("with a flag XLA refuses", func(t *testing.T) {
		s := realStore(t, "flags")
		old := xlaFlags
		defer func() { xlaFlags = old }()
		xlaFlags = "--no_such_flag=1"
		t.Setenv(kernel.Variable, "plain") // which cpu is better than
		b, err := s.Open(context.Background(), Auto)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if b.Name() != "go" || !strings.Contains(b.Reason(), "Unknown flag in XLA_FLAGS: --no_such_flag=1") {
			t.Errorf("found %s because %q", b.Name(), b.Reason())
		}
	})
}

// TestRealDownload fetches and installs the real package, where FKZOO_BACKEND_TESTS asks for it.
func TestRealDownload(t *testing.T) {
	if !strings.Contains(os.Getenv("FKZOO_BACKEND_TESTS"), "cpu") {
		t.Skip("FKZOO_BACKEND_TESTS does not name cpu")
	}
	s := NewStore(t.TempDir(), t.TempDir())
	info, err := s.Install(context.Background(), "cpu", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if info.State != Ready || info.Provenance.Packages[0] != wheel.CPU[0][0].Package {
		t.Errorf("found %+v, want %s", info, wheel.CPU[0][0].Name)
	}
}

// TestHomeless: without a home folder there is nowhere to install to, but go runs.
func TestHomeless(t *testing.T) {
	for _, v := range []string{"HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"} {
		t.Setenv(v, "")
	}
	ctx := context.Background()
	b, err := Open(ctx, Auto)
	if err != nil || b.Name() != "go" || !strings.Contains(b.Reason(), "HOME") {
		t.Errorf("auto: found %v, %v, want go, because of HOME", b, err)
	}
	if _, err := Open(ctx, "cpu"); err == nil || !strings.Contains(err.Error(), "HOME") {
		t.Errorf("cpu: found %v, want an error that names HOME", err)
	}
	if _, err := DefaultStore(); err == nil || !strings.Contains(err.Error(), "HOME") {
		t.Errorf("store: found %v, want an error that names HOME", err)
	}
}
