package model

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/record"
	"github.com/fkzoo/fkzoo/zoo/model/ready"
)

// Model is a blueprint with its weights: what a .fkz file holds.
type Model struct {
	Document   *blueprint.Document // resolved: every member's columns are spelled out
	Weights    engine.Arrays       // by member/layer/parameter
	History    []MemberHistory     // in the order of the members
	State      *State              // of a training that goes on; nil: the model is finished
	Provenance Provenance
	Run        Run
	Digest     string         // of the file it was loaded from or saved to, hex
	Extra      map[string]any // header fields that this version doesn't know; kept when the model is saved

	kept kept
}

// kept is what a file had that this version doesn't know, beside Extra and the
// blueprint's own: a newer version's fields, to be written back.
type kept struct {
	records map[string]any            // history, state, provenance and run as they were read
	tensors map[string]map[string]any // fields of the index, by tensor
}

// MemberHistory is a member's training: a value for each epoch done.
type MemberHistory struct {
	Member         string    `json:"member"`
	TrainRows      int       `json:"train_rows,omitempty"` // 0: not known
	TrainLoss      []float64 `json:"train_loss"`
	ValidationLoss []float64 `json:"validation_loss,omitempty"` // none where no rows were held out
	RMSEPixels     []float64 `json:"rmse_pixels,omitempty"`     // of the held-out rows
	Rate           []float64 `json:"rate"`                      // learning rate at the epoch's start
	BestEpoch      int       `json:"best_epoch,omitempty"`      // the one with the least validation loss, from 1
	Stopped        bool      `json:"stopped,omitempty"`         // early, its best weights put back
	HeldOut        HeldOut   `json:"held_out,omitzero"`         // the rows that it was validated on
}

// HeldOut are the rows that a member was validated on, and how the weights that
// stayed do there.
type HeldOut struct {
	Rows         int     `json:"rows"`
	Cells        int     `json:"cells"`          // filled ones
	MeanFaceLoss float64 `json:"mean_face_loss"` // of always answering the mean face
	MeanFace     float64 `json:"mean_face_rmse_pixels"`
	Loss         float64 `json:"loss,omitempty"` // none while the member isn't done
	RMSEPixels   float64 `json:"rmse_pixels,omitempty"`
	Numbers      []int   `json:"numbers,omitempty"` // of a fold: which rows of the data, from 0, increasing
}

// State is where a training stands that is to go on.
type State struct {
	Member  int     `json:"member"` // the one under way; those before it are done
	Epoch   int     `json:"epoch"`  // epochs done by it
	Step    int     `json:"step"`   // steps done in the epoch under way
	LossSum float64 `json:"loss_sum"`
	Cells   float64 `json:"cells"`
	// Tensors are the member's training state; by their engine names, as all here.
	Tensors engine.Arrays
	// Best are the weights of best epochs, where the model has others: of the
	// member under way and of those before it.
	Best engine.Arrays
	// Final are the weights with which members before it ended, where the model has
	// those of their best epochs: in NAME.best.fkz, see [Model.ShowBest].
	Final engine.Arrays
}

// Fresh tells whether the member has not begun: it starts from the model's weights.
func (s *State) Fresh() bool { return s.Epoch == 0 && s.Step == 0 && len(s.Tensors) == 0 }

// Provenance says what made a model.
type Provenance struct {
	Fkzoo   string     `json:"fkzoo"`
	Plugin  PluginFrom `json:"plugin,omitzero"`
	Data    DataFrom   `json:"data,omitzero"`
	Seed    uint64     `json:"seed"`
	Backend string     `json:"backend"`
	// Kernels are those of the backend go that it was trained with: avx512, avx2, neon, plain. Their last digits differ.
	Kernels string   `json:"kernels,omitempty"`
	Options []string `json:"options,omitempty"` // settings given by the user, name=value
	Start   string   `json:"start,omitempty"`   // digest of the model that the weights started from
	// StartData are the checksums of the data that the weights had seen before: that model's, that of those it started
	// from itself, and what the training went on with before other data; "" is data that isn't known.
	StartData []string `json:"start_data,omitempty"`
	Receipt   Receipt  `json:"receipt,omitzero"` // of a model that was converted from other software's file
	// Merged are the models that this one was merged from.
	Merged []MergedFrom `json:"merged,omitempty"`
}

// MergedFrom is one of the models that a model was merged from.
type MergedFrom struct {
	Digest       string   `json:"digest"`
	Architecture string   `json:"architecture"`
	Members      []string `json:"members"` // their names in the merged model; none where the weights' mean was taken
	Data         string   `json:"data"`    // checksum
	Seed         uint64   `json:"seed"`
}

