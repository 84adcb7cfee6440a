package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func put(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	failed := errors.New("failed")
	steps := []struct {
		name  string
		force bool
		fn    func(io.Writer) error
		want  error
		holds string
	}{
		{"new", false, put("one"), nil, "one"},
		{"refused", false, put("two"), fs.ErrExist, "one"},
		{"forced", true, put("three"), nil, "three"},
		{"failing writer", true, func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return failed }, failed, "three"},
	}
	for _, s := range steps {
		if err := Write(path, s.force, s.fn); !errors.Is(err, s.want) {
			t.Errorf("%s: error is %v, want %v", s.name, err, s.want)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != s.holds {
			t.Errorf("%s: file holds %q (%v), want %q", s.name, got, err, s.holds)
		}
		if n := names(t, dir); len(n) != 1 {
			t.Errorf("%s: folder holds %v, want only the file", s.name, n)
		}
	}
}

// A file that appears between Create and Commit is not replaced.
func TestCommitDoesNotReplace(t *testing.T) {
	for _, named := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a")
		f, err := Create(path, false)
		if err != nil {
			t.Fatal(err)
		}
		if named && f.temp == "" { // the way of file systems without nameless files
			f.Discard()
			file, temp, err := createNamed(dir)
			if err != nil {
				t.Fatal(err)
			}
			f = &File{File: file, path: path, temp: temp}
		}
		if err := os.WriteFile(path, []byte("other"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Commit(); !errors.Is(err, ErrExists) {
			t.Errorf("named %v: error is %v, want ErrExists", named, err)
		}
		if got, _ := os.ReadFile(path); string(got) != "other" {
			t.Errorf("named %v: file holds %q, want the other's", named, got)
		}
		if n := names(t, dir); len(n) != 1 {
			t.Errorf("named %v: folder holds %v", named, n)
		}
	}
}

func TestNamedWays(t *testing.T) {
	for _, force := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a")
		file, temp, err := createNamed(dir)
		if err != nil {
			t.Fatal(err)
		}
		f := &File{File: file, path: path, temp: temp, force: force}
		_, _ = f.WriteString("x")
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		if n := names(t, dir); len(n) != 1 || n[0] != "a" {
			t.Errorf("force %v: folder holds %v", force, n)
		}
	}
	dir := t.TempDir()
	temp := filepath.Join(dir, "t")
	if err := os.WriteFile(temp, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := reserve(temp, filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if err := reserve(temp, filepath.Join(dir, "a")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("reserve on a taken name: %v", err)
	}
}

// Of many writers at once exactly one wins, and the file is whole.
func TestOneOfManyWins(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	var won, lost int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			err := Write(path, false, put("whole"))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case errors.Is(err, ErrExists):
				lost++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 || lost != 15 {
		t.Errorf("%d won and %d were refused, want 1 and 15", won, lost)
	}
	if got, _ := os.ReadFile(path); string(got) != "whole" {
		t.Errorf("file holds %q", got)
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, true, put("x")); err == nil {
		t.Error("a folder was replaced")
	}
	if err := Write(filepath.Join(dir, "no", "a"), true, put("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: %v, want fs.ErrNotExist", err)
	}
	f, err := Create(filepath.Join(dir, "a"), false)
	if err != nil {
		t.Fatal(err)
	}
	f.Discard()
	f.Discard()
	if err := f.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("commit after discard: %v", err)
	}
	if n := names(t, dir); len(n) != 0 {
		t.Errorf("folder holds %v", n)
	}
}

func TestKeepsPermissions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(path)
	if err := Write(path, true, put("x")); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(path); after.Mode() != before.Mode() {
		t.Errorf("mode is %v, want %v", after.Mode(), before.Mode())
	}
}
