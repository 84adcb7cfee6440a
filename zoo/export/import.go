package export

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/format/safetensors"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo"
)

// Import reads back a .safetensors or .npz file that [Write] wrote: saved, the model has the digest of the one that was
// exported. A file without fkzoo's metadata is [ErrNoBlueprint]: its tensors may still be of use to who knows what they are.
func Import(path string) (*zoo.Model, error) {
	f, err := FormatOf(path)
	if err != nil {
		return nil, err
	}
	var meta map[string]json.RawMessage
	var tensors []format.Tensor
	switch f {
	case Safetensors:
		meta, tensors, err = readSafetensors(path)
	case NPZ:
		meta, tensors, err = readNPZ(path)
	default:
		return nil, fmt.Errorf("%s: an ONNX file holds a graph of operators, which no blueprint can be told from, want .safetensors or .npz", path)
	}
	if err != nil {
		return nil, err // it names the file
	}
	m, err := model(meta, tensors)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func readSafetensors(path string) (map[string]json.RawMessage, []format.Tensor, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	meta := map[string]json.RawMessage{}
	for key, text := range f.Metadata() {
		if name, ours := strings.CutPrefix(key, prefix); ours {
			meta[name] = json.RawMessage(text)
		}
	}
	if meta[keyBlueprint] == nil {
		return nil, nil, fmt.Errorf("%s: %w", path, ErrNoBlueprint)
	}
	var tensors []format.Tensor
	for _, info := range f.Infos() {
		t, err := f.Tensor(info.Name)
		if err != nil {
			return nil, nil, err
		}
		tensors = append(tensors, t)
	}
	return meta, tensors, nil
}

func readNPZ(path string) (map[string]json.RawMessage, []format.Tensor, error) {
	a, err := npy.OpenArchive(path)
	if err != nil {
		return nil, nil, err
	}
	defer a.Close()
	if !slices.Contains(a.Others(), about) {
		return nil, nil, fmt.Errorf("%s: %w", path, ErrNoBlueprint)
	}
	text, err := a.Other(about)
	if err != nil {
		return nil, nil, err
	}
	var meta map[string]json.RawMessage
	if err := json.Unmarshal(text, &meta); err != nil {
		return nil, nil, fmt.Errorf("%s:%s: %w", path, about, err)
	}
	if meta[keyBlueprint] == nil {
		return nil, nil, fmt.Errorf("%s: %w", path, ErrNoBlueprint)
	}
	var tensors []format.Tensor
	for _, name := range a.Names() {
		t, err := a.Array(name)
		if err != nil {
			return nil, nil, err
		}
		tensors = append(tensors, t)
	}
	return meta, tensors, nil
}

// model puts a model together and checks it: each parameter of the blueprint must have its tensor.
func model(meta map[string]json.RawMessage, tensors []format.Tensor) (*zoo.Model, error) {
	m := &zoo.Model{Weights: engine.Arrays{}}
	var err error
	if m.Document, err = blueprint.Parse(meta[keyBlueprint]); err != nil {
		return nil, err
	}
	into := map[string]any{keyHistory: &m.History, keyProvenance: &m.Provenance}
	for _, key := range slices.Sorted(maps.Keys(into)) {
		if raw, ok := meta[key]; ok {
			if err := json.Unmarshal(raw, into[key]); err != nil {
				return nil, fmt.Errorf("metadata %s%s: %w", prefix, key, err)
			}
		}
	}
	for _, t := range tensors {
		if t.Type != format.Float32 {
			return nil, fmt.Errorf("tensor %s: found type %s, want %s", t.Name, t.Type, format.Float32)
		}
		values, err := format.Values[float32](t)
		if err != nil {
			return nil, err
		}
		m.Weights[t.Name] = engine.Array{Shape: t.Shape, Data: values}
	}
	return m, m.Check()
}
