package blueprint

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/specs/record"
)

// Rows of the table of layer kinds, with what they must give worked out by hand.
var kindCases = []struct {
	kind     string
	settings Settings
	in       []Shape
	out      Shape
	params   int64 // trainable
	all      int64 // with the running statistics; 0: as params
	flops    int64
}{
	// params: kernel area * in / groups * filters, and the bias; operations: 2 a weight and output position, 1 a bias.
	{"conv2d", Settings{"filters": 32}, []Shape{{96, 96, 1}}, Shape{94, 94, 32}, 288 + 32, 0, 94 * 94 * 32 * (18 + 1)},
	{"conv2d", Settings{"filters": 32, "padding": 1, "activation": "relu"}, []Shape{{96, 96, 32}}, Shape{96, 96, 32}, 9216 + 32, 0, 96 * 96 * 32 * (576 + 1 + 1)},
	{"conv2d", Settings{"filters": 4, "stride": 2, "padding": "same"}, []Shape{{5, 5, 3}}, Shape{3, 3, 4}, 108 + 4, 0, 36 * 55},
	{"conv2d", Settings{"filters": 4, "stride": 2, "padding": "same"}, []Shape{{6, 6, 3}}, Shape{3, 3, 4}, 108 + 4, 0, 36 * 55},
	{"conv2d", Settings{"filters": 2, "dilation": 2}, []Shape{{7, 7, 1}}, Shape{3, 3, 2}, 18 + 2, 0, 18 * 19},
	{"conv2d", Settings{"filters": 2, "dilation": []int{1, 3}, "padding": "same"}, []Shape{{7, 7, 1}}, Shape{7, 7, 2}, 18 + 2, 0, 98 * 19},
	{"conv2d", Settings{"filters": 6, "kernel": 1, "groups": 2}, []Shape{{4, 4, 4}}, Shape{4, 4, 6}, 12 + 6, 0, 96 * 5},
	{"conv2d", Settings{"filters": 4, "groups": 4}, []Shape{{3, 3, 4}}, Shape{1, 1, 4}, 36 + 4, 0, 4 * 19}, // depthwise
	{"conv2d", Settings{"filters": 2, "kernel": []int{2, 3}, "bias": "untied"}, []Shape{{4, 4, 1}}, Shape{3, 2, 2}, 12 + 12, 0, 12 * 13},
	{"conv2d", Settings{"filters": 1, "kernel": 2, "bias": "none", "activation": "relu"}, []Shape{{4, 4, 1}}, Shape{3, 3, 1}, 4, 0, 9 * (8 + 1)},
	{"conv2d", Settings{"filters": 1, "kernel": 2, "padding": [][]int{{0, 1}, {2, 3}}}, []Shape{{4, 4, 1}}, Shape{4, 8, 1}, 4 + 1, 0, 32 * 9},
	{"conv2d", Settings{"filters": "points", "kernel": 1}, []Shape{{8, 8, 2}}, Shape{8, 8, 15}, 30 + 15, 0, 960 * 5},
	{"conv2d", Settings{"filters": 1, "kernel": 3, "stride": 3}, []Shape{{8, 3, 1}}, Shape{2, 1, 1}, 9 + 1, 0, 2 * 19},

	{"max_pool", nil, []Shape{{95, 94, 3}}, Shape{47, 47, 3}, 0, 0, 47 * 47 * 3 * 4},
	{"max_pool", Settings{"window": 3, "stride": 2, "padding": "same"}, []Shape{{5, 6, 1}}, Shape{3, 3, 1}, 0, 0, 9 * 9},
	{"max_pool", Settings{"window": []int{2, 3}, "stride": []int{1, 2}}, []Shape{{6, 7, 1}}, Shape{5, 3, 1}, 0, 0, 15 * 6},
	{"max_pool", Settings{"padding": 1}, []Shape{{4, 4, 1}}, Shape{3, 3, 1}, 0, 0, 9 * 4},
	{"max_pool", Settings{"window": []int{2, 3}, "stride": []int{0, 1}}, []Shape{{6, 7, 1}}, Shape{3, 5, 1}, 0, 0, 15 * 6},
	{"avg_pool", nil, []Shape{{5, 5, 2}}, Shape{2, 2, 2}, 0, 0, 8 * 4},
	{"avg_pool", Settings{"window": 3, "stride": 1, "padding": 1, "count_padding": true}, []Shape{{5, 4, 1}}, Shape{5, 4, 1}, 0, 0, 20 * 9},
	{"global_avg_pool", nil, []Shape{{4, 5, 6}}, Shape{6}, 0, 0, 120},

	{"dense", Settings{"units": 3}, []Shape{{10}}, Shape{3}, 30 + 3, 0, 60 + 3},
	{"dense", Settings{"units": 3, "bias": "none", "activation": "tanh"}, []Shape{{10}}, Shape{3}, 30, 0, 60 + 3},
	{"dense", Settings{"units": 3}, []Shape{{4, 10}}, Shape{4, 3}, 30 + 3, 0, 12 * 21},
	{"dense", Settings{"units": "columns"}, []Shape{{10}}, Shape{30}, 300 + 30, 0, 600 + 30},
	{"dropout", nil, []Shape{{3, 3, 2}}, Shape{3, 3, 2}, 0, 0, 0},
	{"batch_norm", nil, []Shape{{4, 4, 3}}, Shape{4, 4, 3}, 6, 12, 2 * 48},
	{"batch_norm", Settings{"activation": "relu"}, []Shape{{5}}, Shape{5}, 10, 20, 2*5 + 5},
	{"layer_norm", nil, []Shape{{4, 4, 3}}, Shape{4, 4, 3}, 6, 0, 7 * 48},
	{"activation", nil, []Shape{{2, 5}}, Shape{2, 5}, 0, 0, 10},

	{"add", nil, []Shape{{2, 3}, {2, 3}}, Shape{2, 3}, 0, 0, 6},
	{"add", Settings{"activation": "relu"}, []Shape{{1, 1, 4}, {2, 3, 4}, {2, 3, 1}}, Shape{2, 3, 4}, 0, 0, 2*24 + 24},
	{"multiply", nil, []Shape{{2, 1, 4}, {2, 3, 1}}, Shape{2, 3, 4}, 0, 0, 24},
	{"concat", nil, []Shape{{4, 5, 2}, {4, 5, 3}, {4, 5, 1}}, Shape{4, 5, 6}, 0, 0, 0},
	{"concat", nil, []Shape{{2}, {3}}, Shape{5}, 0, 0, 0},
	{"flatten", nil, []Shape{{2, 3, 4}}, Shape{24}, 0, 0, 0},
	{"reshape", Settings{"shape": []int{-1, 4}}, []Shape{{2, 3, 4}}, Shape{6, 4}, 0, 0, 0},
	{"reshape", Settings{"shape": []int{4, 3, 2, 1}}, []Shape{{24}}, Shape{4, 3, 2, 1}, 0, 0, 0},
	{"reshape", Settings{"shape": []int{24, -1}}, []Shape{{24}}, Shape{24, 1}, 0, 0, 0},
	{"upsample", nil, []Shape{{2, 3, 4}}, Shape{4, 6, 4}, 0, 0, 0},
	{"upsample", Settings{"factor": []int{1, 3}, "method": "bilinear"}, []Shape{{2, 3, 4}}, Shape{2, 9, 4}, 0, 0, 8 * 72},

	{"softmax", nil, []Shape{{2, 5}}, Shape{2, 5}, 0, 0, 4 * 10},
	{"soft_argmax", nil, []Shape{{8, 9, 15}}, Shape{30}, 0, 0, 8 * 8 * 9 * 15},
	// Four 8x8 projections of 16 tokens with biases; 2 heads of 16x16 scores of 4 features, scaled, softmax; their sums.
	{"attention", Settings{"heads": 2}, []Shape{{16, 8}}, Shape{16, 8}, 4 * (64 + 8), 0, 4*16*8*(2*8+1) + 2*16*16*(2*4+5+2*4)},
	{"attention", nil, []Shape{{4, 4, 8}}, Shape{4, 4, 8}, 4 * (64 + 8), 0, 4*16*8*(2*8+1) + 16*16*(2*8+5+2*8)},
}

