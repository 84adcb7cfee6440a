package export

import (
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// tensorsOf gives the weights in the blueprint's order, member by member and layer by layer.
func tensorsOf(m *model.Model) ([]tensor.Tensor, error) {
	var out []tensor.Tensor
	for i := range m.Document.Members {
		plan, err := blueprint.NewPlan(m.Document, i, nil)
		if err != nil {
			return nil, err
		}
		for k := range plan.Nodes {
			for _, p := range plan.Nodes[k].Params {
				name := plan.TensorName(&plan.Nodes[k], p.Name)
				a := m.Weights[name]
				t, err := tensor.New(name, tensor.Float32, a.Shape, a.Data)
				if err != nil {
					return nil, err
				}
				out = append(out, t)
			}
		}
	}
	return out, nil
}
