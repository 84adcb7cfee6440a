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
		resize(&out.Members[i], plan, func(n *blueprint.Node) (int, bool) {
			found := shapes[plan.TensorName(n, "weights")]
			if len(found) == 0 {
				return 0, false
			}
			return found[len(found)-1], true
		})
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

// resize sets the filters and units of a member's layers, where they are others
// than the plan's.
func resize(m *blueprint.Member, plan *blueprint.Plan, width func(n *blueprint.Node) (int, bool)) {
	for k := range plan.Nodes {
		n := &plan.Nodes[k]
		size := map[string]string{"conv2d": "filters", "dense": "units"}[n.Kind.Name]
		found, ok := width(n)
		if size == "" || !ok || found == n.Out[len(n.Out)-1] {
			continue
		}
		l := slices.IndexFunc(m.Layers, func(l blueprint.Layer) bool { return l.Name == n.Layer.Name })
		m.Layers[l].Settings = maps.Clone(m.Layers[l].Settings)
		m.Layers[l].Settings[size] = found
	}
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
