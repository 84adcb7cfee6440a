package blueprint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fkzoo/fkzoo/specs/record"
)

// Limits of a document. They are far above what a face needs and far below
// what would exhaust a machine while a plan is made.
const (
	maxMembers    = 64
	maxLayers     = 4096
	maxColumns    = 4096
	maxInputs     = 256
	maxParameters = 1 << 31
	maxTensor     = 1<<30 - 1 // values of one parameter, of four bytes each
	maxFLOPs      = 1 << 50
	maxSide       = 1 << 14 // of an image
	maxText       = 4096    // bytes of summary and source
	maxColumnName = 256     // bytes
	maxPixels     = 1e6     // of an output's scale and offset
	maxWeight     = 1e6     // of a member
)

// Plan is a member whose shapes have been worked out for given columns.
type Plan struct {
	Document *Document
	Member   *Member
	Columns  []string
	Nodes    []Node // in the order of the layers, which is an order in which they can be computed
	Output   int    // index of the node that gives the answer
	upto     bool   // the answer is what an inner layer gives: see [Plan.Upto]
}

// Node is a layer with what the table says of it.
type Node struct {
	Layer  *Layer
	Kind   *Kind
	Values Values
	Inputs []int // indices of nodes; -1: the image
	In     []Shape
	Out    Shape
	Params []Param
	FLOPs  int64 // of the forward pass of one image, the setting activation's included
}

// Upto is the same network only as far as a node, whose values are its answer as they are. Nothing can be taught to it.
func (p *Plan) Upto(node int) *Plan {
	q := *p
	q.Nodes, q.Output, q.upto = p.Nodes[:node+1], node, true
	return &q
}

// Raw tells that an answer's values are given as they are, and are no coordinates.
func (p *Plan) Raw() bool { return p.upto || p.Member.Boxes() }

// Maps finds the heat maps that the answer is the mean positions of, a map's x and y after those of the one before: the node that gives
// them, [height, width, points], and what they are divided by before the softmax. ok is false where the answer isn't made so.
func (p *Plan) Maps() (node int, temperature float64, ok bool) {
	n := &p.Nodes[p.Output]
	if n.Kind.Name != "soft_argmax" || len(n.Inputs) != 1 || n.Inputs[0] < 0 || p.Raw() {
		return 0, 0, false
	}
	for i := 0; i+1 < len(p.Columns); i += 2 {
		if !IsX(p.Columns[i]) || p.Columns[i+1] != Partner(p.Columns[i]) {
			return 0, 0, false
		}
	}
	return n.Inputs[0], n.Values.Float("temperature"), len(p.Columns)%2 == 0
}

// Affine gives scale and each column's offset of an answer's pixels = y*scale + offsets[column], with output.shift,
// defaults filled in.
func (p *Plan) Affine() (scale float64, offsets []float64) {
	scale, offset := p.Member.Affine(p.Document.Input)
	offsets = slices.Repeat([]float64{offset}, len(p.Columns))
	for i, v := range p.Member.Output.Shift {
		offsets[i] += v
	}
	return scale, offsets
}

// Parameters is the number of trainable parameters.
func (p *Plan) Parameters() int64 {
	var n int64
	for i := range p.Nodes {
		n += p.Nodes[i].Parameters()
	}
	return n
}

// Parameters is the number of the layer's trainable parameters.
func (n *Node) Parameters() int64 {
	var sum int64
	for _, p := range n.Params {
		if p.Trainable {
			sum += p.Shape.Size()
		}
	}
	return sum
}

// FLOPs is the number of operations of the forward pass of one image.
func (p *Plan) FLOPs() int64 {
	var n int64
	for i := range p.Nodes {
		n += p.Nodes[i].FLOPs
	}
	return n
}

// TrainingFLOPs is the number of operations of training on one image: three forward passes, one of them for the gradients of the
// parameters and one for those of the inputs, less the gradients that nobody needs, since no parameter lies before them.
func (p *Plan) TrainingFLOPs() int64 {
	n := 3 * p.FLOPs()
	learns := make([]bool, len(p.Nodes))
	for i := range p.Nodes {
		node := &p.Nodes[i]
		before := slices.ContainsFunc(node.Inputs, func(from int) bool { return from >= 0 && learns[from] })
		learns[i] = before || len(node.Params) > 0
		switch {
		case !learns[i]:
			n -= 2 * node.FLOPs
		case !before:
			n -= node.FLOPs
		}
	}
	return n
}

// TensorName is the name of a parameter in a model file.
func (p *Plan) TensorName(node *Node, param string) string {
	return p.Member.Name + "/" + node.Layer.Name + "/" + param
}

