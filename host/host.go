// Package host finds plugins, decides whether to trust one, starts it, asks it
// and stops it, and remembers what it offers.
//
// It knows files, processes and the plugin protocol. It must not know how a
// network is run, what training data looks like beyond its summary, or what
// people do with a model. Rooms below it: file (a plugin's file), trust (which
// may run), cache (private copies and checksums), process (a running plugin),
// fault (the error).
//
// # What happens to a plugin
//
// A plugin is an executable fkzoo-plugin-NAME. It is looked for in the folders
// of $FKZOO_DEV_PLUGINS and $FKZOO_PLUGIN_PATH, beside fkzoo, and in the user's
// plugin folder; the first of a name stands. Before it is started its bytes are
// hashed, the checksum is compared with the one linked into fkzoo or recorded
// by [Host.Install], and a private copy, named by its checksum, is what runs.
// It has no terminal, almost no environment and no more time and bytes than
// [Options] say. It lives until [Host.Close], and ends with the host however
// the host ends. What it offers is remembered under its checksum, so that
// [Host.List] starts nothing when nothing changed.
package host

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fkzoo/fkzoo/host/cache"
	"github.com/fkzoo/fkzoo/host/process"
	"github.com/fkzoo/fkzoo/host/trust"
	"github.com/fkzoo/fkzoo/internal/userdir"
	"github.com/fkzoo/fkzoo/specs/protocol"
)

// Environment variables that [Defaults] reads.
const (
	// EnvPath lists folders with plugins, separated as in PATH.
	EnvPath = "FKZOO_PLUGIN_PATH"
	// EnvDev names a folder whose plugins are run unchecked.
	EnvDev = "FKZOO_DEV_PLUGINS"
)

// Options say where a host looks and how long it waits. Folders left empty are
// not used; [Defaults] fills them as people expect.
type Options struct {
	Path   []string // folders searched first
	Beside string   // the folder that holds fkzoo itself
	User   string   // the user's plugin folder; Install puts plugins there
	Dev    string   // searched before Path; its plugins run unchecked

	Config string // folder of the trust store; none: only shipped plugins are trusted
	// Cache is the folder of private copies and memory. Without one that can
	// be used, a private temporary one takes its place until Close.
	Cache string

	Start     time.Duration // for a plugin to start; 0: 20 s
	List      time.Duration // for it to say what it offers; 0: 10 s
	Blueprint time.Duration // for it to give one blueprint; 0: 30 s
	MaxAnswer int           // bytes of one answer; 0: protocol.MaxAnswer

	// Shipped are plugins trusted without being installed: name to SHA-256 in
	// hex. Nil: those linked into the program.
	Shipped map[string]string
	// Warn takes a warning, one line without a line break; nil drops it.
	Warn func(string)
}

// Defaults gives the options for this user: folders from the environment
// ([EnvPath], [EnvDev]), beside the running program, and under the system's
// places for a user's data, configuration and caches (on Linux
// ~/.local/share/fkzoo/plugins, ~/.config/fkzoo and ~/.cache/fkzoo, or as
// XDG_DATA_HOME, XDG_CONFIG_HOME and XDG_CACHE_HOME say). Where a user has no
// such place, a service without HOME for one, that folder is left empty.
func Defaults() (Options, error) {
	var o Options
	for _, folder := range filepath.SplitList(os.Getenv(EnvPath)) {
		if folder != "" {
			o.Path = append(o.Path, folder)
		}
	}
	o.Dev = os.Getenv(EnvDev)
	program, err := os.Executable()
	if err != nil {
		return o, fmt.Errorf("fkzoo's own folder: %w", err)
	}
	if real, err := filepath.EvalSymlinks(program); err == nil {
		program = real
	}
	o.Beside = filepath.Dir(program)
	for _, place := range []struct {
		folder   *string
		system   func() (string, error)
		below    string
		variable string
		is       string
	}{
		{&o.User, userdir.Data, filepath.Join("fkzoo", "plugins"), "XDG_DATA_HOME", "data"},
		{&o.Config, os.UserConfigDir, "fkzoo", "XDG_CONFIG_HOME", "configuration"},
		{&o.Cache, os.UserCacheDir, "fkzoo", "XDG_CACHE_HOME", "cache"},
	} {
		folder, err := place.system()
		if err == nil {
			*place.folder = filepath.Join(folder, place.below)
		} else if os.Getenv(place.variable) != "" { // a wrong place is no missing one
			return o, fmt.Errorf("the user's %s folder: %w", place.is, err)
		}
	}
	return o, nil
}

