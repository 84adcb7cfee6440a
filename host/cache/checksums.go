package cache

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fkzoo/fkzoo/host/fault"
	"github.com/fkzoo/fkzoo/host/file"
)

// Settled is the age from which on a file's times tell every later change:
// within one tick of the file system's clock two contents look the same.
const Settled = 2 * time.Second

// Checksums remembers the checksums of files that have not changed. They are
// for showing alone: before a plugin is started it is hashed.
type Checksums struct {
	Path string // of the file they are kept in; none: they are not

	mu     sync.Mutex
	loaded bool
	dirty  bool
	files  map[string]knownChecksum
}

type knownChecksum struct {
	file.Identity
	SHA256 string `json:"sha256"`
}

// Of gives the checksum of a plugin's file, without reading it if it is the
// same as last time.
func (c *Checksums) Of(p file.File) (string, error) {
	f, info, err := p.Open()
	if err != nil {
		return "", err
	}
	defer f.Close()
	id := file.IdentityOf(info)
	if sum, known := c.get(p.Path, id); known {
		return sum, nil
	}
	sum, err := file.Checksum(f)
	if err != nil {
		return "", p.Fail(fault.ErrStart, err, "can't be read: %v", err)
	}
	if after, err := f.Stat(); err == nil && file.IdentityOf(after) == id && time.Since(info.ModTime()) > Settled &&
		time.Since(time.Unix(0, id.Changed)) > Settled {
		c.put(p.Path, id, sum)
	}
	return sum, nil
}

func (c *Checksums) get(path string, id file.Identity) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.load()
	k, there := c.files[path]
	return k.SHA256, there && k.Identity == id && file.IsChecksum(k.SHA256)
}

func (c *Checksums) put(path string, id file.Identity, sum string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.load()
	c.files[path] = knownChecksum{id, sum}
	c.dirty = true
}

func (c *Checksums) load() {
	if c.loaded {
		return
	}
	c.loaded = true
	if c.Path == "" {
		c.files = map[string]knownChecksum{}
		return
	}
	if text, err := os.ReadFile(c.Path); err != nil || json.Unmarshal(text, &c.files) != nil || c.files == nil {
		c.files = map[string]knownChecksum{} // none or damaged: built anew
	}
}

// Save writes what was learned. It is only a memory: failing to write it costs
// time, not truth.
func (c *Checksums) Save() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dirty || c.Path == "" {
		return
	}
	for path := range c.files {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			delete(c.files, path)
		}
	}
	text, err := json.MarshalIndent(c.files, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(c.Path), 0o700)
	}
	if err == nil && file.WriteMemory(c.Path, append(text, '\n')) == nil {
		c.dirty = false
	}
}
