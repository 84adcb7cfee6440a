//go:build cgo && linux

package backend

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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
	threads := 1
	if k == XLACPU {
		threads = runtime.NumCPU()
	} else if err := findNVIDIA(filepath.Dir(path)); err != nil {
		return nil, err
	}
	c, err := xla.NewWithOptions(path, nil)
	if err != nil {
		return nil, err
	}
	return &Backend{kind: k, compute: c, info: info, threads: threads}, nil
}

var (
	aliasesLock sync.Mutex
	aliases     = map[string]string{}
)

// loadable returns a path to the library by which go-xla takes it for what it is: it splits what it is given at commas
// and looks for "cpu", "cuda" and "nvidia" anywhere in the path, a user's name included. Where the path misleads it,
// a CPU library is loaded through a symbolic link; a CUDA library can't be, since it finds others relative to its path.
func loadable(k Kind, path string) (string, error) {
	plain := func(p string) bool {
		l := strings.ToLower(p)
		cuda := strings.Contains(l, "cuda") || strings.Contains(l, "nvidia")
		return !strings.Contains(l, ",") && strings.Contains(l, "cpu") == (k == XLACPU) && cuda == (k == XLACUDA)
	}
	if plain(path) {
		return path, nil
	}
	hint := fmt.Errorf("%s: go-xla can't be given a path with a comma, or one that names another kind of device; "+
		"set XDG_DATA_HOME to another folder and install again", path)
	if k == XLACUDA {
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
	alias := filepath.Join(dir, "pjrt_c_api_cpu_plugin.so")
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
