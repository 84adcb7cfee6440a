package command

import (
	"strings"

	"github.com/fkzoo/fkzoo/zoo/model"
)

// LoadModels reads model files with [model.Load] or [model.Describe].
func LoadModels(paths []string, read func(path string) (*model.Model, error)) ([]*model.Model, error) {
	if len(paths) == 0 {
		return nil, Usagef("found no model file, want at least one .fkz")
	}
	var out []*model.Model
	for _, path := range paths {
		m, err := read(path)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// IsModel tells whether an argument names a model file.
func IsModel(path string) bool { return strings.HasSuffix(path, ".fkz") }
