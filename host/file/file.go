package host

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/specs/protocol"
)

// found is a plugin's file, not yet opened.
type found struct {
	name string
	path string
	dev  bool // in the folder whose plugins run unchecked
}

// fail says what is wrong with the plugin.
func (p found) fail(kind, cause error, format string, args ...any) *Error {
	return &Error{Plugin: p.name, Path: p.path, Kind: kind, Cause: cause, Problem: fmt.Sprintf(format, args...)}
}

// folders are searched in this order.
func (h *Host) folders() []string {
	var all []string
	for _, f := range append(append([]string{h.o.Dev}, h.o.Path...), h.o.Beside, h.o.User) {
		if f != "" && !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	return all
}

// find gives the plugins there are, sorted by name, the first of each name in
// the order of the folders; and an error for each folder that can't be read
// and each plugin that ought to be there but isn't.
func (h *Host) find() ([]found, []error) {
	var errs []error
	first := map[string]found{}
	for _, folder := range h.folders() {
		entries, err := os.ReadDir(folder)
		if err != nil {
			if !isAbsent(err) {
				errs = append(errs, fmt.Errorf("plugin folder %s: %w", folder, err))
			}
			continue
		}
		for _, entry := range entries {
			name, is := pluginName(entry.Name())
			if _, shadowed := first[name]; !is || shadowed || entry.IsDir() {
				continue
			}
			first[name] = found{name: name, path: filepath.Join(folder, entry.Name()), dev: folder == h.o.Dev}
		}
	}
	if h.o.Dev != "" {
		h.warn(fmt.Sprintf("%s: plugins in %s run unchecked", EnvDev, h.o.Dev))
	}

	for _, name := range slices.Sorted(maps.Keys(h.shipped)) {
		if _, there := first[name]; !there {
			errs = append(errs, &Error{Plugin: name, Kind: ErrMissing, Problem: "shipped with fkzoo but missing, want " + h.whereToLook(name)})
		}
	}
	store, err := h.readStore()
	if err != nil {
		errs = append(errs, err)
	}
	for _, name := range slices.Sorted(maps.Keys(store.Plugins)) {
		if _, there := first[name]; !there && h.shipped[name] == "" {
			errs = append(errs, &Error{Plugin: name, Kind: ErrMissing, Problem: "installed but missing, want " + h.whereToLook(name)})
		}
	}
	return slices.SortedFunc(maps.Values(first), func(a, b found) int { return strings.Compare(a.name, b.name) }), errs
}

// pluginName gives the name of the plugin that a file of this name would be.
func pluginName(file string) (string, bool) {
	name, is := strings.CutPrefix(file, protocol.ExecutablePrefix)
	if runtime.GOOS == "windows" {
		var exe bool
		name, exe = strings.CutSuffix(strings.ToLower(name), ".exe")
		is = is && exe
	}
	return name, is && protocol.CheckName(name) == nil
}

// fileName is the name of a plugin's file.
func fileName(plugin string) string {
	if runtime.GOOS == "windows" {
		return protocol.ExecutablePrefix + plugin + ".exe"
	}
	return protocol.ExecutablePrefix + plugin
}

// whereToLook names the file wanted and the folders searched.
func (h *Host) whereToLook(plugin string) string {
	return fmt.Sprintf("%s in %s", plainFileName(plugin), strings.Join(h.folders(), " or "))
}

// plainFileName is fileName for a message: the name comes from the user.
func plainFileName(plugin string) string {
	return plain(fileName(plugin), 2*protocol.MaxName)
}
