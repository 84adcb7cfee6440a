package layers

import (
	"fmt"

	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Architecture says the layers of an architecture's member with arrays by layer
// and parameter. The layers' sizes become those of the arrays; that they then
// fit together is checked layer by layer.
func (w *Writer) Architecture(layers []blueprint.Layer, params map[string]map[string]lasagne.Param) error {
	values := map[string]value{blueprint.InputName: {layer: blueprint.InputName, shape: blueprint.Shape{w.input.Height, w.input.Width, w.input.Channels}}}
	before := blueprint.InputName
	for _, l := range layers {
		inputs := l.Inputs
		if inputs == nil {
			inputs = []string{before}
		}
		var in []value
		for _, name := range inputs {
			in = append(in, values[name])
		}
		v, err := w.listed(l, params[l.Name], in)
		if err != nil {
			return fmt.Errorf("layer %s: %w", l.Name, err)
		}
		values[l.Name], before = v, l.Name
	}
	return nil
}

// listed adds a layer of the architecture with the sizes of its arrays.
func (w *Writer) listed(l blueprint.Layer, params map[string]lasagne.Param, in []value) (value, error) {
	from := lasagne.Layer{Name: l.Name, Class: "as " + l.Kind}
	s := blueprint.Settings{}
	for name, v := range l.Settings {
		s[name] = v
	}
	var tensors []tensor
	if p, ok := params["weights"]; ok && l.Kind == "conv2d" {
		w.size(s, "filters", p.Array.Shape[0])
		tensors = append(tensors, filters(p, true))
	} else if ok {
		if len(in) != 1 || len(in[0].shape) != 1 || p.Array.Shape[0] != in[0].shape[0] {
			return value{}, fmt.Errorf("found weights of shape %v for an input of shape %v, want as many rows as it has values", p.Array.Shape, in[0].shape)
		}
		w.size(s, "units", p.Array.Shape[1])
		t := floats("weights", p, p.Array, "")
		if in[0].order != nil {
			t.values = rows(t.values, in[0].order)
			t.change = "rows from the order [channels, height, width] to [height, width, channels]"
		}
		tensors = append(tensors, t)
	}
	if p, ok := params["bias"]; ok {
		tensors = append(tensors, bias(&p))
	}
	if l.Kind == "batch_norm" {
		return w.listedNorm(l, s, params, in)
	}
	var out value
	var err error
	if out, err = w.add(l.Name, l.Kind, s, tensors, in...); err != nil {
		return out, err
	}
	w.note(&from, out.layer, tensors)
	switch l.Kind {
	case "flatten":
		if len(in[0].shape) == 3 {
			out.order = order(in[0].shape)
		}
	case "dropout", "activation":
		out.order = in[0].order
	case "conv2d", "max_pool", "avg_pool", "global_avg_pool", "dense", "upsample":
	default:
		if len(out.shape) == 1 || len(in) > 0 && in[0].order != nil {
			return out, fmt.Errorf("found the kind %s, whose order of values Lasagne's may not be", l.Kind)
		}
	}
	return out, nil
}

// size sets a layer's filters or units, if they aren't that many already by the columns.
func (w *Writer) size(s blueprint.Settings, name string, n int) {
	if s[name] == blueprint.CountColumns && n == w.columns || s[name] == blueprint.CountPoints && 2*n == w.columns {
		return
	}
	s[name] = n
}

// listedNorm adds batch normalization, whose arrays are beta, gamma, mean and
// inv_std.
func (w *Writer) listedNorm(l blueprint.Layer, s blueprint.Settings, params map[string]lasagne.Param, in []value) (value, error) {
	gamma, beta := params["scale"], params["offset"]
	epsilon, ok := s["epsilon"].(float64)
	if !ok {
		epsilon = 1e-5
	}
	from := lasagne.Layer{Name: l.Name, Class: "as " + l.Kind}
	out, err := w.batchNorm(&from, lasagne.BatchNorm{Alpha: 0.1, Epsilon: epsilon, Mean: params["mean"], InvStd: params["variance"], Beta: &beta, Gamma: &gamma}, in[0])
	if err == nil {
		w.layers[len(w.layers)-1].Settings = s
	}
	return out, err
}
