package format

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/format/header"
	"github.com/fkzoo/fkzoo/format/value"
)

// Every byte of a file matters: changed in one bit or in all, it is noticed when the file is opened or verified; one in a tensor's data also
// when that tensor is read, and only then. All other tensors stay readable and are reported intact.
func TestEveryFlip(t *testing.T) {
	m, tensors := example(t)
	whole := read(t, save(t, m, tensors))
	f := mustOpen(t, save(t, m, tensors))
	owner := make([]string, len(whole)) // whose data a byte is
	for _, info := range f.Infos() {
		start, end := f.Range(&info)
		for i := start - header.BinHead; i < end; i++ {
			owner[i] = info.Name
		}
	}
	path := filepath.Join(t.TempDir(), "flipped.fkz")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for i := range whole {
		for bit := range 9 {
			mask := byte(1 << bit)
			if bit == 8 {
				mask = 0xff
			} else if i >= header.PrologueLength && bit != i%8 {
				continue // behind the prologue one bit of each byte will do
			}
			if _, err := file.WriteAt([]byte{whole[i] ^ mask}, int64(i)); err != nil {
				t.Fatal(err)
			}
			checkFlip(t, path, i, owner[i], len(tensors))
		}
		if _, err := file.WriteAt(whole[i:i+1], int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if when, err := examine(path, true); err != nil {
		t.Errorf("the file put right again: %s gave %v", when, err)
	}
}

// checkFlip looks at a file with byte i changed, which belongs to the tensor named, or to none.
func checkFlip(t *testing.T, path string, i int, tensor string, tensors int) {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		if tensor != "" {
			t.Errorf("byte %d, of tensor %s: Open gave %v", i, tensor, err)
		}
		return
	}
	defer f.Close()
	err = f.Verify()
	var report *VerifyError
	if !errors.As(err, &report) || !errors.Is(err, ErrDamaged) {
		t.Errorf("byte %d: Verify gave %v, want a *VerifyError of ErrDamaged", i, err)
		return
	}
	d := report.Damage[0]
	want := tensors
	if tensor != "" {
		want--
	}
	if len(report.Damage) != 1 || d.Tensor != tensor || len(report.Intact) != want || int64(i) < d.Start || int64(i) >= d.End {
		t.Errorf("byte %d, of tensor %q: Verify gave %v", i, tensor, err)
	}
	if tensor == "" {
		return
	}
	for _, info := range f.Infos() {
		_, viewErr := f.Tensor(info.Name)
		_, copyErr := f.Copy(info.Name)
		if damaged := info.Name == tensor; errors.Is(viewErr, ErrDamaged) != damaged || errors.Is(copyErr, ErrDamaged) != damaged {
			t.Errorf("byte %d, of tensor %q: reading %q gave %v and %v", i, tensor, info.Name, viewErr, copyErr)
		}
	}
	if _, err := f.CopyAll(); !errors.Is(err, ErrDamaged) {
		t.Errorf("byte %d, of tensor %q: CopyAll gave %v", i, tensor, err)
	}
}

// A file cut at any length is named as cut short, and one with more behind it is refused.
func TestEveryTruncation(t *testing.T) {
	m, tensors := example(t)
	whole := read(t, save(t, m, tensors))
	path := filepath.Join(t.TempDir(), "cut.fkz")
	for n := range len(whole) {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		if !errors.Is(err, ErrTruncated) || !strings.Contains(err.Error(), "cut short") {
			t.Errorf("cut to %d of %d bytes: %v", n, len(whole), err)
		}
	}
	for _, more := range [][]byte{{0xc0}, {0}, whole, make([]byte, 100_000)} {
		if err := os.WriteFile(path, append(bytes.Clone(whole), more...), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, ErrTrailing) {
			t.Errorf("%d bytes more: %v", len(more), err)
		}
	}
}

// A header whose every byte is changed at random, with its SHA-256 put right, is refused or is a good file: never a panic.
func TestHeaderDamageWithRightSum(t *testing.T) {
	m, tensors := example(t)
	f := mustOpen(t, save(t, m, tensors))
	rnd := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for i := range f.head {
		head := bytes.Clone(f.head)
		head[i] ^= byte(1 + rnd.IntN(255))
		h, err := header.Parse(head)
		if err != nil {
			refused++
			var e *Error
			if !errors.As(err, &e) || e.End > int64(header.PrologueLength+len(head)+1) || e.Start < header.PrologueLength || e.End <= e.Start {
				t.Errorf("byte %d: %v has no bytes in the header", i, err)
			}
			continue
		}
		for _, field := range h.Fields {
			v, err := value.Decode(field.Raw)
			if err != nil {
				t.Errorf("byte %d: %s was accepted but gives %v", i, field.Name, err)
			}
			if raw, err := value.Encode(v, ""); err != nil || !bytes.Equal(raw, field.Raw) {
				t.Errorf("byte %d: %s was accepted but is not in its one form", i, field.Name)
			}
		}
	}
	if refused < len(f.head)/2 {
		t.Errorf("only %d of %d changes were refused", refused, len(f.head))
	}
}

// A file that gets shorter while it is mapped gives errors, not a crash.
func TestShortenedWhileMapped(t *testing.T) {
	big := make([]byte, 1<<20)
	path := save(t, Meta{}, []Tensor{{Name: "a", Type: Uint8, Shape: []int{len(big)}, Data: big}, {Name: "b", Type: Uint8, Shape: []int{len(big)}, Data: big}})
	f := mustOpen(t, path)
	view, err := f.Tensor("b")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 600_000); err != nil {
		t.Fatal(err)
	}
	_, viewErr := f.Tensor("a")
	_, copyErr := f.Copy("a")
	for _, err := range []error{viewErr, copyErr, f.Verify()} {
		var e *Error
		if !errors.Is(err, ErrTruncated) || !errors.As(err, &e) || !strings.Contains(err.Error(), `"a"`) {
			t.Errorf("after the file was cut: %v", err)
		}
	}
	if f.Mapped() {
		sum := byte(0)
		err = Guard(func() error {
			for _, x := range view.Data {
				sum += x
			}
			return nil
		})
		if !errors.Is(err, ErrFault) {
			t.Errorf("reading a view of what is gone: %v, want ErrFault", err)
		}
	}
	if err := f.Rewrite(filepath.Join(t.TempDir(), "b.fkz"), Meta{}, Options{}); !errors.Is(err, ErrTruncated) {
		t.Errorf("rewriting: %v", err)
	}
	// Overwritten in place with something else of the same length.
	if err := os.WriteFile(path, make([]byte, f.Size()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Verify(); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "0 of 2 tensors are intact") && !strings.Contains(err.Error(), "prologue") {
		t.Errorf("after the file was overwritten: %v", err)
	}
}

func TestGuard(t *testing.T) {
	want := errors.New("mine")
	if err := Guard(func() error { return want }); err != want {
		t.Errorf("gave %v", err)
	}
	defer func() {
		if r := recover(); fmt.Sprint(r) != "other" {
			t.Errorf("recovered %v", r)
		}
		if debug.SetPanicOnFault(false) {
			t.Error("left panics on faults switched on")
		}
	}()
	_ = Guard(func() error { panic("other") })
}

// A file replaced by another while it is open stays what it was for its reader.
func TestReplacedWhileOpen(t *testing.T) {
	m, tensors := example(t)
	path := save(t, m, tensors)
	f := mustOpen(t, path)
	if err := Write(path, Meta{}, nil, Options{Force: true}); err != nil {
		t.Fatal(err)
	}
	if err := f.Verify(); err != nil {
		t.Error(err)
	}
	for _, x := range tensors {
		if got, err := f.Tensor(x.Name); err != nil || !bytes.Equal(got.Data, x.Data) {
			t.Errorf("%s: %v", x.Name, err)
		}
	}
}

// Readers, verifiers and a closer at once: right results or fs.ErrClosed.
func TestConcurrentUse(t *testing.T) {
	m, tensors := example(t)
	f := mustOpen(t, save(t, m, tensors))
	dir := t.TempDir()
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for range 20 {
				x := tensors[rand.IntN(len(tensors))]
				got, err := f.Copy(x.Name)
				if errors.Is(err, os.ErrClosed) {
					return
				}
				if err != nil || !bytes.Equal(got.Data, x.Data) {
					t.Errorf("%s: %v", x.Name, err)
				}
				if err := f.Verify(); err != nil && !errors.Is(err, os.ErrClosed) {
					t.Error(err)
				}
				if n < 2 {
					err := f.Rewrite(filepath.Join(dir, fmt.Sprint(n)), m, Options{Force: true})
					if err != nil && !errors.Is(err, os.ErrClosed) {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Go(func() { time.Sleep(10 * time.Millisecond); f.Close() })
	wg.Wait()
}

// Two savers of one path: each save leaves a whole file, of one or the other.
func TestTwoWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.fkz")
	var wg sync.WaitGroup
	for n := range 2 {
		wg.Go(func() {
			for range 10 {
				x := Tensor{Name: fmt.Sprint(n), Type: Uint8, Shape: []int{1000}, Data: bytes.Repeat([]byte{byte(n)}, 1000)}
				if err := Write(path, Meta{}, []Tensor{x}, Options{Force: true}); err != nil {
					t.Error(err)
				}
				f, err := Open(path)
				if err != nil {
					t.Error(err)
					continue
				}
				if err := f.Verify(); err != nil {
					t.Error(err)
				}
				f.Close()
			}
		})
	}
	wg.Wait()
}

func TestReadOnlyFolder(t *testing.T) {
	if os.Getuid() == 0 {
		// Root may write anywhere; a folder that is not there stands for it.
		if err := Write(filepath.Join(t.TempDir(), "none", "a.fkz"), Meta{}, nil, Options{}); err == nil || !strings.Contains(err.Error(), "cannot create") {
			t.Errorf("missing folder: %v", err)
		}
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "a.fkz"), Meta{}, nil, Options{}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("read-only folder: %v", err)
	}
}
