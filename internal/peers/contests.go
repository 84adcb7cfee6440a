package main

import (
	"fmt"
	"path"
	"strings"
)

// A contest is a race of rivals, by turns in one run.
type contest struct {
	name     string
	isa      string // processors' instructions that all are held to; "": what there is
	entrants []entrant
	layers   bool // it is the convolutions, which the engine's own benchmark measures
}

// entrant is a rival with what it does.
type entrant struct {
	rival string
	work  work
}

// work is what is done over and over.
type work struct {
	network string // architecture
	size    int    // side of the images; 0: the architecture's
	batch   int
	train   bool
}

func (w work) String() string {
	does := "answers"
	if w.train {
		does = "training"
	}
	size := ""
	if w.size > 0 {
		size = fmt.Sprintf(", %dx%d", w.size, w.size)
	}
	return fmt.Sprintf("%s %s, batch %d%s", does, w.network, w.batch, size)
}

func (c contest) String() string {
	if c.layers {
		return "each convolution of " + strings.Join(layerNetworks, " and ")
	}
	var parts []string
	for i, e := range c.entrants {
		text := e.rival
		switch {
		case i == 0:
			text = e.work.String() + ": " + e.rival
		case e.work != c.entrants[i-1].work:
			text = e.work.String()
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// Those who train, who answer, and who can be held to older instructions alike.
var (
	trainers  = []string{"go", "cpu", "torch", "torch-channels-last", "torch-compiled", "jax"}
	answerers = append(trainers[:len(trainers):len(trainers)], "onnxruntime")
	heldBack  = []string{"go", "torch", "torch-channels-last", "torch-compiled"}
)

// compared is a network, trained in a batch of so many.
type compared struct {
	name  string
	batch int
}

var networks = []compared{{"net6", 128}, {"net11", 64}, {"compact-s", 32}, {"compact-m", 32}}

// What the contests' names begin with.
const (
	training = "train-"
	batches  = "answer-"
	single   = "one-"
	older    = "avx2-"
	shell    = "shell-net11"
	layers   = "layers"
	growth   = "grow-"
)

// Along which cost grows.
var axes = []struct {
	name, head string
	works      []work // batches and networks; training and answers are measured of each
}{
	{"batch-net11", "net11, batch", ofBatches("net11")},
	{"batch-compact-m", "compact-m, batch", ofBatches("compact-m")},
	{"size", "compact-m, batch 32, image", []work{{"compact-m", 48, 32, false}, {"compact-m", 96, 32, false}, {"compact-m", 192, 32, false}}},
	{"width", "batch 32, network", []work{{"compact-s", 0, 32, false}, {"compact-m", 0, 32, false}, {"compact-l", 0, 32, false}}},
}

func ofBatches(network string) (all []work) {
	for _, n := range []int{1, 8, 32, 64, 128} {
		all = append(all, work{network, 0, n, false})
	}
	return all
}

// contests are all there are, in the order in which they are held.
var contests = table()

func table() (all []contest) {
	race := func(name, isa string, w work, rivals []string) {
		c := contest{name: name, isa: isa}
		for _, r := range rivals {
			c.entrants = append(c.entrants, entrant{r, w})
		}
		all = append(all, c)
	}
	for _, n := range networks {
		race(training+n.name, "", work{n.name, 0, n.batch, true}, trainers)
	}
	for _, n := range networks {
		race(batches+n.name, "", work{n.name, 0, 64, false}, answerers)
	}
	for _, n := range networks {
		race(single+n.name, "", work{n.name, 0, 1, false}, answerers)
	}
	for _, n := range networks {
		race(older+n.name, "avx2", work{n.name, 0, n.batch, true}, heldBack)
	}
	race(shell, "", work{"net11", 0, 1, false}, []string{"fkzoo-shell", "onnxruntime-shell"})
	all = append(all, contest{name: layers, layers: true})
	for _, a := range axes {
		for _, train := range []bool{true, false} {
			c := contest{name: growthOf(a.name, train)}
			for _, w := range a.works {
				w.train = train
				c.entrants = append(c.entrants, entrant{"go", w})
			}
			all = append(all, c)
		}
	}
	return all
}

func growthOf(axis string, train bool) string {
	if train {
		return growth + axis + "-train"
	}
	return growth + axis + "-answer"
}

// picked are the contests that one of the patterns matches; without patterns all.
func picked(patterns []string) ([]contest, error) {
	if len(patterns) == 0 {
		return contests, nil
	}
	wanted := map[string]bool{}
	for _, p := range patterns {
		found := false
		for _, c := range contests {
			ok, err := path.Match(p, c.name)
			if err != nil {
				return nil, fmt.Errorf("contest %q: %w", p, err)
			}
			if ok {
				found, wanted[c.name] = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("contest %q: found none of that name; list shows them", p)
		}
	}
	var out []contest
	for _, c := range contests {
		if wanted[c.name] {
			out = append(out, c)
		}
	}
	return out, nil
}
