package export

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

const recipe = `{"loss": {"kind": "mse", "rows": "filled"}, "optimizer": {"kind": "sgd"}, "rate": 0.05, "epochs": 4, "batch": 8, "validation": 0.2}`

// end ends a network with its answer.
const end = `, {"name": "flat", "kind": "flatten"}, {"name": "y", "kind": "dense", "units": "columns"}`

func member(name, columns, layers, more string) string {
	return fmt.Sprintf(`{"name": %q, "columns": [%s], "layers": [%s], "recipe": %s%s}`, name, columns, layers, recipe, more)
}

func document(t testing.TB, input string, members ...string) *blueprint.Document {
	t.Helper()
	d, err := blueprint.Parse(fmt.Appendf(nil, `{"blueprint": 1, "name": "tiny", "input": {%s}, "members": [%s]}`, input, strings.Join(members, ",")))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const (
	sides = `"height": 12, "width": 10, "channels": 1`
	three = `"a_x", "a_y", "b_x"`
)

// cases are networks by name: one or more of each layer kind, with every setting that ONNX says in another way, all kinds of
// scaling, and several members.
func cases(t testing.TB) map[string]*blueprint.Document {
	out := map[string]*blueprint.Document{}
	for name, layers := range map[string]string{
		"conv2d":            `{"name": "c", "kind": "conv2d", "filters": 4, "kernel": [3, 2], "activation": "relu"}`,
		"conv2d-strided":    `{"name": "c", "kind": "conv2d", "filters": 4, "kernel": [3, 4], "stride": [2, 3], "padding": "same"}`,
		"conv2d-dilated":    `{"name": "c", "kind": "conv2d", "filters": 4, "dilation": [2, 3], "padding": [2, 1]}`,
		"conv2d-groups":     `{"name": "b", "kind": "conv2d", "filters": 4}, {"name": "c", "kind": "conv2d", "filters": 6, "groups": 2, "bias": "none"}`,
		"conv2d-untied":     `{"name": "c", "kind": "conv2d", "filters": 3, "bias": "untied", "activation": "tanh"}`,
		"conv2d-of-vectors": `{"name": "d", "kind": "dense", "units": 3}, {"name": "c", "kind": "conv2d", "filters": 3}`,
		"max_pool":          `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "max_pool", "window": [2, 3], "stride": [3, 2]}`,
		"max_pool-same":     `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "max_pool", "window": 3, "stride": 2, "padding": "same"}`,
		"avg_pool":          `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "avg_pool", "window": 3, "stride": 2, "padding": "same"}`,
		"avg_pool-counted":  `{"name": "c", "kind": "avg_pool", "window": [2, 3], "padding": 1, "count_padding": true}`,
		"global_avg_pool":   `{"name": "b", "kind": "conv2d", "filters": 5}, {"name": "c", "kind": "global_avg_pool"}`,
		"dense":             `{"name": "f", "kind": "flatten"}, {"name": "c", "kind": "dense", "units": 7, "bias": "none", "activation": "sigmoid"}`,
		"dense-of-maps":     `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "dense", "units": 2, "activation": "elu"}`,
		"dropout":           `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "dropout", "rate": 0.4, "rescale": false}`,
		"batch_norm":        `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "batch_norm", "epsilon": 0.1, "activation": "silu"}`,
		"batch_norm-flat":   `{"name": "f", "kind": "flatten"}, {"name": "d", "kind": "dense", "units": 4}, {"name": "c", "kind": "batch_norm"}`,
		"batch_norm-four":   `{"name": "f", "kind": "reshape", "shape": [2, 6, 5, 2]}, {"name": "c", "kind": "batch_norm"}`,
		"layer_norm":        `{"name": "b", "kind": "conv2d", "filters": 4}, {"name": "c", "kind": "layer_norm", "epsilon": 0.01}`,
		"add":               `{"name": "b", "kind": "conv2d", "filters": 4}, {"name": "d", "kind": "conv2d", "filters": 4, "inputs": ["input"]}, {"name": "c", "kind": "add", "inputs": ["b", "d", "b"], "activation": "leaky_relu"}`,
		"add-repeated":      `{"name": "b", "kind": "conv2d", "filters": 4}, {"name": "g", "kind": "global_avg_pool"}, {"name": "r", "kind": "reshape", "shape": [1, 1, -1]}, {"name": "c", "kind": "add", "inputs": ["r", "b"]}`,
		"multiply":          `{"name": "b", "kind": "conv2d", "filters": 4}, {"name": "g", "kind": "global_avg_pool"}, {"name": "r", "kind": "reshape", "shape": [1, 1, 4]}, {"name": "c", "kind": "multiply", "inputs": ["b", "r"]}`,
		"concat":            `{"name": "b", "kind": "conv2d", "filters": 4, "padding": "same"}, {"name": "c", "kind": "concat", "inputs": ["b", "input"]}`,
		"concat-flat":       `{"name": "f", "kind": "flatten"}, {"name": "d", "kind": "dense", "units": 4}, {"name": "c", "kind": "concat", "inputs": ["d", "f"]}`,
		"flatten":           `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "flatten"}, {"name": "d", "kind": "dense", "units": 4}`,
		"reshape":           `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "reshape", "shape": [6, -1, 2]}, {"name": "d", "kind": "conv2d", "filters": 2}`,
		"upsample":          `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "upsample", "factor": [2, 3]}`,
		"upsample-bilinear": `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "upsample", "factor": [3, 4], "method": "bilinear"}`,
		"softmax":           `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "softmax"}`,
		"softmax-flat":      `{"name": "f", "kind": "flatten"}, {"name": "d", "kind": "dense", "units": 4}, {"name": "c", "kind": "softmax"}`,
		"soft_argmax":       `{"name": "b", "kind": "conv2d", "filters": 3}, {"name": "c", "kind": "soft_argmax", "temperature": 0.3}`,
		"attention":         `{"name": "b", "kind": "conv2d", "filters": 6, "stride": 2}, {"name": "c", "kind": "attention", "heads": 3}`,
		"attention-tokens":  `{"name": "f", "kind": "reshape", "shape": [-1, 6]}, {"name": "c", "kind": "attention", "heads": 2}`,
	} {
		out[name] = document(t, sides, member("net", three, layers+end, ""))
	}
	for _, f := range blueprint.Activations.Names() {
		out["activation-"+f] = document(t, sides, member("net", three,
			`{"name": "b", "kind": "conv2d", "filters": 3, "activation": "`+f+`"}, {"name": "c", "kind": "activation", "function": "`+f+`", "slope": 0.2}`+end, ""))
	}
	for _, s := range blueprint.Scalings.Names() {
		out["scaling-"+s] = document(t, sides+`, "scaling": "`+s+`"`, member("net", three, `{"name": "c", "kind": "conv2d", "filters": 2}`+end, ""))
	}
	out["channels"] = document(t, `"height": 7, "width": 9, "channels": 3, "scaling": "standardize"`,
		member("net", three, `{"name": "c", "kind": "conv2d", "filters": 2}`+end, ""))
	layers := `{"name": "c", "kind": "conv2d", "filters": 2}` + end
	out["members"] = document(t, sides, member("one", three, layers, ""), member("two", `"c_x", "c_y"`, layers, `, "output": {"scale": 7, "offset": 2}`))
	out["members-mean"] = document(t, sides+`, "scaling": "raw"`, member("one", three, layers, `, "weight": 3`),
		member("two", `"c_x", "b_x", "a_x"`, layers, `, "output": {"scale": 7}`), member("three", `"a_x"`, layers, `, "weight": 0.5`))
	eyes := `"left_eye_x", "left_eye_y", "right_eye_x", "nose_x", "right_eye_y"`
	out["mirrored"] = document(t, sides+`, "scaling": "standardize"`, member("one", eyes, layers, `, "output": {"flip_average": true, "shift": [1, -0.5, 0.25, 0, 2]}, "weight": 2`),
		member("two", `"nose_x"`, layers, `, "output": {"flip_average": true, "scale": 3, "shift": [0.75]}`))
	out["output-elsewhere"] = document(t, sides, member("net", three, layers+`, {"name": "unused", "kind": "softmax"}`, `, "output": {"layer": "y"}`))
	return out
}
