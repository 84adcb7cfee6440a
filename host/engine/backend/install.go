package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/gomlx/go-xla/installer"

	"github.com/fkzoo/fkzoo/host/engine/backend/wheel"
	"github.com/fkzoo/fkzoo/internal/ctxio"
	"github.com/fkzoo/fkzoo/internal/plainfile"
)

// Options of an installation.
type Options struct {
	// From installs without a network: a wheel known to this package, a folder with all the wheels that are needed,
	// or a PJRT library of the user's own, which is taken as it is and recorded with its checksum. Empty: download.
	From string
	// Progress is told what happens, if it is not nil; from one goroutine at a time.
	Progress func(Progress)
}

// Progress is what an installation is doing.
type Progress struct {
	Stage string // StageWait, StageDownload, StageUnpack, StageTry
	File  string // file or package at work
	Done  int64  // bytes, while downloading
	Total int64
}

// The stages of an installation.
const (
	StageWait     = "wait for another installation"
	StageDownload = "download"
	StageUnpack   = "unpack"
	StageTry      = "try"
)

func (o Options) say(p Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}

// Install fetches the backend's library, checks it against the SHA-256 pinned in this package, unpacks it into the
// store, tries it with a small computation in a child process, and only then puts it in the place of one installed
// before. Stopped at any moment it leaves what was there; finished, the library and its provenance. Two at a time wait
// for each other. Installing what is there already and works changes nothing.
func (s *Store) Install(ctx context.Context, name string, o Options) (Info, error) {
	k, err := parseKind(name)
	if err != nil {
		return Info{}, err
	}
	if k.known().part != nil {
		return partInfo(k), nil
	}
	if err := supported(); err != nil {
		return Info{}, fmt.Errorf("backend %s: %w: %v", k, ErrUnsupported, err)
	}
	if !s.device(k) {
		return Info{}, fmt.Errorf("backend %s: %s", k, k.known().library.wants)
	}
	info, err := s.install(ctx, k, o)
	if err != nil {
		return Info{}, fmt.Errorf("backend %s: %w", k, err)
	}
	return info, nil
}

func (s *Store) install(ctx context.Context, k Kind, o Options) (Info, error) {
	unlock, err := s.lock(ctx, func() { o.say(Progress{Stage: StageWait}) })
	if err != nil {
		return Info{}, err
	}
	defer unlock()
	if err := s.sweep(nil); err != nil {
		return Info{}, err
	}
	partial, err := os.MkdirTemp(s.dir, ".partial-")
	if err != nil {
		return Info{}, err
	}
	defer os.RemoveAll(partial)
	// MkdirTemp makes it for this user alone; a store under /usr/local may be for all.
	if err := os.Chmod(partial, 0o755); err != nil {
		return Info{}, err
	}
	p, installed, err := s.unpack(ctx, k, o, partial)
	if err != nil {
		return Info{}, err
	}
	if installed != nil {
		return *installed, nil
	}
	library := filepath.Join(partial, filepath.FromSlash(p.Library))
	if p.LibrarySHA256, err = wheel.SHA256(ctx, library); err != nil {
		return Info{}, err
	}
	st, err := os.Stat(library)
	if err != nil {
		return Info{}, err
	}
	p.LibrarySize = st.Size()
	o.say(Progress{Stage: StageTry, File: path.Base(p.Library)})
	a, err := s.try(ctx, k, library)
	if err != nil {
		return Info{}, fmt.Errorf("%s: %w: %w", p, ErrBroken, err)
	}
	if err := syncTree(partial); err != nil {
		return Info{}, err
	}
	folder := k.String() + "-" + p.LibrarySHA256[:12]
	if err := s.replace(partial, folder); err != nil {
		return Info{}, err
	}
	p.Backend, p.Library = k.String(), path.Join(folder, p.Library)
	p.Version, p.Installed = a.Version, time.Now().UTC().Truncate(time.Second)
	record, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return Info{}, err
	}
	// This is the moment from which the library counts as installed.
	if err := writeFile(filepath.Join(s.dir, k.String()+".json"), append(record, '\n')); err != nil {
		return Info{}, err
	}
	s.remember(k, memory{
		Library: filepath.Join(s.dir, filepath.FromSlash(p.Library)), Size: st.Size(), Modified: st.ModTime().UnixNano(),
		SHA256: p.LibrarySHA256, Surroundings: surroundings(k), Answer: a,
	})
	_ = s.sweep(others(k, folder))
	_ = os.RemoveAll(filepath.Join(s.dir, ".wheels"))
	return s.check(ctx, k)
}

