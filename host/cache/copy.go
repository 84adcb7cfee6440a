package host

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/fkzoo/fkzoo/internal/plainfile"
)

// open opens the plugin's file for hashing and says clearly why it can't be
// run, as far as that shows without running it.
func (p found) open() (*os.File, fs.FileInfo, error) {
	f, info, err := plainfile.Open(p.path)
	var refused *plainfile.Error
	switch {
	case errors.As(err, &refused):
		err = p.fail(ErrNotExecutable, nil, "found %s, want an ordinary file", refused.Kind())
	case errors.Is(err, fs.ErrNotExist):
		err = p.fail(ErrMissing, err, "missing: there is no such file")
	case err != nil:
		err = p.fail(ErrNotExecutable, err, "can't be read: %v", err)
	case !executable(info):
		f.Close()
		err = p.fail(ErrNotExecutable, nil, "not executable: found mode %v, want one with x (chmod +x)", info.Mode())
	}
	if err != nil {
		return nil, nil, err
	}
	return f, info, nil
}

// checksum hashes a file from its start and gives the SHA-256 in hex.
func checksum(f io.ReadSeeker) (string, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// privateCopy hashes the plugin's file, asks accept about the checksum, and
// gives an open private copy with exactly that checksum: what runs is what was
// checked, whatever happens to the plugin's own file meanwhile.
func (h *Host) privateCopy(p found, accept func(sum string) error) (copied *os.File, sum string, err error) {
	f, _, err := p.open()
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	if sum, err = checksum(f); err != nil {
		return nil, "", p.fail(ErrStart, err, "can't be read: %v", err)
	}
	if err := accept(sum); err != nil {
		return nil, "", err
	}
	if copied, err = h.copyOf(f, sum); err != nil {
		return nil, "", p.fail(ErrStart, err, "no private copy: %v", err)
	}
	return copied, sum, nil
}

// copyOf opens the copy for a checksum, and makes it if there is none or it is
// damaged, in the cache or, where that can't be, in the temporary one.
func (h *Host) copyOf(original io.ReadSeeker, sum string) (*os.File, error) {
	var unusable error
	if h.o.Cache != "" {
		var f *os.File
		f, unusable = copyIn(filepath.Join(h.o.Cache, "programs"), original, sum)
		if unusable == nil || errors.Is(unusable, errChanged) {
			return f, unusable
		}
	}
	cache, err := h.makeTemporaryCache()
	var f *os.File
	if err == nil {
		f, err = copyIn(filepath.Join(cache, "programs"), original, sum)
	}
	if unusable == nil {
		return f, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w, nor a temporary one: %w", unusable, err)
	}
	h.warn(fmt.Sprintf("cache %s can't be used, so a temporary one is: %v", h.o.Cache, unusable))
	return f, nil
}

var errChanged = errors.New("the file changed while it was read")

// makeTemporaryCache gives a folder that goes with the host: it lies in the
// folder of the sockets, which is private and removed even if the host is
// killed.
func (h *Host) makeTemporaryCache() (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return "", errors.New("the host is closed")
	}
	if h.sockets == nil {
		sockets, err := newSocketFolder()
		if err != nil {
			return "", err
		}
		h.sockets = sockets
	}
	h.private = true
	return filepath.Join(h.sockets.path, "cache"), nil
}

// caches gives the folders where something may be remembered.
func (h *Host) caches() []string {
	var all []string
	if h.o.Cache != "" {
		all = append(all, h.o.Cache)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.private && h.sockets != nil {
		all = append(all, filepath.Join(h.sockets.path, "cache"))
	}
	return all
}

// copyIn is copyOf in one folder. The copy is not synced to disk: it is hashed
// again whenever it is used.
func copyIn(folder string, original io.ReadSeeker, sum string) (*os.File, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if err := checkPrivate(folder); err != nil {
		return nil, err
	}
	path := filepath.Join(folder, sum)
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if f := openCopy(path, sum); f != nil {
		return f, nil
	}

	prune(folder)
	temporary := ""
	_, err := original.Seek(0, io.SeekStart)
	if err == nil {
		temporary, err = writeTemporary(path, original, 0o500)
	}
	if err == nil {
		defer os.Remove(temporary) // gone already if all went well
		err = os.Rename(temporary, path)
	}
	if f := openCopy(path, sum); f != nil { // another process may have made it meanwhile
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, errChanged
}

// openCopy opens a copy that has the checksum, or gives nil.
func openCopy(path, sum string) *os.File {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	if found, err := checksum(f); err != nil || found != sum {
		f.Close()
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // in use: not to be pruned
	return f
}

// unusedFor is how long a copy or a memory is kept without being used.
const unusedFor = 30 * 24 * time.Hour

// prune removes what has not been used for long from one of the cache's
// folders. What goes wrong is left for the next time.
func prune(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			continue
		}
		limit := unusedFor
		if strings.HasPrefix(entry.Name(), temporaryPrefix) {
			limit = 24 * time.Hour
		}
		if time.Since(info.ModTime()) > limit {
			_ = os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}

// fileIdentity is what the system says of a file without reading it.
type fileIdentity struct {
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // ns since 1970
	Changed  int64  `json:"changed"`  // the inode's change, where there is one
	Inode    uint64 `json:"inode"`
	Device   uint64 `json:"device"`
}

// settled is the age from which on a file's times tell every later change:
// within one tick of the file system's clock two contents look the same.
const settled = 2 * time.Second

// checksums remembers the checksums of files that have not changed. Only
// [Host.List] uses it; before a plugin is started it is hashed.
type checksums struct {
	path string

	mu     sync.Mutex
	loaded bool
	dirty  bool
	files  map[string]knownChecksum
}

type knownChecksum struct {
	fileIdentity
	SHA256 string `json:"sha256"`
}

// quickChecksum gives the checksum of a plugin's file, without reading it if
// it is the same as last time.
func (h *Host) quickChecksum(p found) (string, error) {
	f, info, err := p.open()
	if err != nil {
		return "", err
	}
	defer f.Close()
	id := identity(info)
	if sum, known := h.checksums.get(p.path, id); known {
		return sum, nil
	}
	sum, err := checksum(f)
	if err != nil {
		return "", p.fail(ErrStart, err, "can't be read: %v", err)
	}
	if after, err := f.Stat(); err == nil && identity(after) == id && time.Since(info.ModTime()) > settled &&
		time.Since(time.Unix(0, id.Changed)) > settled {
		h.checksums.put(p.path, id, sum)
	}
	return sum, nil
}

func (c *checksums) get(path string, id fileIdentity) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.load()
	k, there := c.files[path]
	return k.SHA256, there && k.fileIdentity == id && isChecksum(k.SHA256)
}

func (c *checksums) put(path string, id fileIdentity, sum string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.load()
	c.files[path] = knownChecksum{id, sum}
	c.dirty = true
}

func (c *checksums) load() {
	if c.loaded {
		return
	}
	c.loaded = true
	if c.path == "" {
		c.files = map[string]knownChecksum{}
		return
	}
	if text, err := os.ReadFile(c.path); err != nil || json.Unmarshal(text, &c.files) != nil || c.files == nil {
		c.files = map[string]knownChecksum{} // none or damaged: built anew
	}
}

// save writes what was learned. It is only a memory: failing to write it costs
// time, not truth.
func (c *checksums) save() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dirty || c.path == "" {
		return
	}
	for path := range c.files {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			delete(c.files, path)
		}
	}
	text, err := json.MarshalIndent(c.files, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(c.path), 0o700)
	}
	if err == nil && writeMemory(c.path, append(text, '\n')) == nil {
		c.dirty = false
	}
}