func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range kindCases {
		seen[c.kind] = true
		n := Node{Layer: &Layer{Name: "x", Kind: c.kind, Settings: c.settings}, Kind: KindByName(c.kind), In: c.in}
		if err := n.infer(30); err != nil {
			t.Errorf("%s %v of %v: %v", c.kind, c.settings, c.in, err)
			continue
		}
		if c.all == 0 {
			c.all = c.params
		}
		var all int64
		for _, p := range n.Params {
			all += p.Shape.Size()
		}
		if !slices.Equal(n.Out, c.out) || n.Parameters() != c.params || all != c.all || n.FLOPs != c.flops {
			t.Errorf("%s %v of %v: found %v, %d parameters (%d in all), %d operations; want %v, %d (%d), %d",
				c.kind, c.settings, c.in, n.Out, n.Parameters(), all, n.FLOPs, c.out, c.params, c.all, c.flops)
		}
	}
	for _, k := range Kinds {
		if !seen[k.Name] {
			t.Errorf("%s: no case", k.Name)
		}
	}
}

// The design's layer kinds, all there from the start.
func TestKindsOfTheDesign(t *testing.T) {
	for _, name := range strings.Fields(`conv2d max_pool avg_pool global_avg_pool dense dropout batch_norm layer_norm activation
		add multiply concat flatten reshape upsample softmax soft_argmax attention`) {
		if KindByName(name) == nil {
			t.Errorf("%s: not in the table", name)
		}
	}
	for _, name := range strings.Fields("relu gelu silu tanh sigmoid elu leaky_relu") {
		if Activations.Row(name) == nil {
			t.Errorf("activation %s: not in the list", name)
		}
	}
	for _, name := range strings.Fields("stride padding dilation groups") {
		if KindByName("conv2d").row().setting(name) == nil {
			t.Errorf("conv2d: no setting %s", name)
		}
	}
}