// replace renames the unpacked folder to its place, where a broken or unfinished one of that name may be.
func (s *Store) replace(partial, folder string) error {
	place := filepath.Join(s.dir, folder)
	if _, err := os.Lstat(place); err == nil {
		aside := partial + "-old"
		if err := os.Rename(place, aside); err != nil {
			return err
		}
		defer os.RemoveAll(aside)
	}
	if err := os.Rename(partial, place); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// unpack fills the folder from wheels or from the user's file. It returns what is installed already, if that is what
// was asked for and works, and otherwise the provenance, as far as it is known before the library is tried.
func (s *Store) unpack(ctx context.Context, k Kind, o Options, dir string) (*Provenance, *Info, error) {
	sets := s.wheels(k)
	source, err := s.source(ctx, k, sets, o)
	if err != nil {
		return nil, nil, err
	}
	if source.own != "" {
		library := k.known().library.path
		o.say(Progress{Stage: StageUnpack, File: source.own})
		if err := copyFile(ctx, source.own, filepath.Join(dir, filepath.FromSlash(library))); err != nil {
			return nil, nil, err
		}
		if source.needs != "" {
			if err := linkAll(source.needs, filepath.Join(dir, "nvidia")); err != nil {
				return nil, nil, err
			}
		}
		return &Provenance{Own: source.own, Library: library}, nil, nil
	}
	if len(source.sets) == 0 {
		return nil, nil, &NoPackageError{runtime.GOOS + "/" + runtime.GOARCH}
	}
	if old, err := s.check(ctx, k); err == nil && slices.ContainsFunc(source.sets, func(set wheel.Set) bool {
		return slices.Equal(set.Packages(), old.Provenance.Packages)
	}) {
		return nil, &old, nil
	}
	var failures []error
	for _, set := range source.sets {
		if len(failures) > 0 {
			// What an index no longer has may be under another name.
			if err := os.RemoveAll(dir); err != nil {
				return nil, nil, err
			}
			if err := os.Mkdir(dir, 0o755); err != nil {
				return nil, nil, err
			}
		}
		err := s.unpackSet(ctx, k, o, source, set, dir)
		if err == nil {
			return &Provenance{Packages: set.Packages(), Library: k.known().library.path}, nil, nil
		}
		failures = append(failures, err)
		if !errors.Is(err, wheel.ErrGone) {
			break
		}
	}
	return nil, nil, errors.Join(failures...)
}

// hasGPU looks for NVIDIA's device files and nvidia-smi; gigabytes shouldn't be fetched for nothing.
func hasGPU() bool { return installer.HasNvidiaGPU() }

// download brings a wheel into the store and returns its path. The lock must be held.
func (s *Store) download(ctx context.Context, p wheel.Package, o Options) (string, error) {
	f := wheel.Fetcher{Folder: filepath.Join(s.dir, ".wheels"), Index: s.index, Pause: s.pause, Progress: func(done int64) {
		o.say(Progress{Stage: StageDownload, File: p.File, Done: done, Total: p.Size})
	}}
	return f.Fetch(ctx, p)
}

func (s *Store) unpackSet(ctx context.Context, k Kind, o Options, source source, set wheel.Set, dir string) error {
	for _, w := range set {
		file := source.files[w.SHA256]
		if file == "" {
			var err error
			if file, err = s.download(ctx, w.Package, o); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		o.say(Progress{Stage: StageUnpack, File: w.File})
		var err error
		if w.Library != "" {
			to := filepath.Join(dir, filepath.FromSlash(k.known().library.path))
			if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
				err = installer.ExtractFileFromZip(file, w.Library, to)
			}
			if errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("has no %s", w.Library)
			}
		} else {
			err = installer.ExtractDirFromZip(file, "nvidia", filepath.Join(dir, "nvidia"))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.File, err)
		}
	}
	return nil
}

// source says where an installation takes its files from.
type source struct {
	own   string            // a library of the user's own
	needs string            // the folder "nvidia" beside it, which stays where it is; "": none
	sets  []wheel.Set       // the ways to try
	files map[string]string // wheels at hand, by checksum; what isn't is downloaded
}

