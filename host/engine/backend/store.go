package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/gomlx/go-xla/installer"

	"github.com/fkzoo/fkzoo/host/engine/backend/wheel"
	"github.com/fkzoo/fkzoo/internal/userdir"
)

// State is what List says of a backend.
type State string

// The states.
const (
	Ready        State = "ready"
	NotInstalled State = "not installed"
	Broken       State = "broken"
	Unsupported  State = "not supported"
)

// Info is what is known of one backend.
type Info struct {
	Name       string      `json:"name"`
	Kind       Kind        `json:"-"`
	State      State       `json:"state"`
	Why        string      `json:"why,omitempty"`     // why it is not ready
	Version    string      `json:"version,omitempty"` // what answers: "XLA, PJRT API 0.104"
	Device     string      `json:"device,omitempty"`
	Library    string      `json:"library,omitempty"` // path of the PJRT library
	Provenance *Provenance `json:"provenance,omitempty"`
}

// Provenance says where an installed library came from. It is the file NAME.json in the store, and what makes a
// library an installed one.
type Provenance struct {
	Backend  string          `json:"backend"`
	Packages []wheel.Package `json:"packages,omitempty"` // none for a library of the user's own
	// Own is the path the user gave with --from, for a library that isn't one of those known here.
	Own           string    `json:"own,omitempty"`
	Library       string    `json:"library"` // relative to the store's folder, with slashes
	LibrarySHA256 string    `json:"library_sha256"`
	LibrarySize   int64     `json:"library_size"`
	Version       string    `json:"version"` // what the library said of itself when it was tried
	Installed     time.Time `json:"installed"`
}

// String names the package of the library itself, or says that it is the user's own.
func (p *Provenance) String() string {
	if len(p.Packages) == 0 {
		return "own library, SHA-256 " + p.LibrarySHA256
	}
	s := p.Packages[0].Name + " " + p.Packages[0].Version
	if more := len(p.Packages) - 1; more > 0 {
		s += fmt.Sprintf(" and %d more packages", more)
	}
	return s
}

// Store is a place where libraries are installed: one folder for them, one for what can be found out again.
//
//	DIR/lock                          held while something is installed or removed
//	DIR/cpu.json                      provenance; its writing is what installs
//	DIR/cpu-0123456789ab/…            the library, in a folder named by its checksum
//	DIR/.wheels/, DIR/.partial-…      while installing
//	CACHE/probe-cpu.json              which library was last tried, and worked
type Store struct {
	dir, cache string

	// Replaced in tests.
	index  func(name string) (*installer.PipPackageInfo, error)
	wheels func(Kind) []wheel.Set
	gpu    func() bool // stands for the devices of all backends; nil: each row's own
	try    func(ctx context.Context, k Kind, library string) (answer, error)
	pause  time.Duration // before a broken-off download goes on
}

// NewStore uses the two folders given; neither has to exist. They are made when something is written to them.
func NewStore(dir, cache string) *Store {
	return &Store{dir: dir, cache: cache, index: installer.GetPipInfo, wheels: pinned, try: probeChild, pause: time.Second}
}

// DefaultStore is the user's own: libraries in fkzoo/backends under $XDG_DATA_HOME, or where that isn't set under
// ~/.local/share (Linux), ~/Library/Application Support (macOS), %LocalAppData% (Windows); the memory in
// fkzoo/backends under the user's cache folder.
func DefaultStore() (*Store, error) {
	data, err := userdir.Data()
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("cache folder: %w", err)
	}
	return NewStore(filepath.Join(data, "fkzoo", "backends"), filepath.Join(cache, "fkzoo", "backends")), nil
}

// Dir is the folder that holds the libraries.
func (s *Store) Dir() string { return s.dir }

// List tells of every backend, those that are part of the program first. A library that has not been tried before is tried.
func (s *Store) List(ctx context.Context) []Info {
	infos := parts()
	for _, k := range shown(func(r *row) bool { return r.library != nil }) {
		info, err := s.check(ctx, k)
		info.Name, info.Kind = k.String(), k
		switch {
		case err == nil:
			info.State = Ready
		case errors.Is(err, ErrUnsupported):
			info.State = Unsupported
		case errors.Is(err, ErrNotInstalled):
			info.State = NotInstalled
		default:
			info.State = Broken
		}
		if err != nil {
			info.Why = strings.TrimPrefix(err.Error(), "backend "+k.String()+": ")
		}
		infos = append(infos, info)
	}
	return infos
}

