package enginetest

import "strings"

const (
	// smallNet6 is net6 in small.
	smallNet6 = `
	{"name": "c1", "kind": "conv2d", "filters": 4, "activation": "ACT"}, {"name": "p1", "kind": "max_pool"}, {"name": "d1", "kind": "dropout", "rate": 0.1},
	{"name": "c2", "kind": "conv2d", "filters": 5, "kernel": 2, "activation": "ACT"}, {"name": "p2", "kind": "max_pool"}, {"name": "d2", "kind": "dropout", "rate": 0.2},
	{"name": "c3", "kind": "conv2d", "filters": 6, "kernel": 2, "activation": "ACT"}, {"name": "p3", "kind": "max_pool"}, {"name": "d3", "kind": "dropout", "rate": 0.3},
	{"name": "f", "kind": "flatten"}, {"name": "h4", "kind": "dense", "units": 9, "activation": "ACT"}, {"name": "d4", "kind": "dropout"},
	{"name": "h5", "kind": "dense", "units": 7, "activation": "ACT"}, {"name": "y", "kind": "dense", "units": "columns"}`
	// Branches has layers of every kind, on images of 8x8. Smooth functions stand where a difference could step over a kink.
	Branches = `
	{"name": "c1", "kind": "conv2d", "filters": 4, "padding": "same", "bias": "untied", "activation": "silu"},
	{"name": "c2", "kind": "conv2d", "filters": 4, "kernel": 2, "padding": "same", "bias": "none"}, {"name": "b2", "kind": "batch_norm", "activation": "tanh"},
	{"name": "c3", "kind": "conv2d", "filters": 4, "groups": 2, "padding": "same", "bias": "none"}, {"name": "b3", "kind": "batch_norm"},
	{"name": "g", "kind": "global_avg_pool"}, {"name": "g1", "kind": "dense", "units": 3, "activation": "gelu"}, {"name": "g2", "kind": "dense", "units": 4, "activation": "sigmoid"},
	{"name": "g3", "kind": "reshape", "shape": [1, 1, 4]}, {"name": "m", "kind": "multiply", "inputs": ["b3", "g3"]},
	{"name": "s", "kind": "add", "inputs": ["c1", "m"], "activation": "silu"}, {"name": "o", "kind": "dropout", "rate": 0.2},
	{"name": "w", "kind": "avg_pool"}, {"name": "c4", "kind": "conv2d", "filters": 3, "dilation": 2, "padding": 2, "stride": 2, "activation": "elu"},
	{"name": "u", "kind": "upsample", "factor": 4, "method": "bilinear"}, {"name": "n", "kind": "upsample", "inputs": ["w"]},
	{"name": "j", "kind": "concat", "inputs": ["s", "u", "n"]}, {"name": "k", "kind": "conv2d", "filters": 2, "kernel": 1}, {"name": "a1", "kind": "soft_argmax"},
	{"name": "x", "kind": "max_pool", "inputs": ["c4"]}, {"name": "l", "kind": "layer_norm"}, {"name": "t", "kind": "attention", "inputs": ["c4"], "heads": 3},
	{"name": "tp", "kind": "max_pool"}, {"name": "tl", "kind": "add", "inputs": ["tp", "l"]}, {"name": "q", "kind": "softmax"}, {"name": "qf", "kind": "flatten"},
	{"name": "i", "kind": "concat", "inputs": ["a1", "qf", "g2"]}, {"name": "e", "kind": "activation", "function": "gelu"}, {"name": "y", "kind": "dense", "units": "columns"}`
)

// SmallNet6 is net6 in small, with an activation of one's choice, for images of 22x22.
func SmallNet6(activation string) string { return strings.ReplaceAll(smallNet6, "ACT", activation) }
