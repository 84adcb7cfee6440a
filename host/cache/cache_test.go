package cache

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/host/file"
)

// A file that was settled when it was hashed is not read again; one that
// changed since is, even if its size and time of modification are the same.
func TestChecksumsAreRemembered(t *testing.T) {
	folder := t.TempDir()
	path, kept := filepath.Join(folder, file.Base("good")), filepath.Join(folder, "cache", "checksums.json")
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
	c := &Checksums{Path: kept}
	p := file.File{Name: "good", Path: path}
	first, err := c.Of(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.files) != 0 && file.IdentityOf(stat(t, path)).Changed != 0 {
		t.Error("a file that changed just now is taken for settled")
	}

	// As if hashed long after it was written.
	c.put(path, file.IdentityOf(stat(t, path)), first)
	c.Save()
	c = &Checksums{Path: kept}
	if sum, known := c.get(path, file.IdentityOf(stat(t, path))); !known || sum != first {
		t.Errorf("checksum of an unchanged file: %q, %v; want %q remembered", sum, known, first)
	}
	time.Sleep(20 * time.Millisecond) // more than a tick of the file system's clock
	write("two")
	second, err := c.Of(p)
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
		"new":                         0,
		"old":                         Unused + time.Hour,
		file.TemporaryPrefix + "now":  time.Hour,
		file.TemporaryPrefix + "left": 25 * time.Hour,
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
	Prune(folder)
	var left []string
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if fmt.Sprint(left) != fmt.Sprint([]string{file.TemporaryPrefix + "now", "new"}) {
		t.Errorf("left %v", left)
	}
}
