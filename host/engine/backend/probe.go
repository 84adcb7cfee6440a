package backend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/fkzoo/fkzoo/host/engine/backend/wheel"
	"github.com/fkzoo/fkzoo/internal/atomicfile"
)

// answer is what a library that works says of itself.
type answer struct {
	Version string `json:"version"`
	Device  string `json:"device"`
}

// memory is the last successful trial of a library, so that the next start pays nothing: while size, time of change
// and surroundings are the same the file isn't read again; while only the content is, it isn't run again.
type memory struct {
	Library      string `json:"library"`
	Size         int64  `json:"size"`
	Modified     int64  `json:"modified"` // nanoseconds since 1970
	SHA256       string `json:"sha256"`
	Surroundings string `json:"surroundings"`
	Answer       answer `json:"answer"`
}

func (s *Store) memoryPath(k Kind) string {
	return filepath.Join(s.cache, "probe-"+k.String()+".json")
}

// probe makes sure that the library at path has that checksum and works, in a child process unless that is remembered.
func (s *Store) probe(ctx context.Context, k Kind, path, sum string) (answer, error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return answer{}, errors.New("file is missing")
	}
	if err != nil {
		return answer{}, err
	}
	now := memory{Library: path, Size: st.Size(), Modified: st.ModTime().UnixNano(), SHA256: sum, Surroundings: surroundings(k)}
	old, known := s.recall(k)
	known = known && old.Surroundings == now.Surroundings && old.SHA256 == sum
	if known && old.Library == path && old.Size == now.Size && old.Modified == now.Modified {
		return old.Answer, nil
	}
	found, err := wheel.SHA256(ctx, path)
	if err != nil {
		return answer{}, err
	}
	if found != sum {
		return answer{}, fmt.Errorf("%w: found SHA-256 %s, want %s as installed", ErrChecksum, found, sum)
	}
	if known {
		now.Answer = old.Answer
	} else if now.Answer, err = s.try(ctx, k, path); err != nil {
		return answer{}, err
	}
	s.remember(k, now)
	return now.Answer, nil
}

func (s *Store) recall(k Kind) (memory, bool) {
	data, err := os.ReadFile(s.memoryPath(k))
	if err != nil {
		return memory{}, false
	}
	var m memory
	return m, json.Unmarshal(data, &m) == nil
}

// remember ignores errors: without a memory everything works, a second later.
func (s *Store) remember(k Kind, m memory) {
	if data, err := json.MarshalIndent(m, "", "  "); err == nil && os.MkdirAll(s.cache, 0o755) == nil {
		_ = writeFile(s.memoryPath(k), append(data, '\n'))
	}
}

// xlaFlags are XLA_FLAGS as they were when the program started: opening cuda adds to them.
var xlaFlags = os.Getenv("XLA_FLAGS")

// surroundings is a checksum of what else decides whether a library works: this machine, its driver, the versions
// linked here, and the variables that XLA and the loader read.
func surroundings(k Kind) string {
	h := sha256.New()
	host, _ := os.Hostname()
	fmt.Fprintln(h, host, moduleVersion("github.com/gomlx/go-xla"), moduleVersion("github.com/gomlx/gomlx"))
	fmt.Fprintf(h, "XLA_FLAGS=%q\n", xlaFlags)
	l := k.known().library
	for _, path := range l.files {
		content, _ := os.ReadFile(path)
		h.Write(content)
	}
	for _, v := range append([]string{"LD_LIBRARY_PATH", "LD_PRELOAD"}, l.variables...) {
		fmt.Fprintf(h, "%s=%q\n", v, os.Getenv(v))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// writeFile writes a small file whole or not at all.
func writeFile(path string, data []byte) error {
	return atomicfile.Write(path, true, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// syncDir makes renames in a folder last. Where folders can't be synced (Windows) there is nothing to do.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !strings.Contains(err.Error(), "handle is invalid") && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// moduleVersion is the version of a module linked into this program, "" where the build doesn't say.
func moduleVersion(path string) string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range build.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return ""
}
