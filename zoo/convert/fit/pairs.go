package fit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Pairs are the arrays of a list and the parameters of a member that they are, one for one.
type Pairs struct {
	plan  *blueprint.Plan // of the architecture's own sizes
	index int             // of the member
	list  []legacy.ListedParam
	want  []wanted // in the list's order
	order order
}

// order is how the arrays of a list without names lie; today's is that of Lasagne since 23 March 2015: from the input to
// the output, a layer's weights before its bias.
type order struct{ outputFirst, biasFirst bool }

// older are the orders before. Of nolearn's save_weights_to the bias came first, from the input to the output.
var older = []order{{biasFirst: true}, {outputFirst: true}, {outputFirst: true, biasFirst: true}}

// of puts parameters in the order.
func (o order) of(want []wanted) []wanted {
	var layers [][]wanted
	for i, w := range want {
		if i == 0 || w.node != want[i-1].node {
			layers = append(layers, nil)
		}
		last := len(layers) - 1
		layers[last] = append(layers[last], w)
	}
	for _, l := range layers {
		if o.biasFirst {
			slices.Reverse(l)
		}
	}
	if o.outputFirst {
		slices.Reverse(layers)
	}
	return slices.Concat(layers...)
}

// Older says how the arrays lie, where that isn't today's order; else it is empty.
func (p *Pairs) Older() string {
	var parts []string
	if p.order.outputFirst {
		parts = append(parts, "from the output to the input")
	}
	if p.order.biasFirst {
		parts = append(parts, "each layer's bias before its weights")
	}
	return strings.Join(parts, ", ")
}

// Match pairs a list, put in order, with a member's parameters: as many, with as
// many axes each, and of layers of the same names where the file has names. A
// list without names that doesn't fit may lie in an older order, if all its
// sizes fit there.
func Match(d *blueprint.Document, index int, list []legacy.ListedParam) (*Pairs, error) {
	plan, err := blueprint.NewPlan(d, index, nil)
	if err != nil {
		return nil, err
	}
	want, err := expect(plan)
	if err != nil {
		return nil, err
	}
	today := &Pairs{plan: plan, index: index, list: ordered(list, want), want: want}
	err = today.check()
	if err == nil && today.Fits() == nil || slices.ContainsFunc(list, func(p legacy.ListedParam) bool { return p.Layer != "" }) {
		return today, err
	}
	for _, o := range older {
		p := &Pairs{plan: plan, index: index, list: list, want: o.of(want), order: o}
		if p.check() == nil && p.Fits() == nil {
			return p, nil
		}
	}
	return today, err
}

// check compares numbers of arrays and axes, names, and what no size can change.
func (p *Pairs) check() error {
	member := p.plan.Member.Name
	if len(p.list) != len(p.want) {
		return p.Mismatch("member %s: found %d arrays, want %d", member, len(p.list), len(p.want))
	}
	for i, a := range p.list {
		w := p.want[i]
		layer, _, _ := strings.Cut(a.Layer, ".")
		shape := a.Array.Shape
		switch {
		case layer != "" && layer != w.node.Layer.Name:
			return p.Mismatch("member %s: found the layer %.60q in place %d, want %s", member, a.Layer, i+1, w.node.Layer.Name)
		case len(shape) != len(w.shape):
			return p.Mismatch("member %s: found an array of shape %v in place %d, want %d axes for %s %s", member, shape, i+1, len(w.shape), w.node.Layer.Name, w.param)
		case w.param == "weights" && len(w.shape) == 4 && (shape[2] != w.shape[2] || shape[3] != w.shape[3]):
			return p.Mismatch("member %s: found filters of shape %v in place %d, want %dx%d ones for %s", member, shape, i+1, w.shape[2], w.shape[3], w.node.Layer.Name)
		}
	}
	return nil
}

// Fits compares every size: with as many filters and units as the arrays have,
// the architecture's parameters have their shapes.
func (p *Pairs) Fits() error {
	widths := map[*blueprint.Node]int{}
	for i, w := range p.want {
		if shape := p.list[i].Array.Shape; w.param == "weights" && len(shape) == 4 {
			widths[w.node] = shape[0]
		} else if w.param == "weights" && len(shape) == 2 {
			widths[w.node] = shape[1]
		}
	}
	d := p.plan.Document.Clone()
	resize(&d.Members[p.index], p.plan, func(n *blueprint.Node) (int, bool) { width, ok := widths[n]; return width, ok })
	plan, err := blueprint.NewPlan(d, p.index, nil)
	if err != nil {
		return err
	}
	sized, err := expect(plan)
	if err != nil {
		return err
	}
	for i, w := range p.order.of(sized) {
		if found := p.list[i].Array.Shape; !slices.Equal(found, w.shape) {
			return p.Mismatch("member %s: found an array of shape %v in place %d, want %v for %s %s", plan.Member.Name, found, i+1, w.shape, w.node.Layer.Name, w.param)
		}
	}
	return nil
}

// Params gives the arrays by layer and parameter of the blueprint, under the file's names.
func (p *Pairs) Params() map[string]map[string]lasagne.Param {
	out := map[string]map[string]lasagne.Param{}
	for i, w := range p.want {
		layer := w.node.Layer.Name
		if out[layer] == nil {
			out[layer] = map[string]lasagne.Param{}
		}
		name := p.list[i].Layer
		if name == "" || !strings.Contains(name, ".") {
			name = fmt.Sprintf("array %d", i+1)
		}
		out[layer][w.param] = lasagne.Param{Name: name, Array: p.list[i].Array}
	}
	return out
}
