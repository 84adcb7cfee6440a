package layers

import (
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// fused adds the setting activation, if a layer can have the function there;
// else it is left for a layer of its own.
func fused(s blueprint.Settings, a lasagne.Activation) (rest lasagne.Activation) {
	if a.Function == "softmax" || a.Function == "leaky_relu" && a.Slope != blueprint.DefaultSlope {
		return a
	}
	if a.Function != "linear" {
		s["activation"] = a.Function
	}
	return lasagne.Activation{Function: "linear"}
}

// activation adds a function as a layer of its own.
func (w *Writer) activation(name string, a lasagne.Activation, in value) (value, error) {
	switch a.Function {
	case "linear":
		return in, nil
	case "softmax":
		if len(in.shape) != 1 {
			return value{}, fmt.Errorf("found a softmax of shape %v, want one of a vector", in.lasagne)
		}
		return w.same(w.add(name, "softmax", nil, nil, in))(in)
	}
	s := blueprint.Settings{"function": a.Function}
	if a.Function == "leaky_relu" {
		s["slope"] = a.Slope
	}
	return w.same(w.add(name, "activation", s, nil, in))(in)
}

// learned adds a layer with weights, and behind it what of its nonlinearity it can't have itself.
func (w *Writer) learned(l *lasagne.Layer, kind string, s blueprint.Settings, a lasagne.Activation, tensors []tensor, in value) (value, error) {
	rest := fused(s, a)
	out, err := w.add(l.Name, kind, s, tensors, in)
	if err != nil {
		return out, err
	}
	w.note(l, out.layer, tensors)
	return w.activation(l.Name+"_activation", rest, out)
}

func (w *Writer) conv(l *lasagne.Layer, c lasagne.Conv, in value) (value, error) {
	if len(in.shape) != 3 || len(in.lasagne) != 3 {
		return value{}, fmt.Errorf("found an input of shape %v, want [channels, height, width]", in.lasagne)
	}
	s := blueprint.Settings{"filters": c.Weights.Array.Shape[0], "kernel": c.Kernel}
	if c.Stride != [2]int{1, 1} {
		s["stride"] = c.Stride
	}
	if c.Pad != [2][2]int{} {
		s["padding"] = blueprint.Padding{Amount: c.Pad}
	}
	if c.Groups != 1 {
		s["groups"] = c.Groups
	}
	tensors := []tensor{filters(c.Weights, c.Flip)}
	switch {
	case c.Bias == nil:
		s["bias"] = "none"
	case len(c.Bias.Array.Shape) == 3:
		s["bias"] = "untied"
	}
	if c.Bias != nil {
		tensors = append(tensors, bias(c.Bias))
	}
	return w.learned(l, "conv2d", s, c.Activation, tensors, in)
}

func (w *Writer) dense(l *lasagne.Layer, d lasagne.Dense, in value) (value, error) {
	image := in.shape
	in, err := w.flatten(in)
	if err != nil {
		return value{}, err
	}
	weights := d.Weights.Array
	if rows := weights.Shape[0]; rows != in.shape[0] {
		return value{}, fmt.Errorf("parameter %s: found the shape %v, want %d rows: as many as the input of shape %v has values", d.Weights.Name, weights.Shape, in.shape[0], in.lasagne)
	}
	t := floats("weights", d.Weights, weights, "")
	switch {
	case in.order == nil:
	case len(image) == 3:
		view := weights.Split(0, image[2], image[0], image[1]).Transpose(1, 2, 0, 3)
		t = floats("weights", d.Weights, view, "rows from the order [channels, height, width] to [height, width, channels]")
		t.shape = weights.Shape
	default:
		t.values = rows(t.values, in.order)
		t.change = "rows in the order of the input's values here"
	}
	s := blueprint.Settings{"units": weights.Shape[1]}
	tensors := []tensor{t}
	if d.Bias == nil {
		s["bias"] = "none"
	} else {
		tensors = append(tensors, bias(d.Bias))
	}
	return w.learned(l, "dense", s, d.Activation, tensors, in)
}

func (w *Writer) pool(l *lasagne.Layer, p lasagne.Pool, in value) (value, error) {
	if len(in.shape) != 3 {
		return value{}, fmt.Errorf("found an input of shape %v, want [channels, height, width]", in.lasagne)
	}
	s := blueprint.Settings{"window": p.Window}
	if p.Stride != p.Window {
		s["stride"] = p.Stride
	}
	pad := [2][2]int{{p.Pad[0], p.Pad[0]}, {p.Pad[1], p.Pad[1]}}
	for i := range 2 {
		if p.Stride[i] < 1 {
			return value{}, fmt.Errorf("found a stride of %v, want at least 1", p.Stride)
		}
		if p.Partial { // windows that begin inside the image, as Theano counts them
			out := max(in.shape[i]-1-p.Window[i]+p.Stride[i], 0)/p.Stride[i] + 1
			if p.Stride[i] >= p.Window[i] {
				out = (in.shape[i]-1)/p.Stride[i] + 1
			}
			pad[i][1] = max((out-1)*p.Stride[i]+p.Window[i]-in.shape[i], 0)
		}
	}
	if pad != [2][2]int{} {
		s["padding"] = blueprint.Padding{Amount: pad}
	}
	kind := "max_pool"
	if p.Mode != "max" {
		kind = "avg_pool"
		// Theano takes the mean of what a partial window has.
		if p.Mode == "average_inc_pad" && !p.Partial && pad != [2][2]int{} {
			s["count_padding"] = true
		}
	}
	return w.add(l.Name, kind, s, nil, in)
}

// batchNorm gives the running variance that Lasagne keeps as 1 / sqrt(variance + epsilon).
func (w *Writer) batchNorm(l *lasagne.Layer, b lasagne.BatchNorm, in value) (value, error) {
	want := []int{0}
	if len(in.shape) == 3 {
		want = []int{0, 2, 3}
	}
	if b.Axes != nil && !slices.Equal(slices.Sorted(slices.Values(b.Axes)), want) {
		return value{}, fmt.Errorf("axes: found %v, want %v: statistics of each channel", b.Axes, want)
	}
	channels := in.shape[len(in.shape)-1]
	constant := func(name string, v float32) tensor {
		t := tensor{name: name, from: lasagne.Param{Name: "(none)"}, change: fmt.Sprintf("all %g, as the file has none", v), values: make([]float32, channels), shape: []int{channels}}
		for i := range t.values {
			t.values[i] = v
		}
		return t
	}
	scale, offset := constant("scale", 1), constant("offset", 0)
	if b.Gamma != nil {
		scale = floats("scale", *b.Gamma, b.Gamma.Array, "")
	}
	if b.Beta != nil {
		offset = floats("offset", *b.Beta, b.Beta.Array, "")
	}
	variance := floats("variance", b.InvStd, b.InvStd.Array, "1 / inv_std^2 - epsilon")
	for i, v := range b.InvStd.Array.Float64() {
		variance.values[i] = float32(max(1/(v*v)-b.Epsilon, 0))
	}
	tensors := []tensor{scale, offset, floats("mean", b.Mean, b.Mean.Array, ""), variance}
	if in.order != nil {
		for i := range tensors {
			if t := &tensors[i]; len(t.values) == len(in.order) {
				t.values = rows(t.values, in.order)
			}
		}
	}
	s := blueprint.Settings{"epsilon": b.Epsilon, "momentum": 1 - b.Alpha}
	out, err := w.same(w.add(l.Name, "batch_norm", s, tensors, in))(in)
	if err == nil {
		w.note(l, out.layer, tensors)
	}
	return out, err
}

func (w *Writer) merge(l *lasagne.Layer, op lasagne.Merge, in []value) (value, error) {
	if len(in) == 1 {
		return in[0], nil
	}
	out, err := w.add(l.Name, op.How, nil, nil, in...)
	if err != nil {
		return out, err
	}
	if len(out.shape) != 1 {
		return out, nil
	}
	if op.How != "concat" {
		for _, v := range in[1:] {
			if !slices.Equal(v.order, in[0].order) {
				return value{}, fmt.Errorf("found inputs whose values lie in different orders here (one is a flattened image), want one order")
			}
		}
		out.order = in[0].order
		return out, nil
	}
	at, same := 0, true
	for _, v := range in {
		for i := range v.shape[0] {
			from := i
			if v.order != nil {
				from = v.order[i]
				same = false
			}
			out.order = append(out.order, at+from)
		}
		at += v.shape[0]
	}
	if same {
		out.order = nil
	}
	return out, nil
}
