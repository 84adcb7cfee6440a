// Package export writes models for other programs, and reads back what it wrote: ONNX to run them, safetensors and NumPy's
// npz for the weights. What a format has no place for, blueprint with recipe and columns, goes into its metadata.
//
// It knows how each layer kind is said in ONNX; how a layer is computed here is the engine's, and a test compares the two.
package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/format/onnx"
	"github.com/fkzoo/fkzoo/format/safetensors"
	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Format is a kind of file by its name's ending.
type Format string

// The formats that a model can be written in.
const (
	ONNX        Format = ".onnx"
	Safetensors Format = ".safetensors"
	NPZ         Format = ".npz"
)

var formats = []Format{ONNX, Safetensors, NPZ}

var (
	// ErrFormat is returned for a name with another ending.
	ErrFormat = errors.New("want a name that ends in .onnx, .safetensors or .npz")
	// ErrUnsupported is returned for a layer that ONNX can't say.
	ErrUnsupported = errors.New("not possible in ONNX")
	// ErrNoBlueprint is returned for a file of weights that says nothing of the network.
	ErrNoBlueprint = errors.New("no blueprint of fkzoo in the metadata")
)

// FormatOf gives the format that a file's name asks for.
func FormatOf(path string) (Format, error) {
	f := Format(strings.ToLower(filepath.Ext(path)))
	if !slices.Contains(formats, f) {
		return "", fmt.Errorf("%s: %w", path, ErrFormat)
	}
	return f, nil
}

// Options says how a file is written.
type Options struct {
	Force   bool   // replace an existing file
	Version string // of fkzoo, for the file's producer
}

// Write writes a model, whole or not at all, in the format that the path's ending names. The same model gives the same
// bytes. A training's state is not written: of a checkpoint it is the weights as they are.
func Write(path string, m *model.Model, o Options) error {
	f, err := FormatOf(path)
	if err != nil {
		return err
	}
	if err := m.Check(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var graph *onnx.Model
	if f == ONNX { // what ONNX can't say is refused before there is a file
		if graph, err = Graph(m); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		graph.Version = o.Version
	}
	return atomicfile.Write(path, o.Force, func(w io.Writer) error {
		if graph != nil {
			return onnx.Write(w, graph)
		}
		return writeWeights(w, f, m)
	})
}

// Keys of the metadata. In safetensors and ONNX all begin with [prefix]; npz has one JSON object of them, named [about].
const (
	prefix        = "fkzoo."
	keyBlueprint  = "blueprint"
	keyColumns    = "columns" // of an answer, in its order
	keyRecipe     = "recipe"  // by member; the blueprint's
	keyDigest     = "digest"
	keyHistory    = "history"
	keyProvenance = "provenance"

	about = "fkzoo.json"
)

// metadata says of a model what weights don't, as JSON by key.
func metadata(m *model.Model) (map[string]json.RawMessage, error) {
	text, err := m.Document.JSON()
	if err != nil {
		return nil, err
	}
	recipes := map[string]blueprint.Recipe{}
	for i := range m.Document.Members {
		recipes[m.Document.Members[i].Name] = m.Document.Members[i].Recipe
	}
	out := map[string]json.RawMessage{keyBlueprint: text}
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

// writeWeights writes all tensors under fkzoo's names.
func writeWeights(w io.Writer, f Format, m *model.Model) error {
	tensors, err := tensorsOf(m)
	if err != nil {
		return err
	}
	if f == Safetensors {
		meta, err := texts(m)
		if err != nil {
			return err
		}
		return safetensors.Write(w, tensors, meta)
	}
	meta, err := metadata(m)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(meta, "", "  ")
	if err != nil {
		return err
	}
	return npy.WriteArchive(w, tensors, npy.Other{Name: about, Data: append(text, '\n')})
}

// tensorsOf gives the weights in the blueprint's order, member by member and layer by layer.
func tensorsOf(m *model.Model) ([]format.Tensor, error) {
	var out []format.Tensor
	for i := range m.Document.Members {
		plan, err := blueprint.NewPlan(m.Document, i, nil)
		if err != nil {
			return nil, err
		}
		for k := range plan.Nodes {
			for _, p := range plan.Nodes[k].Params {
				name := plan.TensorName(&plan.Nodes[k], p.Name)
				a := m.Weights[name]
				t, err := format.NewTensor(name, format.Float32, a.Shape, a.Data)
				if err != nil {
					return nil, err
				}
				out = append(out, t)
			}
		}
	}
	return out, nil
}