// NewPlan works out the shapes of member number index for data of these
// columns. The error names the member and the layer, and the shapes that disagree.
func NewPlan(d *Document, index int, columns []string) (*Plan, error) {
	if index < 0 || index >= len(d.Members) {
		return nil, fmt.Errorf("blueprint %q: found member number %d, want 0 to %d", d.Name, index, len(d.Members)-1)
	}
	if err := d.checkHead(); err != nil {
		return nil, fmt.Errorf("blueprint %q: %w", d.Name, err)
	}
	if err := d.Members[index].check(); err != nil {
		return nil, fmt.Errorf("blueprint %q: member %q: %w", d.Name, d.Members[index].Name, err)
	}
	return newPlan(d, index, columns)
}

// newPlan is NewPlan of a document that has been checked.
func newPlan(d *Document, index int, columns []string) (*Plan, error) {
	m := &d.Members[index]
	p := &Plan{Document: d, Member: m, Columns: m.ColumnsOf(columns)}
	if err := p.build(columns); err != nil {
		return nil, fmt.Errorf("blueprint %q: member %q: %w", d.Name, m.Name, err)
	}
	return p, nil
}

func (p *Plan) build(columns []string) error {
	if err := p.checkColumns(columns); err != nil {
		return err
	}
	in := p.Document.Input
	image := Shape{in.Height, in.Width, in.Channels}
	index := map[string]int{InputName: -1}
	p.Nodes = make([]Node, len(p.Member.Layers))
	for i := range p.Member.Layers {
		l := &p.Member.Layers[i]
		n := &p.Nodes[i]
		*n = Node{Layer: l, Kind: KindByName(l.Kind), Inputs: []int{i - 1}}
		if l.Inputs != nil {
			n.Inputs = make([]int, len(l.Inputs))
			for k, name := range l.Inputs {
				n.Inputs[k] = index[name] // known: check saw to it
			}
		}
		for _, from := range n.Inputs {
			if from < 0 {
				n.In = append(n.In, image)
			} else {
				n.In = append(n.In, p.Nodes[from].Out)
			}
		}
		if err := n.infer(len(p.Columns)); err != nil {
			return fmt.Errorf("layer %q (%s): %w", l.Name, l.Kind, err)
		}
		index[l.Name] = i
	}
	p.Output = len(p.Nodes) - 1
	if name := p.Member.Output.Layer; name != "" {
		p.Output = index[name]
	}
	if p.Member.Boxes() {
		if err := p.checkBoxes(); err != nil {
			return err
		}
	} else if out := p.Nodes[p.Output].Out; len(out) != 1 || out[0] != len(p.Columns) {
		return fmt.Errorf("layer %q (%s): found an output of shape %v, want [%d]: one value for each of the member's columns",
			p.Nodes[p.Output].Layer.Name, p.Nodes[p.Output].Kind.Name, out, len(p.Columns))
	}
	if n := len(p.Member.Output.Shift); n != 0 && n != len(p.Columns) {
		return fmt.Errorf("output.shift: found %d numbers, want %d: one for each of the member's columns", n, len(p.Columns))
	}
	if err := p.checkUncertainty(); err != nil {
		return err
	}
	if p.Member.Output.FlipAverage {
		if _, err := p.Member.Mirror().Permutation(p.Columns); err != nil {
			return fmt.Errorf("output.flip_average: %w", err)
		}
	}
	if n := p.Parameters(); n > maxParameters {
		return fmt.Errorf("found %d parameters, want at most %d", n, int64(maxParameters))
	}
	if n := p.FLOPs(); n > maxFLOPs || n < 0 {
		return fmt.Errorf("found %d operations an image, want at most %d", n, int64(maxFLOPs))
	}
	return p.Member.Recipe.checkColumns(p.Columns)
}

// Infer works out one layer by itself: its settings, the shape of its output and
// its parameters, for inputs of these shapes and a member with so many columns.
// The error says what doesn't fit, and doesn't name the layer.
func Infer(l *Layer, in []Shape, columns int) (*Node, error) {
	n := &Node{Layer: l, Kind: KindByName(l.Kind), In: in}
	if n.Kind == nil {
		return nil, fmt.Errorf("kind: found %q, want one of %s", record.Cut(l.Kind), strings.Join(Kinds.Names(), ", "))
	}
	if k := len(in); k < n.Kind.MinInputs || n.Kind.MaxInputs >= 0 && k > n.Kind.MaxInputs {
		return nil, fmt.Errorf("inputs: found %d, want another number for %s", k, l.Kind)
	}
	return n, n.infer(columns)
}

