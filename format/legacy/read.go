package legacy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/format/legacy/ndarray"
	"github.com/fkzoo/fkzoo/format/legacy/pickle"
	"github.com/fkzoo/fkzoo/format/legacy/python"
)

// File is what a file holds: networks, or lists of parameters.
type File struct {
	Networks []*Network
	Lists    []ParamList // where there is no network
	Globals  []Global
	Protocol int
	Rest     int64 // bytes behind the pickle's end, which were not read
}

// ParamList are the parameters of a network that the file doesn't describe.
type ParamList struct {
	Columns []string // where the file names them
	Name    string
	Params  []ListedParam
}

// ListedParam is one array of a list.
type ListedParam struct {
	Layer string // where the file names it
	Array *ndarray.Array
}

// ErrNothing is that a pickle has neither a network nor a list of parameters.
var ErrNothing = errors.New("found neither a network nor a list of parameters")

// Read reads a pickle. Arrays are views on data, which must not change. No code
// runs; Globals says what would have been called.
func Read(data []byte) (*File, error) {
	g, err := pickle.Read(data)
	if err != nil {
		return nil, err
	}
	f := &file{python.New(g)}
	out := &File{Protocol: g.Protocol, Globals: classify(g.Globals()), Rest: int64(len(data)) - g.Length}
	return out, f.find(out, f.Root)
}

// ref is a value of the pickle.
type ref = python.Ref

// file is a pickle under examination.
type file struct{ *python.Objects }

// maxNetworks is more than any file here has.
const maxNetworks = 64

// find looks for networks, and then for parameters, in the root itself and in
// the entries of a list or dict.
func (f *file) find(out *File, root ref) error {
	entries, err := f.ends(f.contents(root))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if len(out.Networks) == maxNetworks {
			return fmt.Errorf("found more than %d networks", maxNetworks)
		}
		n, err := f.readNetwork(e)
		if err != nil {
			return err
		}
		out.Networks = append(out.Networks, n)
	}
	if len(out.Networks) > 0 {
		return nil
	}
	return f.findLists(out, root)
}

// ends are the networks among the entries. Of layers, which may be all that a
// network has, those count that no other takes.
func (f *file) ends(entries []python.Pair) ([]python.Pair, error) {
	var out []python.Pair
	taken := map[ref]bool{}
	for _, e := range entries {
		switch {
		case f.isNet(e.Value):
		case lasagne.IsLayer(f.Objects, e.Value):
			for stack := []ref{e.Value}; len(stack) > 0; {
				inputs := lasagne.Inputs(f.Objects, stack[len(stack)-1])
				if err := f.Spend(len(inputs)); err != nil {
					return nil, fmt.Errorf("%w: %w", lasagne.ErrLayers, err)
				}
				stack = stack[:len(stack)-1]
				for _, in := range inputs {
					if !taken[in] {
						taken[in] = true
						stack = append(stack, in)
					}
				}
			}
		default:
			continue
		}
		out = append(out, e)
	}
	return slices.DeleteFunc(out, func(e python.Pair) bool { return taken[e.Value] }), nil
}

func (f *file) readNetwork(e python.Pair) (*Network, error) {
	columns, name := f.columns(e.Key)
	read := f.net
	if !f.isNet(e.Value) {
		read = f.bare
	}
	n, err := read(e.Value)
	switch {
	case err != nil && name != "":
		return nil, fmt.Errorf("network %s: %w", f.Show(e.Key), err)
	case err != nil && len(columns) > 0:
		return nil, fmt.Errorf("network of %d columns, the first %q: %w", len(columns), columns[0], err)
	case err != nil:
		return nil, err
	}
	n.Columns, n.Name = columns, name
	return n, nil
}

// bare reads a network of which the file has the output layer alone.
func (f *file) bare(v ref) (*Network, error) {
	layers, err := lasagne.Read(f.Objects, v, nil)
	return &Network{Layers: layers, Recipe: Recipe{Settings: map[string]float64{}, Schedules: map[string][]float64{}}}, err
}

