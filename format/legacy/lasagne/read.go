package lasagne

import (
	"fmt"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/format/legacy/ndarray"
	"github.com/fkzoo/fkzoo/format/legacy/pickle"
	"github.com/fkzoo/fkzoo/format/legacy/python"
)

// layerReader reads one layer's attributes. The first fault is kept.
type layerReader struct {
	*python.Objects
	of    ref
	layer *Layer
	err   error
}

func (r *layerReader) failf(format string, args ...any) {
	if r.err == nil {
		r.err = &UnsupportedError{r.layer.Name, r.layer.Class, fmt.Sprintf(format, args...)}
	}
}

// get gives the first of these attributes that there is, but for None.
func (r *layerReader) get(names ...string) (ref, bool) {
	for _, name := range names {
		if v, ok := r.Attr(r.of, name); ok && v != pickle.Nothing {
			return v, true
		}
	}
	return pickle.Nothing, false
}

// readers are Lasagne's layers, by the names of their classes, and what reads them.
var readers = map[string]func(r *layerReader){
	"InputLayer":                        (*layerReader).input,
	"Conv2DLayer":                       (*layerReader).conv,
	"Conv2DMMLayer":                     (*layerReader).conv,
	"Conv2DDNNLayer":                    (*layerReader).conv,
	"Conv2DCCLayer":                     (*layerReader).conv,
	"NINLayer":                          (*layerReader).nin,
	"NINLayer_c01b":                     (*layerReader).nin,
	"DenseLayer":                        (*layerReader).dense,
	"Pool2DLayer":                       (*layerReader).pool,
	"MaxPool2DLayer":                    (*layerReader).pool,
	"Pool2DDNNLayer":                    (*layerReader).pool,
	"Pool2DMMLayer":                     (*layerReader).pool,
	"MaxPool2DDNNLayer":                 (*layerReader).pool,
	"MaxPool2DCCLayer":                  (*layerReader).pool,
	"MaxPool2DNNLayer":                  (*layerReader).pool,
	"GlobalPoolLayer":                   (*layerReader).globalPool,
	"DropoutLayer":                      (*layerReader).dropout,
	"GaussianNoiseLayer":                (*layerReader).noise,
	"BatchNormLayer":                    (*layerReader).batchNorm,
	"BatchNormDNNLayer":                 (*layerReader).batchNorm,
	"NonlinearityLayer":                 (*layerReader).nonlinear,
	"FlattenLayer":                      (*layerReader).flatten,
	"ReshapeLayer":                      (*layerReader).reshape,
	"DimshuffleLayer":                   (*layerReader).dimshuffle,
	"ElemwiseSumLayer":                  (*layerReader).sum,
	"ElemwiseMergeLayer":                (*layerReader).merge,
	"ConcatLayer":                       (*layerReader).concat,
	"Upscale2DLayer":                    (*layerReader).upscale,
	"ShuffleBC01ToC01BLayer":            (*layerReader).shuffle,
	"ShuffleC01BToBC01Layer":            (*layerReader).shuffle,
	"FeaturePoolLayer":                  refused("it takes the largest of several features (maxout), which a blueprint can't say"),
	"LocalResponseNormalization2DLayer": refused("local response normalization, which a blueprint can't say"),
	"TransposedConv2DLayer":             refused("a transposed convolution, which a blueprint can't say"),
	"DilatedConv2DLayer":                refused("Lasagne's dilated convolution, whose filters are in a layout of their own"),
	"ParametricRectifierLayer":          refused("a rectifier with learned slopes, which a blueprint can't say"),
}

func refused(reason string) func(r *layerReader) {
	return func(r *layerReader) { r.failf("found %s", reason) }
}

// Knows tells whether a class of Lasagne's is a layer that is read, or refused
// with a reason.
func Knows(class string) bool { return readers[class] != nil }

// KnowsFunction tells whether a function, of Lasagne's or Theano's, is a
// nonlinearity that is read.
func KnowsFunction(name string) bool { _, ok := nonlinearities[name]; return ok }

// readLayer works out what a layer does.
func readLayer(o *python.Objects, of ref, layer *Layer) error {
	g := o.Class(of)
	r := &layerReader{Objects: o, of: of, layer: layer}
	read := readers[g.Name]
	if read == nil || !python.Within(g.Module, "lasagne") {
		return &UnsupportedError{layer.Name, layer.Class, "found a layer that is not known, want Lasagne's own: input, convolution, pool, dense, dropout, batch normalization, nonlinearity, reshape, sum, concat, upscale"}
	}
	read(r)
	return r.err
}

