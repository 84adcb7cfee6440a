package convert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/format/legacy/ndarray"
	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/format/safetensors"
	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo"
)

// archive reads a .npz file.
func (c *conversion) archive(ctx context.Context, data []byte) error {
	c.model.Provenance.Receipt.Format = "npz"
	if done, err := c.exported(data); done || err != nil {
		return err
	}
	a, err := npy.NewArchive(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	var all []format.Tensor
	names := a.Names()
	for _, name := range names {
		t, err := a.Array(name)
		if errors.Is(err, npy.ErrObject) && len(names) == 1 {
			return c.objects(ctx, func() ([]byte, error) { return a.Objects(name) })
		}
		if err != nil {
			return err
		}
		all = append(all, t)
	}
	return c.tensors(ctx, all)
}

// objects reads the pickle that NumPy makes of a list of arrays of several
// shapes.
func (c *conversion) objects(ctx context.Context, read func() ([]byte, error)) error {
	r := &c.model.Provenance.Receipt
	around := r.Format
	data, err := read()
	if err != nil {
		return err
	}
	err = c.pickle(ctx, data)
	r.Format = around + " of objects: " + r.Format
	return err
}

// array reads a .npy file: a list of parameters, which is an array of objects to
// NumPy, or one array, which is hardly a network.
func (c *conversion) array(ctx context.Context, data []byte) error {
	c.model.Provenance.Receipt.Format = "npy"
	t, err := npy.Read(bytes.NewReader(data), int64(len(data)))
	if errors.Is(err, npy.ErrObject) {
		return c.objects(ctx, func() ([]byte, error) { return npy.Objects(bytes.NewReader(data), int64(len(data))) })
	}
	if err != nil {
		return err
	}
	return c.tensors(ctx, []format.Tensor{t})
}

// safetensors reads a .safetensors file.
func (c *conversion) safetensors(ctx context.Context, data []byte) error {
	c.model.Provenance.Receipt.Format = "safetensors"
	if done, err := c.exported(data); done || err != nil {
		return err
	}
	f, err := safetensors.New(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	var all []format.Tensor
	for _, info := range f.Infos() {
		t, err := f.Tensor(info.Name)
		if err != nil {
			return err
		}
		all = append(all, t)
	}
	return c.tensors(ctx, all)
}

// elementTypes are NumPy's names for a file's types.
var elementTypes = map[format.DType]string{
	format.Float64: "f8", format.Float32: "f4", format.Float16: "f2", format.Int64: "i8", format.Int32: "i4", format.Int16: "i2", format.Int8: "i1",
	format.Uint64: "u8", format.Uint32: "u4", format.Uint16: "u2", format.Uint8: "u1", format.Bool: "b1",
}

// tensors takes arrays with names: fkzoo's own (member/layer/parameter, laid
// out as a blueprint has them), or those that numpy.savez gives to a list.
func (c *conversion) tensors(ctx context.Context, all []format.Tensor) error {
	list := legacy.ParamList{}
	own := len(all) > 0
	for _, t := range all {
		kind, ok := elementTypes[t.Type]
		if !ok {
			return fmt.Errorf("tensor %s: found the type %s, want numbers of NumPy's types", t.Name, t.Type)
		}
		a, err := ndarray.New(t.Data, t.Shape, kind, "<", false)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", t.Name, err)
		}
		own = own && strings.Count(t.Name, "/") == 2
		list.Params = append(list.Params, legacy.ListedParam{Layer: t.Name, Array: a})
	}
	if own {
		return c.own(ctx, list)
	}
	if numbered(list.Params) {
		for i := range list.Params {
			list.Params[i].Layer = ""
		}
	}
	return c.lists(ctx, []legacy.ParamList{list})
}

// numbered puts arrays named arr_0, arr_1, ... in the order of their numbers.
func numbered(all []legacy.ListedParam) bool {
	at := map[string]int{}
	for _, p := range all {
		digits, ok := strings.CutPrefix(p.Layer, "arr_")
		n, err := strconv.Atoi(digits)
		if !ok || err != nil {
			return false
		}
		at[p.Layer] = n
	}
	slices.SortFunc(all, func(a, b legacy.ListedParam) int { return at[a.Layer] - at[b.Layer] })
	return true
}

// architecture gives the blueprint that arrays are to be read as.
func (c *conversion) architecture(ctx context.Context, fits func(d *blueprint.Document) bool) (*blueprint.Document, error) {
	if c.As == "" {
		return nil, c.whichFit(ctx, fits)
	}
	columns := c.Columns
	if columns == nil {
		columns = blueprint.KaggleColumns
	}
	answer, err := c.Host.Blueprint(ctx, c.As, host.Request{Data: host.DataSummary{Columns: columns}})
	if err != nil {
		return nil, err
	}
	c.model.Provenance.Plugin = zoo.PluginFrom{Name: answer.Plugin.Name, SHA256: answer.Plugin.SHA256}
	return answer.Document.Resolve(columns)
}

// whichFit is the error where no architecture was named.
func (c *conversion) whichFit(ctx context.Context, fits func(d *blueprint.Document) bool) error {
	var names []string
	if c.Host != nil {
		all, _ := c.Host.List(ctx)
		for _, a := range all {
			d, err := a.Document()
			if err != nil {
				continue
			}
			if d, err = d.Resolve(blueprint.KaggleColumns); err == nil && fits(d) {
				names = append(names, a.Name)
			}
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("found a list of arrays without a network's layers, want --as with the architecture that has them; none of those here fits")
	}
	return fmt.Errorf("found a list of arrays without a network's layers, want --as with the architecture that has them: %s would fit", strings.Join(names, ", "))
}

// lists reads lists of parameters in Lasagne's order and layout, one for each
// member of the architecture, or one with all members' after one another.
func (c *conversion) lists(ctx context.Context, lists []legacy.ParamList) error {
	fits := func(d *blueprint.Document) bool {
		parts, err := divide(d, lists)
		if err != nil {
			return false
		}
		for i := range d.Members {
			if _, _, err := match(d, i, parts[i]); err != nil {
				return false
			}
		}
		return true
	}
	d, err := c.architecture(ctx, fits)
	if err != nil {
		return err
	}
	parts, err := divide(d, lists)
	if err != nil {
		return err
	}
	d = d.Clone()
	d.Source = c.source(d)
	for i := range d.Members {
		if err := c.member(d, i, parts[i]); err != nil {
			return err
		}
	}
	c.model.Document = d
	c.note("the file has arrays alone: that its filters are turned round, as Lasagne's Conv2DLayer has it, that pixels were divided by 255, and all settings come from %s", c.As)
	return nil
}

// divide gives each member its list.
func divide(d *blueprint.Document, lists []legacy.ParamList) ([][]legacy.ListedParam, error) {
	out := make([][]legacy.ListedParam, len(d.Members))
	if len(lists) == len(d.Members) {
		return out, arrange(d, lists, out)
	}
	if len(lists) > 1 && !slices.ContainsFunc(lists, func(l legacy.ParamList) bool { return l.Columns != nil || l.Name != "" }) {
		var all legacy.ParamList // of each layer one
		for _, l := range lists {
			all.Params = append(all.Params, l.Params...)
		}
		lists = []legacy.ParamList{all}
	}
	if len(lists) != 1 || lists[0].Columns != nil {
		return nil, fmt.Errorf("found %d lists of parameters, want %d: one for each member of %s", len(lists), len(d.Members), d.Name)
	}
	rest := lists[0].Params
	last := len(d.Members) - 1
	for i := range last {
		plan, err := blueprint.NewPlan(d, i, nil)
		if err != nil {
			return nil, err
		}
		n := 0
		for k := range plan.Nodes {
			n += len(plan.Nodes[k].Params)
		}
		n = min(n, len(rest))
		out[i], rest = rest[:n], rest[n:]
	}
	out[last] = rest
	return out, nil
}

// arrange gives each member the list that names its columns; lists that name none are in the members' order.
func arrange(d *blueprint.Document, lists []legacy.ParamList, out [][]legacy.ListedParam) error {
	var others []string
	found := make([]string, len(d.Members))
	for i, l := range lists {
		at, columns := i, "-"
		if l.Columns != nil {
			columns = strings.Join(l.Columns, ",")
			at = slices.IndexFunc(d.Members, func(m blueprint.Member) bool { return slices.Equal(m.Columns, l.Columns) })
		}
		if at < 0 || out[at] != nil {
			others = append(others, columns)
			continue
		}
		out[at], found[at] = l.Params, columns
	}
	if others == nil {
		return nil
	}
	e := &MismatchError{Reason: "the columns of the lists are not those of the members of " + d.Name}
	for i, m := range d.Members {
		if found[i] == "" { // as many are left over
			found[i], others = others[0], others[1:]
		}
		e.Rows = append(e.Rows, [2]string{found[i], m.Name + ": " + strings.Join(m.Columns, ",")})
	}
	return e
}

// wanted is a parameter of the architecture, in Lasagne's order and layout.
type wanted struct {
	node  *blueprint.Node
	param string // the blueprint's
	shape []int  // as Lasagne has it, by the architecture's own sizes
}

// lasagne is what the parameter is called there.
func (w wanted) lasagne() string {
	return map[string]string{"weights": "W", "bias": "b", "offset": "beta", "scale": "gamma", "mean": "mean", "variance": "inv_std"}[w.param]
}

// lasagneOrder is that of a layer's parameters; of batch normalization it differs from ours.
var lasagneOrder = map[string][]string{
	"conv2d": {"weights", "bias"}, "dense": {"weights", "bias"}, "batch_norm": {"offset", "scale", "mean", "variance"},
}

// expect lists a member's parameters.
func expect(plan *blueprint.Plan) ([]wanted, error) {
	var out []wanted
	for i := range plan.Nodes {
		n := &plan.Nodes[i]
		names := lasagneOrder[n.Kind.Name]
		if len(n.Params) > 0 && names == nil {
			return nil, fmt.Errorf("layer %s: found the kind %s, which Lasagne doesn't have", n.Layer.Name, n.Kind.Name)
		}
		for _, name := range names {
			for _, p := range n.Params {
				if p.Name != name {
					continue
				}
				shape := slices.Clone([]int(p.Shape))
				switch {
				case len(shape) == 4:
					shape = []int{shape[3], shape[2], shape[0], shape[1]}
				case len(shape) == 3:
					shape = []int{shape[2], shape[0], shape[1]}
				}
				out = append(out, wanted{n, name, shape})
			}
		}
	}
	return out, nil
}

// MismatchError is that a file's arrays aren't those of the architecture. Its
// text has both lists side by side.
type MismatchError struct {
	Reason string
	Rows   [][2]string // what the file has, what the architecture wants
}

func (e *MismatchError) Error() string {
	wide := len("found")
	for _, r := range e.Rows {
		wide = max(wide, len(r[0]))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  %-*s  %s", e.Reason, wide, "found", "wanted")
	for _, r := range e.Rows {
		fmt.Fprintf(&b, "\n  %-*s  %s", wide, r[0], r[1])
	}
	return b.String()
}

// mismatch puts both lists side by side, what belongs together in one row.
func mismatch(list []legacy.ListedParam, want []wanted, reason string, args ...any) error {
	e := &MismatchError{Reason: fmt.Sprintf(reason, args...)}
	for _, pair := range align(len(list), len(want), func(i, k int) int { return alike(list[i], want[k]) }) {
		row := [2]string{"-", "-"}
		if i := pair[0]; i >= 0 {
			row[0] = strings.TrimSpace(fmt.Sprintf("%.60s %v", list[i].Layer, list[i].Array.Shape))
		}
		if k := pair[1]; k >= 0 {
			row[1] = fmt.Sprintf("%s %s %v", want[k].node.Layer.Name, want[k].param, want[k].shape)
		}
		e.Rows = append(e.Rows, row)
	}
	return e
}

// alike says how much an array looks like a wanted one; 0: not at all.
func alike(p legacy.ListedParam, w wanted) int {
	const axes, sizes, layer = 2, 1, 100 // a name says more than all shapes together
	out := 0
	if len(p.Array.Shape) == len(w.shape) {
		out = axes
		for i, n := range w.shape {
			if p.Array.Shape[i] == n {
				out += sizes
			} else if i >= 2 { // filters of another height or width
				out = 0
				break
			}
		}
	}
	if name, _, _ := strings.Cut(p.Layer, "."); name != "" && name == w.node.Layer.Name {
		out += layer
	}
	return out
}

// maxAligned limits the pairs that align looks at.
const maxAligned = 1 << 22

// align pairs the entries of two lists, both in their order, so that the sum of
// how alike the pairs are is largest. An entry without a partner is paired with -1.
func align(n, m int, alike func(i, k int) int) [][2]int {
	var out [][2]int
	if n*m > maxAligned {
		for i := range max(n, m) {
			pair := [2]int{i, i}
			if i >= n {
				pair[0] = -1
			}
			if i >= m {
				pair[1] = -1
			}
			out = append(out, pair)
		}
		return out
	}
	best := make([]int, (n+1)*(m+1)) // of what is left behind i and k
	at := func(i, k int) int { return i*(m+1) + k }
	for i := n - 1; i >= 0; i-- {
		for k := m - 1; k >= 0; k-- {
			v := max(best[at(i+1, k)], best[at(i, k+1)])
			if a := alike(i, k); a > 0 {
				v = max(v, a+best[at(i+1, k+1)])
			}
			best[at(i, k)] = v
		}
	}
	for i, k := 0, 0; i < n || k < m; {
		switch {
		case i < n && k < m && alike(i, k) > 0 && best[at(i, k)] == alike(i, k)+best[at(i+1, k+1)]:
			out = append(out, [2]int{i, k})
			i, k = i+1, k+1
		case k == m || i < n && best[at(i, k)] == best[at(i+1, k)]:
			out = append(out, [2]int{i, -1})
			i++
		default:
			out = append(out, [2]int{-1, k})
			k++
		}
	}
	return out
}

// ordered puts arrays whose layers are named in the architecture's order: a dict
// of Python 2 has none.
func ordered(list []legacy.ListedParam, want []wanted) []legacy.ListedParam {
	place := map[string]int{} // of a layer, and of "layer.parameter"
	for i, w := range want {
		if _, ok := place[w.node.Layer.Name]; !ok {
			place[w.node.Layer.Name] = i
		}
		place[w.node.Layer.Name+"."+w.lasagne()] = i
	}
	type placed struct {
		legacy.ListedParam
		at int
	}
	all := make([]placed, len(list))
	before := -1
	for k, p := range list {
		layer, rest, _ := strings.Cut(p.Layer, ".")
		i, ok := place[layer+"."+rest[strings.LastIndex(rest, ".")+1:]]
		if !ok {
			if i, ok = place[layer]; !ok {
				i = before // what isn't known stays where it is
			}
		}
		all[k], before = placed{p, i}, i
	}
	slices.SortStableFunc(all, func(a, b placed) int { return a.at - b.at })
	list = make([]legacy.ListedParam, len(all))
	for k, p := range all {
		list[k] = p.ListedParam
	}
	return list
}

// match pairs a list, put in order, with a member's parameters: as many, with as
// many axes each, and of layers of the same names where the file has names.
func match(d *blueprint.Document, index int, list []legacy.ListedParam) ([]legacy.ListedParam, []wanted, error) {
	plan, err := blueprint.NewPlan(d, index, nil)
	if err != nil {
		return nil, nil, err
	}
	want, err := expect(plan)
	if err != nil {
		return nil, nil, err
	}
	list = ordered(list, want)
	if len(list) != len(want) {
		return nil, nil, mismatch(list, want, "member %s: found %d arrays, want %d", plan.Member.Name, len(list), len(want))
	}
	for i, p := range list {
		w := want[i]
		layer, _, _ := strings.Cut(p.Layer, ".")
		if layer != "" && layer != w.node.Layer.Name {
			return nil, nil, mismatch(list, want, "member %s: found the layer %.60q in place %d, want %s", plan.Member.Name, p.Layer, i+1, w.node.Layer.Name)
		}
		if len(p.Array.Shape) != len(w.shape) {
			return nil, nil, mismatch(list, want, "member %s: found an array of shape %v in place %d, want %d axes for %s %s", plan.Member.Name, p.Array.Shape, i+1, len(w.shape), w.node.Layer.Name, w.param)
		}
		if w.param == "weights" && len(w.shape) == 4 && (p.Array.Shape[2] != w.shape[2] || p.Array.Shape[3] != w.shape[3]) {
			return nil, nil, mismatch(list, want, "member %s: found filters of shape %v in place %d, want %dx%d ones for %s", plan.Member.Name, p.Array.Shape, i+1, w.shape[2], w.shape[3], w.node.Layer.Name)
		}
	}
	return list, want, nil
}

// member makes a member's weights of a list. The layers' sizes become those of
// the arrays; that they then fit together is checked layer by layer.
func (c *conversion) member(d *blueprint.Document, index int, list []legacy.ListedParam) error {
	list, want, err := match(d, index, list)
	if err != nil {
		return err
	}
	m := &d.Members[index]
	params := map[string]map[string]lasagne.Param{}
	for i, w := range want {
		layer := w.node.Layer.Name
		if params[layer] == nil {
			params[layer] = map[string]lasagne.Param{}
		}
		name := list[i].Layer
		if name == "" || !strings.Contains(name, ".") {
			name = fmt.Sprintf("array %d", i+1)
		}
		params[layer][w.param] = lasagne.Param{Name: name, Array: list[i].Array}
	}
	r := &c.model.Provenance.Receipt
	w := &lowering{input: d.Input, member: m.Name, columns: len(m.Columns), weights: c.model.Weights, receipt: r, used: map[string]bool{}}
	values := map[string]value{blueprint.InputName: {layer: blueprint.InputName, shape: blueprint.Shape{d.Input.Height, d.Input.Width, d.Input.Channels}}}
	before := blueprint.InputName
	for _, l := range m.Layers {
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
			return mismatch(list, want, "member %s: layer %s: %v", m.Name, l.Name, err)
		}
		values[l.Name], before = v, l.Name
	}
	m.Layers = w.layers
	return nil
}

// listed adds a layer of the architecture with the sizes of its arrays.
func (w *lowering) listed(l blueprint.Layer, params map[string]lasagne.Param, in []value) (value, error) {
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
func (w *lowering) size(s blueprint.Settings, name string, n int) {
	if s[name] == blueprint.CountColumns && n == w.columns || s[name] == blueprint.CountPoints && 2*n == w.columns {
		return
	}
	s[name] = n
}

// listedNorm adds batch normalization, whose arrays are beta, gamma, mean and
// inv_std.
func (w *lowering) listedNorm(l blueprint.Layer, s blueprint.Settings, params map[string]lasagne.Param, in []value) (value, error) {
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

// own reads tensors under fkzoo's names, laid out as a blueprint has them. The
// layers' sizes become those of the arrays.
func (c *conversion) own(ctx context.Context, list legacy.ParamList) error {
	d, err := c.architecture(ctx, func(d *blueprint.Document) bool {
		_, err := sized(d, list.Params)
		return err == nil
	})
	if err != nil {
		return err
	}
	if d, err = sized(d, list.Params); err != nil {
		return err
	}
	d.Source = c.source(d)
	c.model.Document = d
	r := &c.model.Provenance.Receipt
	for _, p := range list.Params {
		part := strings.SplitN(p.Layer, "/", 3) // there are three: see tensors
		t := floats(p.Layer, lasagne.Param{Name: p.Layer, Array: p.Array}, p.Array, "")
		c.model.Weights[p.Layer] = engine.Array{Shape: p.Array.Shape, Data: t.values}
		r.Tensors = append(r.Tensors, zoo.ReceiptTensor{Tensor: p.Layer, Layer: part[1], Param: part[2], Shape: p.Array.Shape, Change: t.change})
	}
	c.note("the file has arrays alone: the layers' settings and the recipe come from %s", c.As)
	return nil
}

// source says of a model where its weights are from.
func (c *conversion) source(d *blueprint.Document) string {
	return fmt.Sprintf("%s, weights from %.200q", d.Name, c.model.Provenance.Receipt.Source)
}

// sized gives an architecture with as many filters and units as the arrays
// have. Their names and shapes must then be all of its.
func sized(d *blueprint.Document, list []legacy.ListedParam) (*blueprint.Document, error) {
	shapes := map[string][]int{}
	for _, p := range list {
		shapes[p.Layer] = p.Array.Shape
	}
	out := d.Clone()
	for i := range out.Members {
		plan, err := blueprint.NewPlan(d, i, nil)
		if err != nil {
			return nil, err
		}
		layers := out.Members[i].Layers
		for k := range plan.Nodes {
			node := &plan.Nodes[k]
			size := map[string]string{"conv2d": "filters", "dense": "units"}[node.Kind.Name]
			found := shapes[plan.TensorName(node, "weights")]
			if at := len(node.Out) - 1; size == "" || len(found) == 0 || found[len(found)-1] == node.Out[at] {
				continue
			}
			l := slices.IndexFunc(layers, func(l blueprint.Layer) bool { return l.Name == node.Layer.Name })
			layers[l].Settings = maps.Clone(layers[l].Settings)
			layers[l].Settings[size] = found[len(found)-1]
		}
	}
	e := &MismatchError{Reason: "the tensors are not those of " + d.Name}
	for i := range out.Members {
		if _, err := blueprint.NewPlan(out, i, nil); err != nil {
			e.Reason += ": with the arrays' sizes, " + err.Error()
			out = d // whose plan there is
			break
		}
	}
	if e.Rows = differ(out, list, shapes); e.Rows != nil || out == d {
		return nil, e
	}
	return out, nil
}

// differ compares names and shapes with all of the architecture's; nil: they are the same.
func differ(d *blueprint.Document, list []legacy.ListedParam, shapes map[string][]int) [][2]string {
	var rows [][2]string
	wrong := false
	known := map[string]bool{}
	for i := range d.Members {
		plan, err := blueprint.NewPlan(d, i, nil)
		if err != nil {
			return nil // the callers have one
		}
		for k := range plan.Nodes {
			for _, p := range plan.Nodes[k].Params {
				name := plan.TensorName(&plan.Nodes[k], p.Name)
				row := [2]string{"-", fmt.Sprintf("%s %v", name, []int(p.Shape))}
				if found, ok := shapes[name]; ok {
					row[0] = fmt.Sprintf("%s %v", name, found)
				}
				wrong = wrong || row[0] != row[1]
				known[name] = true
				rows = append(rows, row)
			}
		}
	}
	for _, p := range list {
		if !known[p.Layer] {
			wrong = true
			rows = append(rows, [2]string{fmt.Sprintf("%.100s %v", p.Layer, p.Array.Shape), "-"})
		}
	}
	if !wrong {
		return nil
	}
	return rows
}
