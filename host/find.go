package host

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/host/fault"
	"github.com/fkzoo/fkzoo/host/file"
	"github.com/fkzoo/fkzoo/specs/protocol"
)

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
func (h *Host) find() ([]file.File, []error) {
	var errs []error
	first := map[string]file.File{}
	for _, folder := range h.folders() {
		entries, err := os.ReadDir(folder)
		if err != nil {
			if !file.IsAbsent(err) {
				errs = append(errs, fmt.Errorf("plugin folder %s: %w", folder, err))
			}
			continue
		}
		for _, entry := range entries {
			name, is := file.PluginName(entry.Name())
			if _, shadowed := first[name]; !is || shadowed || entry.IsDir() {
				continue
			}
			first[name] = file.File{Name: name, Path: filepath.Join(folder, entry.Name()), Dev: folder == h.o.Dev}
		}
	}
	if h.o.Dev != "" {
		h.warn(fmt.Sprintf("%s: plugins in %s run unchecked", EnvDev, h.o.Dev))
	}

	for _, name := range slices.Sorted(maps.Keys(h.rules.Shipped)) {
		if _, there := first[name]; !there {
			errs = append(errs, &Error{Plugin: name, Kind: ErrMissing, Problem: "shipped with fkzoo but missing, want " + h.whereToLook(name)})
		}
	}
	store, err := h.rules.Store.Read()
	if err != nil {
		errs = append(errs, err)
	}
	for _, name := range slices.Sorted(maps.Keys(store.Plugins)) {
		if _, there := first[name]; !there && h.rules.Shipped[name] == "" {
			errs = append(errs, &Error{Plugin: name, Kind: ErrMissing, Problem: "installed but missing, want " + h.whereToLook(name)})
		}
	}
	return slices.SortedFunc(maps.Values(first), func(a, b file.File) int { return strings.Compare(a.Name, b.Name) }), errs
}

// whereToLook names the file wanted and the folders searched.
func (h *Host) whereToLook(plugin string) string {
	return fmt.Sprintf("%s in %s", plainFileName(plugin), strings.Join(h.folders(), " or "))
}

// plainFileName is file.Base for a message: the name comes from the user.
func plainFileName(plugin string) string {
	return fault.Plain(file.Base(plugin), 2*protocol.MaxName)
}
