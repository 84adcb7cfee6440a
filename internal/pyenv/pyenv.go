// Package pyenv gives tests, benchmarks and comparisons a Python with exactly the packages that a requirements.txt pins by
// checksum, in an environment of its own that is kept between runs. It knows nothing of what runs there.
package pyenv

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// errMissing says that there is no Python at all.
var errMissing = errors.New("found no python3 with venv")

// Python gives the path of an interpreter that has what the file requirements lists. Where that can't be had, for want of
// Python or of a network, the test is skipped; with CI=true it fails.
func Python(t testing.TB, requirements string) string {
	t.Helper()
	python, err := Open(context.Background(), requirements)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s: %v", requirements, err)
		}
		t.Skipf("%s: no such Python here: %v", requirements, err)
	}
	return python
}

// Open is [Python] without a test. The more arguments are pip's, of how it installs the file.
func Open(ctx context.Context, requirements string, more ...string) (string, error) {
	text, err := os.ReadFile(requirements)
	if err != nil {
		return "", err
	}
	base, err := exec.LookPath("python3")
	if err != nil {
		return "", errMissing
	}
	version, err := exec.Command(base, "-c", "import sys; print(sys.version, sys.executable)").Output()
	if err != nil {
		return "", fmt.Errorf("%w: %w", errMissing, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(append(text, version...), strings.Join(more, " ")...))
	dir := filepath.Join(cache, "fkzoo", "tests", fmt.Sprintf("python-%x", sum[:8]))
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	// Packages' tests run at the same time.
	lock := flock.New(dir + ".lock")
	if err := lock.Lock(); err != nil {
		return "", err
	}
	defer lock.Unlock()
	python := filepath.Join(dir, "bin", "python")
	if runtime.GOOS == "windows" {
		python = filepath.Join(dir, "Scripts", "python.exe")
	}
	done := filepath.Join(dir, "complete")
	if _, err := os.Stat(done); err == nil {
		return python, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, base, "-m", "venv", dir).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %w\n%s", errMissing, err, out)
	}
	pip := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
		"--retries", "2", "--only-binary", ":all:", "--require-hashes", "-r", requirements}, more...)
	if out, err := exec.CommandContext(ctx, python, pip...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("pip: %w\n%s", err, out)
	}
	return python, os.WriteFile(done, nil, 0o644)
}
