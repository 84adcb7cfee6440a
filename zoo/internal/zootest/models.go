package zootest

import (
	"math"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Numbered is a checkpoint after n epochs, of a size that differs with n.
func Numbered(t testing.TB, n int) *model.Model {
	t.Helper()
	m := &model.Model{Document: One(t, Dropout, `"epochs": 1000`), Weights: engine.Arrays{}, History: []model.MemberHistory{{Member: "net"}}}
	plan, err := blueprint.NewPlan(m.Document, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		h := &m.History[0]
		h.TrainLoss, h.Rate = append(h.TrainLoss, 1/float64(n)), append(h.Rate, 0.5)
	}
	for name, a := range engine.InitialWeights(plan, 1) {
		for i := range a.Data {
			a.Data[i] = float32(n)
		}
		m.Weights[name] = a
	}
	m.State = &model.State{Epoch: n}
	return m
}

// HandMade is a model of two members with values that follow from nothing but
// this text; training: its second member is under way.
func HandMade(t testing.TB, training bool) *model.Model {
	t.Helper()
	d := Document(t, Net("eyes", Eyes, Linear, Recipe(`"epochs": 2`), `, "weight": 2`),
		Net("nose", Nose, Linear, Recipe(`"epochs": 3, "average": {"decay": 0.9}, "stop": {"patience": 2}`), ""))
	m := &model.Model{
		Document: d, Weights: engine.Arrays{},
		History: []model.MemberHistory{
			{Member: "eyes", TrainLoss: []float64{1, 0.5}, Rate: []float64{0.05, 0.05}, ValidationLoss: []float64{2, 0.75}, RMSEPixels: []float64{5.5, 4}, BestEpoch: 2},
			{Member: "nose", TrainLoss: []float64{0.125}, Rate: []float64{0.05}, ValidationLoss: []float64{3}, RMSEPixels: []float64{6}, BestEpoch: 1},
		},
		Provenance: model.Provenance{Fkzoo: "v0", Plugin: model.PluginFrom{Name: "tiny", SHA256: "ab"}, Data: model.DataFrom{Source: "a.csv", Checksum: "cd", Rows: 3, Columns: Every, Mean: []float64{1, 2, 3, 4, 5, 6}},
			Seed: math.MaxUint64, Backend: "go", Options: []string{"a=b"}, Start: "ef"},
		Run: model.Run{Started: "2026-01-01T00:00:00Z", Machine: "linux/amd64", Command: []string{"fkzoo"}, Seconds: []float64{1, 2.5, 3}, Resumed: 1},
	}
	next := float32(0)
	fill := func(to engine.Arrays, member int, prefix string) {
		plan, err := blueprint.NewPlan(d, member, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range plan.Nodes {
			for _, p := range plan.Nodes[i].Params {
				a := engine.Array{Shape: p.Shape, Data: make([]float32, p.Shape.Size())}
				for k := range a.Data {
					next++
					a.Data[k] = next / 64
				}
				to[prefix+plan.TensorName(&plan.Nodes[i], p.Name)] = a
			}
		}
	}
	fill(m.Weights, 0, "")
	fill(m.Weights, 1, "")
	if training {
		m.State = &model.State{Member: 1, Epoch: 1, Step: 2, LossSum: 8, Cells: 5, Tensors: engine.Arrays{}, Best: engine.Arrays{}}
		fill(m.State.Tensors, 1, "")
		fill(m.State.Tensors, 1, "optimizer/velocity/")
		fill(m.State.Best, 1, "")
	}
	return m
}

// WithWeights is a model of linear members with weights drawn by the seed.
func WithWeights(t testing.TB, seed uint64, members ...Network) *model.Model {
	t.Helper()
	m := &model.Model{Document: Document(t, members...), Weights: engine.Arrays{}}
	for i := range members {
		plan, err := blueprint.NewPlan(m.Document, i, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, a := range engine.InitialWeights(plan, seed) {
			m.Weights[name] = a
		}
		bias := m.Weights[members[i].Name+"/out/bias"]
		for c := range bias.Data {
			bias.Data[c] = float32(seed)/10 - float32(c)/20
		}
	}
	return m
}

func MustLoad(t testing.TB, path string) *model.Model {
	t.Helper()
	m, err := model.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
