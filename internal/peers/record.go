package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
)

// result is what the page says of a contest.
type result struct {
	Made    made          `json:"made"`
	Entries []entry       `json:"entries,omitempty"`
	Layers  []convolution `json:"layers,omitempty"`
	Kernels string        `json:"kernels,omitempty"` // of the layers
}

// made says by what and where it came out.
type made struct {
	Fkzoo   string  `json:"fkzoo"`
	Machine string  `json:"machine"`
	Date    string  `json:"date"` // UTC
	Threads int     `json:"threads"`
	Rounds  int     `json:"rounds"`
	Piece   float64 `json:"piece"` // seconds
}

// entry is an entrant's result.
type entry struct {
	Rival      string    `json:"rival"`
	Network    string    `json:"network"`
	Batch      int       `json:"batch"`
	Size       int       `json:"size"` // the image's height
	Parameters int64     `json:"parameters"`
	FLOPs      int64     `json:"flops"` // forward, of an image
	Version    string    `json:"version,omitempty"`
	Rates      []float64 `json:"rates,omitempty"` // images a second, by round
	Peak       int64     `json:"peak,omitempty"`  // bytes of memory; 0: not known
	Idle       float64   `json:"idle,omitempty"`  // seconds of processor time while the others worked
	Missing    string    `json:"missing,omitempty"`
}

// convolution is a layer in three directions.
type convolution struct {
	Network string `json:"network"`
	Layer   string `json:"layer"`
	Shape   string `json:"shape"`
	Images  int    `json:"images"` // at once
	Forward rate   `json:"forward"`
	Input   rate   `json:"input"` // its gradient; none of a first layer
	Filter  rate   `json:"filter"`
}

// rate is GFLOP/s, and their share of what multiply-adds alone reach.
type rate struct {
	GFLOPS float64 `json:"gflops"`
	Share  float64 `json:"share"`
}

func (a *arena) recordPath() string { return strings.TrimSuffix(a.page, ".md") + ".json" }

// record reads what is kept of contests, by name; none: nothing is.
func (a *arena) record() (map[string]*result, error) {
	text, err := os.ReadFile(a.recordPath())
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]*result{}, nil
	}
	if err != nil {
		return nil, err
	}
	var out map[string]*result
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("%s: %w; without it, all contests are held anew", a.recordPath(), err)
	}
	for name, r := range out {
		known := slices.ContainsFunc(contests, func(c contest) bool { return c.name == name })
		if !known || r == nil || len(r.Entries)+len(r.Layers) == 0 {
			return nil, fmt.Errorf("%s, %s: found no contest of that name or nothing of it, want a result", a.recordPath(), name)
		}
		for _, e := range r.Entries {
			if rivalNamed(e.Rival) == nil {
				return nil, fmt.Errorf("%s, %s: found the rival %q, want one of the table", a.recordPath(), name, e.Rival)
			}
		}
	}
	return out, nil
}

// keep puts a contest's result in place of an earlier one.
func (a *arena) keep(name string, r *result) error {
	all, err := a.record()
	if err != nil {
		return err
	}
	all[name] = r
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.Write(a.recordPath(), true, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// of gives a rival's entry, nil where there is none or it wasn't there.
func (r *result) of(rival string) *entry {
	if r == nil {
		return nil
	}
	for i := range r.Entries {
		if e := &r.Entries[i]; e.Rival == rival && len(e.Rates) > 0 {
			return e
		}
	}
	return nil
}

// torches are the ways in which PyTorch takes part.
func (r *result) torches() (all []*entry) {
	for _, v := range rivals {
		if e := r.of(v.name); e != nil && v.packages == "torch" {
			all = append(all, e)
		}
	}
	return all
}

// torch is PyTorch's fastest way; nil: it wasn't there.
func (r *result) torch() *entry {
	all := r.torches()
	if len(all) == 0 {
		return nil
	}
	return slices.MaxFunc(all, func(a, b *entry) int { return cmp.Compare(a.rate(), b.rate()) })
}

// rate is the median of the rounds, images a second.
func (e *entry) rate() float64 { return median(e.Rates) }

// over is the median of the rounds' ratios: how many times as fast as another.
func (e *entry) over(other *entry) float64 {
	var all []float64
	for i := range min(len(e.Rates), len(other.Rates)) {
		all = append(all, e.Rates[i]/other.Rates[i])
	}
	return median(all)
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	if n == 0 {
		return 0
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}
