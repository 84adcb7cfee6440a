package train

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/record"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train/recipe"
)

// ChangedError tells that a training was asked to go on with something else
// than it began with, which [Options.AllowChanges] allows.
type ChangedError struct {
	Differences []string // each with what was found and what the checkpoint has
}

func (e *ChangedError) Error() string {
	return strings.Join(e.Differences, "; ") + ": a training goes on with its own data and recipe"
}

// DataGoneError tells that the data can't be opened that a training learned from which is to go on, where none other is
// given: a file that went away, or what a reader gave.
type DataGoneError struct {
	Source string
	Err    error
}

func (e *DataGoneError) Error() string {
	return e.Err.Error() + ": the training that goes on learned from it, and none other is given"
}
func (e *DataGoneError) Unwrap() error { return e.Err }

// FixedError tells that a training was asked to go on with something that it
// can't take, whatever is allowed. A new one with its weights could.
type FixedError struct {
	Difference string // what was found, and what the checkpoint has
	Why        string
}

func (e *FixedError) Error() string { return e.Difference + ": " + e.Why }

// ErrFinished is returned for a model as a checkpoint whose training is finished: a
// new one may begin with its weights.
var ErrFinished = errors.New("the training is finished, want a checkpoint")

// FinishedError is [ErrFinished] of a file.
type FinishedError struct {
	Path string
	Best string // a checkpoint of the same training that could go on; "": none
	Next int    // the epoch that it goes on with, from 1
}

func (e *FinishedError) Error() string { return fmt.Sprintf("%s: %v", e.Path, ErrFinished) }
func (e *FinishedError) Unwrap() error { return ErrFinished }

func finished(path string) error {
	e := &FinishedError{Path: path}
	if m, err := model.Describe(model.BestPath(path)); err == nil && m.State != nil {
		e.Best, e.Next = model.BestPath(path), m.State.Epoch+1
	}
	return e
}

// beginResumed goes on with the checkpoint's own document and seeds, on the
// same data, but for what the user is allowed to change.
func (t *training) beginResumed() error {
	m := t.Resume
	if m.State == nil {
		return ErrFinished
	}
	m.HideBest()
	if err := t.changes(); err != nil {
		return err
	}
	for i := m.State.Member; i < len(m.Document.Members); i++ {
		plan, err := blueprint.NewPlan(m.Document, i, nil)
		if err != nil {
			return err
		}
		if err := t.check(plan); err != nil {
			return err
		}
		if err := t.checkRows(plan.Member); err != nil {
			return err
		}
	}
	made := &m.Provenance
	t.goOnWith(t.Options.Backend)
	if !among(made.Fkzoo, t.Version) {
		made.Fkzoo += ", " + t.Version
	}
	m.Run.Resumed++
	m.ForgetTensors() // what is said of them: they will change
	t.model = m
	return nil
}

// goOnWith notes the backend, and says so where it computes otherwise than the one before.
func (t *training) goOnWith(b *backend.Backend) {
	made, name, kernels := &t.Resume.Provenance, b.Name(), b.Kernels()
	switch {
	case !among(made.Backend, name):
		t.Watch.Warn(fmt.Sprintf("the training began on backend %s and goes on with %s: its figures may differ a little from those of one backend alone", made.Backend, name))
		made.Backend += ", " + name
	case kernels != "" && made.Kernels == "":
		t.Watch.Warn(fmt.Sprintf("the training began on backend %s of an earlier fkzoo, which computed otherwise: its figures may differ in their last digits from those of this one alone", name))
	case kernels != "" && !among(made.Kernels, kernels):
		t.Watch.Warn(fmt.Sprintf("the training began with kernels %s and goes on with %s: its figures may differ in their last digits from those of one set alone", made.Kernels, kernels))
	}
	if kernels != "" && !among(made.Kernels, kernels) {
		made.Kernels = strings.TrimPrefix(made.Kernels+", "+kernels, ", ")
	}
}

// among tells whether a list with commas has a name.
func among(list, name string) bool { return slices.Contains(strings.Split(list, ", "), name) }

// changes compares data and settings with the checkpoint's, and takes over what
// is allowed to differ.
func (t *training) changes() error {
	m := t.Resume
	d, recipes, err := resettled(m, t.Settings, t.Data)
	if err != nil {
		return err
	}
	data := m.Provenance.Data.Difference(t.Data)
	lengths, others := recipes.lengths()
	differences := others.texts()
	if data != "" {
		differences = append([]string{data}, differences...)
	}
	if len(recipes) == 0 && data == "" {
		return nil
	}
	if err := recipes.refuse(); err != nil { // whether allowed or not
		return err
	}
	if len(differences) > 0 && !t.AllowChanges {
		return &ChangedError{differences}
	}
	if err := t.newLengths(d, len(lengths) > 0); err != nil {
		return err
	}
	for _, text := range differences {
		t.Watch.Warn("goes on with a change: " + text)
	}
	s, h := m.State, &m.History[m.State.Member]
	if s.Step > 0 && (data != "" || d.Members[s.Member].Recipe.Batch != m.Document.Members[s.Member].Recipe.Batch) {
		t.Watch.Warn(fmt.Sprintf("epoch %d begins anew: its other batches were", s.Epoch+1))
		s.Step, s.LossSum, s.Cells = 0, 0, 0
	}
	if data != "" {
		m.Provenance.GoOnWith(model.DataOf(t.Data))
		// Losses on other rows don't compare.
		h.BestEpoch = 0
		maps.DeleteFunc(s.Best, func(name string, _ engine.Array) bool { return strings.HasPrefix(name, h.Member+"/") })
	}
	for _, name := range slices.Sorted(maps.Keys(t.Settings)) {
		if option := name + "=" + t.Settings[name]; recipes.has(name) {
			m.Provenance.Options = append(m.Provenance.Options, fmt.Sprintf("%s (from epoch %d of %s)", option, s.Epoch+1, h.Member))
		}
	}
	m.Document = d
	return nil
}