// infer fills in a node whose inputs' shapes are known.
func (n *Node) infer(columns int) error {
	var err error
	if n.Values, err = n.Kind.values(n.Layer, columns); err != nil {
		return err
	}
	if n.Out, err = n.Kind.Shape(n.Values, n.In); err != nil {
		return err
	}
	if err := n.Out.check(); err != nil {
		return err
	}
	if n.Kind.Params != nil {
		n.Params = n.Kind.Params(n.Values, n.In)
	}
	for _, p := range n.Params {
		if err := p.Shape.check(); err != nil {
			return fmt.Errorf("parameter %s: %w", p.Name, err)
		}
		if n := p.Shape.Size(); n > maxTensor {
			return fmt.Errorf("parameter %s: found %d values (%v), want at most %d: a model file holds less than 4 GiB a tensor", p.Name, n, p.Shape, int64(maxTensor))
		}
	}
	n.FLOPs = n.Out.Size()
	if n.Kind.FLOPs != nil {
		n.FLOPs = n.Kind.FLOPs(n.Values, n.In, n.Out)
	}
	if _, ok := n.Values[fused.Name]; ok {
		n.FLOPs += Activations.Row(n.Values.Text(fused.Name)).FLOPs * n.Out.Size()
	}
	if n.FLOPs < 0 || n.FLOPs > maxFLOPs {
		return fmt.Errorf("found %d operations an image, want at most %d", n.FLOPs, int64(maxFLOPs))
	}
	return nil
}

// check refuses shapes whose size could overflow or exhaust memory.
func (s Shape) check() error {
	if len(s) == 0 || len(s) > maxRank {
		return fmt.Errorf("found the shape %v, want 1 to %d axes", s, maxRank)
	}
	size := int64(1)
	for _, d := range s {
		if d < 1 {
			return fmt.Errorf("found the shape %v, want axes of at least 1", s)
		}
		if size = times(size, int64(d)); size > maxParameters {
			return fmt.Errorf("found the shape %v, want at most %d values", s, int64(maxParameters))
		}
	}
	return nil
}

func (p *Plan) checkColumns(columns []string) error {
	if columns == nil && len(p.Columns) == 0 {
		return fmt.Errorf("columns: found %q, want names: the data's columns are not known here", AllColumns)
	}
	if len(p.Columns) == 0 || len(p.Columns) > maxColumns {
		return fmt.Errorf("columns: found %d, want 1 to %d", len(p.Columns), maxColumns)
	}
	known := make(map[string]bool, len(columns))
	for _, c := range columns {
		known[c] = true
	}
	for _, c := range p.Columns {
		if columns != nil && !known[c] {
			return fmt.Errorf("columns: found %q, want columns of the data, which has %s", c, list(columns))
		}
	}
	return nil
}

// namePattern is the one rule for the names of architectures and plugins.
const namePattern = `[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?`

var (
	docName   = regexp.MustCompile(`^` + namePattern + `$`)
	layerName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
)

// ValidName tells whether a text can be the name of an architecture or plugin:
// 1 to 64 of a-z, 0-9, "_", "." and "-", with a letter or digit at both ends.
func ValidName(name string) bool { return docName.MatchString(name) }

// check looks at all that doesn't depend on the data.
func (d *Document) check() error {
	if err := d.checkHead(); err != nil {
		return err
	}
	if len(d.Members) == 0 || len(d.Members) > maxMembers {
		return fmt.Errorf("members: found %d, want 1 to %d", len(d.Members), maxMembers)
	}
	names := map[string]bool{}
	for i := range d.Members {
		m := &d.Members[i]
		if names[m.Name] {
			return fmt.Errorf("member %d: found the name %q, which an earlier one has, want each name once", i+1, m.Name)
		}
		names[m.Name] = true
		if err := m.check(); err != nil {
			return fmt.Errorf("member %q: %w", m.Name, err)
		}
	}
	return nil
}

// checkHead looks at all but the members.
func (d *Document) checkHead() error {
	if d.Version != Version {
		return fmt.Errorf("found version %d, want %d", d.Version, Version)
	}
	if !ValidName(d.Name) {
		return fmt.Errorf("name: found %q, want 1 to 64 of a-z, 0-9, _, . and -", d.Name)
	}
	for _, field := range [][2]string{{"summary", d.Summary}, {"source", d.Source}} {
		if err := checkText(field[1], maxText); err != nil {
			return fmt.Errorf("%s: %w", field[0], err)
		}
	}
	in := d.Input
	for _, n := range []int{in.Height, in.Width, in.Channels} {
		if n < 1 || n > maxSide {
			return fmt.Errorf("input: found height %d, width %d and %d channels, want each from 1 to %d", in.Height, in.Width, in.Channels, maxSide)
		}
	}
	if err := (Shape{in.Height, in.Width, in.Channels}).check(); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	if in.Scaling != "" && Scalings.Row(in.Scaling) == nil {
		return fmt.Errorf("input.scaling: found %q, want one of %s", in.Scaling, strings.Join(Scalings.Names(), ", "))
	}
	return nil
}

