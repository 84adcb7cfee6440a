// Package host finds plugins, decides whether to trust one, starts it, asks it
// and stops it, and remembers what it offers.
//
// It knows files, processes and the plugin protocol. It must not know how a
// network is run, what training data looks like beyond its summary, or what
// people do with a model.
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
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fkzoo/fkzoo/internal/userdir"
	"github.com/fkzoo/fkzoo/specs/blueprint"
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

// Host asks plugins. Its methods may be called from several goroutines.
type Host struct {
	o       Options
	shipped map[string]string

	mu      sync.Mutex
	closed  bool
	running map[string]*slot // by plugin name
	sockets *socketFolder    // made when the first plugin starts
	private bool             // it has a cache, in place of the one in Options
	warned  map[string]bool
	asked   map[asked]*answered

	checksums checksums
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
	h := &Host{o: o, shipped: o.Shipped, running: map[string]*slot{}, warned: map[string]bool{}, asked: map[asked]*answered{}, notice: time.Second}
	if h.shipped == nil {
		var err error
		if h.shipped, err = parseShipped(shipped); err != nil {
			return nil, err
		}
	}
	if o.Cache != "" {
		h.checksums.path = filepath.Join(o.Cache, "checksums.json")
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
			if s.process != nil {
				s.process.stop()
				s.process = nil
			}
		})
	}
	all.Wait()

	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sockets != nil {
		h.sockets.remove()
		h.sockets = nil
	}
	return nil
}

// warn gives a warning to the user, the same one only once.
func (h *Host) warn(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.o.Warn != nil && !h.warned[text] {
		h.warned[text] = true
		h.o.Warn(text)
	}
}

// Setting is something about an architecture that the user may choose.
type Setting struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Help    string `json:"help,omitempty"`
}

// Architecture is what a plugin offers, as it was answered or is remembered.
type Architecture struct {
	Name       string
	Summary    string
	Parameters int64    // of all members, for data with blueprint.KaggleColumns
	Members    []string // names of the members
	Settings   []Setting
	Plugin     PluginInfo
	Ambiguous  bool // another plugin offers the same name: only FullName finds it

	document []byte
}

// FullName is plugin/name, which is never ambiguous.
func (a Architecture) FullName() string { return a.Plugin.Name + "/" + a.Name }

// Document gives the blueprint for default settings and blueprint.KaggleColumns.
func (a Architecture) Document() (*blueprint.Document, error) {
	d, err := blueprint.Parse(a.document)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: architecture %s: %w", a.Plugin.Name, a.Name, err)
	}
	return d, nil
}

// List says what all plugins offer, sorted by plugin, then in the plugin's
// order. Plugins that can't be asked give an error each (an [*Error]) and don't
// keep the others from being listed. No process is started for a plugin whose
// answers are remembered, nor twice for one that failed: until its file
// changes, this host gives the same error again.
func (h *Host) List(ctx context.Context) ([]Architecture, []error) {
	found, errs := h.find()
	offers := make([]*offer, len(found))
	failed := make([]error, len(found))
	var all sync.WaitGroup
	for i, p := range found {
		all.Go(func() { offers[i], failed[i] = h.offer(ctx, p) })
	}
	all.Wait()
	h.checksums.save()

	var list []Architecture
	count := map[string]int{}
	for i, o := range offers {
		if failed[i] != nil {
			errs = append(errs, failed[i])
			continue
		}
		for _, a := range o.list() {
			count[a.Name]++
			list = append(list, a)
		}
	}
	for i := range list {
		list[i].Ambiguous = count[list[i].Name] > 1
	}
	return list, errs
}

// offer gives what one plugin offers, from memory if it can.
func (h *Host) offer(ctx context.Context, p found) (*offer, error) {
	o, sum, err := h.known(p)
	if o != nil || err != nil {
		return o, err
	}
	a := h.answered(asked{p.name, p.path, sum})
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return nil, p.fail(ErrTimeout, ctx.Err(), "not asked what it offers: %v", context.Cause(ctx))
	}
	if a.failed != nil {
		return nil, a.failed
	}
	if o, _, err := h.known(p); o != nil || err != nil { // somebody has asked meanwhile
		return o, err
	}
	defer h.waiting(p)()
	if o, err = h.askOffer(ctx, p); err != nil && ctx.Err() == nil && lasting(err) {
		a.failed = err
	}
	return o, err
}

// known gives what a plugin is remembered to offer, or nil, and its checksum.
// It fails if the plugin may not run.
func (h *Host) known(p found) (*offer, string, error) {
	sum, err := h.quickChecksum(p)
	if err != nil {
		return nil, "", err
	}
	trust, err := h.trust(p, sum)
	if err != nil {
		return nil, "", err
	}
	o := h.recall(p.name, sum)
	if o != nil {
		o.plugin = PluginInfo{Name: p.name, Path: p.path, SHA256: sum, Trust: trust}
	}
	return o, sum, nil
}

// asked is a plugin's file with one content.
type asked struct{ name, path, sum string }

// answered is how asking such a file what it offers went.
type answered struct {
	turn   chan struct{} // held while it is asked; guards failed
	failed error
}

func (h *Host) answered(what asked) *answered {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asked[what] == nil {
		h.asked[what] = &answered{turn: make(chan struct{}, 1)}
	}
	return h.asked[what]
}

// lasting tells whether a failure is the plugin's own, to be expected again.
// One that is not, a full disk say, may be gone the next time.
func lasting(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind != ErrStart
}

