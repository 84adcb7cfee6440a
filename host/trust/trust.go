// Package trust decides which plugins may run: by checksums that were linked into the program or accepted by its user.
//
// It must not know where plugins are looked for, nor how one is run.
package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/fkzoo/fkzoo/host/fault"
	"github.com/fkzoo/fkzoo/host/file"
	"github.com/fkzoo/fkzoo/specs/protocol"
)

// ParseShipped reads what the linker set.
func ParseShipped(text string) (map[string]string, error) {
	all := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		name, sum, _ := strings.Cut(part, "=")
		if protocol.CheckName(name) != nil || !file.IsChecksum(sum) || all[name] != "" {
			return nil, fmt.Errorf("checksums linked into fkzoo: found %q, want name=sha256 once for each plugin", part)
		}
		all[name] = sum
	}
	return all, nil
}

// Reason says why a plugin is run.
type Reason string

// Reasons to run a plugin.
const (
	Shipped     Reason = "shipped"     // its checksum is linked into fkzoo
	Installed   Reason = "installed"   // its checksum was recorded by Install
	Development Reason = "development" // it lies in the folder that is not checked
)

// Rules decide which plugins may run.
type Rules struct {
	Shipped map[string]string // name to SHA-256 in hex: trusted without being accepted
	Store   Store
}

// Decide says why the plugin may run with this checksum; if it may not, the error's kind is [fault.ErrUntrusted].
func (r Rules) Decide(p file.File, sum string) (Reason, error) {
	if p.Dev {
		return Development, nil
	}
	known := r.Shipped[p.Name]
	if known == sum {
		return Shipped, nil
	}
	store, err := r.Store.Read()
	if err != nil {
		return "", p.Fail(fault.ErrUntrusted, err, "%v", err)
	}
	if record, is := store.Plugins[p.Name]; is {
		known = record.SHA256
	}
	if known == sum {
		return Installed, nil
	}
	if known != "" {
		return "", p.Fail(fault.ErrUntrusted, nil, "changed: found checksum %s, want %s", sum, known)
	}
	return "", p.Fail(fault.ErrUntrusted, nil, "not trusted: found checksum %s, which nobody has accepted", sum)
}

// Store is the file in which accepted checksums are recorded.
type Store struct {
	Folder string // that it lies in; none: nothing is accepted
}

// Accepted is what the file holds.
type Accepted struct {
	Version int               `json:"version"`
	Plugins map[string]Record `json:"plugins"`
}

// Record is a plugin that somebody accepted.
type Record struct {
	SHA256    string    `json:"sha256"`
	Path      string    `json:"path"` // where it lay or was put
	Installed time.Time `json:"installed"`
}

const storeVersion = 1

func (at Store) path() string { return filepath.Join(at.Folder, "plugins.json") }

// Read reads the accepted checksums. No file is an empty store; a damaged
// one is an error, since nothing can be trusted by it.
func (at Store) Read() (Accepted, error) {
	s := Accepted{Version: storeVersion, Plugins: map[string]Record{}}
	if at.Folder == "" {
		return s, nil
	}
	path := at.path()
	text, err := os.ReadFile(path)
	if file.IsAbsent(err) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("trust store %s: %w", path, err)
	}
	var read Accepted
	if err := json.Unmarshal(text, &read); err != nil {
		return s, fmt.Errorf("trust store %s: %w", path, err)
	}
	if read.Version != storeVersion {
		return s, fmt.Errorf("trust store %s: found version %d, want %d", path, read.Version, storeVersion)
	}
	for name, r := range read.Plugins {
		if !file.IsChecksum(r.SHA256) {
			return s, fmt.Errorf("trust store %s, plugin %q: found checksum %q, want a SHA-256 in hex", path, name, r.SHA256)
		}
	}
	if read.Plugins != nil {
		s.Plugins = read.Plugins
	}
	return s, nil
}

// Change reads the store, changes it and writes it, while no other
// process does.
func (at Store) Change(change func(*Accepted) error) error {
	if at.Folder == "" {
		return errors.New("trust store: found no folder for it, want a home or configuration folder (HOME, XDG_CONFIG_HOME)")
	}
	if err := os.MkdirAll(at.Folder, 0o700); err != nil {
		return fmt.Errorf("trust store: %w", err)
	}
	lock := flock.New(at.path()+".lock", flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("trust store %s: %w", at.path(), err)
	}
	defer lock.Close()
	s, err := at.Read()
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
	if err := file.Write(at.path(), bytes.NewReader(append(text, '\n')), 0o600); err != nil {
		return fmt.Errorf("trust store %s: %w", at.path(), err)
	}
	return nil
}
