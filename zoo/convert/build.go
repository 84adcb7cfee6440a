package convert

// Building is the last stage: what fits together becomes a model, and the
// receipt says of each array what it became.

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/format/legacy/ndarray"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/convert/layers"
	"github.com/fkzoo/fkzoo/zoo/convert/receipt"
	"github.com/fkzoo/fkzoo/zoo/convert/recipe"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// build keeps the model's provenance; the receipt says what it was read from, and
// keeps the one of a conversion before.
func (m exportedModel) build(c *conversion) (*model.Model, error) {
	for _, name := range slices.Sorted(maps.Keys(m.Weights)) {
		part := strings.SplitN(name, "/", 3) // member, layer, parameter: the model was checked
		c.receipt.Tensors = append(c.receipt.Tensors, model.ReceiptTensor{Tensor: name, Layer: part[1], Param: part[2], Shape: m.Weights[name].Shape})
	}
	before := m.Provenance.Receipt
	c.receipt.Before = before.Before
	if before.Source != "" && !strings.Contains(before.Format, ofFkzoo) { // of those only the first counts
		c.receipt.Before = []model.Receipt{before}
	}
	m.Run = c.run
	return m.Model, nil
}

// model begins a model that has no blueprint of its own.
func (c *conversion) model(d *blueprint.Document, from model.PluginFrom) *model.Model {
	return &model.Model{Document: d, Weights: engine.Arrays{}, Provenance: model.Provenance{Fkzoo: c.Version, Plugin: from}, Run: c.run}
}

// build makes one model of the networks, a member of each.
func (n namedNetworks) build(c *conversion) (*model.Model, error) {
	d := &blueprint.Document{Version: blueprint.Version, Name: documentName(c.name), Summary: fmt.Sprintf("converted from %.200q", c.receipt.Source)}
	m := c.model(d, model.PluginFrom{})
	for i := range n {
		if err := n[i].add(m, receipt.Member{Name: n[i].member, In: c.receipt}); err != nil {
			return nil, ofSeveral(err, i, len(n))
		}
	}
	return m, nil
}

// add adds a network as a member.
func (n *namedNetwork) add(m *model.Model, to receipt.Member) error {
	for _, d := range n.Dropped {
		to.Drop(d.What, d.Reason)
	}
	shared(n.Layers, to)
	w := layers.NewWriter(m.Document.Input, len(n.columns), m.Weights, to)
	if err := w.Network(n.Layers); err != nil {
		return err
	}
	m.Document.Input = w.Input()
	member := blueprint.Member{Name: n.member, Columns: n.columns, Layers: w.Layers(), Recipe: recipe.Of(n.Network, n.columns, to)}
	m.Document.Members = append(m.Document.Members, member)
	h, seconds := recipe.History(n.Network, &member, m.Document.Input, to)
	m.History, m.Run.Seconds = append(m.History, h), append(m.Run.Seconds, seconds...)
	return nil
}

// shared notes arrays that several layers have in common.
func shared(all []lasagne.Layer, to receipt.Member) {
	first := map[*ndarray.Array]string{}
	for _, l := range all {
		for _, p := range lasagne.Params(l.Op) {
			if before, ok := first[p.Array]; ok {
				to.Drop("what layers share", fmt.Sprintf("%s and %s have %s in common: here each has its own, and training moves them apart", before, l.Name, p.Name))
				continue
			}
			first[p.Array] = l.Name
		}
	}
}

// build makes the weights of lists. The layers' sizes become those of the arrays.
func (l pairedLists) build(c *conversion) (*model.Model, error) {
	d := l.document.Clone()
	d.Source = c.source(d)
	m := c.model(d, l.plugin)
	for i := range d.Members {
		member := &d.Members[i]
		w := layers.NewWriter(d.Input, len(member.Columns), m.Weights, receipt.Member{Name: member.Name, In: c.receipt})
		if err := w.Architecture(member.Layers, l.pairs[i].Params()); err != nil {
			return nil, l.pairs[i].Mismatch("member %s: %v", member.Name, err)
		}
		member.Layers = w.Layers()
	}
	receipt.Note(c.receipt, "the file has arrays alone: that its filters are turned round, as Lasagne's Conv2DLayer has it, that pixels were divided by 255, and all settings come from %s", c.As)
	return m, nil
}

// build takes the arrays as they are.
func (n namedArrays) build(c *conversion) (*model.Model, error) {
	n.document.Source = c.source(n.document)
	m := c.model(n.document, n.plugin)
	for _, p := range n.arrays {
		part := strings.SplitN(p.Layer, "/", 3) // there are three: see recognise
		values, change := layers.Float32(p.Array)
		m.Weights[p.Layer] = engine.Array{Shape: p.Array.Shape, Data: values}
		c.receipt.Tensors = append(c.receipt.Tensors, model.ReceiptTensor{Tensor: p.Layer, Layer: part[1], Param: part[2], Shape: p.Array.Shape, Change: change})
	}
	receipt.Note(c.receipt, "the file has arrays alone: the layers' settings and the recipe come from %s", c.As)
	return m, nil
}

// source says of a model where its weights are from.
func (c *conversion) source(d *blueprint.Document) string {
	return fmt.Sprintf("%s, weights from %.200q", d.Name, c.receipt.Source)
}

var wrongInName = regexp.MustCompile(`[^a-z0-9_.-]+`)

// documentName makes an architecture's name of a file's.
func documentName(path string) string {
	name := strings.ToLower(filepath.Base(path))
	for _, ending := range []string{".gz", ".bz2", ".pickle", ".pkl", ".p", ".npz", ".npy", ".safetensors"} {
		name = strings.TrimSuffix(name, ending)
	}
	name = strings.Trim(wrongInName.ReplaceAllString(name, "-"), "-_.")
	name = strings.TrimRight(name[:min(len(name), 64)], "-_.")
	if !blueprint.ValidName(name) {
		return "converted"
	}
	return name
}
