package convert

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/format/legacy/ndarray"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo"
)

// lowering says a Lasagne network's layers in a blueprint's. Lasagne's images
// are [channels, height, width] and its dense layers read them flattened in
// that order; a blueprint's are [height, width, channels].
type lowering struct {
	input   blueprint.Input
	member  string
	columns int
	layers  []blueprint.Layer
	weights engine.Arrays
	receipt *zoo.Receipt
	used    map[string]bool // names of layers
}

// value is what a layer gives: where it is found here, and how it lies.
type value struct {
	layer string // in the blueprint
	shape blueprint.Shape
	// lasagne is its shape there, without the batch.
	lasagne []int
	// order says of a vector which of Lasagne's numbers each of ours is; nil: the same.
	order []int
}

// lower says all layers; the last one's value is the network's answer.
func (w *lowering) lower(layers []lasagne.Layer) error {
	values := make([]value, len(layers))
	for i := range layers {
		l := &layers[i]
		in := make([]value, len(l.Inputs))
		for k, at := range l.Inputs {
			in[k] = values[at]
		}
		for _, text := range l.Ignored {
			w.drop("layer "+l.Name, text)
		}
		v, err := w.layer(l, in)
		if err != nil {
			return fmt.Errorf("layer %q (%s): %w", l.Name, l.Class, err)
		}
		values[i] = v
	}
	if answer := values[len(values)-1]; answer.order != nil || len(answer.shape) != 1 || answer.layer == blueprint.InputName {
		return fmt.Errorf("the last layer, %q: found an answer of shape %v, want a dense layer's: one value for each column", layers[len(layers)-1].Name, answer.lasagne)
	}
	return nil
}

func (w *lowering) drop(what, reason string) {
	w.receipt.Dropped = append(w.receipt.Dropped, zoo.ReceiptDrop{Member: w.member, What: what, Reason: reason})
}

func (w *lowering) layer(l *lasagne.Layer, in []value) (value, error) {
	if op, ok := l.Op.(lasagne.Input); ok {
		return w.image(op)
	}
	op, merges := l.Op.(lasagne.Merge)
	if len(in) == 0 || !merges && len(in) != 1 {
		return value{}, fmt.Errorf("found %d inputs, want one", len(in))
	}
	if merges {
		return w.merge(l, op, in)
	}
	switch op := l.Op.(type) {
	case lasagne.Conv:
		return w.conv(l, op, in[0])
	case lasagne.Dense:
		return w.dense(l, op, in[0])
	case lasagne.Pool:
		return w.pool(l, op, in[0])
	case lasagne.GlobalPool:
		return w.add(l.Name, "global_avg_pool", nil, nil, in[0])
	case lasagne.Dropout:
		s := blueprint.Settings{"rate": op.Rate}
		if !op.Rescale {
			s["rescale"] = false
		}
		return w.same(w.add(l.Name, "dropout", s, nil, in[0]))(in[0])
	case lasagne.BatchNorm:
		return w.batchNorm(l, op, in[0])
	case lasagne.Nonlinearity:
		return w.activation(l.Name, op.Activation, in[0])
	case lasagne.Reshape:
		return w.reshape(l, op, in[0])
	case lasagne.Upsample:
		return w.add(l.Name, "upsample", blueprint.Settings{"factor": op.Factor}, nil, in[0])
	case lasagne.Identity:
		w.drop("layer "+l.Name, op.Reason)
		return in[0], nil
	}
	return value{}, fmt.Errorf("found an operation %T", l.Op)
}

// same keeps how a vector lies through a layer that treats all values alike.
func (w *lowering) same(out value, err error) func(in value) (value, error) {
	return func(in value) (value, error) {
		out.lasagne, out.order = in.lasagne, in.order
		return out, err
	}
}

// image is the network's input.
func (w *lowering) image(op lasagne.Input) (value, error) {
	in := blueprint.Input{Channels: 1}
	switch s := op.Shape; len(s) {
	case 3:
		in.Channels, in.Height, in.Width = s[0], s[1], s[2]
	case 2:
		in.Height, in.Width = s[0], s[1]
	case 1: // a square grey image's pixels
		side := int(math.Sqrt(float64(max(s[0], 0))))
		if side*side != s[0] {
			return value{}, fmt.Errorf("found an input of %d values, want an image, or the pixels of a square one", s[0])
		}
		in.Height, in.Width = side, side
	default:
		return value{}, fmt.Errorf("found an input of shape %v, want [channels, height, width] or [pixels]", s)
	}
	if in.Height < 1 || in.Width < 1 || in.Channels < 1 {
		return value{}, fmt.Errorf("found an input of shape %v, want lengths that are known", op.Shape)
	}
	if w.input.Height != 0 && w.input.Height*w.input.Width*w.input.Channels != in.Height*in.Width*in.Channels {
		return value{}, fmt.Errorf("found an input of shape %v after one of %dx%dx%d, want one size for all", op.Shape, w.input.Channels, w.input.Height, w.input.Width)
	}
	w.input = in
	v := value{layer: blueprint.InputName, shape: blueprint.Shape{in.Height, in.Width, in.Channels}, lasagne: op.Shape}
	if len(op.Shape) > 1 {
		return v, nil
	}
	return w.flatten(v)
}

