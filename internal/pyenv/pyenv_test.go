package pyenv

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestWithoutPython(t *testing.T) {
	path := filepath.Join(t.TempDir(), "requirements.txt")
	if _, err := Open(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no requirements: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Open(t.Context(), path); !errors.Is(err, errMissing) {
		t.Errorf("no Python: %v", err)
	}
}

// Every package that the repository asks for is pinned by version and checksum.
func TestRequirementsArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`^[a-z0-9_-]+==[0-9.]+( --hash=sha256:[0-9a-f]{64})+$`)
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if ok, _ := filepath.Match("requirements*.txt", d.Name()); err != nil || !ok {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		joined := regexp.MustCompile(` *\\\n *`).ReplaceAllString(strings.TrimSpace(string(text)), " ")
		for line := range strings.Lines(joined) {
			if line = strings.TrimSpace(line); !pinned.MatchString(line) {
				t.Errorf("%s: %.60q has no version or no checksum", path, line)
			}
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Errorf("found %d requirements.txt (%v), want some", files, err)
	}
}
