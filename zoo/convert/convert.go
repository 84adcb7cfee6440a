package convert

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/format/legacy/pickle"
	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/export"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Options say what is converted and how.
type Options struct {
	Path    string
	As      string     // the architecture of a list of parameters; "": none
	Columns []string   // of a network whose file names none; nil: Kaggle's, if there are 30
	Host    *host.Host // offers the architectures
	Version string
	Run     model.Run // machine and command, for the record
}

// ErrUnknown is returned for a file of another kind.
var ErrUnknown = errors.New("not a file that can be converted")

// conversion is one under way.
type conversion struct {
	Options
	model  *model.Model
	size   int   // of the file, bytes, unpacked
	values int64 // of weights so far
}

// Convert makes a model of a file: a pickle of nolearn or Lasagne, or, with the
// architecture that it is to be read as, a list of parameters as pickle, npz or
// safetensors; any of them also packed by gzip or bzip2. What became of it is in
// the model's provenance, as its receipt.
// No code of the file's is run. Errors name the file.
func Convert(ctx context.Context, o Options) (*model.Model, error) {
	data, err := os.ReadFile(o.Path)
	if err != nil {
		return nil, err // names the file
	}
	m, err := convert(ctx, o, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Path, err)
	}
	return m, nil
}

func convert(ctx context.Context, o Options, data []byte) (*model.Model, error) {
	sum := make(chan [sha256.Size]byte, 1)
	go func() { sum <- sha256.Sum256(data) }() // while the rest goes on
	c := &conversion{Options: o, model: &model.Model{
		Document:   &blueprint.Document{Version: blueprint.Version, Name: documentName(o.Path)},
		Weights:    engine.Arrays{},
		Provenance: model.Provenance{Fkzoo: o.Version, Receipt: model.Receipt{Source: filepath.Base(o.Path), Bytes: len(data), As: o.As}},
		Run:        o.Run,
	}}
	if err := c.read(ctx, data); err != nil {
		return nil, err
	}
	c.model.Provenance.Receipt.SHA256 = fmt.Sprintf("%x", <-sum)
	c.finite()
	return c.model, c.model.Check()
}

// finite warns of weights that are no numbers: what the network answers is none either.
func (c *conversion) finite() {
	for _, name := range slices.Sorted(maps.Keys(c.model.Weights)) {
		n, all := 0, c.model.Weights[name].Data
		for _, v := range all {
			if v-v != 0 {
				n++
			}
		}
		if n > 0 {
			c.note("tensor %s: %d of %d values are NaN or infinite: the training had diverged, or the file is damaged", name, n, len(all))
		}
	}
}

// exported takes a file that fkzoo exported as the model that it was; done is
// false for others. The provenance stays the model's own, its receipt says what
// it was read from, and keeps the one of a conversion before.
func (c *conversion) exported(data []byte) (done bool, err error) {
	m, err := export.Import(bytes.NewReader(data), int64(len(data)))
	switch {
	case errors.Is(err, export.ErrNoBlueprint):
		return false, nil
	case c.As != "":
		c.model.Provenance.Receipt.Dropped = []model.ReceiptDrop{{What: "the file's own blueprint, history and provenance", Reason: "with --as it is read as arrays of " + c.As}}
		return false, nil
	case err != nil:
		return false, err
	}
	if columns := m.Document.Columns(nil); c.Columns != nil && !slices.Equal(columns, c.Columns) {
		return false, namedColumns(columns, c.Columns)
	}
	receipt := c.model.Provenance.Receipt
	receipt.Format += ofFkzoo
	for _, name := range slices.Sorted(maps.Keys(m.Weights)) {
		part := strings.SplitN(name, "/", 3) // member, layer, parameter: Import saw to it
		receipt.Tensors = append(receipt.Tensors, model.ReceiptTensor{Tensor: name, Layer: part[1], Param: part[2], Shape: m.Weights[name].Shape})
	}
	before := m.Provenance.Receipt
	receipt.Before = before.Before
	if before.Source != "" && !strings.Contains(before.Format, ofFkzoo) { // of those only the first counts
		receipt.Before = []model.Receipt{before}
	}
	m.Run, m.Provenance.Receipt = c.Run, receipt
	c.model = m
	return true, nil
}

