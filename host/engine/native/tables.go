package native

import (
	"math"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/layer"
	"github.com/fkzoo/fkzoo/host/engine/native/update"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// form is what the package must know of a layer kind.
type form struct {
	lower lowering
	// overBatch is set where an image's value depends on the other images of its batch, in training.
	overBatch bool
	// waits is set where the gradient of the setting activation may be taken behind a max-pool, see poolBehind.
	waits bool
	// folds is set where a normalization behind it is folded into the weights, see normBehind.
	folds bool
}

// forms has a row for each row of [blueprint.Kinds]; a test compares the two. It is filled at start since forms look each other up.
var forms map[string]form

func init() {
	forms = map[string]form{
		"conv2d":          {lower: convolution, waits: true, folds: true},
		"max_pool":        {lower: pool(false)},
		"avg_pool":        {lower: pool(true)},
		"global_avg_pool": {lower: globalPool},
		"dense":           {lower: denseLayer, waits: true, folds: true},
		"dropout":         {lower: dropout},
		"batch_norm":      {lower: batchNorm, overBatch: true, waits: true},
		"layer_norm":      {lower: layerNorm},
		"activation":      {lower: activationLayer},
		"add":             {lower: add, waits: true},
		"multiply":        {lower: multiply},
		"concat":          {lower: concat},
		"flatten":         {lower: reshape},
		"reshape":         {lower: reshape},
		"upsample":        {lower: upsample},
		"softmax":         {lower: softmax},
		"soft_argmax":     {lower: softArgmax},
		"attention":       {lower: attention},
	}
}

// activations has a row for each of [blueprint.Activations]; a test compares the two.
var activations = map[string]func(slope float64) (kernel.Activation, error){
	"linear": known("linear"), "relu": known("relu"), "gelu": known("gelu"), "silu": known("silu"), "tanh": known("tanh"),
	"sigmoid": known("sigmoid"), "elu": known("elu"), "leaky_relu": known("leaky_relu"),
}

func known(name string) func(slope float64) (kernel.Activation, error) {
	return func(slope float64) (kernel.Activation, error) { return kernel.NewActivation(name, slope) }
}

// lossForm is a kind of loss, of d = answer - truth of each cell: its value and its derivative, 0 where there is a kink at no distance.
// delta and epsilon are [device.LossWidths].
type lossForm func(d, delta, epsilon float64) (loss, slope float64)

// losses has a row for each of [blueprint.Losses], whose formulas these are; a test compares the two.
var losses = map[string]lossForm{
	"mse": func(d, _, _ float64) (float64, float64) { return d * d, 2 * d },
	"mae": func(d, _, _ float64) (float64, float64) { return math.Abs(d), sign(d) },
	"huber": func(d, delta, _ float64) (float64, float64) {
		size := math.Abs(d)
		near := min(size, delta)
		return near*near/2 + delta*(size-near), max(-delta, min(delta, d))
	},
	"wing": func(d, delta, epsilon float64) (float64, float64) {
		size := math.Abs(d)
		near := min(size, delta)
		slope := sign(d)
		if size < delta {
			slope *= delta / (size + epsilon)
		}
		return delta*math.Log1p(near/epsilon) + size - near, slope
	},
}

// sign is -1, 0 or 1, and what isn't a number stays so.
func sign(d float64) float64 {
	switch {
	case d > 0:
		return 1
	case d < 0:
		return -1
	}
	return d
}

// rule updates a parameter w and its slots by its gradient g; decays tells whether weight decay applies to it.
type rule func(c *work.Caller, each *layer.Each, o blueprint.Optimizer, h *device.Settings, decays bool, w, g []float32, slots [][]float32)

// rules has a row for each of [blueprint.Optimizers]; a test compares the two. Their slots are [device.Slots].
var rules = map[string]rule{
	"sgd": func(c *work.Caller, each *layer.Each, o blueprint.Optimizer, h *device.Settings, _ bool, w, g []float32, slots [][]float32) {
		update.SGD{Rate: h[device.Rate], Momentum: h[device.Momentum], Nesterov: o.Nesterov}.Step(c, each, w, slots[0], g)
	},
	"adam": func(c *work.Caller, each *layer.Each, _ blueprint.Optimizer, h *device.Settings, _ bool, w, g []float32, slots [][]float32) {
		adam(h, 0).Step(c, each, w, slots[0], slots[1], g)
	},
	"adamw": func(c *work.Caller, each *layer.Each, _ blueprint.Optimizer, h *device.Settings, decays bool, w, g []float32, slots [][]float32) {
		decay := float32(0)
		if decays {
			decay = h[device.Decay]
		}
		adam(h, decay).Step(c, each, w, slots[0], slots[1], g)
	},
}

func adam(h *device.Settings, decay float32) update.Adam {
	return update.Adam{Rate: h[device.Rate], Beta1: h[device.Beta1], Beta2: h[device.Beta2], Rest1: h[device.Rest1], Rest2: h[device.Rest2],
		Epsilon: h[device.Epsilon], Correct1: h[device.Correct1], Correct2: h[device.Correct2], Decay: decay}
}

// scalings has a function for each of [blueprint.Scalings], and for its default, that scales an image in place; a test compares the
// two.
var scalings = map[string]func(x []float32){
	"":            unit,
	"unit":        unit,
	"raw":         func([]float32) {},
	"standardize": standardize,
}

func unit(x []float32) {
	const by = float32(1.0 / 255)
	for i := range x {
		x[i] *= by
	}
}

func standardize(x []float32) {
	unit(x)
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	sum = 0
	for _, v := range x {
		d := float64(v) - mean
		sum += d * d
	}
	by := float32(1 / max(math.Sqrt(sum/float64(len(x))), 1.0/255))
	middle := float32(mean)
	for i, v := range x {
		x[i] = (v - middle) * by
	}
}
