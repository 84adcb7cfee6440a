package export

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/format/safetensors"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Import reads back a .safetensors or .npz file of size bytes that [Write] wrote: saved, the model has the digest of the one
// that was exported, unless that was a checkpoint, and Digest is what the file says that this is. A file without fkzoo's metadata is [ErrNoBlueprint]: its tensors may still be of use to who knows what
// they are.
func Import(r io.ReaderAt, size int64) (*model.Model, error) {
	start := make([]byte, len(zipMagic))
	if _, err := r.ReadAt(start, 0); err != nil && err != io.EOF {
		return nil, err
	}
	read := readSafetensors
	if string(start) == zipMagic {
		read = readNPZ
	}
	meta, tensors, err := read(r, size)
	if err != nil {
		return nil, err
	}
	return modelOf(meta, tensors)
}

const zipMagic = "PK\x03\x04"

func readSafetensors(r io.ReaderAt, size int64) (map[string]json.RawMessage, []format.Tensor, error) {
	f, err := safetensors.New(r, size)
	if err != nil {
		return nil, nil, err
	}
	meta := map[string]json.RawMessage{}
	for key, text := range f.Metadata() {
		if name, ours := strings.CutPrefix(key, prefix); ours {
			meta[name] = json.RawMessage(text)
		}
	}
	if meta[keyBlueprint] == nil {
		return nil, nil, ErrNoBlueprint
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

func readNPZ(r io.ReaderAt, size int64) (map[string]json.RawMessage, []format.Tensor, error) {
	a, err := npy.NewArchive(r, size)
	if err != nil {
		return nil, nil, err
	}
	if !slices.Contains(a.Others(), about) {
		return nil, nil, ErrNoBlueprint
	}
	text, err := a.Other(about)
	if err != nil {
		return nil, nil, err
	}
	var meta map[string]json.RawMessage
	if err := json.Unmarshal(text, &meta); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", about, err)
	}
	if meta[keyBlueprint] == nil {
		return nil, nil, ErrNoBlueprint
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

// modelOf puts a model together and checks it: each parameter of the blueprint must have its tensor.
func modelOf(meta map[string]json.RawMessage, tensors []format.Tensor) (*model.Model, error) {
	m := &model.Model{Weights: engine.Arrays{}, Digest: strings.Trim(string(meta[keyDigest]), `"`)}
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