// waiting tells the user whom fkzoo waits for, if it is long; call stop.
func (h *Host) waiting(p found) (stop func() bool) {
	return time.AfterFunc(h.notice, func() { h.warn(fmt.Sprintf("plugin %s (%s): waiting for its answer", p.name, p.path)) }).Stop
}

// askOffer starts the plugin if need be, asks what it offers and each default
// blueprint, checks all of it and remembers it.
func (h *Host) askOffer(ctx context.Context, p found) (*offer, error) {
	process, err := h.process(ctx, p)
	if err != nil {
		return nil, err
	}
	o := &offer{plugin: process.plugin}
	listed, err := process.list(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range listed {
		d, text, err := process.blueprint(ctx, a.Name, Request{Data: DataSummary{Columns: blueprint.KaggleColumns}})
		if err != nil {
			return nil, err
		}
		parameters, err := d.Parameters(blueprint.KaggleColumns)
		if err != nil {
			return nil, process.bad(a.Name, err)
		}
		r := remembered{Name: a.Name, Summary: a.Summary, Settings: a.Settings, Parameters: parameters, Document: text}
		for _, m := range d.Members {
			r.Members = append(r.Members, m.Name)
		}
		o.Architectures = append(o.Architectures, r)
	}
	h.remember(o)
	return o, nil
}

// DataSummary says what training data holds; [Summarize] makes one.
type DataSummary = protocol.DataSummary

// Summarize sums up points: a row of len(columns) numbers after the other,
// where NaN stands for an empty cell.
func Summarize(columns []string, points []float32) (DataSummary, error) {
	return protocol.Summarize(columns, points)
}

// Request is what a blueprint may depend on.
type Request struct {
	Settings map[string]string // as given by --set
	Data     DataSummary       // without columns: blueprint.KaggleColumns
}

// Answer is a blueprint and where it came from.
type Answer struct {
	Document *blueprint.Document
	Plugin   PluginInfo
}

// Blueprint asks for the blueprint of the architecture called name, or
// plugin/name. The document is valid for the request's columns. It fails with
// an [*UnknownError] if no plugin offers it, an [*AmbiguousError] if several
// do, and an [*Error] naming the plugin for everything the plugin does wrong;
// errors.Is with [ErrRefused] tells that the plugin refused the settings or
// the data.
func (h *Host) Blueprint(ctx context.Context, name string, r Request) (Answer, error) {
	if len(r.Data.Columns) == 0 {
		r.Data.Columns = blueprint.KaggleColumns
	}
	a, err := h.Architecture(ctx, name)
	if err != nil {
		return Answer{}, err
	}
	p := found{name: a.Plugin.Name, path: a.Plugin.Path, dev: a.Plugin.Trust == Development}
	defer h.waiting(p)()
	process, err := h.process(ctx, p)
	if err != nil {
		return Answer{}, err
	}
	d, _, err := process.blueprint(ctx, a.Name, r)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Document: d, Plugin: process.plugin}, nil
}

// Architecture finds the architecture called name, or plugin/name, and fails
// as [Host.Blueprint] does. What is remembered comes first: plugins whose
// offers aren't are started only if no remembered one has that name, so that
// one that hangs delays nobody who doesn't need it.
func (h *Host) Architecture(ctx context.Context, name string) (Architecture, error) {
	if plugin, _, full := strings.Cut(name, "/"); full {
		return h.fullName(ctx, plugin, name)
	}
	var remembered []Architecture
	all, _ := h.find()
	for _, p := range all {
		if o, _, err := h.known(p); o != nil && err == nil {
			remembered = append(remembered, o.list()...)
		}
	}
	h.checksums.save()
	a, err := choose(remembered, name)
	var unknown *UnknownError
	if !errors.As(err, &unknown) {
		return a, err
	}
	list, errs := h.List(ctx)
	a, err = choose(list, name)
	if errors.As(err, &unknown) {
		unknown.Failed = errs
	}
	return a, err
}

// fullName finds plugin/name by asking that plugin alone.
func (h *Host) fullName(ctx context.Context, plugin, name string) (Architecture, error) {
	all, _ := h.find()
	for _, p := range all {
		if p.name != plugin {
			continue
		}
		o, err := h.offer(ctx, p)
		if err != nil {
			return Architecture{}, err
		}
		unknown := &UnknownError{Name: name}
		for _, a := range o.list() {
			if a.FullName() == name {
				return a, nil
			}
			unknown.Offered = append(unknown.Offered, a.FullName())
		}
		return Architecture{}, unknown
	}
	return Architecture{}, &Error{Plugin: plugin, Kind: ErrMissing, Problem: "missing, want " + h.whereToLook(plugin)}
}

// choose gives the one architecture of that name.
func choose(from []Architecture, name string) (Architecture, error) {
	var offering []Architecture
	unknown := &UnknownError{Name: name}
	for _, a := range from {
		unknown.Offered = append(unknown.Offered, a.Name)
		if a.Name == name {
			offering = append(offering, a)
		}
	}
	switch len(offering) {
	case 0:
		return Architecture{}, unknown
	case 1:
		return offering[0], nil
	}
	ambiguous := &AmbiguousError{Name: name}
	for _, a := range offering {
		ambiguous.Offered = append(ambiguous.Offered, a.FullName())
	}
	return Architecture{}, ambiguous
}
