package host

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/fkzoo/fkzoo/host/cache"
	"github.com/fkzoo/fkzoo/host/fault"
	"github.com/fkzoo/fkzoo/host/file"
	"github.com/fkzoo/fkzoo/host/process"
)

// privateCopy hashes the plugin's file, asks accept about the checksum, and
// gives an open private copy with exactly that checksum: what runs is what was
// checked, whatever happens to the plugin's own file meanwhile.
func (h *Host) privateCopy(p file.File, accept func(sum string) error) (copied *os.File, sum string, err error) {
	f, _, err := p.Open()
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	if sum, err = file.Checksum(f); err != nil {
		return nil, "", p.Fail(fault.ErrStart, err, "can't be read: %v", err)
	}
	if err := accept(sum); err != nil {
		return nil, "", err
	}
	if copied, err = h.copyOf(f, sum); err != nil {
		return nil, "", p.Fail(fault.ErrStart, err, "no private copy: %v", err)
	}
	return copied, sum, nil
}

// copyOf opens the copy for a checksum, and makes it if there is none or it is
// damaged, in the cache or, where that can't be, in the temporary one.
func (h *Host) copyOf(original io.ReadSeeker, sum string) (*os.File, error) {
	var unusable error
	if h.o.Cache != "" {
		var f *os.File
		f, unusable = cache.Copy(filepath.Join(h.o.Cache, "programs"), original, sum)
		if unusable == nil || errors.Is(unusable, cache.ErrChanged) {
			return f, unusable
		}
	}
	temporary, err := h.makeTemporaryCache()
	var f *os.File
	if err == nil {
		f, err = cache.Copy(filepath.Join(temporary, "programs"), original, sum)
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
		sockets, err := process.NewSockets()
		if err != nil {
			return "", err
		}
		h.sockets = sockets
	}
	h.private = true
	return filepath.Join(h.sockets.Path, "cache"), nil
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
		all = append(all, filepath.Join(h.sockets.Path, "cache"))
	}
	return all
}