// newLengths refuses epochs of which more are done, and says what another number
// of them changes.
func (t *training) newLengths(d *blueprint.Document, differ bool) error {
	m, s := t.Resume, t.Resume.State
	for i := s.Member; i < len(d.Members); i++ {
		member := &d.Members[i]
		epochs, err := model.EpochsOn(member, t.Data)
		if err != nil {
			return fmt.Errorf("member %s: %w", member.Name, err)
		}
		done := len(m.History[i].TrainLoss)
		if i == s.Member && (epochs < done || epochs == done && s.Step > 0) {
			return fmt.Errorf("member %s: found %d epochs, want at least %d: so many are done or begun", member.Name, epochs, s.Epoch+min(s.Step, 1))
		}
		if !differ {
			continue
		}
		before, err := model.EpochsOn(&m.Document.Members[i], t.Data)
		if err != nil {
			return fmt.Errorf("member %s: %w", member.Name, err)
		}
		if before == epochs {
			continue
		}
		t.Watch.Note(fmt.Sprintf("%s: goes on to epoch %d; planned were %d", member.Name, epochs, before))
		e := max(done, 1) // in the first epoch they may still be the same
		at := func(epochs int) blueprint.Progress {
			return blueprint.Progress{Epoch: e, Epochs: epochs, Step: e, StepsPerEpoch: 1}
		}
		over := member.Recipe.OverLength()
		for _, path := range slices.Sorted(maps.Keys(over)) {
			t.Watch.Warn(fmt.Sprintf("%s: %s%s runs over all epochs, and goes on as if %d had been planned: %.4g in epoch %d, in place of %.4g",
				member.Name, recipe.Prefix, path, epochs, over[path].At(at(epochs)), e+1, over[path].At(at(before))))
		}
	}
	return nil
}

// recipeChange is a field of a member's recipe that the user wants to be another:
// A is the user's, B the checkpoint's.
type recipeChange struct {
	member, field string
	record.Difference
}

// String names the field, and says what was found and wanted there.
func (c *recipeChange) String() string {
	return fmt.Sprintf("%s%s: %s", recipe.Prefix, c.field, model.FoundAndWanted(c.Difference))
}

type recipeChanges []recipeChange

func (all recipeChanges) texts() (out []string) {
	for _, c := range all {
		text := c.String()
		if !slices.Contains(out, text) { // of several members
			out = append(out, text)
		}
	}
	return out
}

// lengths are the changes of how long is trained, which need no permission, and the others.
func (all recipeChanges) lengths() (lengths, others recipeChanges) {
	for _, c := range all {
		if c.field == "epochs" || c.field == "examples" {
			lengths = append(lengths, c)
		} else {
			others = append(others, c)
		}
	}
	return lengths, others
}

func (all recipeChanges) has(setting string) bool {
	return slices.ContainsFunc(all, func(c recipeChange) bool {
		return strings.HasPrefix(recipe.Prefix+c.field+".", setting+".") || setting == "recipe.examples" && c.field == "epochs"
	})
}

// refuse names a change that a training under way can't take, and why.
func (all recipeChanges) refuse() error {
	for _, c := range all {
		var why string
		switch first, _, _ := strings.Cut(c.field, "."); {
		case first == "seed" || first == "split_seed" || first == "validation" || first == "fold":
			why = "rows that it has learned from would be held out"
		case first == "subset":
			why = "it has learned from other rows already"
		case first == "loss":
			why = "the losses so far would not compare with those to come"
		case c.field == "optimizer.kind":
			why = "what one kind of optimizer remembers is of no use to another"
		case (first == "average" || first == "stop") && (!c.InA || !c.InB):
			why = "the checkpoint was kept for a training that does so to its end, or doesn't"
		default:
			continue
		}
		return &FixedError{c.String(), why}
	}
	return nil
}

// resettled is the checkpoint's document with the user's settings for the
// members that aren't done, and what they change. A setting of the architecture
// must be the one that it was made with; a mirror axis left to the data is the data's.
func resettled(m *model.Model, settings map[string]string, data *dataset.Set) (*blueprint.Document, recipeChanges, error) {
	own, changes := recipe.SplitSettings(settings)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if slices.Contains(m.Provenance.Options, name+"="+own[name]) {
			continue
		}
		return nil, nil, &FixedError{fmt.Sprintf("setting %s: found %s, want it as the training began", name, own[name]), "a network stays as it is"}
	}
	d, err := recipe.Change(m.Document, changes)
	if err != nil {
		return nil, nil, err
	}
	d, _ = recipe.WithAxis(d, data)
	var out recipeChanges
	for i := range d.Members {
		if i < m.State.Member {
			d.Members[i].Recipe = m.Document.Members[i].Recipe
		}
		all, err := model.Differences(d.Members[i].Recipe, m.Document.Members[i].Recipe)
		if err != nil {
			return nil, nil, err
		}
		for _, x := range all {
			out = append(out, recipeChange{d.Members[i].Name, x.Path.Dotted(), x})
		}
	}
	return d, out, nil
}