// flatten gives the values as a vector.
func (w *lowering) flatten(in value) (value, error) {
	if len(in.shape) == 1 {
		return in, nil
	}
	out, err := w.add("flatten", "flatten", nil, nil, in)
	if err == nil {
		out.lasagne, out.order = []int{out.shape[0]}, order(in.shape)
	}
	return out, err
}

// order says which number of a flattened [channels, height, width] each number
// of a flattened [height, width, channels] is; nil where they are the same.
func order(s blueprint.Shape) []int {
	h, wide, c := s[0], s[1], s[2]
	if c == 1 || h*wide == 1 {
		return nil
	}
	out := make([]int, 0, h*wide*c)
	for at := range h * wide {
		for channel := range c {
			out = append(out, channel*h*wide+at)
		}
	}
	return out
}

// tensor is a parameter as the blueprint has it.
type tensor struct {
	name   string // the blueprint's
	from   lasagne.Param
	change string
	values []float32
	shape  []int
}

var wrongCharacter = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

// name makes a layer's name one that a blueprint can have, and that is free.
func (w *lowering) name(wanted string) string {
	wanted = strings.TrimLeft(wrongCharacter.ReplaceAllString(wanted, "_"), ".-")
	wanted = wanted[:min(len(wanted), 100)]
	if wanted == "" {
		wanted = "layer"
	}
	name := wanted
	for n := 2; w.used[name] || name == blueprint.InputName; n++ {
		name = fmt.Sprintf("%s_%d", wanted, n)
	}
	w.used[name] = true
	return name
}

// add adds a layer. Its tensors are compared with what the table of layer kinds
// wants of it.
func (w *lowering) add(name, kind string, s blueprint.Settings, tensors []tensor, in ...value) (value, error) {
	l := blueprint.Layer{Name: w.name(name), Kind: kind, Settings: s}
	before := blueprint.InputName
	if n := len(w.layers); n > 0 {
		before = w.layers[n-1].Name
	}
	var shapes []blueprint.Shape
	for _, v := range in {
		shapes = append(shapes, v.shape)
		l.Inputs = append(l.Inputs, v.layer)
	}
	if len(in) == 1 && in[0].layer == before {
		l.Inputs = nil
	}
	node, err := blueprint.Infer(&l, shapes, w.columns)
	if err != nil {
		return value{}, err
	}
	if err := w.keep(node, tensors); err != nil {
		return value{}, err
	}
	w.layers = append(w.layers, l)
	out := value{layer: l.Name, shape: node.Out, lasagne: slices.Clone(node.Out)}
	if len(node.Out) == 3 {
		out.lasagne = []int{node.Out[2], node.Out[0], node.Out[1]}
	}
	return out, nil
}

// keep takes a layer's tensors, which must be exactly the node's parameters.
func (w *lowering) keep(node *blueprint.Node, tensors []tensor) error {
	if len(tensors) != len(node.Params) {
		return fmt.Errorf("found %d arrays, want %d", len(tensors), len(node.Params))
	}
	for i, p := range node.Params {
		t := tensors[i]
		if t.name != p.Name || !slices.Equal(t.shape, p.Shape) {
			return fmt.Errorf("parameter %s: found the shape %v (here %v), want %v", t.from.Name, shapeOf(t.from), t.shape, []int(p.Shape))
		}
		name := w.member + "/" + node.Layer.Name + "/" + p.Name
		w.weights[name] = engine.Array{Shape: t.shape, Data: t.values}
	}
	return nil
}

func shapeOf(p lasagne.Param) []int {
	if p.Array == nil {
		return nil
	}
	return p.Array.Shape
}

// note writes a layer's tensors into the receipt.
func (w *lowering) note(l *lasagne.Layer, layer string, tensors []tensor) {
	for _, t := range tensors {
		w.receipt.Tensors = append(w.receipt.Tensors, zoo.ReceiptTensor{
			Tensor: w.member + "/" + layer + "/" + t.name, Layer: l.Name, Class: l.Class, Param: t.from.Name, Shape: slices.Clone(shapeOf(t.from)), Change: t.change,
		})
	}
}

// floats takes an array's values in the order of a view of it.
func floats(name string, from lasagne.Param, view *ndarray.Array, change string) tensor {
	values, exact := view.Float32()
	if !exact {
		change = strings.TrimPrefix(change+", rounded from "+from.Array.Type+" to float32", ", ")
	}
	return tensor{name, from, change, values, view.Shape}
}