// checkText refuses texts that are long or would steer a terminal.
func checkText(s string, most int) error {
	if len(s) > most {
		return fmt.Errorf("found %d bytes, want at most %d", len(s), most)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("found %q, want UTF-8", record.Cut(s))
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r != '\n' && steers(r) }); i >= 0 {
		return fmt.Errorf("found %q, want no control characters but line ends", record.Cut(s[i:]))
	}
	return nil
}

func (m *Member) check() error {
	if !layerName.MatchString(m.Name) {
		return fmt.Errorf("name: found %q, want 1 to 128 letters, digits, _, . and -", record.Cut(m.Name))
	}
	if len(m.Columns) == 0 || len(m.Columns) > maxColumns {
		return fmt.Errorf("columns: found %d, want 1 to %d, or [%q]", len(m.Columns), maxColumns, AllColumns)
	}
	seen := map[string]bool{}
	for _, c := range m.Columns {
		if c == "" || len(c) > maxColumnName || strings.ContainsFunc(c, steers) {
			return fmt.Errorf("columns: found %q, want names of 1 to %d bytes without control characters", record.Cut(c), maxColumnName)
		}
		if seen[c] {
			return fmt.Errorf("columns: found %q twice, want each once", c)
		}
		if c == AllColumns && len(m.Columns) > 1 {
			return fmt.Errorf("columns: found %q among others, want it alone", AllColumns)
		}
		seen[c] = true
	}
	if k := m.Output.Kind; k != "" && Outputs.Row(k) == nil {
		return fmt.Errorf("output.kind: found %q, want one of %s", record.Cut(k), strings.Join(Outputs.Names(), ", "))
	}
	limits := []limit{
		{"output.scale", m.Output.Scale, 0, maxPixels}, {"output.offset", m.Output.Offset, -maxPixels, maxPixels}, {"weight", m.Weight, 0, maxWeight},
	}
	for i, v := range m.Output.Shift {
		limits = append(limits, limit{fmt.Sprintf("output.shift, number %d", i+1), v, -maxPixels, maxPixels})
	}
	for _, l := range limits {
		if err := l.check(); err != nil {
			return err
		}
	}
	if len(m.Layers) == 0 || len(m.Layers) > maxLayers {
		return fmt.Errorf("layers: found %d, want 1 to %d", len(m.Layers), maxLayers)
	}
	earlier := []string{InputName}
	known := map[string]bool{InputName: true}
	for i := range m.Layers {
		l := &m.Layers[i]
		if !layerName.MatchString(l.Name) {
			return fmt.Errorf("layer %d: found the name %q, want 1 to 128 letters, digits, _, . and -", i+1, record.Cut(l.Name))
		}
		if l.Name == InputName {
			return fmt.Errorf("layer %d: found the name %q, want another one: it is the image's", i+1, l.Name)
		}
		if known[l.Name] {
			return fmt.Errorf("layer %q: the name stands twice, want each once", l.Name)
		}
		if err := l.check(known, earlier); err != nil {
			return fmt.Errorf("layer %q: %w", l.Name, err)
		}
		if _, err := KindByName(l.Kind).values(l, 2); err != nil { // 2: an even number of columns
			return fmt.Errorf("layer %q (%s): %w", l.Name, l.Kind, err)
		}
		known[l.Name] = true
		earlier = append(earlier, l.Name)
	}
	if o := m.Output.Layer; o != "" && (!known[o] || o == InputName) {
		return fmt.Errorf("output.layer: found %q, want one of %s", record.Cut(o), list(earlier[1:]))
	}
	return m.Recipe.check()
}

func (l *Layer) check(known map[string]bool, earlier []string) error {
	kind := KindByName(l.Kind)
	if kind == nil {
		return fmt.Errorf("kind: found %q, want one of %s", record.Cut(l.Kind), strings.Join(Kinds.Names(), ", "))
	}
	n := len(l.Inputs)
	if l.Inputs == nil {
		n = 1
	}
	if n < kind.MinInputs || (kind.MaxInputs >= 0 && n > kind.MaxInputs) || n > maxInputs {
		want := fmt.Sprint(kind.MinInputs)
		if kind.MaxInputs < 0 {
			want += fmt.Sprintf(" to %d", maxInputs)
		}
		return fmt.Errorf("inputs: found %d, want %s for %s", n, want, kind.Name)
	}
	for _, name := range l.Inputs {
		if !known[name] {
			return fmt.Errorf("inputs: found %q, want an earlier layer: %s", record.Cut(name), list(earlier))
		}
	}
	return nil
}

// list is names for a message, cut where they are many.
func list(names []string) string {
	const most = 12
	text := printable(strings.Join(names[:min(len(names), most)], ", "))
	if len(names) > most {
		text += fmt.Sprintf(", … (%d in all)", len(names))
	}
	return text
}
