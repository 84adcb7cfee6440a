package main

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/train"
)

// A run is one training, and a row of the page; or, with of, a row about models of other runs.
type run struct {
	name  string // NAME.fkz is its model; what one picks it by
	table string // of the page, where its row stands
	shows string // what the row says of it
	// As anybody may give them to fkzoo train, which is how the page shows the run: the architecture, and flags with
	// blanks between; "" where of is given.
	args string

	of      []string // the mean answer of these models
	noFlips bool     // without the answers for mirrored images, although the blueprint asks for them
	noShift bool     // without what calibration found
}

// Tables of the page.
const (
	networks = "networks"
	choices  = "choices"
	rows     = "rows"
	report   = "report"
)

// reference is what the choices are left out of, and what the part of the rows is compared with.
const reference = "compact-s-1"

// runs is all that the page shows, in the order in which they are trained. Where less of the data is learned from, the
// epochs are as many more, so that the number of batches stays: 195 of 16 rows in an epoch of all 3,116, 30 times.
var runs = []run{
	{name: "compact-s-1", table: networks, shows: "compact-s", args: "compact-s --seed 1"},
	{name: "compact-s-2", table: networks, shows: "compact-s", args: "compact-s --seed 2" + sameSplit},
	{name: "compact-s-3", table: networks, shows: "compact-s", args: "compact-s --seed 3" + sameSplit},
	{name: "compact-s-go", table: networks, shows: "compact-s", args: "compact-s --seed 1 --backend go"},
	{name: "compact-s-go-2", table: networks, shows: "compact-s", args: "compact-s --seed 2 --backend go" + sameSplit},
	{name: "compact-s-go-3", table: networks, shows: "compact-s", args: "compact-s --seed 3 --backend go" + sameSplit},
	{name: "compact-m-1", table: networks, shows: "compact-m", args: "compact-m --seed 1"},
	{name: "compact-m-2", table: networks, shows: "compact-m", args: "compact-m --seed 2" + sameSplit},
	{name: "compact-m-3", table: networks, shows: "compact-m", args: "compact-m --seed 3" + sameSplit},
	{name: "compact-l-1", table: networks, shows: "compact-l", args: "compact-l --seed 1"},

	{name: "s-no-flips", table: choices, shows: "no answers for mirrored images: the same model", of: []string{reference}, noFlips: true},
	{name: "s-no-calibration", table: choices, shows: "no calibration: the same model", of: []string{reference}, noShift: true},
	{name: "s-no-mirror", table: choices, shows: "no faces mirrored in training", args: "compact-s --seed 1 --set recipe.augment.mirror.share=0"},
	{name: "s-mirror-width", table: choices, shows: "the mirror's axis is the image's width, not the data's own",
		args: "compact-s --seed 1 --set recipe.augment.mirror.axis=0"},
	{name: "s-no-moves", table: choices, shows: "no rotation, scale, shift",
		args: "compact-s --seed 1 --set recipe.augment.rotate=0 --set recipe.augment.scale=0 --set recipe.augment.shift=0"},
	{name: "s-no-noise", table: choices, shows: "no noise", args: "compact-s --seed 1 --set recipe.augment.noise=0"},
	{name: "s-squares", table: choices, shows: "squared errors, not absolute ones", args: "compact-s --seed 1 --set recipe.loss=mse"},
	{name: "s-batches-32", table: choices, shows: "batches of 32, not 16; half as many", args: "compact-s --seed 1 --batch 32"},
	{name: "s-light", table: choices, shows: "contrast (0.2) and brightness (0.1) too, which it lacks",
		args: "compact-s --seed 1 --set recipe.augment.contrast=0.2 --set recipe.augment.brightness=0.1"},
	{name: "s-no-standardize", table: choices, shows: "pixels divided by 255, not standardized by image", args: "compact-s --seed 1 --set scaling=unit"},
	{name: "s-no-average", table: choices, shows: "no moving average of the weights", args: "compact-s --seed 1 --set recipe.average=null"},
	{name: "s-constant-rate", table: choices, shows: "a constant rate, no one-cycle", args: "compact-s --seed 1 --set recipe.rate=constant"},
	{name: "s-no-decay", table: choices, shows: "no weight decay", args: "compact-s --seed 1 --set recipe.optimizer.decay=0"},
	{name: "s-no-clip", table: choices, shows: "no clipping of gradients", args: "compact-s --seed 1 --set recipe.optimizer.clip=0"},
	{name: "s-complete", table: choices, shows: "only complete rows trained on, no masked loss; as many batches",
		args: "compact-s --seed 1 --set recipe.subset.complete=true --epochs 48"},

	{name: "s-rows-8", table: rows, shows: "an eighth", args: "compact-s --seed 1 --set recipe.subset.share=0.125 --epochs 234"},
	{name: "s-rows-4", table: rows, shows: "a quarter", args: "compact-s --seed 1 --set recipe.subset.share=0.25 --epochs 119"},
	{name: "s-rows-2", table: rows, shows: "half", args: "compact-s --seed 1 --set recipe.subset.share=0.5 --epochs 60"},
	{name: "s-rows-all", table: rows, shows: "all", of: []string{reference}},

	{name: "net1", table: report, shows: "its whole recipe", args: "net1 --seed 1"},
	{name: "net6", table: report, shows: "its recipe, cut to 60 epochs", args: "net6 --seed 1 --epochs 60"},
	{name: "net6-adam", table: report, shows: "with adam, batches of 32", args: "net6 --seed 1 --epochs 100 --batch 32" + adam},
	{name: "specialists-adam", table: report, shows: "with adam, batches of 32", args: "specialists --seed 1 --epochs 40 --batch 32" + adam},

	{name: "compact-m-123", table: networks, shows: "mean of the three compact-m", of: []string{"compact-m-1", "compact-m-2", "compact-m-3"}},
	{name: "compact-l-m", table: networks, shows: "mean of compact-l and the three compact-m",
		of: []string{"compact-l-1", "compact-m-1", "compact-m-2", "compact-m-3"}},
}

