package blueprint

// Optimizer is the rule by which a step changes the weights. Its fields are the
// settings of [Optimizers], each given only for the kinds that have it.
type Optimizer struct {
	Kind     string    `json:"kind"` // one of [Optimizers]
	Momentum *Schedule `json:"momentum,omitempty"`
	Nesterov bool      `json:"nesterov,omitempty"`
	Beta1    *Schedule `json:"beta1,omitempty"`
	Beta2    *Schedule `json:"beta2,omitempty"`
	Epsilon  *Schedule `json:"epsilon,omitempty"`
	Decay    *Schedule `json:"decay,omitempty"`
	Clip     *Schedule `json:"clip,omitempty"`
	Extra    Extra     `json:"-"`
}

// OptimizerKind is one row of [Optimizers].
type OptimizerKind struct {
	Row
	Slots []string // what it keeps for each trainable parameter: arrays of the parameter's shape, at first zeros
}

const (
	maxBeta    = 0.999999 // 1 would divide by zero,
	minEpsilon = 1e-20    // and so would 0
)

var (
	momentum  = scheduled("momentum", 0, 0, 1, "share of v that is kept")
	nesterov  = flag("nesterov", false, "whether the step looks ahead by the momentum")
	beta1     = scheduled("beta1", 0.9, 0, maxBeta, "share of the old mean of g that is kept")
	beta2     = scheduled("beta2", 0.999, 0, maxBeta, "share of the old mean of g^2 that is kept")
	epsilon   = scheduled("epsilon", 1e-8, minEpsilon, 1, "added to the root of the mean of g^2")
	clip      = scheduled("clip", 0, 0, hugePositive, "largest norm of all gradients together; 0: unlimited")
	decay     = scheduled("decay", 0.01, 0, 1e4, "weight decay")
	adamSlots = []string{"mean", "square"}
)

// Optimizers are the kinds of optimizer; g is the gradient, r the learning rate.
var Optimizers = Table[OptimizerKind]{
	{Row{"sgd", "v = momentum*v - r*g, w += v; with nesterov w += momentum*v - r*g, with the new v: Lasagne's form",
		[]Setting{momentum, nesterov, clip}}, []string{"velocity"}},
	{Row{"adam", "Kingma and Ba 2015, with bias correction", []Setting{beta1, beta2, epsilon, clip}}, adamSlots},
	{Row{"adamw", "adam, and w -= r*decay*w for the parameters that decay: Loshchilov and Hutter 2019",
		[]Setting{beta1, beta2, epsilon, decay, clip}}, adamSlots},
}

// Defaults gives the optimizer with defaults filled in: its kind's, and of the
// settings that this lacks another's, so that every formula can be worked out.
func (o Optimizer) Defaults() Optimizer {
	if row := Optimizers.Row(o.Kind); row != nil {
		fill(&o, row.Settings)
	}
	for i := range Optimizers {
		fill(&o, Optimizers[i].Settings)
	}
	return o
}
