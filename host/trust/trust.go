package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/fkzoo/fkzoo/specs/protocol"
)

// shipped holds the plugins that were built with this program, as
// name=sha256,name=sha256; the linker sets it:
//
//	-ldflags "-X github.com/fkzoo/fkzoo/host.shipped=baseline=01ab...,net7=..."
var shipped string

// parseShipped reads what the linker set.
func parseShipped(text string) (map[string]string, error) {
	all := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		name, sum, _ := strings.Cut(part, "=")
		if protocol.CheckName(name) != nil || !isChecksum(sum) || all[name] != "" {
			return nil, fmt.Errorf("checksums linked into fkzoo: found %q, want name=sha256 once for each plugin", part)
		}
		all[name] = sum
	}
	return all, nil
}

func isChecksum(sum string) bool {
	if len(sum) != 64 {
		return false
	}
	return strings.Trim(sum, "0123456789abcdef") == ""
}

// Trust says why a plugin is run.
type Trust string

// Reasons to run a plugin.
const (
	Shipped     Trust = "shipped"     // its checksum is linked into fkzoo
	Installed   Trust = "installed"   // its checksum was recorded by Install
	Development Trust = "development" // it lies in the folder that is not checked
)

// PluginInfo says which program answered.
type PluginInfo struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	SHA256 string `json:"sha256"` // of the program, in hex
	Trust  Trust  `json:"trust"`
}

// trust decides whether the plugin may run with this checksum.
func (h *Host) trust(p found, sum string) (Trust, error) {
	if p.dev {
		return Development, nil
	}
	known := h.shipped[p.name]
	if known == sum {
		return Shipped, nil
	}
	store, err := h.readStore()
	if err != nil {
		return "", p.fail(ErrUntrusted, err, "%v", err)
	}
	if record, is := store.Plugins[p.name]; is {
		known = record.SHA256
	}
	if known == sum {
		return Installed, nil
	}
	problem := p.fail(ErrUntrusted, nil, "not trusted: found checksum %s, which nobody has accepted", sum)
	if known != "" {
		problem = p.fail(ErrUntrusted, nil, "changed: found checksum %s, want %s", sum, known)
	}
	problem.Command = "fkzoo plugin install " + quoteForShell(p.path)
	return "", problem
}

// quoteForShell writes a path so that it can be pasted into a shell.
func quoteForShell(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./\\:") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// store is the file in which accepted checksums are recorded.
type store struct {
	Version int               `json:"version"`
	Plugins map[string]record `json:"plugins"`
}

// record is a plugin that somebody accepted.
type record struct {
	SHA256    string    `json:"sha256"`
	Path      string    `json:"path"` // where it lay or was put
	Installed time.Time `json:"installed"`
}

const storeVersion = 1

func (h *Host) storePath() string { return filepath.Join(h.o.Config, "plugins.json") }

// readStore reads the accepted checksums. No file is an empty store; a damaged
// one is an error, since nothing can be trusted by it.
func (h *Host) readStore() (store, error) {
	s := store{Version: storeVersion, Plugins: map[string]record{}}
	if h.o.Config == "" {
		return s, nil
	}
	path := h.storePath()
	text, err := os.ReadFile(path)
	if isAbsent(err) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("trust store %s: %w", path, err)
	}
	var read store
	if err := json.Unmarshal(text, &read); err != nil {
		return s, fmt.Errorf("trust store %s: %w", path, err)
	}
	if read.Version != storeVersion {
		return s, fmt.Errorf("trust store %s: found version %d, want %d", path, read.Version, storeVersion)
	}
	for name, r := range read.Plugins {
		if !isChecksum(r.SHA256) {
			return s, fmt.Errorf("trust store %s, plugin %q: found checksum %q, want a SHA-256 in hex", path, name, r.SHA256)
		}
	}
	if read.Plugins != nil {
		s.Plugins = read.Plugins
	}
	return s, nil
}

// isAbsent tells whether there is nothing at a path, also because what ought to
// be a folder on the way is none (HOME=/dev/null).
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// changeStore reads the store, changes it and writes it, while no other
// process does.
func (h *Host) changeStore(change func(*store) error) error {
	if h.o.Config == "" {
		return errors.New("trust store: found no folder for it, want a home or configuration folder (HOME, XDG_CONFIG_HOME)")
	}
	if err := os.MkdirAll(h.o.Config, 0o700); err != nil {
		return fmt.Errorf("trust store: %w", err)
	}
	lock := flock.New(h.storePath()+".lock", flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("trust store %s: %w", h.storePath(), err)
	}
	defer lock.Close()
	s, err := h.readStore()
	if err != nil {
		return err
	}
	if err := change(&s); err != nil {
		return err
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("trust store: %w", err)
	}
	if err := writeFile(h.storePath(), bytes.NewReader(append(text, '\n')), 0o600); err != nil {
		return fmt.Errorf("trust store %s: %w", h.storePath(), err)
	}
	return nil
}