// Products that overflow or pass the limits are errors, not wrapped numbers.
func TestKindsOverflow(t *testing.T) {
	for _, c := range []struct {
		kind     string
		settings Settings
		in       []Shape
		want     string
	}{
		{"conv2d", Settings{"filters": 1 << 20, "kernel": 1024}, []Shape{{1024, 1024, 1 << 11}}, "parameter weights: found the shape"},
		{"conv2d", Settings{"filters": 1 << 20, "kernel": 1, "bias": "untied"}, []Shape{{1 << 10, 1 << 10, 1}}, "want at most 2147483648 values"},
		{"dense", Settings{"units": 1 << 20}, []Shape{{1 << 31}}, "parameter weights: found the shape"},
		{"attention", nil, []Shape{{1 << 31, 1}}, "operations an image"}, // 4 * tokens^2 is 2^64
		{"attention", nil, []Shape{{1 << 30, 1}}, "operations an image"},
		{"attention", nil, []Shape{{1, 1 << 31}}, "parameter query: found the shape"},
		{"attention", nil, []Shape{{1 << 20, 1 << 11}}, "operations an image"},
		{"concat", nil, slices.Repeat([]Shape{{1 << 31}}, 256), "want at most 2147483648 values"},
		{"add", nil, []Shape{{1 << 31, 1}, {1, 1 << 31}}, "want at most 2147483648 values"},
		{"flatten", nil, []Shape{{1 << 14, 1 << 14, 1 << 14}}, "want at most 2147483648 values"},
		{"reshape", Settings{"shape": []int{1 << 20, 1 << 20, 1 << 20, 1 << 20}}, []Shape{{1, 1}}, "want as many values (1)"},
		{"reshape", Settings{"shape": []int{1 << 20, 1 << 20, 1 << 20, -1}}, []Shape{{1}}, "want as many values (1)"},
		{"upsample", Settings{"factor": 1024}, []Shape{{1 << 15, 1 << 15, 2}}, "want at most 2147483648 values"},
		{"max_pool", Settings{"window": 1024, "stride": 1}, []Shape{{1 << 15, 1 << 15, 2}}, "operations an image"},
		{"soft_argmax", nil, []Shape{{1, 1, 1 << 31}}, "want at most 2147483648 values"},
	} {
		n := Node{Layer: &Layer{Name: "x", Kind: c.kind, Settings: c.settings}, Kind: KindByName(c.kind), In: c.in}
		if err := n.infer(30); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v of %v: found %v (%d operations), want %s", c.kind, c.settings, c.in[0], err, n.FLOPs, c.want)
		}
	}
}

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		n, size int64
		factors []int
		want    int64
	}{
		{2, 3, []int{4, 5}, 120}, {1, 0, nil, 0}, {1, 1 << 31, []int{1 << 29}, 1 << 60},
		{2, 1 << 31, []int{1 << 31}, 1 << 60}, {4, 1 << 31, []int{1 << 31, 1 << 31, 1}, 1 << 60},
	} {
		if found := times(c.n, c.size, c.factors...); found != c.want {
			t.Errorf("%d * %d * %v: found %d, want %d", c.n, c.size, c.factors, found, c.want)
		}
	}
}

