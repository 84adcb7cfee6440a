package fit

import (
	"fmt"
	"maps"
	"slices"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Sized gives an architecture with as many filters and units as the arrays
// have. Their names and shapes must then be all of its.
func Sized(d *blueprint.Document, list []legacy.ListedParam) (*blueprint.Document, error) {
	shapes := map[string][]int{}
	for _, p := range list {
		shapes[p.Layer] = p.Array.Shape
	}
	out := d.Clone()
	for i := range out.Members {
		plan, err := blueprint.NewPlan(d, i, nil)
		if err != nil {
			return nil, err
		}
		layers := out.Members[i].Layers
		for k := range plan.Nodes {
			node := &plan.Nodes[k]
			size := map[string]string{"conv2d": "filters", "dense": "units"}[node.Kind.Name]
			found := shapes[plan.TensorName(node, "weights")]
			if at := len(node.Out) - 1; size == "" || len(found) == 0 || found[len(found)-1] == node.Out[at] {
				continue
			}
			l := slices.IndexFunc(layers, func(l blueprint.Layer) bool { return l.Name == node.Layer.Name })
			layers[l].Settings = maps.Clone(layers[l].Settings)
			layers[l].Settings[size] = found[len(found)-1]
		}
	}
	e := &MismatchError{Reason: "the tensors are not those of " + d.Name}
	for i := range out.Members {
		if _, err := blueprint.NewPlan(out, i, nil); err != nil {
			e.Reason += ": with the arrays' sizes, " + err.Error()
			out = d // whose plan there is
			break
		}
	}
	if e.Rows = differ(out, list, shapes); e.Rows != nil || out == d {
		return nil, e
	}
	return out, nil
}

// differ compares names and shapes with all of the architecture's; nil: they are the same.
func differ(d *blueprint.Document, list []legacy.ListedParam, shapes map[string][]int) [][2]string {
	var rows [][2]string
	wrong := false
	known := map[string]bool{}
	for i := range d.Members {
		plan, err := blueprint.NewPlan(d, i, nil)
		if err != nil {
			return nil // the callers have one
		}
		for k := range plan.Nodes {
			for _, p := range plan.Nodes[k].Params {
				name := plan.TensorName(&plan.Nodes[k], p.Name)
				row := [2]string{"-", fmt.Sprintf("%s %v", name, []int(p.Shape))}
				if found, ok := shapes[name]; ok {
					row[0] = fmt.Sprintf("%s %v", name, found)
				}
				wrong = wrong || row[0] != row[1]
				known[name] = true
				rows = append(rows, row)
			}
		}
	}
	for _, p := range list {
		if !known[p.Layer] {
			wrong = true
			rows = append(rows, [2]string{fmt.Sprintf("%.100s %v", p.Layer, p.Array.Shape), "-"})
		}
	}
	if !wrong {
		return nil
	}
	return rows
}
