package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Keys of the metadata. In safetensors and ONNX all begin with [prefix]; npz has one JSON object of them, named [AboutEntry].
const (
	prefix        = "fkzoo."
	keyBlueprint  = "blueprint"
	keyColumns    = "columns" // of an answer, in its order
	keyRecipe     = "recipe"  // by member; the blueprint's
	keyDigest     = "digest"
	keyHistory    = "history"
	keyProvenance = "provenance"

	// AboutEntry is the entry of an npz that has the metadata.
	AboutEntry = "fkzoo.json"
)

// About says of a model what weights don't, as JSON by key.
type About map[string]json.RawMessage

// metadata is what there is to say of a model.
func metadata(m *model.Model) (About, error) {
	text, err := m.Document.JSON()
	if err != nil {
		return nil, err
	}
	recipes := map[string]blueprint.Recipe{}
	for i := range m.Document.Members {
		recipes[m.Document.Members[i].Name] = m.Document.Members[i].Recipe
	}
	out := About{keyBlueprint: text}
	for key, v := range map[string]any{
		keyColumns: m.Document.Columns(nil), keyRecipe: recipes, keyDigest: m.Digest, keyHistory: m.History, keyProvenance: m.Provenance,
	} {
		if out[key], err = json.Marshal(v); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return out, nil
}

// texts are the metadata as texts by prefixed key; a text is itself, without quotes.
func texts(m *model.Model) (map[string]string, error) {
	meta, err := metadata(m)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for key, raw := range meta {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		out[prefix+key] = s
	}
	return out, nil
}

// ErrNoBlueprint is returned for a file of weights that says nothing of the network: its tensors may still be of use to
// who knows what they are.
var ErrNoBlueprint = errors.New("no blueprint of fkzoo in the metadata")

// AboutTexts takes what a safetensors file says from its metadata; [ErrNoBlueprint]: it is none of fkzoo's.
func AboutTexts(meta map[string]string) (About, error) {
	a := About{}
	for key, text := range meta {
		if name, ours := strings.CutPrefix(key, prefix); ours {
			a[name] = json.RawMessage(text)
		}
	}
	return a.known()
}

// ParseAbout takes what an npz file says from its [AboutEntry]; [ErrNoBlueprint]: it is none of fkzoo's.
func ParseAbout(text []byte) (About, error) {
	var a About
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("%s: %w", AboutEntry, err)
	}
	return a.known()
}

func (a About) known() (About, error) {
	if a[keyBlueprint] == nil {
		return nil, ErrNoBlueprint
	}
	return a, nil
}

// Model puts the model together that was exported and checks it: each parameter of the blueprint must have its tensor.
// Saved, it has the digest of that one, unless that was a checkpoint, and Digest is what the file says that this is.
func (a About) Model(tensors []tensor.Tensor) (*model.Model, error) {
	m := &model.Model{Weights: engine.Arrays{}, Digest: strings.Trim(string(a[keyDigest]), `"`)}
	var err error
	if m.Document, err = blueprint.Parse(a[keyBlueprint]); err != nil {
		return nil, err
	}
	into := map[string]any{keyHistory: &m.History, keyProvenance: &m.Provenance}
	for _, key := range slices.Sorted(maps.Keys(into)) {
		if raw, ok := a[key]; ok {
			if err := json.Unmarshal(raw, into[key]); err != nil {
				return nil, fmt.Errorf("metadata %s%s: %w", prefix, key, err)
			}
		}
	}
	for _, t := range tensors {
		if t.Type != tensor.Float32 {
			return nil, fmt.Errorf("tensor %s: found type %s, want %s", t.Name, t.Type, tensor.Float32)
		}
		values, err := tensor.Values[float32](t)
		if err != nil {
			return nil, err
		}
		m.Weights[t.Name] = engine.Array{Shape: t.Shape, Data: values}
	}
	return m, m.Check()
}