func (r *layerReader) input() {
	v, _ := r.get("shape", "_shape")
	shape, ok := r.Ints(v)
	if !ok || len(shape) < 2 {
		r.failf("found the shape %s, want the batch's and an image's", r.Show(v))
		return
	}
	r.layer.Op = Input{shape[1:]}
}

// number gives an attribute that is a number; absent: the default.
func (r *layerReader) numberOr(def float64, names ...string) float64 {
	v, ok := r.get(names...)
	if !ok {
		return def
	}
	n, ok := r.Number(v)
	if !ok {
		r.failf("%s: found %s, want a number", names[0], r.Show(v))
	}
	return n
}

func (r *layerReader) boolOr(def bool, name string) bool {
	v, ok := r.get(name)
	if !ok {
		return def
	}
	b, ok := r.Bool(v)
	if !ok {
		r.failf("%s: found %s, want true or false", name, r.Show(v))
	}
	return b
}

// pairOr gives an attribute that is one whole number or two.
func (r *layerReader) pairOr(def [2]int, names ...string) [2]int {
	v, ok := r.get(names...)
	if !ok {
		return def
	}
	if n, ok := r.Number(v); ok && n == math.Trunc(n) && math.Abs(n) < 1<<30 {
		return [2]int{int(n), int(n)}
	}
	list, ok := r.Ints(v)
	switch {
	case ok && len(list) == 1:
		return [2]int{list[0], list[0]}
	case ok && len(list) == 2:
		return [2]int(list)
	}
	r.failf("%s: found %s, want one or two whole numbers", names[0], r.Show(v))
	return def
}

// param gives a learned array of so many axes; nil where there is none.
func (r *layerReader) param(name string, axes ...int) *Param {
	v, ok := r.get(name)
	if !ok {
		return nil
	}
	a, err := r.Array(v)
	if err != nil {
		r.failf("parameter %s: %v", name, err)
		return nil
	}
	if !slices.Contains(axes, len(a.Shape)) {
		r.failf("parameter %s: found the shape %v, want %v axes", name, a.Shape, axes)
		return nil
	}
	full, _ := r.Attr(v, "name")
	text := r.Name(full)
	if text == "" {
		text = r.layer.Name + "." + name
	}
	return &Param{text, a}
}

// weights is param that must be there.
func (r *layerReader) weights(name string, axes ...int) Param {
	p := r.param(name, axes...)
	if p == nil {
		r.failf("found no parameter %s, want the layer's weights", name)
		return Param{}
	}
	return *p
}

func (r *layerReader) conv() {
	class := r.Class(r.of).Name
	w := r.weights("W", 4)
	if r.err != nil {
		return
	}
	if class == "Conv2DCCLayer" && !r.boolOr(true, "dimshuffle") { // [channels, height, width, filters]
		w.Array = w.Array.Transpose(3, 0, 1, 2)
	}
	c := Conv{Kernel: [2]int(w.Array.Shape[2:]), Weights: w, Bias: r.param("b", 1, 3)}
	if kernel := r.pairOr(c.Kernel, "filter_size"); kernel != c.Kernel {
		r.failf("found weights of the shape %v and filters of %dx%d", w.Array.Shape, kernel[0], kernel[1])
	}
	c.Stride = r.pairOr([2]int{1, 1}, "stride", "strides")
	c.Groups = int(r.numberOr(1, "num_groups"))
	// Conv2DLayer convolves, as Theano does; the others were correlations before they had the setting.
	c.Flip = r.boolOr(class == "Conv2DLayer", "flip_filters")
	c.Pad = r.padding(c)
	c.Activation = r.activation()
	r.layer.Op = c
}

// padding gives a convolution's zeros at the borders.
func (r *layerReader) padding(c Conv) (out [2][2]int) {
	v, _ := r.get("pad", "border_mode")
	if v.Kind() != pickle.Text && v.Kind() != pickle.Bytes {
		pair := r.pairOr([2]int{}, "pad", "border_mode")
		return [2][2]int{{pair[0], pair[0]}, {pair[1], pair[1]}}
	}
	mode := r.Name(v)
	for i, k := range c.Kernel {
		switch mode {
		case "valid":
		case "same", "strictsame", "half":
			// Of an even filter, old Lasagne cut a full convolution from (k-1)/2 on.
			low := k - 1 - (k-1)/2
			out[i] = [2]int{low, k - 1 - low}
		case "full":
			out[i] = [2]int{k - 1, k - 1}
		default:
			r.failf("padding: found %.40q, want valid, same, full or numbers", mode)
		}
	}
	return out
}