// parts tells of the backends that are part of the program.
func parts() (infos []Info) {
	for _, k := range shown(func(r *row) bool { return r.part != nil }) {
		infos = append(infos, partInfo(k))
	}
	return infos
}

// device tells whether this machine has what the backend is for.
func (s *Store) device(k Kind) bool {
	l := k.known().library
	if l == nil || l.device == nil {
		return true
	}
	if s.gpu != nil {
		return s.gpu()
	}
	return l.device()
}

// check finds an installed library and makes sure that it is the installed one and works.
// On an error the Info has what was found so far.
func (s *Store) check(ctx context.Context, k Kind) (Info, error) {
	info := Info{Name: k.String(), Kind: k}
	if err := supported(); err != nil {
		return info, fmt.Errorf("backend %s: %w: %v", k, ErrUnsupported, err)
	}
	p, err := s.provenance(k)
	if errors.Is(err, fs.ErrNotExist) {
		return info, &InstallError{k.String(), ErrNotInstalled}
	}
	if err != nil {
		return info, &InstallError{k.String(), fmt.Errorf("%w: %v", ErrBroken, err)}
	}
	info.Provenance, info.Version = p, p.Version
	info.Library = filepath.Join(s.dir, filepath.FromSlash(p.Library))
	answer, err := s.probe(ctx, k, info.Library, p.LibrarySHA256)
	if err != nil {
		return info, fmt.Errorf("backend %s: %s: %w: %w", k, info.Library, ErrBroken, err)
	}
	info.Version, info.Device = answer.Version, answer.Device
	info.State = Ready
	return info, nil
}

func (s *Store) provenance(k Kind) (*Provenance, error) {
	path := filepath.Join(s.dir, k.String()+".json")
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := parseProvenance(data, k)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// parseProvenance reads a record and makes sure that it can't lead out of the store's folder.
func parseProvenance(data []byte, k Kind) (*Provenance, error) {
	var p Provenance
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, err
	}
	if p.Backend != k.String() || !filepath.IsLocal(filepath.FromSlash(p.Library)) {
		return nil, fmt.Errorf("found backend %q with library %q, want backend %q and a path inside its folder",
			p.Backend, p.Library, k)
	}
	return &p, nil
}

// Remove takes an installed backend away. Programs that have it open keep it until they end.
func (s *Store) Remove(ctx context.Context, name string) error {
	k, err := parseKind(name)
	if err != nil {
		return err
	}
	if k.known().part != nil {
		return fmt.Errorf("backend %s: part of the program, can't be removed", k)
	}
	record := filepath.Join(s.dir, k.String()+".json")
	if _, err := os.Stat(record); errors.Is(err, fs.ErrNotExist) {
		return &InstallError{k.String(), ErrNotInstalled}
	}
	unlock, err := s.lock(ctx, nil)
	if err != nil {
		return fmt.Errorf("backend %s: %w", k, err)
	}
	defer unlock()
	if err := os.Remove(record); err != nil {
		return fmt.Errorf("backend %s: %w", k, err)
	}
	_ = os.Remove(s.memoryPath(k))
	if err := s.sweep(others(k, "")); err != nil {
		return fmt.Errorf("backend %s: %w", k, err)
	}
	return nil
}

// sweep deletes what interrupted installs left behind and, where old isn't nil, what it names. The lock must be held.
func (s *Store) sweep(old func(name string) bool) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if old != nil && old(name) || strings.HasPrefix(name, ".partial-") || strings.HasPrefix(name, ".fkzoo-") {
			if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// others are a backend's folders but the one to keep.
func others(k Kind, keep string) func(name string) bool {
	return func(name string) bool { return strings.HasPrefix(name, k.String()+"-") && name != keep }
}

// lock waits until nobody else installs or removes in this store.
func (s *Store) lock(ctx context.Context, waiting func()) (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(s.dir, "lock"))
	ok, err := l.TryLock()
	if err == nil && !ok {
		if waiting != nil {
			waiting()
		}
		_, err = l.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", l.Path(), err)
	}
	return func() { _ = l.Close() }, nil
}

// List tells of every backend of the default store.
func List(ctx context.Context) ([]Info, error) {
	s, err := DefaultStore()
	if err != nil {
		return parts(), err
	}
	return s.List(ctx), nil
}

// Remove removes a backend from the default store.
func Remove(ctx context.Context, name string) error {
	s, err := DefaultStore()
	if err != nil {
		return err
	}
	return s.Remove(ctx, name)
}