// PluginFrom is the plugin that gave the blueprint.
type PluginFrom struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// DataFrom is the data that a model was trained on.
type DataFrom struct {
	Source   string    `json:"source"`
	Checksum string    `json:"checksum"`
	Rows     int       `json:"rows"`
	Columns  []string  `json:"columns"`
	Mean     []float64 `json:"mean"` // the mean face: each column's mean, pixels
}

// Run is what differs between two runs of the same training, outside the digest.
type Run struct {
	Started string    `json:"started,omitempty"` // RFC 3339
	Machine string    `json:"machine,omitempty"`
	Command []string  `json:"command,omitempty"`
	Seconds []float64 `json:"seconds,omitempty"` // of each epoch, over all members; of a resumed one what was done since
	// Processor are the seconds of processor time of each epoch, over all cores; as
	// many as Seconds, 0 where they aren't known.
	Processor []float64 `json:"processor_seconds,omitempty"`
	Resumed   int       `json:"resumed,omitempty"` // times
}

// Add notes an epoch's time, also where epochs before it lack one.
func (r *Run) Add(wall, processor time.Duration) {
	r.Processor = append(r.Processor[:min(len(r.Processor), len(r.Seconds))], make([]float64, max(len(r.Seconds)-len(r.Processor), 0))...)
	r.Seconds, r.Processor = append(r.Seconds, wall.Seconds()), append(r.Processor, processor.Seconds())
}

// Prefixes of a checkpoint's tensors beside the weights.
const (
	trainingPrefix = "training/"
	bestPrefix     = "best/"
	finalPrefix    = "final/"
)

// ErrNotModel is returned for a .fkz file that holds something else.
var ErrNotModel = errors.New("not a model of a network")

