package format

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What a system does to a process that saves can only be done to a real one: the test binary starts itself, and this
// variable says what to do there.
const childEnv = "FKZOO_FORMAT_TEST_CHILD"

var children = map[string]func(dir string) error{
	"save":     saveForEver,
	"limit":    saveOverLimit,
	"full":     saveOnFullDisk,
	"readonly": saveInReadOnlyFolder,
}

func TestMain(m *testing.M) {
	if run, ok := children[os.Getenv(childEnv)]; ok {
		if err := run(os.Args[1]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(what, dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), childEnv+"="+what)
	return cmd
}

// saver is one of two models that take turns at a path.
func saver(n int) (Meta, []Tensor) {
	m := Meta{Blueprint: map[string]any{"name": fmt.Sprint("model ", n)}, Run: strings.Repeat("r", 100*n)}
	rnd := rand.NewChaCha8([32]byte{byte(n)})
	var list []Tensor
	for i, size := range []int{2_000_000, 3, 70_000 + n, 1} {
		x := Tensor{Name: fmt.Sprint("tensor ", i), Type: Uint8, Shape: []int{size}, Data: make([]byte, size)}
		_, _ = rnd.Read(x.Data)
		list = append(list, x)
	}
	return m, list
}

// saveForEver puts one model after the other at dir/model.fkz, in each way there is, and says when it begins.
func saveForEver(dir string) error {
	path := filepath.Join(dir, "model.fkz")
	for n := rand.IntN(4); ; n++ {
		m, list := saver(n / 2 % 2)
		fmt.Println("saving")
		if n%2 == 0 {
			if err := Write(path, m, list, Options{Force: true}); err != nil {
				return err
			}
			continue
		}
		f, err := Open(path)
		if err != nil {
			return err
		}
		if m, err = f.Meta(); err != nil {
			return err
		}
		if err := f.Rewrite(path, m, Options{Force: true}); err != nil { // the same bytes
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
}

// A process that is killed while it saves, at any moment, leaves the old file or the new one, whole. FKZOO_CRASHES says
// how often it is killed, else it is some hundred times in 15 seconds.
func TestKilledWhileSaving(t *testing.T) {
	least, most := 200, 400
	if testing.Short() {
		least, most = 20, 20
	}
	if s := os.Getenv("FKZOO_CRASHES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		least, most = n, n
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "model.fkz")
	var whole [2][]byte
	var each time.Duration
	for n := range whole {
		m, list := saver(n)
		start := time.Now()
		if err := Write(path, m, list, Options{Force: true}); err != nil {
			t.Fatal(err)
		}
		each = time.Since(start)
		whole[n] = read(t, path)
	}
	var left [2]int
	temporary := 0
	start := time.Now()
	for kill := 0; kill < most && (kill < least || time.Since(start) < 15*time.Second); kill++ {
		writers := 1 + kill%4/3 // now and then two at once
		killWhileSaving(t, dir, writers, time.Duration(rand.Float64()*3*float64(each)))
		got := read(t, path)
		found := -1
		for n := range whole {
			if bytes.Equal(got, whole[n]) {
				found = n
			}
		}
		if found < 0 {
			_, err := examine(path, true)
			t.Fatalf("kill %d, of %d writers: the file is neither of the two: %d bytes, %v", kill, writers, len(got), err)
		}
		left[found]++
		if when, err := examine(path, true); err != nil {
			t.Fatalf("kill %d: %s gave %v", kill, when, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() == "model.fkz" {
				continue
			}
			// Between its naming and its renaming it is there under a temporary name, and nothing else ever is.
			if ok, _ := filepath.Match(".fkzoo-*.tmp", e.Name()); !ok {
				t.Errorf("kill %d: left %s", kill, e.Name())
			}
			temporary++
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	if left[0] == 0 || left[1] == 0 {
		t.Errorf("found the first model %d times and the second %d times, want both", left[0], left[1])
	}
	t.Logf("%d kills within 3 x %v of a save's beginning: found one model %d times, the other %d times, each whole; %d temporary names left",
		left[0]+left[1], each.Round(time.Millisecond), left[0], left[1], temporary)
}

// killWhileSaving starts processes that save, and kills each some time after it has begun.
func killWhileSaving(t *testing.T, dir string, writers int, after time.Duration) {
	t.Helper()
	var cmds []*exec.Cmd
	for range writers {
		cmd := child("save", dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
		if line, err := bufio.NewReaderSize(out, 16).ReadString('\n'); err != nil || line != "saving\n" {
			t.Fatalf("the process that saves said %q (%v)", line, err)
		}
	}
	time.Sleep(after)
	for _, cmd := range cmds {
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	for _, cmd := range cmds {
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("the process that saves ended by itself: %v", err)
		}
	}
}

// failing saves in dir what must fail with want, and looks at what is left: the file that was there, and nothing more.
func failing(dir string, want error, save func(path string) error) error {
	path := filepath.Join(dir, "model.fkz")
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := save(path); !errors.Is(err, want) || !strings.HasPrefix(err.Error(), path) {
		return fmt.Errorf("saving gave %v, want %v", err, want)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		return fmt.Errorf("the file that was there has changed (%v)", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		return fmt.Errorf("left %v (%v), want the file alone", entries, err)
	}
	return nil
}

// saves are the ways to save over path: a new model, and other metadata for the one there.
func saves() []func(path string) error {
	return []func(path string) error{
		func(path string) error {
			m, list := saver(1)
			return Write(path, m, list, Options{Force: true})
		},
		func(path string) error {
			f, err := Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			return f.Rewrite(path, Meta{Run: "other"}, Options{Force: true})
		},
		func(path string) error {
			f, err := Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			return f.Sign(path, testKey(1), Options{Force: true})
		},
	}
}

func failingAll(dir string, want error) error {
	for i, save := range saves() {
		if err := failing(dir, want, save); err != nil {
			return fmt.Errorf("way %d: %w", i, err)
		}
	}
	return nil
}

func saveOverLimit(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := unix.Rlimit{Cur: 1_000_000, Max: 1_000_000}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	return failingAll(dir, syscall.EFBIG)
}

func saveOnFullDisk(dir string) error {
	// In a mount namespace of this process alone: nothing is left mounted.
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("not permitted: %w", err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		return fmt.Errorf("not permitted: %w", err)
	}
	m, list := saver(0)
	if err := Write(filepath.Join(dir, "model.fkz"), m, list, Options{}); err != nil { // 2 MB
		return err
	}
	return failingAll(dir, syscall.ENOSPC)
}

func saveInReadOnlyFolder(dir string) error {
	if os.Getuid() == 0 { // whom no mode stops
		if err := errors.Join(os.Chown(dir, 65534, 65534), syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
			return fmt.Errorf("not permitted: %w", err)
		}
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		return err
	}
	defer os.Chmod(dir, 0o755)
	return failingAll(dir, fs.ErrPermission)
}

// A file that may not grow, a disk that is full, a folder that may not be written: a clear error, and all is as it was.
func TestSavingFails(t *testing.T) {
	for _, what := range []string{"limit", "full", "readonly"} {
		t.Run(what, func(t *testing.T) {
			// Not t.TempDir, into whose parents another user may not look.
			dir, err := os.MkdirTemp("", "fkz")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			m, list := saver(0)
			if err := Write(filepath.Join(dir, "model.fkz"), m, list, Options{}); err != nil {
				t.Fatal(err)
			}
			cmd := child(what, dir)
			if what == "full" {
				cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
				if uid := os.Getuid(); uid != 0 {
					cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
					cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
					cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
				}
			}
			out, err := cmd.CombinedOutput()
			switch {
			case errors.Is(err, fs.ErrPermission) || strings.HasPrefix(string(out), "not permitted"):
				t.Skipf("not permitted here: %v %s", err, out)
			case err != nil:
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