// nin is a dense layer over the channels of each position: a 1x1 convolution.
func (r *layerReader) nin() {
	w := r.weights("W", 2)
	if r.err != nil {
		return
	}
	if r.Class(r.of).Name == "NINLayer" { // [channels, units]; of the other [units, channels]
		w.Array = w.Array.Transpose(1, 0)
	}
	w.Array = w.Array.Split(1, w.Array.Shape[1], 1, 1)
	r.layer.Op = Conv{Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Groups: 1, Weights: w, Bias: r.param("b", 1, 3), Activation: r.activation()}
}

func (r *layerReader) dense() {
	if n := r.numberOr(1, "num_leading_axes"); n != 1 {
		r.failf("num_leading_axes: found %g, want 1", n)
	}
	r.layer.Op = Dense{Weights: r.weights("W", 2), Bias: r.param("b", 1), Activation: r.activation()}
}

func (r *layerReader) pool() {
	class := r.Class(r.of).Name
	p := Pool{Mode: "max", Window: r.pairOr([2]int{}, "pool_size", "ds")}
	if p.Window[0] < 1 || p.Window[1] < 1 {
		r.failf("pool_size: found %v, want at least 1", p.Window)
	}
	p.Stride = r.pairOr(p.Window, "stride", "st")
	p.Pad = r.pairOr([2]int{}, "pad")
	// cuda-convnet's counts them always; the first MaxPool2DLayer, which called its window ds, did unless told.
	_, old := r.Attr(r.of, "ds")
	p.Partial = !r.boolOr(class != "MaxPool2DCCLayer" && !old, "ignore_border")
	if v, ok := r.get("mode"); ok {
		p.Mode = r.Name(v)
	}
	switch p.Mode {
	case "max", "average_inc_pad", "average_exc_pad":
	case "average":
		p.Mode = "average_inc_pad"
	default:
		r.failf("mode: found %.40q, want max, average_inc_pad or average_exc_pad", p.Mode)
	}
	if p.Partial && p.Pad != [2]int{} {
		r.failf("found a pool with padding whose windows may stand out over the border (ignore_border=False), want one or the other")
	}
	r.layer.Op = p
}

func (r *layerReader) globalPool() {
	if v, ok := r.get("pool_function"); ok && r.Global(v).Name != "mean" {
		r.failf("pool_function: found %s, want the mean", r.Show(v))
	}
	r.layer.Op = GlobalPool{}
}

func (r *layerReader) dropout() {
	d := Dropout{Rate: r.numberOr(0.5, "p"), Rescale: r.boolOr(true, "rescale")}
	if !(d.Rate >= 0 && d.Rate < 1) {
		r.failf("p: found %g, want a share from 0 to below 1", d.Rate)
	}
	if v, ok := r.get("shared_axes"); ok {
		if axes, ok := r.Ints(v); !ok || len(axes) > 0 {
			r.layer.Ignored = append(r.layer.Ignored, "shared_axes: values are hidden one by one, not in whole "+r.Show(v))
		}
	}
	r.layer.Op = d
}

func (r *layerReader) noise() {
	r.layer.Op = Identity{fmt.Sprintf("noise of sigma %g, which only training has", r.numberOr(0.1, "sigma"))}
}

func (r *layerReader) shuffle() {
	r.layer.Op = Identity{"a change of the axes' order for cuda-convnet, which isn't needed"}
}

func (r *layerReader) batchNorm() {
	b := BatchNorm{Alpha: r.numberOr(0.1, "alpha"), Epsilon: r.numberOr(1e-4, "epsilon"),
		Mean: r.weights("mean", 1), InvStd: r.weights("inv_std", 1), Beta: r.param("beta", 1), Gamma: r.param("gamma", 1)}
	v, ok := r.get("axes")
	if ok {
		if b.Axes, ok = r.Ints(v); !ok {
			r.failf("axes: found %s, want whole numbers", r.Show(v))
		}
	}
	r.layer.Op = b
}

func (r *layerReader) nonlinear() { r.layer.Op = Nonlinearity{r.activation()} }

func (r *layerReader) flatten() {
	if n := r.numberOr(2, "outdim"); n != 2 {
		r.failf("outdim: found %g, want 2", n)
	}
	r.layer.Op = Reshape{[]int{-1}}
}

// reshape's shape has numbers, -1, and lists of one number: that axis of the input.
func (r *layerReader) reshape() {
	v, _ := r.get("shape")
	var shape []int
	for x := range r.Items(v) {
		n, ok := r.Number(x)
		if axis, isAxis := r.Ints(x); isAxis && len(axis) == 1 && axis[0] >= 0 {
			n, ok = float64(-2-axis[0]), true
		} else if n < -1 {
			ok = false
		}
		if !ok || n != math.Trunc(n) || math.Abs(n) > 1<<30 || len(shape) > ndarray.MaxAxes {
			r.failf("shape: found %s, want whole numbers", r.Show(x))
			return
		}
		shape = append(shape, int(n))
	}
	if len(shape) < 2 || shape[0] != -2 && shape[0] != -1 || shape[0] == -1 && slices.Contains(shape[1:], -1) {
		r.failf("shape: found %v, want one that leaves the batch ([0] or -1) first", shape)
		return
	}
	r.layer.Op = Reshape{shape[1:]}
}