// sameSplit holds out the rows that seed 1 does: only such models can be measured together, or compared.
const sameSplit = " --set recipe.split_seed=1"

// adam takes the place of the report's descent: what it needs to leave the mean face within an hour.
const adam = " --set recipe.optimizer=adam --set recipe.rate=cosine --set recipe.rate.from=0.001 --set recipe.rate.to=0.00001"

// named gives the run of that name.
func named(name string) (run, bool) {
	i := slices.IndexFunc(runs, func(r run) bool { return r.name == name })
	if i < 0 {
		return run{}, false
	}
	return runs[i], true
}

// trainings are the runs that train something.
func trainings() (out []run) {
	for _, r := range runs {
		if r.args != "" {
			out = append(out, r)
		}
	}
	return out
}

// picked are the trainings whose names match one of the patterns, or, without any, all. Of a row about other models
// these are meant.
func picked(patterns []string) ([]run, error) {
	if len(patterns) == 0 {
		return trainings(), nil
	}
	wanted := map[string]bool{}
	for _, p := range patterns {
		any := false
		for _, r := range runs {
			ok, err := path.Match(p, r.name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p, err)
			}
			if !ok {
				continue
			}
			any = true
			for _, name := range r.models() {
				wanted[name] = true
			}
		}
		if !any {
			return nil, fmt.Errorf("%s: there is no run of that name; «make results RUNS=list» shows those there are", p)
		}
	}
	return slices.DeleteFunc(trainings(), func(r run) bool { return !wanted[r.name] }), nil
}

// models are the names of those that the row is about.
func (r run) models() []string {
	if r.of != nil {
		return r.of
	}
	return []string{r.name}
}

// arguments are fkzoo's.
func (r run) arguments() []string { return append([]string{"train"}, strings.Fields(r.args)...) }

// typed is the run as one would type it.
func (r run) typed() string { return "fkzoo " + strings.Join(r.arguments(), " ") }

// command is the run with its places, for the record in a model.
func (r run) command(data, output string) []string {
	return append(append([]string{"fkzoo"}, r.arguments()...), "--data", data, "-o", output)
}

// madeBy tells whether a model's record is the run's command, whatever the program's path and the places.
func (r run) madeBy(command []string) bool {
	want := r.command("", "")
	if len(command) != len(want) {
		return false
	}
	const places = 3 // DATA -o OUT
	at := len(want) - places
	return slices.Equal(command[1:at], want[1:at])
}

// backend is the one that the arguments name, or "".
func (r run) backend() string {
	all := r.arguments()
	if i := slices.Index(all, "--backend"); i >= 0 && i+1 < len(all) {
		return all[i+1]
	}
	return ""
}

// trainFlags are those that arguments have: what each sets of a request.
var trainFlags = map[string]func(*train.Request, string) error{
	"--set": func(q *train.Request, value string) error {
		q.Settings = append(q.Settings, value)
		return nil
	},
	"--epochs": func(q *train.Request, value string) (err error) {
		q.Epochs, err = strconv.Atoi(value)
		return err
	},
	"--batch": func(q *train.Request, value string) (err error) {
		q.Batch, err = strconv.Atoi(value)
		return err
	},
	"--seed": func(q *train.Request, value string) error {
		seed, err := strconv.ParseUint(value, 10, 64)
		q.Seed = &seed
		return err
	},
	"--backend": func(*train.Request, string) error { return nil }, // what a zoo is opened with
}

// request is what the arguments ask for.
func (r run) request() (train.Request, error) {
	words := strings.Fields(r.args)
	if len(words) == 0 {
		return train.Request{}, fmt.Errorf("%s: found no arguments, want an architecture", r.name)
	}
	out := train.Request{Architecture: words[0]}
	for words = words[1:]; len(words) > 0; words = words[2:] {
		set, known := trainFlags[words[0]]
		if !known || len(words) == 1 {
			return out, fmt.Errorf("%s: found %q among the arguments, want flags of the table, each with a value", r.name, words[0])
		}
		if err := set(&out, words[1]); err != nil {
			return out, fmt.Errorf("%s: %s %s: %w", r.name, words[0], words[1], err)
		}
	}
	return out, nil
}

// settings are all that a request sets, as a description takes them.
func settings(q train.Request) []string {
	out := slices.Clone(q.Settings)
	if q.Epochs > 0 {
		out = append(out, fmt.Sprintf("recipe.epochs=%d", q.Epochs))
	}
	if q.Batch > 0 {
		out = append(out, fmt.Sprintf("recipe.batch=%d", q.Batch))
	}
	if q.Seed != nil {
		out = append(out, fmt.Sprintf("recipe.seed=%d", *q.Seed))
	}
	return out
}
