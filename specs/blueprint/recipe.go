package blueprint

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/specs/record"
)

// Recipe says how a member is trained.
type Recipe struct {
	Loss       Loss      `json:"loss"`                 // what training makes small
	Optimizer  Optimizer `json:"optimizer"`            // how a step changes the weights
	Rate       Schedule  `json:"rate"`                 // learning rate
	Epochs     int       `json:"epochs,omitempty"`     // passes over the training rows; this or examples
	Examples   int64     `json:"examples,omitempty"`   // in place of epochs: epochs = examples / rows that have the member's columns, rounded down, at least 1
	Batch      int       `json:"batch"`                // rows in a step; the last, smaller batch of an epoch is used
	Validation float64   `json:"validation"`           // share of the rows held out, 0 to 0.9
	Fold       *Fold     `json:"fold,omitempty"`       // nil: the share validation is held out; else this fold in its place
	Subset     *Subset   `json:"subset,omitempty"`     // nil: all rows that aren't held out are trained on; else a part of them
	Seed       uint64    `json:"seed,omitempty"`       // 0 stands for 1
	SplitSeed  uint64    `json:"split_seed,omitempty"` // of which rows are held out; 0: the seed. Models of several seeds that share it can be measured together
	Augment    *Augment  `json:"augment,omitempty"`    // nil: none
	Stop       *Stop     `json:"stop,omitempty"`       // nil: never before the end
	Average    *Average  `json:"average,omitempty"`    // nil: no averaging of weights
	Calibrate  bool      `json:"calibrate,omitempty"`  // when the training ends, output.shift takes from each column its mean error on the rows trained on, answered as flip_average says; the default is false
	StartFrom  string    `json:"start_from,omitempty"` // an architecture whose trained weights are a good start, where shapes agree: advice, as only a file that the user names is read
	Extra      Extra     `json:"-"`
}

// Stop ends training after Patience epochs without a better validation loss
// and puts the best weights back.
type Stop struct {
	Patience int   `json:"patience"` // epochs
	Extra    Extra `json:"-"`
}

// Fold is one part of as many equal ones, of the rows that the member may learn
// from, shuffled by the seed: it is held out, and the others are trained on.
// Members that differ in the number alone together hold out each row once.
type Fold struct {
	Number int   `json:"number"` // from 1
	Of     int   `json:"of"`     // parts, 2 to 64
	Extra  Extra `json:"-"`
}

// Subset is the part of the rows that aren't held out which is trained on: those
// with all of the member's columns, where Complete says so, and of these Share,
// rounded down, at least one. Which they are follows from the seed, and a smaller
// share is part of a larger one. The rows held out are the same as without it.
type Subset struct {
	Share    float64 `json:"share,omitempty"`    // 0 to 1; 0 stands for 1
	Complete bool    `json:"complete,omitempty"` // only rows that have all of the member's columns; the default is false
	Extra    Extra   `json:"-"`
}

// Average keeps an exponential moving average of the weights and of the
// running statistics, which is what is validated and kept.
type Average struct {
	Decay Schedule `json:"decay"` // share of the old average kept at each step; after t steps at most (1+t)/(10+t)
	Extra Extra    `json:"-"`
}

// EpochsFor is the training's length in epochs for this many rows that have
// the member's columns, counted before the split.
func (r *Recipe) EpochsFor(rows int) int {
	if r.Epochs > 0 || rows <= 0 {
		return r.Epochs
	}
	return int(min(max(r.Examples/int64(rows), 1), maxEpochs))
}

// CompleteRows tells whether rows that lack one of the member's columns are left out.
func (r *Recipe) CompleteRows() bool { return r.Loss.Rows != "filled" }

// SplitBy is the seed by which rows are held out.
func (r *Recipe) SplitBy() uint64 { return cmp.Or(r.SplitSeed, r.Seed, 1) }

const (
	maxEpochs   = 100_000_000
	maxExamples = 1 << 50
	maxBatch    = 1 << 16
)

