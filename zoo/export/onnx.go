package export

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/onnx"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// What ONNX Runtime reads since 1.7, of 2021, and other runtimes as long.
const (
	opset     = 13
	irVersion = 7
)

// onnxFormat has the network itself, its weights and what they don't say as texts.
var onnxFormat = Format{
	Name: "onnx", Extensions: []string{".onnx"}, Holds: "a network to run", Lacks: "the state of a training, and layers that ONNX has no operators for", Runs: true,
	prepare: func(m *model.Model, o Options) (func(w io.Writer) error, error) {
		graph, err := Graph(m)
		if err != nil {
			return nil, err
		}
		graph.Version = o.Version
		return func(w io.Writer) error { return onnx.Write(w, graph) }, nil
	},
}

// ErrUnsupported is returned for a layer, an activation or a scaling that ONNX can't say.
var ErrUnsupported = errors.New("not possible in ONNX")

// Names of the graph's input and output.
const (
	InputName  = "images"
	OutputName = "points"
)

// Graph says a model in ONNX: images float32 [N, channels, height, width], pixels 0 to 255, to points float32 [N, columns] in
// pixels of these images. Scaling is in the graph; of several members it is their mean, as the model predicts, and with
// that for the mirror image where the model asks for it.
func Graph(m *model.Model) (*onnx.Model, error) {
	meta, err := texts(m)
	if err != nil {
		return nil, err
	}
	d := m.Document
	in, columns := d.Input, d.Columns(nil)
	b := &builder{model: m, mirrored: answer.FlipAverage([]*model.Model{m})}
	b.graph.Name = d.Name
	batch := onnx.Dim{Name: "N"}
	b.graph.Inputs = []onnx.Value{{Name: InputName, Type: tensor.Float32,
		Shape: []onnx.Dim{batch, {Size: in.Channels}, {Size: in.Height}, {Size: in.Width}},
		Doc:   "grey values 0 to 255: [N, channels, height, width]"}}
	b.graph.Outputs = []onnx.Value{{Name: OutputName, Type: tensor.Float32, Shape: []onnx.Dim{batch, {Size: len(columns)}},
		Doc: "pixels of the images: " + strings.Join(columns, ", ")}}
	image, err := b.scaled()
	if err != nil {
		return nil, err
	}
	var answers []string
	for i := range d.Members {
		y, err := b.member(i, image)
		if err != nil {
			return nil, err
		}
		answers = append(answers, y)
	}
	if b.mean(answers, columns); b.err != nil {
		return nil, b.err
	}
	return &onnx.Model{IR: irVersion, Opset: opset, Producer: "fkzoo", Doc: d.Summary, Graph: b.graph, Metadata: meta}, nil
}

// builder collects a graph's nodes and weights.
type builder struct {
	model    *model.Model
	mirrored bool // each image and its mirror image are answered, as the model asks for
	graph    onnx.Graph
	at       string         // of the layer under way: what values and constants are named after
	count    map[string]int // names given so far
	err      error          // the first
}

// value is what a layer gives. Maps, [h, w, c] in the blueprint, run channels first, since ONNX convolves so; last is made
// where a layer wants the blueprint's order. Other values have one order.
type value struct {
	first string // [N, c, h, w]; empty: not of rank 3, or not made yet
	last  string // [N, ...shape]; empty: not made yet
}

// name gives a new name within the layer under way.
func (b *builder) name(what string) string {
	if b.count == nil {
		b.count = map[string]int{}
	}
	name := b.at
	if what != "" {
		name += ":" + what
	}
	b.count[name]++
	if n := b.count[name]; n > 1 {
		name = fmt.Sprintf("%s.%d", name, n)
	}
	return name
}

// op adds a node with one output.
func (b *builder) op(op string, inputs []string, attributes ...onnx.Attribute) string {
	out := b.name(strings.ToLower(op))
	b.graph.Nodes = append(b.graph.Nodes, onnx.Node{Op: op, Name: out, Inputs: inputs, Outputs: []string{out}, Attributes: attributes})
	return out
}

// call is op without attributes.
func (b *builder) call(op string, inputs ...string) string { return b.op(op, inputs) }

func ints(name string, v ...int) onnx.Attribute {
	list := make([]int64, len(v))
	for i, n := range v {
		list[i] = int64(n)
	}
	return onnx.Attribute{Name: name, Value: list}
}

func integer(name string, v int) onnx.Attribute { return onnx.Attribute{Name: name, Value: int64(v)} }

func text(name, v string) onnx.Attribute { return onnx.Attribute{Name: name, Value: v} }

func number(name string, v float64) onnx.Attribute {
	return onnx.Attribute{Name: name, Value: float32(v)}
}

// floats and integers add numbers, and give their name.
func (b *builder) floats(what string, shape []int, values ...float32) string {
	return add(b, b.name(what), tensor.Float32, shape, values)
}

func (b *builder) integers(what string, values ...int) string {
	list := make([]int64, len(values))
	for i, n := range values {
		list[i] = int64(n)
	}
	return add(b, b.name(what), tensor.Int64, []int{len(list)}, list)
}

func (b *builder) scalar(what string, v float64) string { return b.floats(what, nil, float32(v)) }

