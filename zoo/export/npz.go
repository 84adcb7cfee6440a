package export

import (
	"encoding/json"
	"io"

	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// npzFormat has the weights under fkzoo's names and what they don't say in an entry of its own, [AboutEntry].
var npzFormat = Format{
	Name: "npz", Extensions: []string{".npz"}, Holds: "its weights", Lacks: "the state of a training", Returns: true,
	prepare: func(m *model.Model, _ Options) (func(w io.Writer) error, error) {
		tensors, err := tensorsOf(m)
		if err != nil {
			return nil, err
		}
		meta, err := metadata(m)
		if err != nil {
			return nil, err
		}
		text, err := json.MarshalIndent(meta, "", "  ")
		if err != nil {
			return nil, err
		}
		return func(w io.Writer) error {
			return npy.WriteArchive(w, tensors, npy.Other{Name: AboutEntry, Data: append(text, '\n')})
		}, nil
	},
}
