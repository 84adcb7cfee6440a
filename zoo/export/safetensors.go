package export

import (
	"io"

	"github.com/fkzoo/fkzoo/format/safetensors"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// safetensorsFormat has the weights under fkzoo's names and what they don't say as texts.
var safetensorsFormat = Format{
	Name: "safetensors", Extensions: []string{".safetensors"}, Holds: "its weights", Lacks: "the state of a training", Returns: true,
	prepare: func(m *model.Model, _ Options) (func(w io.Writer) error, error) {
		tensors, err := tensorsOf(m)
		if err != nil {
			return nil, err
		}
		meta, err := texts(m)
		if err != nil {
			return nil, err
		}
		return func(w io.Writer) error { return safetensors.Write(w, tensors, meta) }, nil
	},
}