// shipped holds the plugins that were built with this program, as
// name=sha256,name=sha256; the linker sets it:
//
//	-ldflags "-X github.com/fkzoo/fkzoo/host.shipped=baseline=01ab...,net7=..."
var shipped string

// Host asks plugins. Its methods may be called from several goroutines.
type Host struct {
	o     Options
	rules trust.Rules

	mu      sync.Mutex
	closed  bool
	running map[string]*slot // by plugin name
	sockets *process.Sockets // made when the first plugin starts
	private bool             // it has a cache, in place of the one in Options
	warned  map[string]bool
	asked   map[asked]*answered

	checksums cache.Checksums
	notice    time.Duration // a wait longer than this is told of
}

// New makes a host. It starts nothing and writes nothing. Close it.
func New(o Options) (*Host, error) {
	for _, folder := range []*string{&o.Beside, &o.User, &o.Dev, &o.Config, &o.Cache} {
		if err := makeAbsolute(folder); err != nil {
			return nil, err
		}
	}
	o.Path = append([]string(nil), o.Path...)
	for i := range o.Path {
		if err := makeAbsolute(&o.Path[i]); err != nil {
			return nil, err
		}
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{{&o.Start, 20 * time.Second}, {&o.List, 10 * time.Second}, {&o.Blueprint, 30 * time.Second}} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if o.MaxAnswer <= 0 {
		o.MaxAnswer = protocol.MaxAnswer
	}
	h := &Host{o: o, rules: trust.Rules{Shipped: o.Shipped, Store: trust.Store{Folder: o.Config}}, running: map[string]*slot{}, warned: map[string]bool{}, asked: map[asked]*answered{}, notice: time.Second}
	if h.rules.Shipped == nil {
		var err error
		if h.rules.Shipped, err = trust.ParseShipped(shipped); err != nil {
			return nil, err
		}
	}
	if o.Cache != "" {
		h.checksums.Path = filepath.Join(o.Cache, "checksums.json")
	}
	return h, nil
}

func makeAbsolute(folder *string) error {
	if *folder == "" {
		return nil
	}
	absolute, err := filepath.Abs(*folder)
	if err != nil {
		return fmt.Errorf("folder %s: %w", *folder, err)
	}
	*folder = absolute
	return nil
}

// Close stops every plugin that the host started. Questions asked after it
// fail.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	slots := h.running
	h.running = map[string]*slot{}
	h.mu.Unlock()

	var all sync.WaitGroup
	for _, s := range slots {
		all.Go(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.running != nil {
				s.running.Stop()
				s.running = nil
			}
		})
	}
	all.Wait()

	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sockets != nil {
		h.sockets.Remove()
		h.sockets = nil
	}
	return nil
}

// warn gives a warning to the user, the same one only once.
func (h *Host) warn(text string) {
	h.mu.Lock()
	said := h.warned[text]
	h.warned[text] = true
	h.mu.Unlock()
	if h.o.Warn != nil && !said { // unlocked: who is warned may ask the host
		h.o.Warn(text)
	}
}

// Trust says why a plugin is run.
type Trust = trust.Reason

// Reasons to run a plugin.
const (
	Shipped     = trust.Shipped     // its checksum is linked into fkzoo
	Installed   = trust.Installed   // its checksum was recorded by Install
	Development = trust.Development // it lies in the folder that is not checked
)

// PluginInfo says which program answered.
type PluginInfo struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	SHA256 string `json:"sha256"` // of the program, in hex
	Trust  Trust  `json:"trust"`
}
