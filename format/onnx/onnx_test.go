package onnx

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/fkzoo/fkzoo/format/tensor"
)

// field is one field of a message, read by protobuf's own library.
type field struct {
	number protowire.Number
	value  uint64
	bytes  []byte
}

func fields(t *testing.T, b []byte) (out []field) {
	t.Helper()
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		f := field{number: number}
		switch kind {
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			f.value = uint64(v)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		default:
			t.Fatalf("field %d: found type %d", number, kind)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		out, b = append(out, f), b[n:]
	}
	return out
}

// at follows field numbers into a message, taking the first of each.
func at(t *testing.T, b []byte, path ...protowire.Number) field {
	t.Helper()
	var f field
	for _, number := range path {
		list := fields(t, b)
		i := slices.IndexFunc(list, func(f field) bool { return f.number == number })
		if i < 0 {
			t.Fatalf("found no field %d of %v", number, path)
		}
		f = list[i]
		b = f.bytes
	}
	return f
}

func example() *Model {
	return &Model{
		IR: 7, Opset: 13, Producer: "fkzoo", Version: "v1", Metadata: map[string]string{"b": "2", "a": "1"},
		Graph: Graph{
			Name: "g",
			Nodes: []Node{{Op: "Conv", Name: "c", Inputs: []string{"x", "", "w"}, Outputs: []string{"y"}, Attributes: []Attribute{
				{"pads", []int64{-1, 0, 300}}, {"alpha", float32(0.5)}, {"group", int64(0)}, {"mode", "linear"}}}},
			Weights: []tensor.Tensor{{Name: "w", Type: tensor.Float32, Shape: []int{2, 1}, Data: []byte{1, 2, 3, 4, 5, 6, 7, 8}}},
			Inputs:  []Value{{Name: "x", Type: tensor.Float32, Shape: []Dim{{Name: "N"}, {Size: 3}}, Doc: "d"}},
			Outputs: []Value{{Name: "y", Type: tensor.Int64}},
		},
	}
}

// The numbers are onnx.proto's; package zoo/export has the files read by onnx.checker.
func TestMessages(t *testing.T) {
	var out bytes.Buffer
	if err := Write(&out, example()); err != nil {
		t.Fatal(err)
	}
	b := out.Bytes()
	for _, c := range []struct {
		what  string
		path  []protowire.Number
		value uint64
		text  string
	}{
		{"ir_version", []protowire.Number{1}, 7, ""},
		{"producer_name", []protowire.Number{2}, 0, "fkzoo"},
		{"producer_version", []protowire.Number{3}, 0, "v1"},
		{"opset", []protowire.Number{8, 2}, 13, ""},
		{"the first key", []protowire.Number{14, 1}, 0, "a"},
		{"graph's name", []protowire.Number{7, 2}, 0, "g"},
		{"node's operator", []protowire.Number{7, 1, 4}, 0, "Conv"},
		{"attribute's name", []protowire.Number{7, 1, 5, 1}, 0, "pads"},
		{"attribute's first number", []protowire.Number{7, 1, 5, 8}, math.MaxUint64, ""},
		{"attribute's type", []protowire.Number{7, 1, 5, 20}, 7, ""},
		{"weight's type", []protowire.Number{7, 5, 2}, 1, ""},
		{"weight's first axis", []protowire.Number{7, 5, 1}, 2, ""},
		{"weight's bytes", []protowire.Number{7, 5, 9}, 0, "\x01\x02\x03\x04\x05\x06\x07\x08"},
		{"input's free axis", []protowire.Number{7, 11, 2, 1, 2, 1, 2}, 0, "N"},
		{"output's type", []protowire.Number{7, 12, 2, 1, 1}, 7, ""},
	} {
		if f := at(t, b, c.path...); f.value != c.value || string(f.bytes) != c.text {
			t.Errorf("%s: found %d, %q, want %d, %q", c.what, f.value, f.bytes, c.value, c.text)
		}
	}
	var inputs []string
	for _, f := range fields(t, at(t, b, 7, 1).bytes) {
		if f.number == 1 {
			inputs = append(inputs, string(f.bytes))
		}
	}
	if !slices.Equal(inputs, []string{"x", "", "w"}) {
		t.Errorf("found the inputs %q: one that is not given must keep its place", inputs)
	}
	var again bytes.Buffer
	if err := Write(&again, example()); err != nil || !bytes.Equal(b, again.Bytes()) {
		t.Errorf("the same model gives other bytes (%v)", err)
	}
}

func TestRefusesToWrite(t *testing.T) {
	attribute, weight, large := example(), example(), example()
	attribute.Graph.Nodes[0].Attributes[0].Value = 3
	weight.Graph.Weights[0].Data = nil
	w := tensor.Tensor{Name: "w", Type: tensor.Float32, Shape: []int{1 << 28}, Data: make([]byte, 1<<30)}
	large.Graph.Weights = []tensor.Tensor{w, w} // the same memory twice, and never touched
	for _, c := range []struct {
		m    *Model
		want string
	}{{attribute, "attribute pads: found the type int"}, {weight, "has 0 bytes of data"}, {large, "want less than 2 GiB"}} {
		if err := Write(io.Discard, c.m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("found %v, want %q", err, c.want)
		}
	}
	if err := Write(io.Discard, large); !errors.Is(err, ErrTooLarge) {
		t.Errorf("found %v", err)
	}
}