// Save writes the model file at path, atomically, and sets Digest. An existing
// file is replaced only with force; else the error is [format.ErrExists].
func (m *Model) Save(path string, force bool) error {
	meta, err := m.meta()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var tensors []format.Tensor
	add := func(prefix string, arrays engine.Arrays) error {
		for name, a := range arrays {
			t, err := format.NewTensor(prefix+name, format.Float32, a.Shape, a.Data)
			if err != nil {
				return err
			}
			t.Extra = m.kept.tensors[t.Name]
			tensors = append(tensors, t)
		}
		return nil
	}
	err = add("", m.Weights)
	if m.State != nil {
		err = errors.Join(err, add(trainingPrefix, m.State.Tensors), add(bestPrefix, m.State.Best), add(finalPrefix, m.State.Final))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := format.Write(path, meta, tensors, format.Options{Force: force}); err != nil {
		return err
	}
	f, err := format.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	m.Digest = fmt.Sprintf("%x", f.Digest())
	return nil
}

// part is one of the header's parts that are records: what it is called, the
// struct or list behind a pointer, and what a file had there.
type part struct {
	name string
	of   any
	raw  *any
}

// records are the model's; of a model without state, three.
func (m *Model) records(meta *format.Meta) []part {
	out := []part{{"history", &m.History, &meta.History}, {"provenance", &m.Provenance, &meta.Provenance}, {"run", &m.Run, &meta.Run}}
	if m.State != nil {
		out = append(out, part{"state", m.State, &meta.State})
	}
	return out
}

func (m *Model) meta() (format.Meta, error) {
	meta := format.Meta{Extra: m.Extra}
	text, err := m.Document.JSON()
	if err != nil {
		return meta, err
	}
	if meta.Blueprint, err = format.FromJSON(text); err != nil {
		return meta, err
	}
	for _, p := range m.records(&meta) {
		if *p.raw, err = record.Encode(p.of, m.kept.records[p.name], p.name); err != nil {
			return meta, err
		}
	}
	return meta, nil
}

// Load reads a model file. All of it is checked: its bytes, its blueprint, that
// each parameter of the blueprint has a tensor of its shape, and that history
// and state belong together. [ready.Points] and [ready.Finder] are in the program.
func Load(path string) (*Model, error) { return read(path, true) }

// Describe reads a model file's header alone, which takes as long for a large
// model as for a small one. It is checked as [Load] does, the tensors by their
// names, types and shapes in the index: Weights is nil, so that the model can
// neither answer nor be saved.
func Describe(path string) (*Model, error) { return read(path, false) }

// Open opens a model file, or one that is in the program: [ready.Points] and [ready.Finder].
func Open(path string) (*format.File, error) {
	if data, ok := ready.File(path); ok {
		return format.OpenBytes(path, data)
	}
	return format.Open(path)
}

// read reads a model file, with its tensors or without them.
func read(path string, values bool) (*Model, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	meta, err := f.Meta()
	if err != nil {
		return nil, err
	}
	m := &Model{Weights: engine.Arrays{}, Digest: fmt.Sprintf("%x", f.Digest())}
	for _, step := range []func() error{
		func() error { return m.setMeta(&meta) },
		func() error { return m.load(f, values) },
		m.Check,
	} {
		err := step()
		var known *format.Error
		switch {
		case errors.As(err, &known) && known.Path != "":
			return nil, err // it names the file
		case err != nil:
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if !values {
		m.Weights = nil
		if m.State != nil {
			m.State.Tensors, m.State.Best, m.State.Final = nil, nil, nil
		}
	}
	return m, nil
}

func (m *Model) setMeta(meta *format.Meta) error {
	if meta.Blueprint == nil {
		return fmt.Errorf("%w: no blueprint", ErrNotModel)
	}
	text, err := format.ToJSON(meta.Blueprint)
	if err != nil {
		return fmt.Errorf("%w: field blueprint: %w", ErrNotModel, err)
	}
	if m.Document, err = blueprint.Parse(text); err != nil {
		return fmt.Errorf("field blueprint: %w", err)
	}
	if meta.State != nil {
		m.State = &State{Tensors: engine.Arrays{}, Best: engine.Arrays{}, Final: engine.Arrays{}}
	}
	m.Extra, m.kept.records = meta.Extra, map[string]any{}
	for _, p := range m.records(meta) {
		if err := record.Decode(p.of, *p.raw, p.name); err != nil {
			return fmt.Errorf("%w: field %w", ErrNotModel, err)
		}
		m.kept.records[p.name] = *p.raw
	}
	return nil
}

// load reads the tensors, or, without values, their shapes.
func (m *Model) load(f *format.File, values bool) error {
	infos := f.Infos()
	for i := range infos {
		t := &infos[i]
		if t.Type != format.Float32 {
			return fmt.Errorf("tensor %s: found type %s, want %s", t.Name, t.Type, format.Float32)
		}
		extra, err := t.Extra()
		if err != nil {
			return err
		}
		if extra != nil {
			if m.kept.tensors == nil {
				m.kept.tensors = map[string]map[string]any{}
			}
			m.kept.tensors[t.Name] = extra
		}
		a := engine.Array{Shape: slices.Clone(t.Shape)}
		if values {
			if a.Data, err = format.CopyValues[float32](f, t.Name); err != nil {
				return err
			}
		}
		switch name, training := strings.CutPrefix(t.Name, trainingPrefix); {
		case training && m.State != nil:
			m.State.Tensors[name] = a
		case strings.HasPrefix(t.Name, bestPrefix) && m.State != nil:
			m.State.Best[t.Name[len(bestPrefix):]] = a
		case strings.HasPrefix(t.Name, finalPrefix) && m.State != nil:
			m.State.Final[t.Name[len(finalPrefix):]] = a
		default:
			m.Weights[t.Name] = a
		}
	}
	return nil
}

// Check compares weights, history and state with the blueprint and each other.
func (m *Model) Check() error {
	var members []map[string]blueprint.Shape // each one's parameters by tensor name
	wanted := map[string]blueprint.Shape{}
	for i := range m.Document.Members {
		plan, err := blueprint.NewPlan(m.Document, i, nil)
		if err != nil {
			return fmt.Errorf("field blueprint: %w", err)
		}
		shapes := Parameters(plan)
		maps.Copy(wanted, shapes)
		members = append(members, shapes)
	}
	if err := compare("tensor ", m.Weights, wanted); err != nil {
		return err
	}
	for i := range m.History {
		if err := m.History[i].check(); err != nil {
			return fmt.Errorf("%w: history of %.128q: %w", ErrNotModel, m.History[i].Member, err)
		}
	}
	if m.State == nil {
		return nil
	}
	if n := len(members); m.State.Member < 0 || m.State.Member >= n {
		return fmt.Errorf("%w: state: found member %d, want 0 to %d", ErrNotModel, m.State.Member, n-1)
	}
	if err := m.checkState(members); err != nil {
		return fmt.Errorf("%w: state: %w", ErrNotModel, err)
	}
	return nil
}

// Parameters are a plan's, by tensor name.
func Parameters(plan *blueprint.Plan) map[string]blueprint.Shape {
	out := map[string]blueprint.Shape{}
	for i := range plan.Nodes {
		for _, p := range plan.Nodes[i].Params {
			out[plan.TensorName(&plan.Nodes[i], p.Name)] = p.Shape
		}
	}
	return out
}

// compare refuses arrays that aren't exactly those wanted.
func compare(what string, arrays engine.Arrays, wanted map[string]blueprint.Shape) error {
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if a, ok := arrays[name]; !ok {
			return fmt.Errorf("%s%s: missing, want shape %v", what, name, wanted[name])
		} else if !slices.Equal(a.Shape, wanted[name]) {
			return fmt.Errorf("%s%s: found shape %v, want %v", what, name, a.Shape, wanted[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		if _, ok := wanted[name]; !ok {
			return fmt.Errorf("%s%s: no parameter of the blueprint has that name", what, name)
		}
	}
	return nil
}

// check refuses series that don't belong together.
func (h *MemberHistory) check() error {
	n, v := len(h.TrainLoss), len(h.ValidationLoss)
	switch {
	case len(h.Rate) != n:
		return fmt.Errorf("found %d rates, want one for each of %d epochs", len(h.Rate), n)
	case v != 0 && v != n:
		return fmt.Errorf("found %d validation losses, want none or one for each of %d epochs", v, n)
	case len(h.RMSEPixels) != v:
		return fmt.Errorf("found %d values of rmse_pixels, want as many as validation losses, %d", len(h.RMSEPixels), v)
	case h.BestEpoch < 0 || h.BestEpoch > v:
		return fmt.Errorf("found best epoch %d, want 0 to %d", h.BestEpoch, v)
	case h.TrainRows < 0:
		return fmt.Errorf("found %d rows trained on, want none below 0", h.TrainRows)
	case h.HeldOut.Rows < 0 || h.HeldOut.Cells < 0:
		return fmt.Errorf("found %d rows held out with %d cells, want none below 0", h.HeldOut.Rows, h.HeldOut.Cells)
	case len(h.HeldOut.Numbers) > 0 && len(h.HeldOut.Numbers) != h.HeldOut.Rows:
		return fmt.Errorf("found the numbers of %d rows held out, want %d", len(h.HeldOut.Numbers), h.HeldOut.Rows)
	}
	return nil
}

// checkState refuses a state that the history contradicts, or that lacks what
// early stopping would put back. The engine checks the rest when it goes on.
func (m *Model) checkState(members []map[string]blueprint.Shape) error {
	s := m.State
	if s.Epoch < 0 || s.Step < 0 || s.Cells < 0 {
		return fmt.Errorf("found epoch %d, step %d and %g cells, want none below 0", s.Epoch, s.Step, s.Cells)
	}
	if len(m.History) != len(m.Document.Members) {
		return fmt.Errorf("found the history of %d members, want %d", len(m.History), len(m.Document.Members))
	}
	for i, h := range m.History {
		if want := m.Document.Members[i].Name; h.Member != want {
			return fmt.Errorf("found the history of %.128q in place %d, want that of %s", h.Member, i+1, want)
		}
		n := len(h.TrainLoss)
		switch {
		case i == s.Member && n != s.Epoch:
			return fmt.Errorf("found epoch %d of member %s, want %d as in its history", s.Epoch, h.Member, n)
		case i == s.Member && h.Stopped:
			return fmt.Errorf("found member %s stopped, want one that goes on", h.Member)
		case i > s.Member && n > 0:
			return fmt.Errorf("found %d epochs of member %s, want none before member %s is done", n, h.Member, m.History[s.Member].Member)
		}
	}
	best, final := maps.Clone(s.Best), maps.Clone(s.Final)
	for i, parameters := range members[:s.Member] { // those that are done
		done := []struct {
			what string
			part engine.Arrays
		}{{bestPrefix, Take(best, parameters)}, {finalPrefix, Take(final, parameters)}}
		for _, d := range done {
			if len(d.part) == 0 {
				continue
			}
			if err := compare("tensor "+d.what, d.part, parameters); err != nil {
				return err
			}
			if h := &m.History[i]; h.BestEpoch == 0 {
				return fmt.Errorf("found tensors %s of member %s, want none where no epoch is the best", d.what, h.Member)
			}
		}
	}
	stops := m.Document.Members[s.Member].Recipe.Stop != nil
	if len(best) > 0 || stops && m.History[s.Member].BestEpoch > 0 {
		if err := compare("tensor "+bestPrefix, best, members[s.Member]); err != nil {
			return err
		}
	}
	return compare("tensor "+finalPrefix, final, nil)
}

// Take moves a member's arrays out of others.
func Take(from engine.Arrays, parameters map[string]blueprint.Shape) engine.Arrays {
	out := engine.Arrays{}
	for name := range parameters {
		if a, ok := from[name]; ok {
			out[name] = a
			delete(from, name)
		}
	}
	return out
}

// ForgetTensors drops the unknown fields that a file had for its tensors.
func (m *Model) ForgetTensors() { m.kept.tensors = nil }

// Epochs is the number of epochs done, over all members.
func (m *Model) Epochs() int {
	n := 0
	for _, h := range m.History {
		n += len(h.TrainLoss)
	}
	return n
}