// ofFkzoo is in the format of what fkzoo exported.
const ofFkzoo = " of fkzoo"

// namedColumns is that the user and the file disagree.
func namedColumns(file, given []string) error {
	return fmt.Errorf("the file names its columns itself: found %s, and %s in --columns, want no --columns, or the same", strings.Join(file, ","), strings.Join(given, ","))
}

// read reads a file, which may be packed.
func (c *conversion) read(ctx context.Context, data []byte) error {
	data, packing, err := unpack(data)
	if err != nil {
		return err
	}
	c.size = len(data)
	if err := c.unpacked(ctx, data); err != nil {
		return err
	}
	if packing != "" {
		c.model.Provenance.Receipt.Format += ", in " + packing
	}
	return nil
}

// unpacked takes the file for what its first bytes say.
func (c *conversion) unpacked(ctx context.Context, data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return c.archive(ctx, data)
	case bytes.HasPrefix(data, []byte("\x93NUMPY")):
		return c.array(ctx, data)
	case len(data) > 9 && data[8] == '{' && bytes.Equal(data[3:8], make([]byte, 5)):
		return c.safetensors(ctx, data)
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}), bytes.HasPrefix(data, []byte("BZh")):
		return fmt.Errorf("%w: found a file packed twice, want it unpacked", ErrUnknown)
	case bytes.HasPrefix(data, []byte("\x94\xa3fkz")):
		return fmt.Errorf("%w: found a model file already", ErrUnknown)
	}
	return c.pickle(ctx, data)
}

// pickle reads a pickle's networks, or its lists of parameters.
func (c *conversion) pickle(ctx context.Context, data []byte) error {
	f, err := legacy.Read(data)
	if f == nil {
		if e, ok := errors.AsType[*pickle.Error](err); ok && e.Offset == 0 { // not even its beginning
			return fmt.Errorf("%w: want a pickle, npz, npy or safetensors: %w", ErrUnknown, err)
		}
		return err
	}
	c.pickled(f)
	switch {
	case err != nil:
	case len(f.Networks) == 0:
		err = c.lists(ctx, f.Lists)
	case c.As != "":
		err = fmt.Errorf("found a network with its own layers, want no --as: it is for lists of parameters")
	default:
		err = c.networks(f.Networks)
	}
	if i := slices.IndexFunc(f.Globals, func(g legacy.Global) bool { return g.Meaning == legacy.Dangerous }); err != nil && i >= 0 {
		return fmt.Errorf("%w; the file names %s, which can run commands or code: don't load it in Python", err, f.Globals[i].Name)
	}
	return err
}

// pickled writes into the receipt what a pickle named.
func (c *conversion) pickled(f *legacy.File) {
	r := &c.model.Provenance.Receipt
	r.Format = fmt.Sprintf("pickle, protocol %d", f.Protocol)
	for _, g := range f.Globals {
		r.Globals = append(r.Globals, model.ReceiptGlobal{Name: g.Name, Named: g.Named, Called: g.Called, Meaning: g.Meaning})
		if g.Meaning == legacy.Dangerous {
			c.note("%s can run commands or code: Python would have called it %d times on reading this file; fkzoo ran nothing. Don't load the file in Python", g.Name, g.Called)
		}
	}
	if f.Rest > 0 {
		c.note("%d bytes behind the pickle's end were not read", f.Rest)
	}
}

var wrongInName = regexp.MustCompile(`[^a-z0-9_.-]+`)

// documentName makes an architecture's name of a file's.
func documentName(path string) string {
	name := strings.ToLower(filepath.Base(path))
	for _, ending := range []string{".gz", ".bz2", ".pickle", ".pkl", ".p", ".npz", ".npy", ".safetensors"} {
		name = strings.TrimSuffix(name, ending)
	}
	name = strings.Trim(wrongInName.ReplaceAllString(name, "-"), "-_.")
	name = strings.TrimRight(name[:min(len(name), 64)], "-_.")
	if !blueprint.ValidName(name) {
		return "converted"
	}
	return name
}
