package export

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Format is a kind of file that models are written in.
type Format struct {
	Name       string
	Extensions []string // of its files' names, in small letters
	Holds      string   // what such a file is, for people
	Lacks      string   // what of a model it can't carry, for people
	Runs       bool     // it is a network, with [InputName] and [OutputName]
	Returns    bool     // converted, a file is the model that it was, with the same digest

	// prepare gives what writes a model. What the format can't say is refused here, before there is a file.
	prepare func(m *model.Model, o Options) (func(w io.Writer) error, error)
}

// Formats has a row for each format.
var Formats = []*Format{&onnxFormat, &safetensorsFormat, &npzFormat}

// ErrFormat is returned for a name with another ending.
var ErrFormat = errors.New("want a name that ends in " + oneOf(extensions()))

func extensions() (all []string) {
	for _, f := range Formats {
		all = append(all, f.Extensions...)
	}
	return all
}

// oneOf is a list for people: "a, b or c".
func oneOf(list []string) string {
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

// FormatOf gives the format that a file's name asks for.
func FormatOf(path string) (*Format, error) {
	ending := strings.ToLower(filepath.Ext(path))
	for _, f := range Formats {
		if slices.Contains(f.Extensions, ending) {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", path, ErrFormat)
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
	for i := range m.Document.Members {
		if o := &m.Document.Members[i]; o.Boxes() {
			return fmt.Errorf("%s: member %s: %w", path, o.Name, answer.ErrBoxes)
		}
	}
	err = m.Check()
	var write func(w io.Writer) error
	if err == nil {
		write, err = f.prepare(m, o)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.Write(path, o.Force, write)
}
