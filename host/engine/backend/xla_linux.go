//go:build cgo && linux

package backend

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

func init() {
	// go-xla would otherwise fetch libraries by itself when asked for one by name.
	xla.EnableAutoInstall(false)
	answerProbe()
}

func supported() error { return nil }

// openXLA loads the library into this process. It has been tried before, so only an error or panic is left to catch.
func openXLA(k Kind, info Info) (_ *Backend, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	path, err := loadable(k, info.Library)
	if err != nil {
		return nil, err
	}
	if prepare := k.known().library.prepare; prepare != nil {
		if err := prepare(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	c, err := xla.NewWithOptions(path, nil)
	if err != nil {
		return nil, err
	}
	return &Backend{kind: k, compute: c, info: info, threads: k.known().threads()}, nil
}

var (
	aliasesLock sync.Mutex
	aliases     = map[string]string{}
)

// loadable returns a path to the library by which go-xla takes it for what it is: it splits what it is given at commas
// and looks for "cpu", "cuda" and "nvidia" anywhere in the path, a user's name included. Where the path misleads it,
// a library is loaded through a symbolic link, if it may be.
func loadable(k Kind, path string) (string, error) {
	plain := func(p string) bool {
		p = strings.ToLower(p)
		for _, other := range shown(func(r *row) bool { return r.library != nil }) {
			marked := slices.ContainsFunc(other.known().library.marks, func(mark string) bool { return strings.Contains(p, mark) })
			if marked != (other == k) {
				return false
			}
		}
		return !strings.Contains(p, ",")
	}
	if plain(path) {
		return path, nil
	}
	hint := fmt.Errorf("%s: go-xla can't be given a path with a comma, or one that names another kind of device; "+
		"set XDG_DATA_HOME to another folder and install again", path)
	if !k.known().library.linked {
		return "", hint
	}
	aliasesLock.Lock()
	defer aliasesLock.Unlock()
	if alias, ok := aliases[path]; ok {
		return alias, nil
	}
	dir, err := os.MkdirTemp("", "fkzoo-")
	if err != nil {
		return "", err
	}
	// go-xla keeps what it loaded under its name, so that the link is only needed for the loading.
	defer os.RemoveAll(dir)
	alias := filepath.Join(dir, filepath.Base(k.known().library.path))
	if !plain(alias) {
		return "", hint
	}
	if err := os.Symlink(path, alias); err != nil {
		return "", err
	}
	if _, err := pjrt.GetPlugin(alias); err != nil {
		return "", err
	}
	aliases[path] = alias
	return alias, nil
}