// filters gives a convolution's: [filters, in, height, width] to [height,
// width, in, filters], turned round where Lasagne convolves.
func filters(w lasagne.Param, flip bool) tensor {
	view, change := w.Array.Transpose(2, 3, 1, 0), "axes to [height, width, in, out]"
	if flip {
		view, change = view.Flip(0).Flip(1), change+", filters turned round"
	}
	return floats("weights", w, view, change)
}

// bias gives a bias, an untied one [filters, height, width] as [height, width, filters].
func bias(b *lasagne.Param) tensor {
	if len(b.Array.Shape) == 3 {
		return floats("bias", *b, b.Array.Transpose(1, 2, 0), "axes to [height, width, out]")
	}
	return floats("bias", *b, b.Array, "")
}

// fused adds the setting activation, if a layer can have the function there;
// else it is left for a layer of its own.
func fused(s blueprint.Settings, a lasagne.Activation) (rest lasagne.Activation) {
	if a.Function == "softmax" || a.Function == "leaky_relu" && a.Slope != 0.01 {
		return a
	}
	if a.Function != "linear" {
		s["activation"] = a.Function
	}
	return lasagne.Activation{Function: "linear"}
}

// activation adds a function as a layer of its own.
func (w *lowering) activation(name string, a lasagne.Activation, in value) (value, error) {
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
func (w *lowering) learned(l *lasagne.Layer, kind string, s blueprint.Settings, a lasagne.Activation, tensors []tensor, in value) (value, error) {
	rest := fused(s, a)
	out, err := w.add(l.Name, kind, s, tensors, in)
	if err != nil {
		return out, err
	}
	w.note(l, out.layer, tensors)
	return w.activation(l.Name+"_activation", rest, out)
}

func (w *lowering) conv(l *lasagne.Layer, c lasagne.Conv, in value) (value, error) {
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

func (w *lowering) dense(l *lasagne.Layer, d lasagne.Dense, in value) (value, error) {
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

// rows gives the rows in another order.
func rows(values []float32, order []int) []float32 {
	n := len(values) / len(order)
	out := make([]float32, 0, len(values))
	for _, from := range order {
		out = append(out, values[from*n:(from+1)*n]...)
	}
	return out
}

func (w *lowering) pool(l *lasagne.Layer, p lasagne.Pool, in value) (value, error) {
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
func (w *lowering) batchNorm(l *lasagne.Layer, b lasagne.BatchNorm, in value) (value, error) {
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

func (w *lowering) reshape(l *lasagne.Layer, op lasagne.Reshape, in value) (value, error) {
	shape, err := resolve(op.Shape, in.lasagne)
	switch {
	case err != nil:
		return value{}, err
	case slices.Equal(shape, in.lasagne):
		return in, nil
	case len(shape) == 1:
		out, err := w.flatten(in)
		return out, err
	case len(shape) != 3:
		return value{}, fmt.Errorf("found the new shape %v, want [values] or [channels, height, width]", shape)
	}
	image := blueprint.Shape{shape[1], shape[2], shape[0]}
	now := in.order
	if len(in.shape) == 3 {
		now = order(in.shape)
	}
	if !slices.Equal(now, order(image)) {
		return value{}, fmt.Errorf("found the new shape %v for values of the shape %v: that is another order of the values, which a blueprint can't say", shape, in.lasagne)
	}
	if slices.Equal(in.shape, image) {
		in.lasagne = shape
		return in, nil
	}
	return w.add(l.Name, "reshape", blueprint.Settings{"shape": []int(image)}, nil, in)
}

// resolve fills in what a reshape leaves open: see [lasagne.Reshape].
func resolve(wanted, from []int) ([]int, error) {
	total, known, open := 1, 1, -1
	for _, n := range from {
		total *= n
	}
	out := make([]int, len(wanted))
	for i, n := range wanted {
		if n <= -2 {
			axis := -2 - n - 1
			if axis < 0 || axis >= len(from) {
				return nil, fmt.Errorf("found the new shape %v for %v, want axes that it has", wanted, from)
			}
			n = from[axis]
		}
		if out[i] = n; n == -1 {
			open = i
			continue
		}
		if n < 1 || n > total {
			return nil, fmt.Errorf("found the new shape %v for %v, want as many values", wanted, from)
		}
		if known *= n; known > total {
			break
		}
	}
	if open >= 0 && total%known == 0 {
		out[open] = total / known
		known = total
	}
	if known != total {
		return nil, fmt.Errorf("found the new shape %v for %v, want as many values", wanted, from)
	}
	return out, nil
}

func (w *lowering) merge(l *lasagne.Layer, op lasagne.Merge, in []value) (value, error) {
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
