package lasagne

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy/pickle"
	"github.com/fkzoo/fkzoo/format/legacy/python"
)

// ref is a value of the pickle.
type ref = python.Ref

// IsLayer tells whether a value is one of Lasagne's layers.
func IsLayer(o *python.Objects, v ref) bool {
	return v.Kind() == pickle.Object && (python.Within(o.Class(v).Module, "lasagne.layers") || o.Has(v, "input_layer") || o.Has(v, "input_layers"))
}

// ErrLayers wraps what is wrong with how layers hang together.
var ErrLayers = errors.New("the network's layers")

// MaxLayers is more than any network here has.
const MaxLayers = 4096

// Read follows the layers from the output back to the input, and gives them
// in an order in which they can be computed. names are those that nolearn has
// for them.
func Read(o *python.Objects, output ref, names map[ref]string) ([]Layer, error) {
	order, err := Order(o, output)
	if err != nil {
		return nil, err
	}
	index := map[ref]int{}
	var layers []Layer
	for i, of := range order {
		layer := Layer{Name: names[of], Class: o.Class(of).String()}
		if name, ok := o.Attr(of, "name"); ok && o.Name(name) != "" {
			layer.Name = o.Name(name)
		}
		if layer.Name == "" {
			layer.Name = fmt.Sprintf("%s%d", strings.ToLower(strings.TrimSuffix(o.Class(of).Name, "Layer")), i)
		}
		inputs := Inputs(o, of)
		if err := o.Spend(len(inputs)); err != nil {
			return nil, fmt.Errorf("layer %q: %w", layer.Name, err)
		}
		for _, in := range inputs {
			layer.Inputs = append(layer.Inputs, index[in])
		}
		if err := readLayer(o, of, &layer); err != nil {
			return nil, err
		}
		index[of] = i
		layers = append(layers, layer)
	}
	return layers, nil
}

// Inputs are the layers that a layer takes.
func Inputs(o *python.Objects, of ref) []ref {
	if v, ok := o.Attr(of, "input_layer"); ok && v != pickle.Nothing {
		return []ref{v}
	}
	var out []ref
	if v, ok := o.Attr(of, "input_layers"); ok {
		for x := range o.Items(o.Sequence(v)) {
			if out = append(out, x); len(out) > MaxLayers {
				break
			}
		}
	}
	return out
}

// Order gives the layers that the output needs, inputs first.
func Order(o *python.Objects, output ref) ([]ref, error) {
	const begun, done = 1, 2
	var order []ref
	state := map[ref]int{}
	stack := []ref{output}
	for len(stack) > 0 {
		of := stack[len(stack)-1]
		if state[of] != 0 {
			stack = stack[:len(stack)-1]
			if state[of] == begun {
				state[of] = done
				order = append(order, of)
			}
			continue
		}
		if of.Kind() != pickle.Object {
			return nil, fmt.Errorf("%w: found %s, want a layer", ErrLayers, o.Show(of))
		}
		state[of] = begun
		if len(state) > MaxLayers {
			return nil, fmt.Errorf("%w: found more than %d", ErrLayers, MaxLayers)
		}
		inputs := Inputs(o, of)
		if err := o.Spend(len(inputs)); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrLayers, err)
		}
		for _, in := range slices.Backward(inputs) {
			if state[in] == begun {
				return nil, fmt.Errorf("%w: found a circle at %s", ErrLayers, o.Show(in))
			}
			if state[in] == 0 {
				stack = append(stack, in)
			}
		}
	}
	return order, nil
}
