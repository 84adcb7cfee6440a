package zoo

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Model is a blueprint with its weights: what a .fkz file holds.
type Model struct {
	Document   *blueprint.Document // resolved: every member's columns are spelled out
	Weights    engine.Arrays       // by member/layer/parameter
	History    []MemberHistory     // in the order of the members
	State      *State              // of a training that goes on; nil: the model is finished
	Provenance Provenance
	Run        Run
	Digest     string // of the file it was loaded from, hex
}

// MemberHistory is a member's training: a value for each epoch done.
type MemberHistory struct {
	Member         string    `json:"member"`
	TrainLoss      []float64 `json:"train_loss"`
	ValidationLoss []float64 `json:"validation_loss,omitempty"` // none where no rows were held out
	RMSEPixels     []float64 `json:"rmse_pixels,omitempty"`     // of the held-out rows
	Rate           []float64 `json:"rate"`                      // learning rate at the epoch's start
	BestEpoch      int       `json:"best_epoch,omitempty"`      // the one with the least validation loss, from 1
	Stopped        bool      `json:"stopped,omitempty"`         // early, its best weights put back
}

// State is where a training stands that is to go on.
type State struct {
	Member  int     `json:"member"` // the one under way; those before it are done
	Epoch   int     `json:"epoch"`  // epochs done by it
	Step    int     `json:"step"`   // steps done in the epoch under way
	LossSum float64 `json:"loss_sum"`
	Cells   float64 `json:"cells"`
	// tensors are the member's training state, and best the weights to put
	// back when it stops early; both by their engine names.
	tensors engine.Arrays
	best    engine.Arrays
}

// Provenance says what made a model.
type Provenance struct {
	Fkzoo   string     `json:"fkzoo"`
	Plugin  PluginFrom `json:"plugin,omitzero"`
	Data    DataFrom   `json:"data,omitzero"`
	Seed    uint64     `json:"seed"`
	Backend string     `json:"backend"`
	Options []string   `json:"options,omitempty"` // settings given by the user, name=value
	Start   string     `json:"start,omitempty"`   // digest of the model that the weights started from
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
	Seconds []float64 `json:"seconds,omitempty"` // of each epoch, over all members
	Resumed int       `json:"resumed,omitempty"` // times
}

// Prefixes of a checkpoint's tensors beside the weights.
const (
	trainingPrefix = "training/"
	bestPrefix     = "best/"
)

// ErrNotModel is returned for a .fkz file that holds something else.
var ErrNotModel = errors.New("not a model of a network")

// Save writes the model file at path, atomically. An existing file is replaced
// only with force; else the error is [format.ErrExists].
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
			tensors = append(tensors, t)
		}
		return nil
	}
	err = add("", m.Weights)
	if m.State != nil {
		err = errors.Join(err, add(trainingPrefix, m.State.tensors), add(bestPrefix, m.State.best))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return format.Write(path, meta, tensors, format.Options{Force: force})
}

func (m *Model) meta() (meta format.Meta, err error) {
	var state any
	if m.State != nil {
		state = m.State
	}
	for _, part := range []struct {
		to   *any
		from any
	}{{&meta.Blueprint, m.Document}, {&meta.History, m.History}, {&meta.State, state}, {&meta.Provenance, m.Provenance}, {&meta.Run, m.Run}} {
		if part.from == nil {
			continue
		}
		text, err := json.Marshal(part.from)
		if err != nil {
			return meta, err
		}
		if *part.to, err = format.FromJSON(text); err != nil {
			return meta, err
		}
	}
	return meta, nil
}

// Load reads a model file. All of it is checked: its bytes, its blueprint, and
// that each parameter of the blueprint has a tensor of its shape.
func Load(path string) (*Model, error) {
	f, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	meta, err := f.Meta()
	if err != nil {
		return nil, err
	}
	m := &Model{Weights: engine.Arrays{}, Digest: fmt.Sprintf("%x", f.Digest())}
	if err := m.setMeta(meta); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := m.load(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func (m *Model) setMeta(meta format.Meta) error {
	text, err := format.ToJSON(meta.Blueprint)
	if err != nil || meta.Blueprint == nil {
		return fmt.Errorf("%w: no blueprint", ErrNotModel)
	}
	if m.Document, err = blueprint.Parse(text); err != nil {
		return err
	}
	if meta.State != nil {
		m.State = &State{tensors: engine.Arrays{}, best: engine.Arrays{}}
	}
	for name, part := range map[string]struct {
		from any
		to   any
	}{"history": {meta.History, &m.History}, "state": {meta.State, m.State}, "provenance": {meta.Provenance, &m.Provenance}, "run": {meta.Run, &m.Run}} {
		if part.from == nil {
			continue
		}
		text, err := format.ToJSON(part.from)
		if err == nil {
			err = json.Unmarshal(text, part.to)
		}
		if err != nil {
			return fmt.Errorf("%w: field %s: %v", ErrNotModel, name, err)
		}
	}
	return nil
}

func (m *Model) load(f *format.File) error {
	tensors, err := f.CopyAll()
	if err != nil {
		return err
	}
	for _, t := range tensors {
		if t.Type != format.Float32 {
			return fmt.Errorf("tensor %s: found type %s, want %s", t.Name, t.Type, format.Float32)
		}
		values, err := format.Values[float32](t)
		if err != nil {
			return err
		}
		a := engine.Array{Shape: t.Shape, Data: values}
		switch name, training := strings.CutPrefix(t.Name, trainingPrefix); {
		case training && m.State != nil:
			m.State.tensors[name] = a
		case strings.HasPrefix(t.Name, bestPrefix) && m.State != nil:
			m.State.best[t.Name[len(bestPrefix):]] = a
		default:
			m.Weights[t.Name] = a
		}
	}
	return m.check()
}

// check compares the weights with what the blueprint wants.
func (m *Model) check() error {
	wanted := map[string]bool{}
	for i := range m.Document.Members {
		plan, err := blueprint.NewPlan(m.Document, i, nil)
		if err != nil {
			return err
		}
		for k := range plan.Nodes {
			for _, p := range plan.Nodes[k].Params {
				name := plan.TensorName(&plan.Nodes[k], p.Name)
				wanted[name] = true
				a, ok := m.Weights[name]
				if !ok {
					return fmt.Errorf("tensor %s: missing, want shape %v", name, p.Shape)
				}
				if !slices.Equal(a.Shape, p.Shape) {
					return fmt.Errorf("tensor %s: found shape %v, want %v", name, a.Shape, p.Shape)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Weights)) {
		if !wanted[name] {
			return fmt.Errorf("tensor %s: no parameter of the blueprint has that name", name)
		}
	}
	if m.State != nil && (m.State.Member < 0 || m.State.Member >= len(m.Document.Members)) {
		return fmt.Errorf("state: found member %d, want 0 to %d", m.State.Member, len(m.Document.Members)-1)
	}
	return nil
}

// Epochs is the number of epochs done, over all members.
func (m *Model) Epochs() int {
	n := 0
	for _, h := range m.History {
		n += len(h.TrainLoss)
	}
	return n
}