// contents are the root itself, without a key, or what it contains: of a dict
// the keys and values, of a list or an array of objects entries alone or pairs
// of a key and a value.
func (f *file) contents(root ref) []python.Pair {
	if f.isNet(root) || lasagne.IsLayer(f.Objects, root) {
		return []python.Pair{{Key: pickle.Nothing, Value: root}}
	}
	if all := f.Mapping(root); len(all) > 0 {
		return all
	}
	if inner, ok := f.ObjectArray(root); ok {
		root = inner
	}
	var out []python.Pair
	for x := range f.Items(f.Sequence(root)) {
		e := python.Pair{Key: pickle.Nothing, Value: x}
		if x.Kind() == pickle.Tuple && f.Len(x) == 2 && f.Index(x, 0).Kind() != pickle.Object { // of two objects: weights and bias
			e = python.Pair{Key: f.Index(x, 0), Value: f.Index(x, 1)}
		}
		out = append(out, e)
	}
	return out
}

// maxColumns is more than any network here answers.
const maxColumns = 4096

// columns reads a key: a tuple of columns' names, or a name.
func (f *file) columns(key ref) (columns []string, name string) {
	if k := key.Kind(); k != pickle.Tuple && k != pickle.List {
		return nil, f.Name(key)
	}
	for x := range f.Items(key) {
		c := f.Name(x)
		if c == "" || len(columns) == maxColumns {
			return nil, ""
		}
		columns = append(columns, c)
	}
	return columns, ""
}

// findLists looks for lists of parameters.
func (f *file) findLists(out *File, root ref) error {
	if list, err := f.params(root); err == nil && len(list) > 0 {
		out.Lists = []ParamList{{Params: list}}
		return nil
	} else if err != nil && !errors.Is(err, python.ErrNoArray) {
		return err
	}
	for _, e := range f.contents(root) {
		list, err := f.params(e.Value)
		if err != nil && !errors.Is(err, python.ErrNoArray) {
			return err
		}
		if err == nil && len(list) > 0 && len(out.Lists) < maxNetworks {
			columns, name := f.columns(e.Key)
			out.Lists = append(out.Lists, ParamList{columns, name, list})
		}
	}
	if len(out.Lists) == 0 {
		for x := range f.Items(f.Sequence(root)) {
			return fmt.Errorf("%w: found %s, the first of its entries %s", ErrNothing, f.Show(root), f.Show(x))
		}
		return fmt.Errorf("%w: found %s", ErrNothing, f.Show(root))
	}
	return nil
}

// params reads a list of arrays, a dict from layers to lists of arrays or to
// arrays, or an array of objects that are arrays.
func (f *file) params(v ref) ([]ListedParam, error) {
	if inner, ok := f.ObjectArray(v); ok {
		v = inner
	}
	var out []ListedParam
	add := func(layer string, x ref) error {
		if len(out) > lasagne.MaxLayers {
			return fmt.Errorf("found more than %d arrays", lasagne.MaxLayers)
		}
		if err := f.Spend(1); err != nil {
			return err
		}
		a, err := f.Array(x)
		if err != nil {
			return err
		}
		out = append(out, ListedParam{layer, a})
		return nil
	}
	pairs := f.Mapping(v)
	for _, p := range pairs {
		if p.Key.Kind() == pickle.Tuple { // of columns: several lists
			return nil, python.ErrNoArray
		}
		layer, values := f.Name(p.Key), []ref{p.Value}
		if p.Value.Kind() == pickle.List || p.Value.Kind() == pickle.Tuple {
			values = slices.Collect(f.Items(p.Value))
		}
		if len(pairs) == 1 && len(values) > 1 {
			layer = "" // the name of the list, as {"params": [...]}
		}
		for _, x := range values {
			if err := add(layer, x); err != nil {
				return nil, err
			}
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	for x := range f.Items(f.Sequence(v)) {
		if err := add("", x); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, python.ErrNoArray
	}
	return out, nil
}