// fail keeps the first error for [Graph].
func (b *builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// add keeps an error as fail does.
func add[T tensor.Element](b *builder, name string, t tensor.DType, shape []int, values []T) string {
	x, err := tensor.New(name, t, shape, values)
	if err != nil {
		b.fail(err)
	}
	b.graph.Weights = append(b.graph.Weights, x)
	return name
}

// scaled turns pixels into what the layers get, in the way that the blueprint asks for.
func (b *builder) scaled() (value, error) {
	b.at = InputName
	x := InputName
	if b.mirrored { // behind the images, in the same batch
		const backwards = math.MinInt32
		mirror := b.call("Slice", x, b.integers("last", -1), b.integers("first", backwards), b.integers("width", 3), b.integers("step", -1))
		x = b.op("Concat", []string{x, mirror}, integer("axis", 0))
	}
	scaling := cmp.Or(b.model.Document.Input.Scaling, blueprint.Scalings[0].Name)
	of, ok := scalings[scaling]
	if !ok {
		return value{}, fmt.Errorf("input.scaling: %s: %w", scaling, ErrUnsupported)
	}
	return value{first: of(b, x)}, nil
}

// scalings has a row for each row of [blueprint.Scalings] that ONNX can say; a test goes through both.
var scalings = map[string]func(b *builder, x string) string{
	"unit": unit,
	"raw":  func(_ *builder, x string) string { return x },
	"standardize": func(b *builder, x string) string {
		x = unit(b, x)
		mean := func(x string) string {
			return b.op("ReduceMean", []string{x}, ints("axes", 1, 2, 3), integer("keepdims", 1))
		}
		centred := b.call("Sub", x, mean(x))
		deviation := b.call("Sqrt", mean(b.call("Mul", centred, centred)))
		return b.call("Div", centred, b.call("Max", deviation, b.scalar("least", 1.0/255)))
	},
}

func unit(b *builder, x string) string { return b.call("Mul", x, b.scalar("unit", 1.0/255)) }

// member adds a member's layers, as far as its answer depends on them, and gives the answer's name: [N, columns], pixels.
func (b *builder) member(index int, image value) (string, error) {
	plan, err := blueprint.NewPlan(b.model.Document, index, nil)
	if err != nil {
		return "", err
	}
	live := make([]bool, len(plan.Nodes))
	live[plan.Output] = true
	for i := len(plan.Nodes) - 1; i >= 0; i-- {
		for _, from := range plan.Nodes[i].Inputs {
			if live[i] && from >= 0 {
				live[from] = true
			}
		}
	}
	values := make([]*value, len(plan.Nodes))
	for i := range plan.Nodes {
		if !live[i] {
			continue
		}
		n := &plan.Nodes[i]
		l := &layer{builder: b, plan: plan, Node: n}
		for _, from := range n.Inputs {
			if from < 0 {
				l.in = append(l.in, &image)
			} else {
				l.in = append(l.in, values[from])
			}
		}
		say, ok := operators[n.Kind.Name]
		if !ok {
			return "", fmt.Errorf("member %s: layer %q: kind %s: %w", plan.Member.Name, n.Layer.Name, n.Kind.Name, ErrUnsupported)
		}
		b.at = plan.Member.Name + "/" + n.Layer.Name
		y := say(l)
		values[i] = &y
	}
	if b.err != nil {
		return "", fmt.Errorf("member %s: %w", plan.Member.Name, b.err)
	}
	b.at = plan.Member.Name
	scale, offsets := plan.Affine()
	y := b.call("Mul", values[plan.Output].last, b.scalar("scale", scale))
	y = b.call("Add", y, b.floats("offset", []int{len(offsets)}, narrow(offsets)...))
	if b.mirrored {
		return b.turned(y, plan)
	}
	return y, nil
}

// turned gives the mean of the answers for images, the first half, and for their mirror images, turned back.
func (b *builder) turned(y string, plan *blueprint.Plan) (string, error) {
	flip, err := answer.FlipOf(plan.Member, plan.Document.Input.Width)
	if err != nil {
		return "", fmt.Errorf("member %s: flip average: %w", plan.Member.Name, err)
	}
	half := []string{b.name("images"), b.name("mirrors")}
	b.graph.Nodes = append(b.graph.Nodes, onnx.Node{Op: "Split", Name: b.name("split"), Inputs: []string{y}, Outputs: half,
		Attributes: []onnx.Attribute{integer("axis", 0)}})
	shape := []int{len(flip.From)}
	other := b.op("Gather", []string{half[1], b.integers("from", flip.From...)}, integer("axis", 1))
	other = b.call("Add", b.call("Mul", other, b.floats("signs", shape, narrow(flip.Sign)...)), b.floats("axes", shape, narrow(flip.Add)...))
	return b.call("Mul", b.call("Add", half[0], other), b.scalar("half", 0.5)), nil
}

func narrow(values []float64) (out []float32) {
	for _, v := range values {
		out = append(out, float32(v))
	}
	return out
}

// mean makes one answer of the members': of a column that several give their mean by weight. One product with a matrix
// does it, which has a column's share of each answer.
func (b *builder) mean(answers, columns []string) {
	b.at = OutputName
	all, given := answers[0], []string{}
	index := map[string]int{}
	for i, c := range columns {
		index[c] = i
	}
	sums := make([]float64, len(columns))
	members := b.model.Document.Members
	for i := range members {
		given = append(given, members[i].Columns...)
		for _, c := range members[i].Columns {
			sums[index[c]] += members[i].MeanWeight()
		}
	}
	if len(answers) > 1 {
		all = b.op("Concat", answers, integer("axis", 1))
	}
	last, from := "Identity", []string{all}
	if !slices.Equal(given, columns) {
		shares := make([]float32, len(given)*len(columns))
		row := 0
		for i := range members {
			for _, c := range members[i].Columns {
				shares[row*len(columns)+index[c]] = float32(members[i].MeanWeight() / sums[index[c]])
				row++
			}
		}
		last, from = "MatMul", append(from, b.floats("shares", []int{len(given), len(columns)}, shares...))
	}
	b.graph.Nodes = append(b.graph.Nodes, onnx.Node{Op: last, Name: OutputName, Inputs: from, Outputs: []string{OutputName}})
}
