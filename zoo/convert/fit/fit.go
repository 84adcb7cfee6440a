package fit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Divide gives each member its list.
func Divide(d *blueprint.Document, lists []legacy.ParamList) ([][]legacy.ListedParam, error) {
	out := make([][]legacy.ListedParam, len(d.Members))
	if len(lists) == len(d.Members) {
		return out, arrange(d, lists, out)
	}
	if len(lists) > 1 && !slices.ContainsFunc(lists, func(l legacy.ParamList) bool { return l.Columns != nil || l.Name != "" }) {
		var all legacy.ParamList // of each layer one
		for _, l := range lists {
			all.Params = append(all.Params, l.Params...)
		}
		lists = []legacy.ParamList{all}
	}
	if len(lists) != 1 || lists[0].Columns != nil {
		return nil, fmt.Errorf("found %d lists of parameters, want %d: one for each member of %s", len(lists), len(d.Members), d.Name)
	}
	rest := lists[0].Params
	last := len(d.Members) - 1
	for i := range last {
		plan, err := blueprint.NewPlan(d, i, nil)
		if err != nil {
			return nil, err
		}
		n := 0
		for k := range plan.Nodes {
			n += len(plan.Nodes[k].Params)
		}
		n = min(n, len(rest))
		out[i], rest = rest[:n], rest[n:]
	}
	out[last] = rest
	return out, nil
}

// arrange gives each member the list that names its columns; lists that name none are in the members' order.
func arrange(d *blueprint.Document, lists []legacy.ParamList, out [][]legacy.ListedParam) error {
	var others []string
	found := make([]string, len(d.Members))
	for i, l := range lists {
		at, columns := i, "-"
		if l.Columns != nil {
			columns = strings.Join(l.Columns, ",")
			at = slices.IndexFunc(d.Members, func(m blueprint.Member) bool { return slices.Equal(m.Columns, l.Columns) })
		}
		if at < 0 || out[at] != nil {
			others = append(others, columns)
			continue
		}
		out[at], found[at] = l.Params, columns
	}
	if others == nil {
		return nil
	}
	e := &MismatchError{Reason: "the columns of the lists are not those of the members of " + d.Name}
	for i, m := range d.Members {
		if found[i] == "" { // as many are left over
			found[i], others = others[0], others[1:]
		}
		e.Rows = append(e.Rows, [2]string{found[i], m.Name + ": " + strings.Join(m.Columns, ",")})
	}
	return e
}

// wanted is a parameter of the architecture, in Lasagne's order and layout.
type wanted struct {
	node  *blueprint.Node
	param string // the blueprint's
	shape []int  // as Lasagne has it, by the architecture's own sizes
}

// lasagne is what the parameter is called there.
func (w wanted) lasagne() string {
	return map[string]string{"weights": "W", "bias": "b", "offset": "beta", "scale": "gamma", "mean": "mean", "variance": "inv_std"}[w.param]
}

// lasagneOrder is that of a layer's parameters; of batch normalization it differs from ours.
var lasagneOrder = map[string][]string{
	"conv2d": {"weights", "bias"}, "dense": {"weights", "bias"}, "batch_norm": {"offset", "scale", "mean", "variance"},
}

// expect lists a member's parameters.
func expect(plan *blueprint.Plan) ([]wanted, error) {
	var out []wanted
	for i := range plan.Nodes {
		n := &plan.Nodes[i]
		names := lasagneOrder[n.Kind.Name]
		if len(n.Params) > 0 && names == nil {
			return nil, fmt.Errorf("layer %s: found the kind %s, which Lasagne doesn't have", n.Layer.Name, n.Kind.Name)
		}
		for _, name := range names {
			for _, p := range n.Params {
				if p.Name != name {
					continue
				}
				shape := slices.Clone([]int(p.Shape))
				switch {
				case len(shape) == 4:
					shape = []int{shape[3], shape[2], shape[0], shape[1]}
				case len(shape) == 3:
					shape = []int{shape[2], shape[0], shape[1]}
				}
				out = append(out, wanted{n, name, shape})
			}
		}
	}
	return out, nil
}

// ordered puts arrays whose layers are named in the architecture's order: a dict
// of Python 2 has none.
func ordered(list []legacy.ListedParam, want []wanted) []legacy.ListedParam {
	place := map[string]int{} // of a layer, and of "layer.parameter"
	for i, w := range want {
		if _, ok := place[w.node.Layer.Name]; !ok {
			place[w.node.Layer.Name] = i
		}
		place[w.node.Layer.Name+"."+w.lasagne()] = i
	}
	type placed struct {
		legacy.ListedParam
		at int
	}
	all := make([]placed, len(list))
	before := -1
	for k, p := range list {
		layer, rest, _ := strings.Cut(p.Layer, ".")
		i, ok := place[layer+"."+rest[strings.LastIndex(rest, ".")+1:]]
		if !ok {
			if i, ok = place[layer]; !ok {
				i = before // what isn't known stays where it is
			}
		}
		all[k], before = placed{p, i}, i
	}
	slices.SortStableFunc(all, func(a, b placed) int { return a.at - b.at })
	list = make([]legacy.ListedParam, len(all))
	for k, p := range all {
		list[k] = p.ListedParam
	}
	return list
}