// dimshuffle is taken where it only adds or leaves axes.
func (r *layerReader) dimshuffle() {
	v, _ := r.get("pattern")
	last := -1
	var shape []int
	for x := range r.Items(v) {
		if r.Name(x) == "x" && len(shape) <= ndarray.MaxAxes {
			shape = append(shape, 1)
			continue
		}
		n, ok := r.Number(x)
		if !ok || int(n) <= last || len(shape) > ndarray.MaxAxes {
			r.failf("pattern: found %s, want axes in their order: others can't be said", r.Show(v))
			return
		}
		last = int(n)
		shape = append(shape, -2-last)
	}
	if len(shape) < 2 || shape[0] != -2 {
		r.failf("pattern: found %s, want the batch first", r.Show(v))
		return
	}
	r.layer.Op = Reshape{shape[1:]}
}

func (r *layerReader) uncropped() {
	if v, ok := r.get("cropping"); ok {
		n := 0
		for c := range r.Items(v) {
			if n++; c != pickle.Nothing || n > ndarray.MaxAxes {
				r.failf("cropping: found %s, want none", r.Show(v))
				return
			}
		}
	}
}

func (r *layerReader) sum() {
	r.uncropped()
	if v, ok := r.get("coeffs"); ok {
		all := []ref{v}
		if _, one := r.Number(v); !one {
			all = slices.Collect(r.Items(v))
		}
		if err := r.Spend(len(all)); err != nil {
			r.failf("coeffs: %v", err)
			return
		}
		for _, c := range all {
			if n, ok := r.Number(c); !ok || n != 1 {
				r.failf("coeffs: found %s, want 1", r.Show(c))
				return
			}
		}
	}
	r.layer.Op = Merge{"add"}
}

func (r *layerReader) merge() {
	r.uncropped()
	v, _ := r.get("merge_function")
	switch r.Function(v) {
	case "add":
		r.layer.Op = Merge{"add"}
	case "mul":
		r.layer.Op = Merge{"multiply"}
	default:
		r.failf("merge_function: found %s, want add or mul", r.Show(v))
	}
}

func (r *layerReader) concat() {
	r.uncropped()
	if n := r.numberOr(1, "axis"); n != 1 {
		r.failf("axis: found %g, want 1, the channels", n)
	}
	r.layer.Op = Merge{"concat"}
}

func (r *layerReader) upscale() {
	if v, ok := r.get("mode"); ok && r.Name(v) != "repeat" {
		r.failf("mode: found %s, want repeat", r.Show(v))
	}
	r.layer.Op = Upsample{r.pairOr([2]int{1, 1}, "scale_factor")}
}

// nonlinearities are Lasagne's and Theano's, by name.
var nonlinearities = map[string]Activation{
	"linear": {Function: "linear"}, "identity": {Function: "linear"}, "rectify": {Function: "relu"}, "relu": {Function: "relu"},
	"tanh": {Function: "tanh"}, "sigmoid": {Function: "sigmoid"}, "elu": {Function: "elu"}, "softmax": {Function: "softmax"},
	"leaky_rectify": {Function: "leaky_relu", Slope: 0.01}, "very_leaky_rectify": {Function: "leaky_relu", Slope: 1.0 / 3},
}

// activation gives the layer's nonlinearity.
func (r *layerReader) activation() Activation {
	v, ok := r.get("nonlinearity")
	if !ok {
		return Activation{Function: "linear"}
	}
	module := r.Global(v).Module
	if v.Kind() == pickle.Object {
		module = r.Class(v).Module
	}
	if r.Class(v).Name == "LeakyRectify" && python.Within(module, "lasagne") {
		slope, _ := r.Attr(v, "leakiness")
		if n, ok := r.Number(slope); ok {
			return Activation{Function: "leaky_relu", Slope: n}
		}
	}
	if a, ok := nonlinearities[r.Function(v)]; ok && (python.Within(module, "lasagne") || python.Within(module, "theano")) {
		return a
	}
	what := r.Show(v)
	if op, ok := r.Attr(v, "scalar_op"); ok {
		what = r.Class(v).String() + " of " + r.Show(op)
	}
	r.failf("nonlinearity: found %s, want one of Lasagne's: linear, rectify, leaky_rectify, tanh, sigmoid, elu, softmax", what)
	return Activation{}
}