// What the table says of its own settings holds: a default is a value that the
// setting takes, every text is there, names are not those of other fields.
func TestTable(t *testing.T) {
	names := map[string]bool{}
	for _, k := range Kinds {
		if k.Help == "" || k.Shape == nil || names[k.Name] {
			t.Errorf("%s: found no help, no shape rule, or the name twice", k.Name)
		}
		names[k.Name] = true
		fields := map[string]bool{"name": true, "kind": true, "inputs": true}
		for i := range k.Settings {
			s := &k.Settings[i]
			if s.Help == "" || fields[s.Name] {
				t.Errorf("%s, setting %s: found no help, or the name twice", k.Name, s.Name)
			}
			fields[s.Name] = true
			if s.Default == nil {
				continue
			}
			raw, err := record.Text(s.Default)
			if err != nil {
				t.Fatal(err)
			}
			v, err := s.parse(raw)
			if err != nil {
				t.Errorf("%s, setting %s: its default: %v", k.Name, s.Name, err)
			}
			if p, ok := v.(Padding); ok && p.Mode == "valid" {
				v = Padding{Mode: "valid"}
			}
			if !reflect.DeepEqual(v, s.Default) {
				t.Errorf("%s, setting %s: found the default %v of %T, want %v of %T", k.Name, s.Name, s.Default, s.Default, v, v)
			}
		}
	}
}

func TestFans(t *testing.T) {
	for _, c := range []struct {
		kind     string
		settings Settings
		in       Shape
		in1, out int
	}{
		{"conv2d", Settings{"filters": 64, "kernel": []int{2, 3}}, Shape{8, 8, 32}, 6 * 32, 6 * 64},
		{"conv2d", Settings{"filters": 64, "kernel": 3, "groups": 4}, Shape{8, 8, 32}, 9 * 8, 9 * 16},
		{"dense", Settings{"units": 30}, Shape{500}, 500, 30},
		{"attention", Settings{"heads": 2}, Shape{4, 6}, 6, 6},
	} {
		n := Node{Layer: &Layer{Name: "x", Kind: c.kind, Settings: c.settings}, Kind: KindByName(c.kind), In: []Shape{c.in}}
		if err := n.infer(30); err != nil {
			t.Fatal(err)
		}
		p := n.Params[0]
		if p.FanIn != c.in1 || p.FanOut != c.out || !p.Decay || p.Init != "glorot_uniform" {
			t.Errorf("%s: found fans %d and %d, decay %v, %s; want %d and %d, decay, glorot_uniform", c.kind, p.FanIn, p.FanOut, p.Decay, p.Init, c.in1, c.out)
		}
		for _, p := range n.Params[1:] {
			if strings.Contains(p.Name, "bias") && (p.Decay || p.Init != "zeros") {
				t.Errorf("%s, %s: found decay or %s, want zeros without decay", c.kind, p.Name, p.Init)
			}
		}
	}
}

// "same" pads as TensorFlow does: the odd half below and right.
func TestPaddingSame(t *testing.T) {
	for _, c := range []struct {
		in, window, stride, dilation int
		want                         [2]int
	}{
		{5, 3, 1, 1, [2]int{1, 1}}, {5, 2, 1, 1, [2]int{0, 1}}, {6, 3, 2, 1, [2]int{0, 1}}, {5, 3, 2, 1, [2]int{1, 1}},
		{7, 3, 1, 2, [2]int{2, 2}}, {4, 1, 2, 1, [2]int{0, 0}}, {10, 4, 3, 1, [2]int{1, 2}},
	} {
		two := func(n int) [2]int { return [2]int{n, n} }
		if found := (Padding{Mode: "same"}).Resolve(two(c.in), two(c.window), two(c.stride), two(c.dilation)); found[0] != c.want || found[1] != c.want {
			t.Errorf("%+v: found %v", c, found)
		}
	}
}
