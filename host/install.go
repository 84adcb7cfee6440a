package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fkzoo/fkzoo/host/fault"
	"github.com/fkzoo/fkzoo/host/file"
	"github.com/fkzoo/fkzoo/host/trust"
	"github.com/fkzoo/fkzoo/specs/protocol"
)

// Install accepts the plugin at path, a file named fkzoo-plugin-NAME, and says
// what it offers. It is started and asked everything first, so that what can't
// work isn't installed. A plugin in one of the folders that are searched is
// recorded where it lies; another is copied to the user's plugin folder. From
// then on exactly these bytes are trusted under this name.
func (h *Host) Install(ctx context.Context, path string) ([]Architecture, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", path, err)
	}
	name, is := file.PluginName(filepath.Base(path))
	if !is {
		return nil, fmt.Errorf("plugin %s: found file name %q, want %sNAME with a to z, 0 to 9, '.', '_', '-'", path, filepath.Base(path), protocol.ExecutablePrefix)
	}
	p := file.File{Name: name, Path: path}
	inPlace := slices.Contains(h.folders(), filepath.Dir(path))
	target := path
	if !inPlace {
		if h.o.User == "" {
			return nil, p.Fail(fault.ErrStart, nil, "found no folder to install to, want the user's plugin folder")
		}
		target = filepath.Join(h.o.User, file.Base(name))
	}
	all, _ := h.find()
	for _, other := range all {
		if other.Name == name && other.Path != target && slices.Index(h.folders(), filepath.Dir(other.Path)) < slices.Index(h.folders(), filepath.Dir(target)) {
			return nil, p.Fail(fault.ErrStart, nil, "found %s, which stands before it: remove or install that one", other.Path)
		}
	}

	// A host of its own, so that a plugin of this name that is running stays.
	trial, err := New(h.o)
	if err != nil {
		return nil, err
	}
	defer trial.Close()
	running, err := trial.startTrusting(ctx, p, func(string) (Trust, error) { return Installed, nil })
	if err != nil {
		return nil, err
	}
	o, err := trial.askOffer(ctx, p)
	if err != nil {
		return nil, err
	}
	sum := running.plugin.SHA256
	if !inPlace {
		if err := h.copyToUser(p, sum, target); err != nil {
			return nil, p.Fail(fault.ErrStart, err, "not copied to %s: %v", h.o.User, err)
		}
	}
	err = h.rules.Store.Change(func(s *trust.Accepted) error {
		s.Plugins[name] = trust.Record{SHA256: sum, Path: target, Installed: time.Now().UTC().Truncate(time.Second)}
		return nil
	})
	if err != nil {
		return nil, err
	}
	o.plugin.Path = target
	return o.list(), nil
}

// copyToUser puts the bytes that were tried into the user's plugin folder.
func (h *Host) copyToUser(p file.File, sum, target string) error {
	tried, _, err := h.privateCopy(p, func(now string) error {
		if now != sum {
			return errors.New("the file changed while it was installed")
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer tried.Close()
	if _, err := tried.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return file.Write(target, tried, 0o755)
}

// Remove forgets a plugin that was installed, and deletes its file if it lies
// in the user's plugin folder.
func (h *Host) Remove(name string) error {
	return h.rules.Store.Change(func(s *trust.Accepted) error {
		r, there := s.Plugins[name]
		if !there {
			if _, is := h.rules.Shipped[name]; is {
				return &Error{Plugin: name, Kind: ErrMissing, Problem: "shipped with fkzoo, want one that was installed"}
			}
			return &Error{Plugin: fault.Plain(name, protocol.MaxName), Kind: ErrMissing, Problem: "not installed"}
		}
		path := filepath.Join(h.o.User, file.Base(name))
		if h.o.User != "" && r.Path == path {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("plugin %s: %w", name, err)
			}
		}
		delete(s.Plugins, name)
		return nil
	})
}

// Plugins gives the plugins there are and may be run, sorted by name, and an
// error for each of the others. No process is started.
func (h *Host) Plugins() ([]PluginInfo, []error) {
	all, errs := h.find()
	var infos []PluginInfo
	for _, p := range all {
		sum, err := h.checksums.Of(p)
		var why Trust
		if err == nil {
			why, err = h.rules.Decide(p, sum)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		infos = append(infos, PluginInfo{Name: p.Name, Path: p.Path, SHA256: sum, Trust: why})
	}
	h.checksums.Save()
	return infos, errs
}
