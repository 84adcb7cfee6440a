package backend

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/host/engine/backend/wheel"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
)

// Kind says what computes. It is the place of a backend's row in the table.
type Kind int

// The kinds.
const (
	Go Kind = iota
	XLACPU
	XLACUDA
)

// Auto is the name that stands for the best backend that works.
const Auto = "auto"

// row is what this package knows of a backend. One is either part of the program or a library that is installed.
type row struct {
	name    string
	help    string     // what it is, in a few words
	where   string     // what it needs
	rank    func() int // "auto" takes the one that works with the highest
	threads func() int // on the host
	part    *part
	library *library
}

// part is a backend that is linked into the program: always there, with nothing to install or remove.
type part struct {
	kernels func() (*kernel.Set, error) // those that suit the machine
}

// library is a backend behind a PJRT library.
type library struct {
	// path is where the library lies in an installed backend's folder. go-xla tells by the name what it is.
	path string
	// wheels are the ways to install it on linux/amd64, the preferred first; the next serves when the index has the
	// one before no longer.
	wheels []wheel.Set
	// marks are the words in a path by which go-xla takes the library for one of this kind of device.
	marks []string
	// linked says that it may be loaded through a symbolic link; one that finds others relative to its path may not.
	linked bool
	// device says whether the machine has what the library is for; nil: every machine has. wants names it.
	device func() bool
	wants  string
	// prepare is called with the library's folder before it is loaded; nil: nothing to do.
	prepare func(folder string) error
	// Variables and files that decide, beside those of every library, whether it works.
	variables, files []string
}

// table has a row for each backend, in the order in which they are shown.
var table = [...]row{
	Go: {
		name: "go", help: "fkzoo's own engine", where: "everywhere, with kernels for AVX-512, AVX2 and NEON", rank: goRank,
		threads: func() int { return runtime.GOMAXPROCS(0) },
		part:    &part{kernels: kernel.FromEnvironment},
	},
	XLACPU: {
		name: "cpu", help: "XLA for the CPU", where: "Linux", rank: fixed(2),
		threads: runtime.NumCPU,
		library: &library{path: "pjrt_c_api_cpu_plugin.so", wheels: wheel.CPU, marks: []string{"cpu"}, linked: true},
	},
	XLACUDA: {
		name: "cuda", help: "XLA for NVIDIA GPUs", where: "Linux with an NVIDIA driver of release 580 or newer", rank: fixed(4),
		threads: func() int { return 1 }, // the work is on the device
		library: &library{
			// NVIDIA's files are looked for in a folder "nvidia" that the library must be in.
			path: "nvidia/pjrt_c_api_cuda_plugin.so", wheels: wheel.CUDA, marks: []string{"cuda", "nvidia"},
			device: hasGPU, wants: "found no NVIDIA GPU with its driver, want one of release 580 or newer",
			prepare:   findNVIDIA,
			variables: []string{"CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"}, files: []string{"/proc/driver/nvidia/version"},
		},
	},
}

func fixed(rank int) func() int { return func() int { return rank } }

// goRank is above XLA's on the same processor where there are kernels for it: net6's and compact-s's training steps took
// 0.6 and 0.5 of XLA's time with AVX-512, 0.9 and 0.7 with AVX2, and 10 and 7 times as long in plain Go.
func goRank() int {
	if set, err := kernel.FromEnvironment(); err == nil && set.Name != "plain" {
		return 3
	}
	return 1
}

// known is the kind's row.
func (k Kind) known() *row { return &table[k] }

// onHost tells whether the backend computes on the host's own cores.
func (r *row) onHost() bool { return r.library == nil || r.library.device == nil }

// String gives the backend's name, as in Open.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(table) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return table[k].name
}

// Kinds lists every backend, best first: the order in which "auto" tries them.
func Kinds() []Kind {
	all := shown(func(*row) bool { return true })
	slices.SortStableFunc(all, func(a, b Kind) int { return cmp.Compare(b.known().rank(), a.known().rank()) })
	return all
}

// shown are the kinds of some rows, in the table's order.
func shown(which func(*row) bool) (kinds []Kind) {
	for k := range table {
		if which(&table[k]) {
			kinds = append(kinds, Kind(k))
		}
	}
	return kinds
}

func names(kinds []Kind) (out []string) {
	for _, k := range kinds {
		out = append(out, k.String())
	}
	return out
}

// Names lists what Open takes.
func Names() []string {
	return append([]string{Auto}, names(shown(func(*row) bool { return true }))...)
}

// Installable lists the backends that Install fetches and Remove takes away.
func Installable() []string { return names(shown(func(r *row) bool { return r.library != nil })) }

// Help says in one line what a backend is and where it runs; "" for a name that no backend has.
func Help(name string) string {
	k, err := parseKind(name)
	if err != nil {
		return ""
	}
	return k.known().help + ": " + k.known().where
}

// parseKind reads a backend's name; "auto" is none.
func parseKind(name string) (Kind, error) {
	for k := range table {
		if table[k].name == name {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("backend %q: %w; want one of %s", name, ErrUnknown, strings.Join(Names(), ", "))
}

// pinned lists the ways to install a backend on this system.
func pinned(k Kind) []wheel.Set {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return nil
	}
	return k.known().library.wheels
}