func (s *Store) source(ctx context.Context, k Kind, sets []wheel.Set, o Options) (source, error) {
	if o.From == "" {
		return source{sets: sets}, nil
	}
	st, err := os.Stat(o.From)
	if err != nil {
		return source{}, err
	}
	if st.IsDir() {
		if own, ok, err := fromPython(o.From, sets); ok || err != nil {
			return own, err
		}
		return fromFolder(ctx, o.From, sets)
	}
	f, _, err := plainfile.Open(o.From)
	if err != nil {
		return source{}, err
	}
	defer f.Close()
	magic := make([]byte, 4)
	n, err := io.ReadFull(f, magic)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return source{}, err
	}
	switch string(magic[:n]) {
	case "\x7fELF":
		own, err := filepath.Abs(o.From)
		return source{own: own}, err
	case "PK\x03\x04":
	default:
		return source{}, fmt.Errorf("%s: found neither a wheel nor a shared library", o.From)
	}
	sum, err := wheel.SHA256(ctx, o.From)
	if err != nil {
		return source{}, err
	}
	for _, set := range sets {
		if set[0].SHA256 == sum && len(set) == 1 {
			return source{sets: []wheel.Set{set}, files: map[string]string{sum: o.From}}, nil
		}
		if slices.ContainsFunc(set, func(w wheel.Wheel) bool { return w.SHA256 == sum }) {
			return source{}, fmt.Errorf("%s: one of %d wheels that are needed; give the folder that has them all", o.From, len(set))
		}
	}
	return source{}, fmt.Errorf("%s: %w: found SHA-256 %s, want one of the known wheels:%s", o.From, ErrChecksum, sum, wanted(sets))
}

func wanted(sets []wheel.Set) string {
	if len(sets) == 0 {
		return " none for " + runtime.GOOS + "/" + runtime.GOARCH
	}
	var s string
	for _, set := range sets {
		for _, w := range set {
			s += "\n  " + w.SHA256 + " " + w.File
		}
	}
	return s
}

// fromFolder finds the first set of which every wheel lies in the folder, under its own name.
func fromFolder(ctx context.Context, dir string, sets []wheel.Set) (source, error) {
	var missing error
	for _, set := range sets {
		files := map[string]string{}
		var lacks error
		for _, w := range set {
			file := filepath.Join(dir, w.File)
			sum, err := wheel.SHA256(ctx, file)
			if errors.Is(err, fs.ErrNotExist) {
				lacks = errors.Join(lacks, fmt.Errorf("%s: has no %s", dir, w.File))
				continue
			}
			if err != nil {
				return source{}, err
			}
			if sum != w.SHA256 {
				return source{}, fmt.Errorf("%s: %w: found SHA-256 %s, want %s", file, ErrChecksum, sum, w.SHA256)
			}
			files[sum] = file
		}
		if lacks == nil {
			return source{sets: []wheel.Set{set}, files: files}, nil
		}
		missing = errors.Join(missing, lacks)
	}
	if missing == nil {
		missing = fmt.Errorf("%s: no wheel is known for %s/%s", dir, runtime.GOOS, runtime.GOARCH)
	}
	return source{}, missing
}

// fromPython takes the library from a folder in which Python has unpacked the wheels, such as site-packages; ok: it has it.
func fromPython(dir string, sets []wheel.Set) (own source, ok bool, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return source{}, false, err
	}
	for _, set := range sets {
		library := filepath.Join(dir, filepath.FromSlash(set[0].Library))
		if _, err := os.Stat(library); err != nil {
			continue
		}
		own := source{own: library}
		if len(set) > 1 { // the others are NVIDIA's
			own.needs = filepath.Join(dir, "nvidia")
			if _, err := os.Stat(own.needs); err != nil {
				return source{}, false, fmt.Errorf("%s: found %s but not the libraries that it needs: %w", dir, set[0].Library, err)
			}
		}
		return own, true, nil
	}
	return source{}, false, nil
}

// linkAll links to everything in a folder, whose gigabytes needn't be copied, from another that is there.
func linkAll(from, in string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(in, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(ctx context.Context, from, to string) error {
	in, _, err := plainfile.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = ctxio.Copy(ctx, out, in)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	return err
}

// syncTree makes the contents of a folder last before it is renamed.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			return syncDir(p)
		}
		if !e.Type().IsRegular() {
			return nil
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		return f.Sync()
	})
}
