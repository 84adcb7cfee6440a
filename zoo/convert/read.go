package convert

// Reading is the first stage: a file's bytes become what they hold, a pickle's
// networks and lists or named arrays, whatever kind of file they are in. A file is
// opened once, as what its first bytes say.

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/format/legacy/pickle"
	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/format/safetensors"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/zoo/convert/receipt"
	"github.com/fkzoo/fkzoo/zoo/export"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// source is what a file holds: a pickle, or arrays.
type source struct {
	format  string // as in "npz of objects: pickle, protocol 2"
	packing string // as in ", in gzip"
	size    int    // bytes, unpacked
	pickle  *legacy.File
	arrays  []tensor.Tensor
	// about is what fkzoo said beside arrays that it exported; aboutErr is [export.ErrNoBlueprint] where it didn't.
	about    export.About
	aboutErr error
}

// kinds are the kinds of files, by how they begin. What is none of them is taken for a pickle, which begins in many ways.
var kinds = []struct {
	is   func(data []byte) bool
	read func(s *source, data []byte) error
}{
	{begins("PK\x03\x04"), (*source).readArchive},
	{begins("\x93NUMPY"), (*source).readArray},
	{isSafetensors, (*source).readSafetensors},
	{begins("\x1f\x8b", "BZh"), refused("found a file packed twice, want it unpacked")},
	{begins("\x94\xa3fkz"), refused("found a model file already")},
	{begins("\x89HDF\r\n\x1a\n"), elsewhere("an HDF5 file, as Keras writes")},
	{begins(oldTorch), elsewhere("a PyTorch file")},
	{begins(""), (*source).readPickle},
}

// oldTorch is how torch.save began its files before version 1.6: a pickle of a number, of protocol 2.
const oldTorch = "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."

// elsewhere refuses a file of other software, whose arrays can be saved in a form that is read.
func elsewhere(what string) func(s *source, data []byte) error {
	return refused("found " + what + ", want its arrays saved as safetensors or npz")
}

// foreign are entries that archives of other software have, and NumPy's don't; it is what such a file is.
func foreign(entries []string) string {
	for _, name := range entries {
		switch path.Base(name) {
		case "data.pkl":
			return "a PyTorch file"
		case "model.weights.h5":
			return "a Keras file"
		}
	}
	return ""
}

func begins(with ...string) func(data []byte) bool {
	return func(data []byte) bool {
		return slices.ContainsFunc(with, func(s string) bool { return bytes.HasPrefix(data, []byte(s)) })
	}
}

// isSafetensors looks for a header's length, 64 bits, of less than 16 MB, and the header's first character.
func isSafetensors(data []byte) bool {
	return len(data) > 9 && data[8] == '{' && bytes.Equal(data[3:8], make([]byte, 5))
}

func refused(why string) func(s *source, data []byte) error {
	return func(*source, []byte) error { return fmt.Errorf("%w: %s", ErrUnknown, why) }
}

// read reads a file, which may be packed, and writes into the receipt what it is and what it names.
func (c *conversion) read(data []byte) (*source, error) {
	data, packing, err := unpack(data)
	if err != nil {
		return nil, err
	}
	s := &source{size: len(data), aboutErr: export.ErrNoBlueprint}
	for _, k := range kinds {
		if k.is(data) {
			err = k.read(s, data)
			break
		}
	}
	if err != nil {
		return nil, s.named(err)
	}
	if packing != "" {
		s.packing = ", in " + packing
	}
	c.receipt.Format = s.format + s.packing
	s.globals(c.receipt)
	return s, nil
}

// readArchive reads a .npz file.
func (s *source) readArchive(data []byte) error {
	s.format = "npz"
	a, err := npy.NewArchive(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	if what := foreign(a.Others()); what != "" {
		return elsewhere(what)(s, data)
	}
	if slices.Contains(a.Others(), export.AboutEntry) {
		var text []byte
		if text, s.aboutErr = a.Other(export.AboutEntry); s.aboutErr == nil {
			s.about, s.aboutErr = export.ParseAbout(text)
		}
	}
	names := a.Names()
	for _, name := range names {
		t, err := a.Array(name)
		if errors.Is(err, npy.ErrObject) && len(names) == 1 {
			return s.readObjects(func() ([]byte, error) { return a.Objects(name) })
		}
		if err != nil {
			return err
		}
		s.arrays = append(s.arrays, t)
	}
	return nil
}

// readArray reads a .npy file: a list of parameters, which is an array of objects to
// NumPy, or one array, which is hardly a network.
func (s *source) readArray(data []byte) error {
	s.format = "npy"
	t, err := npy.Read(bytes.NewReader(data), int64(len(data)))
	if errors.Is(err, npy.ErrObject) {
		return s.readObjects(func() ([]byte, error) { return npy.Objects(bytes.NewReader(data), int64(len(data))) })
	}
	s.arrays = []tensor.Tensor{t}
	return err
}

// readObjects reads the pickle that NumPy makes of a list of arrays of several
// shapes.
func (s *source) readObjects(read func() ([]byte, error)) error {
	around := s.format
	data, err := read()
	if err == nil {
		err = s.readPickle(data)
	}
	s.format = around + " of objects: " + s.format
	return err
}

// readSafetensors reads a .safetensors file.
func (s *source) readSafetensors(data []byte) error {
	s.format = "safetensors"
	f, err := safetensors.New(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	s.about, s.aboutErr = export.AboutTexts(f.Metadata())
	for _, info := range f.Infos() {
		t, err := f.Tensor(info.Name)
		if err != nil {
			return err
		}
		s.arrays = append(s.arrays, t)
	}
	return nil
}

// readPickle reads a pickle's networks, or its lists of parameters.
func (s *source) readPickle(data []byte) (err error) {
	s.pickle, err = legacy.Read(data)
	if s.pickle == nil {
		// Not even its beginning, or a text, whose first character may be an opcode.
		if e, ok := errors.AsType[*pickle.Error](err); ok && (e.Offset == 0 || e.Offset < 4 && data[0] < 0x80) {
			return fmt.Errorf("%w: want a pickle, npz, npy or safetensors: %w", ErrUnknown, err)
		}
		return err
	}
	s.format = fmt.Sprintf("pickle, protocol %d", s.pickle.Protocol)
	return err
}

// globals writes into the receipt what a pickle names.
func (s *source) globals(to *model.Receipt) {
	if s.pickle == nil {
		return
	}
	for _, g := range s.pickle.Globals {
		to.Globals = append(to.Globals, model.ReceiptGlobal{Name: g.Name, Named: g.Named, Called: g.Called, Meaning: g.Meaning})
		if g.Meaning == legacy.Dangerous {
			receipt.Note(to, "%s can run commands or code: Python would have called it %d times on reading this file; fkzoo ran nothing. Don't load the file in Python", g.Name, g.Called)
		}
	}
	if s.pickle.Rest > 0 {
		receipt.Note(to, "%d bytes behind the pickle's end were not read", s.pickle.Rest)
	}
}

// named adds to an error that the file names what could run commands: who can't convert it may try it in Python.
func (s *source) named(err error) error {
	if err == nil || s.pickle == nil {
		return err
	}
	i := slices.IndexFunc(s.pickle.Globals, func(g legacy.Global) bool { return g.Meaning == legacy.Dangerous })
	if i < 0 {
		return err
	}
	return fmt.Errorf("%w; the file names %s, which can run commands or code: don't load it in Python", err, s.pickle.Globals[i].Name)
}
