package layers

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/convert/receipt"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Writer says the layers of one member of a model. Lasagne's images are
// [channels, height, width] and its dense layers read them flattened in that
// order; a blueprint's are [height, width, channels].
type Writer struct {
	input   blueprint.Input
	columns int
	layers  []blueprint.Layer
	weights engine.Arrays
	receipt receipt.Member
	used    map[string]bool // names of layers
}

// NewWriter begins a member with so many columns, whose weights are added to
// those of the model. The members have one input: an empty one is that of the
// first.
func NewWriter(input blueprint.Input, columns int, weights engine.Arrays, to receipt.Member) *Writer {
	return &Writer{input: input, columns: columns, weights: weights, receipt: to, used: map[string]bool{}}
}

// Input is the image that the layers take.
func (w *Writer) Input() blueprint.Input { return w.input }

// Layers are those said so far.
func (w *Writer) Layers() []blueprint.Layer { return w.layers }

// Name makes a name that a blueprint can have of a file's.
func Name(wanted string) string { return (&Writer{used: map[string]bool{}}).name(wanted) }

// value is what a layer gives: where it is found here, and how it lies.
type value struct {
	layer string // in the blueprint
	shape blueprint.Shape
	// lasagne is its shape there, without the batch.
	lasagne []int
	// order says of a vector which of Lasagne's numbers each of ours is; nil: the same.
	order []int
}

// Network says all layers of a network; the last one's value is the network's answer.
func (w *Writer) Network(layers []lasagne.Layer) error {
	values := make([]value, len(layers))
	for i := range layers {
		l := &layers[i]
		in := make([]value, len(l.Inputs))
		for k, at := range l.Inputs {
			in[k] = values[at]
		}
		for _, text := range l.Ignored {
			w.receipt.Drop("layer "+l.Name, text)
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

func (w *Writer) layer(l *lasagne.Layer, in []value) (value, error) {
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
		w.receipt.Drop("layer "+l.Name, op.Reason)
		return in[0], nil
	}
	return value{}, fmt.Errorf("found an operation %T", l.Op)
}

// same keeps how a vector lies through a layer that treats all values alike.
func (w *Writer) same(out value, err error) func(in value) (value, error) {
	return func(in value) (value, error) {
		out.lasagne, out.order = in.lasagne, in.order
		return out, err
	}
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
func (w *Writer) name(wanted string) string {
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
func (w *Writer) add(name, kind string, s blueprint.Settings, tensors []tensor, in ...value) (value, error) {
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
func (w *Writer) keep(node *blueprint.Node, tensors []tensor) error {
	if len(tensors) != len(node.Params) {
		return fmt.Errorf("found %d arrays, want %d", len(tensors), len(node.Params))
	}
	for i, p := range node.Params {
		t := tensors[i]
		if t.name != p.Name || !slices.Equal(t.shape, p.Shape) {
			return fmt.Errorf("parameter %s: found the shape %v (here %v), want %v", t.from.Name, shapeOf(t.from), t.shape, []int(p.Shape))
		}
		name := w.receipt.Name + "/" + node.Layer.Name + "/" + p.Name
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
func (w *Writer) note(l *lasagne.Layer, layer string, tensors []tensor) {
	for _, t := range tensors {
		w.receipt.Tensor(layer+"/"+t.name, model.ReceiptTensor{Layer: l.Name, Class: l.Class, Param: t.from.Name, Shape: slices.Clone(shapeOf(t.from)), Change: t.change})
	}
}
