// Package onnx writes ONNX files: graphs of operators with their weights, as ONNX Runtime and others run them.
//
// Messages and field numbers are those of onnx.proto at github.com/onnx/onnx, as far as an exported network needs them. The
// weights' bytes go from the tensors to the file without a copy. The package knows the file, not what operators compute;
// onnx.checker says in tests whether graphs are sound.
package onnx

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/fkzoo/fkzoo/format/tensor"
)

// ErrTooLarge is returned for a model that protobuf can't hold: a message has less than 2 GiB.
var ErrTooLarge = errors.New("too large for ONNX")

// Model is what a file holds.
type Model struct {
	IR       int64 // version of the file format
	Opset    int64 // version of the operators
	Producer string
	Version  string // of the producer
	Doc      string
	Graph    Graph
	Metadata map[string]string
}

// Graph is operators in an order in which they can be computed.
type Graph struct {
	Name            string
	Nodes           []Node
	Weights         []tensor.Tensor // referred to by their names
	Inputs, Outputs []Value
}

// Value is an input or output of the graph.
type Value struct {
	Name  string
	Type  tensor.DType
	Shape []Dim
	Doc   string
}

// Dim is an axis: a length, or the name of one that is free.
type Dim struct {
	Size int
	Name string
}

// Node applies an operator. An input "" is one that is not given.
type Node struct {
	Op, Name        string
	Inputs, Outputs []string
	Attributes      []Attribute
}

// Attribute is an operator's setting: its value is an int64, float32, string or []int64.
type Attribute struct {
	Name  string
	Value any
}

// elementTypes are TensorProto.DataType's numbers.
var elementTypes = map[tensor.DType]uint64{
	tensor.Float32: 1, tensor.Uint8: 2, tensor.Int8: 3, tensor.Uint16: 4, tensor.Int16: 5, tensor.Int32: 6, tensor.Int64: 7,
	tensor.Bool: 9, tensor.Float16: 10, tensor.Float64: 11, tensor.Uint32: 12, tensor.Uint64: 13, tensor.BFloat16: 16,
	tensor.Float8E4M3: 17, tensor.Float8E5M2: 19,
}

// Write writes a model. The same model gives the same bytes.
func Write(w io.Writer, m *Model) error {
	var b message
	b.number(1, uint64(m.IR))
	b.text(2, m.Producer)
	b.text(3, m.Version)
	b.text(6, m.Doc)
	g, err := graph(&m.Graph)
	if err != nil {
		return err
	}
	b.message(7, g)
	var opset message
	opset.number(2, uint64(m.Opset))
	b.message(8, &opset)
	for _, key := range slices.Sorted(maps.Keys(m.Metadata)) {
		var entry message
		entry.text(1, key)
		entry.text(2, m.Metadata[key])
		b.message(14, &entry)
	}
	if b.size > math.MaxInt32 {
		return fmt.Errorf("%w: found %d bytes, want less than 2 GiB", ErrTooLarge, b.size)
	}
	for _, part := range b.parts {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	_, err = w.Write(b.tail)
	return err
}

func graph(g *Graph) (*message, error) {
	var b message
	for i := range g.Nodes {
		n, err := node(&g.Nodes[i])
		if err != nil {
			return nil, err
		}
		b.message(1, n)
	}
	b.text(2, g.Name)
	for i := range g.Weights {
		t := &g.Weights[i]
		if err := t.Check(); err != nil {
			return nil, err
		}
		var x message
		numbers(&x, 1, t.Shape)
		x.number(2, elementTypes[t.Type])
		x.text(8, t.Name)
		x.data(9, t.Data)
		b.message(5, &x)
	}
	for i := range g.Inputs {
		b.message(11, value(&g.Inputs[i]))
	}
	for i := range g.Outputs {
		b.message(12, value(&g.Outputs[i]))
	}
	return &b, nil
}

func node(n *Node) (*message, error) {
	var b message
	for _, name := range n.Inputs {
		b.string(1, name)
	}
	for _, name := range n.Outputs {
		b.string(2, name)
	}
	b.text(3, n.Name)
	b.text(4, n.Op)
	for _, a := range n.Attributes {
		var x message
		x.text(1, a.Name)
		// The last field is the value's type, of AttributeProto.AttributeType.
		switch v := a.Value.(type) {
		case float32:
			x.float(2, v)
			x.number(20, 1)
		case int64:
			x.set(3, uint64(v))
			x.number(20, 2)
		case string:
			x.string(4, v)
			x.number(20, 3)
		case []int64:
			numbers(&x, 8, v)
			x.number(20, 7)
		default:
			return nil, fmt.Errorf("node %s: attribute %s: found the type %T, want int64, float32, string or []int64", n.Name, a.Name, a.Value)
		}
		b.message(5, &x)
	}
	return &b, nil
}

func value(v *Value) *message {
	var shape, tensor, typ, b message
	for _, d := range v.Shape {
		var dim message
		if d.Name != "" {
			dim.text(2, d.Name)
		} else {
			dim.set(1, uint64(d.Size))
		}
		shape.message(1, &dim)
	}
	tensor.number(1, elementTypes[v.Type])
	tensor.message(2, &shape)
	typ.message(1, &tensor)
	b.text(1, v.Name)
	b.message(2, &typ)
	b.text(3, v.Doc)
	return &b
}

// message is a protobuf message as pieces, so that weights need no copy.
type message struct {
	parts [][]byte
	tail  []byte // what comes after parts
	size  int64
}

func (m *message) add(b []byte) { m.size += int64(len(b) - len(m.tail)); m.tail = b }

// number writes a field unless it is 0, the default.
func (m *message) number(field protowire.Number, v uint64) {
	if v != 0 {
		m.set(field, v)
	}
}

func (m *message) set(field protowire.Number, v uint64) {
	m.add(protowire.AppendVarint(protowire.AppendTag(m.tail, field, protowire.VarintType), v))
}

func (m *message) float(field protowire.Number, v float32) {
	m.add(protowire.AppendFixed32(protowire.AppendTag(m.tail, field, protowire.Fixed32Type), math.Float32bits(v)))
}

// text writes a field unless it is empty, the default.
func (m *message) text(field protowire.Number, s string) {
	if s != "" {
		m.string(field, s)
	}
}

func (m *message) string(field protowire.Number, s string) {
	m.add(protowire.AppendString(protowire.AppendTag(m.tail, field, protowire.BytesType), s))
}

// numbers writes a repeated field. onnx.proto has the syntax of proto2, where they stand one by one.
func numbers[T int | int64](m *message, field protowire.Number, values []T) {
	for _, n := range values {
		m.set(field, uint64(n))
	}
}

func (m *message) data(field protowire.Number, b []byte) {
	m.add(protowire.AppendVarint(protowire.AppendTag(m.tail, field, protowire.BytesType), uint64(len(b))))
	m.parts = append(m.parts, m.tail, b)
	m.tail = nil
	m.size += int64(len(b))
}

func (m *message) message(field protowire.Number, inner *message) {
	m.add(protowire.AppendVarint(protowire.AppendTag(m.tail, field, protowire.BytesType), uint64(inner.size)))
	if len(inner.parts) == 0 {
		m.add(append(m.tail, inner.tail...))
		return
	}
	m.parts = append(append(m.parts, m.tail), inner.parts...)
	m.tail = slices.Clone(inner.tail)
	m.size += inner.size
}
