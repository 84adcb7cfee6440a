package host

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fkzoo/fkzoo/host/cache"
	"github.com/fkzoo/fkzoo/host/file"
)

// offer is what a plugin offers, as it is remembered.
type offer struct {
	Memory        int          `json:"memory"`  // version of this file
	Program       string       `json:"program"` // the fkzoo that checked and counted
	Plugin        string       `json:"plugin"`  // name
	SHA256        string       `json:"sha256"`  // of the plugin
	Architectures []remembered `json:"architectures"`

	plugin PluginInfo
}

// remembered is one architecture of an offer.
type remembered struct {
	Name       string          `json:"name"`
	Summary    string          `json:"summary"`
	Settings   []Setting       `json:"settings,omitempty"`
	Parameters int64           `json:"parameters"`
	Members    []string        `json:"members"`
	Document   json.RawMessage `json:"document"` // default settings, blueprint.KaggleColumns
}

// list gives the offer's architectures as the host's callers see them.
func (o *offer) list() []Architecture {
	var list []Architecture
	for _, a := range o.Architectures {
		list = append(list, Architecture{
			Name: a.Name, Summary: a.Summary, Parameters: a.Parameters, Members: a.Members,
			Settings: a.Settings, Plugin: o.plugin, document: a.Document,
		})
	}
	return list
}

const memoryVersion = 1

// memoryPath names the memory of a plugin in a cache. The name is part of it
// because a program may offer different things under different names.
func memoryPath(folder, name, sum string) string {
	return filepath.Join(folder, "offers", name+"-"+sum+".json")
}

// recall gives what the plugin of that checksum offers, or nil if that is not
// known: never asked, a damaged file, or checked by another fkzoo, which may
// have counted otherwise.
func (h *Host) recall(name, sum string) *offer {
	for _, folder := range h.caches() {
		if o := recallFrom(memoryPath(folder, name, sum), name, sum); o != nil {
			return o
		}
	}
	return nil
}

func recallFrom(path, name, sum string) *offer {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var o offer
	if json.Unmarshal(text, &o) != nil || o.Memory != memoryVersion || o.Plugin != name || o.SHA256 != sum ||
		o.Program != thisProgram() || len(o.Architectures) == 0 {
		return nil
	}
	if slices.ContainsFunc(o.Architectures, func(a remembered) bool { return a.Name == "" || len(a.Document) == 0 }) {
		return nil
	}
	if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > cache.Unused/2 {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // in use: not to be pruned
	}
	return &o
}

// remember keeps an offer. It is only a memory: failing to write it costs
// time, not truth.
func (h *Host) remember(o *offer) {
	o.Memory, o.Program, o.Plugin, o.SHA256 = memoryVersion, thisProgram(), o.plugin.Name, o.plugin.SHA256
	text, err := json.MarshalIndent(o, "", " ")
	if err != nil {
		return
	}
	for _, folder := range h.caches() {
		path := memoryPath(folder, o.Plugin, o.SHA256)
		if os.MkdirAll(filepath.Dir(path), 0o700) != nil {
			continue
		}
		cache.Prune(filepath.Dir(path))
		if file.WriteMemory(path, append(text, '\n')) == nil {
			return
		}
	}
}

// thisProgram tells one build of fkzoo from another.
var thisProgram = sync.OnceValue(func() string {
	path, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	info, err := os.Stat(path)
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%d bytes of %s", info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano))
})
