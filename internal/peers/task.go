package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/export"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// A task is a file that tells a rival what to do, in Go and in Python alike.
type task struct {
	Document   json.RawMessage `json:"document"` // the blueprint, of one member whose columns are spelled out
	Layers     []taskLayer     `json:"layers"`   // what follows from it
	Input      [3]int          `json:"input"`    // height, width, channels
	Columns    int             `json:"columns"`
	Parameters int64           `json:"parameters"`
	Recipe     taskRecipe      `json:"recipe"`
	Train      bool            `json:"train"`
	Batch      int             `json:"batch"`
	Threads    int             `json:"threads"`
	ISA        string          `json:"isa"`
	Device     string          `json:"device,omitempty"` // of PyTorch's and JAX's; "": the processor
	ONNX       string          `json:"onnx,omitempty"`   // the network as fkzoo exports it
}

type taskLayer struct {
	Name     string            `json:"name"`
	Kind     string            `json:"kind"`
	Inputs   []int             `json:"inputs"` // numbers of layers; -1: the image
	In       []blueprint.Shape `json:"in"`
	Settings blueprint.Values  `json:"settings"`
}

// taskRecipe is the recipe's part of a step. What follows a schedule is its first value.
type taskRecipe struct {
	Loss      string        `json:"loss"`
	Optimizer taskOptimizer `json:"optimizer"`
	Average   float64       `json:"average"` // 0: none
}

type taskOptimizer struct {
	Kind     string  `json:"kind"`
	Rate     float64 `json:"rate"`
	Momentum float64 `json:"momentum"`
	Nesterov bool    `json:"nesterov"`
	Beta1    float64 `json:"beta1"`
	Beta2    float64 `json:"beta2"`
	Epsilon  float64 `json:"epsilon"`
	Decay    float64 `json:"decay"`
	Clip     float64 `json:"clip"` // 0: none
}

// prepared is a task that lies in its file.
type prepared struct {
	work
	plan   *blueprint.Plan
	task   task
	path   string
	folder string
}

// prepare asks a plugin for the network, and writes the task's file.
func (a *arena) prepare(ctx context.Context, w work, isa string, onnx bool) (*prepared, error) {
	about, err := a.zoo.Describe(ctx, zoo.DescribeRequest{Architecture: w.network})
	if err != nil {
		return nil, err
	}
	plan, err := planOf(about.Document, w)
	if err != nil {
		return nil, err
	}
	p := &prepared{work: w, plan: plan}
	if p.folder, err = os.MkdirTemp(a.folder, w.network+"-"); err != nil {
		return nil, err
	}
	if p.task, err = taskOf(plan, w); err != nil {
		return nil, err
	}
	p.task.ISA, p.task.Threads = isa, runtime.NumCPU()
	if onnx {
		p.task.ONNX = filepath.Join(p.folder, "model.onnx")
		if err := export.Write(p.task.ONNX, p.model(), export.Options{}); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(p.task)
	if err != nil {
		return nil, err
	}
	p.path = filepath.Join(p.folder, "task.json")
	return p, os.WriteFile(p.path, text, 0o600)
}

// forGPU writes the tasks of training networks on a GPU into a folder, NETWORK.json: internal/gpucheck has the peers do them there.
func (a *arena) forGPU(ctx context.Context, folder string) error {
	for _, c := range []compared{{"net9", 128}, {"net11", 64}, {"compact-m", 32}} {
		about, err := a.zoo.Describe(ctx, zoo.DescribeRequest{Architecture: c.name})
		if err != nil {
			return err
		}
		w := work{network: c.name, batch: c.batch, train: true}
		plan, err := planOf(about.Document, w)
		if err != nil {
			return err
		}
		t, err := taskOf(plan, w)
		if err != nil {
			return err
		}
		t.Device, t.Threads = "cuda", 1
		text, err := json.Marshal(t)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, c.name+".json"), text, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// planOf is a network's plan without what a peer lacks: augmented images, and an answer for the mirror image, too.
func planOf(d *blueprint.Document, w work) (*blueprint.Plan, error) {
	d, err := d.Resolve(blueprint.KaggleColumns)
	if err != nil {
		return nil, err
	}
	if len(d.Members) != 1 {
		return nil, fmt.Errorf("%s: found %d members, want one", w.network, len(d.Members))
	}
	if w.size > 0 {
		d.Input.Height, d.Input.Width = w.size, w.size
	}
	m := &d.Members[0]
	m.Output.FlipAverage, m.Recipe.Augment, m.Recipe.Calibrate, m.Recipe.Batch = false, nil, false, w.batch
	return blueprint.NewPlan(d, 0, blueprint.KaggleColumns)
}

func taskOf(plan *blueprint.Plan, w work) (task, error) {
	d := plan.Document
	text, err := d.JSON()
	if err != nil {
		return task{}, err
	}
	t := task{
		Document: text, Input: [3]int{d.Input.Height, d.Input.Width, d.Input.Channels}, Columns: len(plan.Columns),
		Parameters: plan.Parameters(), Train: w.train, Batch: w.batch,
	}
	for i := range plan.Nodes {
		n := &plan.Nodes[i]
		t.Layers = append(t.Layers, taskLayer{n.Layer.Name, n.Kind.Name, n.Inputs, n.In, n.Values})
	}
	first := func(s *blueprint.Schedule) float64 {
		if s == nil {
			return 0
		}
		return s.From
	}
	r := &plan.Member.Recipe
	o := r.Optimizer.Defaults()
	t.Recipe = taskRecipe{Loss: r.Loss.Kind, Optimizer: taskOptimizer{
		o.Kind, r.Rate.From, first(o.Momentum), o.Nesterov, first(o.Beta1), first(o.Beta2), first(o.Epsilon), first(o.Decay), first(o.Clip),
	}}
	if r.Average != nil {
		t.Recipe.Average = r.Average.Decay.From
	}
	return t, nil
}

// model has the network with its first weights.
func (p *prepared) model() *model.Model {
	return &model.Model{Document: p.plan.Document, Weights: engine.InitialWeights(p.plan, 1)}
}
