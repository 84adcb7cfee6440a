package export

import (
	"io"
	"slices"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/format/safetensors"
	"github.com/fkzoo/fkzoo/zoo"
)

// Import reads back a .safetensors or .npz file of size bytes that [Write] wrote.
func Import(r io.ReaderAt, size int64) (*zoo.Model, error) {
	const zipMagic = "PK\x03\x04"
	start := make([]byte, len(zipMagic))
	if _, err := r.ReadAt(start, 0); err != nil && err != io.EOF {
		return nil, err
	}
	if string(start) == zipMagic {
		return importNPZ(r, size)
	}
	f, err := safetensors.New(r, size)
	if err != nil {
		return nil, err
	}
	about, err := AboutTexts(f.Metadata())
	if err != nil {
		return nil, err
	}
	var tensors []format.Tensor
	for _, info := range f.Infos() {
		t, err := f.Tensor(info.Name)
		if err != nil {
			return nil, err
		}
		tensors = append(tensors, t)
	}
	return about.Model(tensors)
}

func importNPZ(r io.ReaderAt, size int64) (*zoo.Model, error) {
	a, err := npy.NewArchive(r, size)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(a.Others(), AboutEntry) {
		return nil, ErrNoBlueprint
	}
	text, err := a.Other(AboutEntry)
	if err != nil {
		return nil, err
	}
	about, err := ParseAbout(text)
	if err != nil {
		return nil, err
	}
	var tensors []format.Tensor
	for _, name := range a.Names() {
		t, err := a.Array(name)
		if err != nil {
			return nil, err
		}
		tensors = append(tensors, t)
	}
	return about.Model(tensors)
}
