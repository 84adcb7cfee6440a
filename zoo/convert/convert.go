package convert

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/zoo/convert/receipt"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Options say how a file is converted.
type Options struct {
	As      string     // the architecture of a list of parameters; "": none
	Columns []string   // of a network whose file names none; nil: Kaggle's, if there are 30
	Host    *host.Host // offers the architectures; nil: none are
	Version string     // of fkzoo, for the record
	Command []string   // for the record
}

// Result is what became of a file.
type Result struct {
	Model *model.Model // with its receipt, in the provenance
	// Exported is the digest of the model that the file says it was exported from; "": it is no export of fkzoo's.
	Exported string
}

// Save writes the model file at path; an existing one is replaced only with force.
func (r *Result) Save(path string, force bool) error { return r.Model.Save(path, force) }

// Altered tells of a saved model that it isn't the one that its file says it was exported from: the file was changed
// since, or exported from a training that wasn't finished.
func (r *Result) Altered() bool { return r.Exported != "" && r.Exported != r.Model.Digest }

// conversion is one under way.
type conversion struct {
	Options
	name    string // of the file
	receipt *model.Receipt
	run     model.Run
}

// File makes a model of a file: a pickle of nolearn or Lasagne, or, with the
// architecture that it is to be read as, a list of parameters as pickle, npz or
// safetensors; any of them also packed by gzip or bzip2. No code of the file's is
// run. Errors name the file.
func File(ctx context.Context, path string, o Options) (*Result, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err // names the file
	}
	r, err := Bytes(ctx, path, data, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Bytes is [File] for a file's content, under its name. Errors don't name it.
func Bytes(ctx context.Context, name string, data []byte, o Options) (*Result, error) {
	sum := make(chan [sha256.Size]byte, 1)
	go func() { sum <- sha256.Sum256(data) }() // while the rest goes on
	c := &conversion{
		Options: o, name: name,
		receipt: &model.Receipt{Source: filepath.Base(name), Bytes: len(data), As: o.As},
		run:     model.Run{Started: time.Now().UTC().Format(time.RFC3339), Machine: runtime.GOOS + "/" + runtime.GOARCH, Command: o.Command},
	}
	m, err := c.convert(ctx, data)
	if err != nil {
		return nil, err
	}
	c.receipt.SHA256 = fmt.Sprintf("%x", <-sum)
	notFinite(c.receipt, m)
	m.Provenance.Receipt = *c.receipt
	if err := m.Check(); err != nil {
		return nil, err
	}
	return &Result{Model: m, Exported: m.Digest}, nil
}

// convert is the road.
func (c *conversion) convert(ctx context.Context, data []byte) (*model.Model, error) {
	s, err := c.read(data)
	if err != nil {
		return nil, err
	}
	m, err := c.made(ctx, s)
	return m, s.named(err)
}

// made is the road from what a file holds.
func (c *conversion) made(ctx context.Context, s *source) (*model.Model, error) {
	found, err := c.recognise(s)
	if err != nil {
		return nil, err
	}
	fitting, err := found.match(ctx, c)
	if err != nil {
		return nil, err
	}
	return fitting.build(c)
}

// notFinite warns of weights that are no numbers: what the network answers is none either.
func notFinite(to *model.Receipt, m *model.Model) {
	for _, name := range slices.Sorted(maps.Keys(m.Weights)) {
		n, all := 0, m.Weights[name].Data
		for _, v := range all {
			if v-v != 0 {
				n++
			}
		}
		if n > 0 {
			receipt.Note(to, "tensor %s: %d of %d values are NaN or infinite: the training had diverged, or the file is damaged", name, n, len(all))
		}
	}
}