var (
	// Beside loss, optimizer and what else is an object; a seed has no limits.
	recipeSettings = []Setting{
		{Name: "rate", Type: TypeSchedule, Max: 1e4, Help: "learning rate"},
		{Name: "epochs", Type: TypeInt, Default: 0, Max: maxEpochs, Help: "passes over the training rows"},
		{Name: "examples", Type: TypeInt, Default: 0, Max: maxExamples, Help: "in place of epochs"},
		{Name: "batch", Type: TypeInt, Min: 1, Max: maxBatch, Help: "rows in a step"},
		{Name: "validation", Type: TypeFloat, Max: 0.9, Help: "share of the rows held out"},
	}
	subsetSettings  = []Setting{number("share", 0, 0, 1, "of the rows; 0 stands for 1"), flag("complete", false, "only rows that have all of the member's columns")}
	stopSettings    = []Setting{{Name: "patience", Type: TypeInt, Min: 1, Max: maxEpochs, Help: "epochs"}}
	averageSettings = []Setting{{Name: "decay", Type: TypeSchedule, Max: 1, Help: "share of the old average kept at each step"}}
)

// foldSettings are those of one of so many folds.
func foldSettings(of int) []Setting {
	return []Setting{
		{Name: "number", Type: TypeInt, Min: 1, Max: max(float64(of), 2), Help: "from 1"},
		{Name: "of", Type: TypeInt, Min: 2, Max: maxMembers, Help: "parts"},
	}
}

// check looks at all that doesn't depend on the member's columns.
func (r *Recipe) check() error {
	own := reflect.ValueOf(r).Elem()
	var first error
	check := func(path string, object reflect.Value) {
		if err := checkObject(object, nil); err != nil && first == nil {
			first = fmt.Errorf("recipe%s%w", path, err)
		}
	}
	visit(own, "", func(path string, object reflect.Value) {
		// A schedule is checked with the setting that it is of.
		if path != "" && object.Type() != reflect.TypeFor[Schedule]() {
			check("."+path, object)
		}
	})
	if check("", own); first != nil {
		return first
	}
	if (r.Epochs != 0) == (r.Examples != 0) {
		return fmt.Errorf("recipe.epochs: found epochs %d and examples %d, want exactly one of them", r.Epochs, r.Examples)
	}
	if r.Stop != nil && r.Validation == 0 && r.Fold == nil {
		return fmt.Errorf("recipe.stop: found validation 0, want rows held out: stopping early follows the validation loss")
	}
	if r.StartFrom != "" && !startFrom.MatchString(r.StartFrom) {
		return fmt.Errorf("recipe.start_from: found %q, want an architecture's name, or plugin/name", record.Cut(r.StartFrom))
	}
	if r.Augment != nil && r.Augment.Mirror != nil {
		if err := r.Augment.Mirror.Pairs.check(); err != nil {
			return fmt.Errorf("recipe.augment.mirror.pairs: %w", err)
		}
	}
	return nil
}

var startFrom = regexp.MustCompile(`^` + namePattern + `(/` + namePattern + `)?$`)

// checkColumns looks at what depends on the member's columns.
func (r *Recipe) checkColumns(columns []string) error {
	a := r.Augment
	if a == nil {
		return nil
	}
	if a.Mirror != nil {
		if _, err := a.Mirror.Permutation(columns); err != nil {
			return fmt.Errorf("recipe.augment.mirror.pairs: %w", err)
		}
	}
	if a.Rotate == nil {
		return nil
	}
	for _, c := range columns {
		if p := Partner(c); p != "" && !slices.Contains(columns, p) {
			return fmt.Errorf("recipe.augment.rotate: found column %s without %s, want both: a point turns as a whole", c, p)
		}
	}
	return nil
}

// schedules are the recipe's by their paths, as in optimizer.momentum.
func (r *Recipe) schedules() map[string]*Schedule {
	out := map[string]*Schedule{}
	visit(reflect.ValueOf(r).Elem(), "", func(path string, object reflect.Value) {
		if s, ok := object.Addr().Interface().(*Schedule); ok {
			out[path] = s
		}
	})
	return out
}

// unknown calls add for every object's unknown fields.
func (r *Recipe) unknown(at string, add func(string, Extra)) {
	visit(reflect.ValueOf(r).Elem(), "", func(path string, object reflect.Value) {
		add(strings.TrimSuffix(at+"."+path, ".")+".", object.FieldByName("Extra").Interface().(Extra))
	})
}
