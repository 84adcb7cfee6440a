package device

import "github.com/fkzoo/fkzoo/specs/blueprint"

// Param is one of a plan's parameters, with its names in a network and in a file.
type Param struct {
	Key    string // layer/parameter
	Tensor string // member/layer/parameter
	blueprint.Param
}

// Params are a plan's parameters, in the order in which devices take them.
func Params(plan *blueprint.Plan) []Param {
	var out []Param
	for i := range plan.Nodes {
		n := &plan.Nodes[i]
		for _, p := range n.Params {
			out = append(out, Param{n.Layer.Name + "/" + p.Name, plan.TensorName(n, p.Name), p})
		}
	}
	return out
}

// Role says what a tensor of a training's state is.
type Role int

// The roles, in a layout's order.
const (
	Weight  Role = iota // a parameter
	Slot                // what the optimizer keeps for a trainable one
	Average             // a parameter's moving average
)

// Tensor is one of a state's.
type Tensor struct {
	Name  string // in a file
	Shape blueprint.Shape
	Role  Role
	Param int // the parameter that it is or belongs to
}

// Layout is the order of a training's state: all parameters, the optimizer's
// slots, one after the other for each trainable parameter, and, where the recipe
// says so, the averages of all parameters.
type Layout struct {
	Params    []Param
	Trainable []int // numbers of parameters
	Slots     []string
	Averaged  bool
	Tensors   []Tensor
}

// NewLayout lays out the state of a plan's training.
func NewLayout(plan *blueprint.Plan) *Layout {
	recipe := &plan.Member.Recipe
	l := &Layout{Params: Params(plan), Slots: Slots(recipe.Optimizer.Kind), Averaged: recipe.Average != nil}
	add := func(prefix string, role Role, i int) {
		p := l.Params[i]
		l.Tensors = append(l.Tensors, Tensor{prefix + p.Tensor, p.Shape, role, i})
	}
	for i, p := range l.Params {
		add("", Weight, i)
		if p.Trainable {
			l.Trainable = append(l.Trainable, i)
		}
	}
	for _, slot := range l.Slots {
		for _, i := range l.Trainable {
			add("optimizer/"+slot+"/", Slot, i)
		}
	}
	if l.Averaged {
		for i := range l.Params {
			add("average/", Average, i)
		}
	}
	return l
}

// Slot is the number of the tensor that holds a slot of the k-th trainable
// parameter.
func (l *Layout) Slot(slot, k int) int { return len(l.Params) + slot*len(l.Trainable) + k }

// Average is the number of the tensor that holds parameter i's average.
func (l *Layout) Average(i int) int { return len(l.Tensors) - len(l.Params) + i }

// Current is the number of the tensor of parameter i that answers are made with:
// the average where there is one.
func (l *Layout) Current(i int) int {
	if l.Averaged {
		return l.Average(i)
	}
	return i
}

// Slots names what an optimizer keeps for each trainable parameter; none of one
// that [blueprint.Optimizers] lacks.
func Slots(optimizer string) []string {
	if row := blueprint.Optimizers.Row(optimizer); row != nil {
		return row.Slots
	}
	return nil
}
