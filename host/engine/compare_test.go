package engine_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// The benchmarks of this file alternate the engine's training steps with
// something else on the same backend, since machines differ by the minute: the
// ratios are what counts. A step takes 128 images of net6 and 64 of net11, as in
// docs/layout.md.

var compareBatch = map[string]int{"net6": 128, "net11": 64}

// ourStep trains one batch with the engine.
func ourStep(b *testing.B, on *backend.Backend, plan *blueprint.Plan, batch int) func() {
	data, err := engine.Upload(on, benchExamples(batch))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(data.Close)
	t, err := engine.NewTrainer(data, engine.Config{Plan: plan, Rows: allRows(batch), Epochs: 1 << 20, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(t.Close)
	return func() {
		if _, err := t.Epoch(context.Background(), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func allRows(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// plainStep trains one batch of the same plan with GoMLX's own layers, random
// numbers and gradients, and the same optimizer.
func plainStep(b *testing.B, on *backend.Backend, plan *blueprint.Plan, batch int) func() {
	weights := engine.InitialWeights(plan, 1)
	var names []string
	var state []*tensors.Tensor
	for i := range plan.Nodes {
		for _, p := range plan.Nodes[i].Params {
			name := plan.TensorName(&plan.Nodes[i], p.Name)
			names = append(names, plan.Nodes[i].Layer.Name+"/"+p.Name)
			state = append(state, tensors.FromFlatDataAndDimensions(weights[name].Data, p.Shape...))
		}
	}
	n := len(state)
	for _, w := range state[:n] {
		state = append(state, tensors.FromShape(w.Shape()))
	}
	rng, err := RNGStateFromSeed(1)
	if err != nil {
		b.Fatal(err)
	}
	state = append(state, rng)
	images := tensors.FromShape(shapes.Make(dtypes.Float32, batch, 96, 96, 1))
	points := tensors.FromShape(shapes.Make(dtypes.Float32, batch, len(plan.Columns)))
	tensors.MustMutableFlatData(images, func(x []float32) {
		for i, v := range benchExamples(batch).Bytes {
			x[i] = float32(v) / 255
		}
	})
	exec, err := NewExec(on.Compute(), func(in []*Node) []*Node {
		params := map[string]*Node{}
		for i, name := range names {
			params[name] = in[i]
		}
		y, rng := plain(plan, params, in[2*n+1], in[2*n])
		d := Sub(y, in[2*n+2])
		loss := ReduceAllMean(Mul(d, d))
		const rate, momentum = 0.01, 0.9
		out := make([]*Node, 2*n, 2*n+2)
		for i, g := range Gradient(loss, in[:n]...) {
			step := MulScalar(g, rate)
			v := Sub(MulScalar(in[n+i], momentum), step)
			out[i], out[n+i] = Add(in[i], Sub(MulScalar(v, momentum), step)), v
		}
		return append(out, rng, loss)
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(exec.Finalize)
	return func() {
		args := make([]any, 0, len(state)+2)
		for _, s := range state {
			d, err := DonateTensorBuffer(s, on.Compute(), 0)
			if err != nil {
				b.Fatal(err)
			}
			args = append(args, d)
		}
		out, err := exec.Call(append(args, images, points)...)
		if err != nil {
			b.Fatal(err)
		}
		state = out[:len(out)-1]
		tensors.ToScalar[float32](out[len(out)-1]) // waits for the step
	}
}

// plain is the plan in GoMLX's own operations, in training.
func plain(plan *blueprint.Plan, params map[string]*Node, x, rng *Node) (*Node, *Node) {
	for i := range plan.Nodes {
		n := &plan.Nodes[i]
		v, name := n.Values, n.Layer.Name
		switch n.Kind.Name {
		case "conv2d":
			pad := v.Padding("padding").Amount
			x = Convolve(x, params[name+"/weights"]).PaddingPerDim([][2]int{pad[0], pad[1]}).Done()
			x = MaxScalar(Add(x, ExpandLeftToRank(params[name+"/bias"], 4)), 0.0)
		case "max_pool":
			x = MaxPool(x).Window(v.Pair("window")[0]).NoPadding().Done()
		case "flatten":
			x = Reshape(x, x.Shape().Dimensions[0], -1)
		case "dense":
			x = Add(Dot(x, params[name+"/weights"]).Product(), ExpandLeftToRank(params[name+"/bias"], 2))
			if v.Text("activation") == "relu" {
				x = MaxScalar(x, 0.0)
			}
		case "dropout":
			var r *Node
			rng, r = RandomUniform(rng, x.Shape())
			rate := v.Float("rate")
			dropped := LessThan(r, ConstAs(r, rate))
			x = DivScalar(Where(dropped, ZerosLike(x), x), 1-rate)
		}
	}
	return x, rng
}

// alternate runs two things in turn, b.N rounds after one that does not count,
// and gives the median seconds of each and of the ratio second/first.
func alternate(b *testing.B, first, second func()) (a, c, ratio float64) {
	var as, cs, ratios []float64
	seconds := func(f func()) float64 {
		start := time.Now()
		f()
		return time.Since(start).Seconds()
	}
	for round := range b.N + 1 {
		s, t := seconds(first), seconds(second)
		if round == 0 { // compiles
			b.ResetTimer()
			continue
		}
		as, cs, ratios = append(as, s), append(cs, t), append(ratios, t/s)
	}
	return median(as), median(cs), median(ratios)
}

func median(v []float64) float64 {
	slices.Sort(v)
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}

// BenchmarkTrainAgainstGoMLX compares training steps on XLA with those that
// GoMLX's own layers and gradients give.
func BenchmarkTrainAgainstGoMLX(b *testing.B) {
	for _, name := range []string{"net6", "net11"} {
		b.Run(name, func(b *testing.B) {
			on := backendtest.Open(b, "cpu")
			plan, batch := benchPlan(b, name), compareBatch[name]
			ours, plain, ratio := alternate(b, ourStep(b, on, plan, batch), plainStep(b, on, plan, batch))
			b.ReportMetric(float64(batch)/ours, "images/s")
			b.ReportMetric(float64(batch)/plain, "gomlx-images/s")
			b.ReportMetric(ratio, "times-gomlx")
		})
	}
}
