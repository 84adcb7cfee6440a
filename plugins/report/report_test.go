package report

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func withDropout(hidden int) Plan { return Baseline(hidden).WithDropout() }

func deep(count, layers int) func(int) Plan {
	return func(hidden int) Plan { return Deep(count, layers, hidden) }
}

func group(name, points string) Group { return Group{Name: name, Points: strings.Fields(points)} }

var specialists = []Group{
	group("common", "left_eye_center right_eye_center nose_tip mouth_center_bottom_lip"),
	group("rare", `left_eye_inner_corner right_eye_inner_corner left_eye_outer_corner right_eye_outer_corner
		left_eyebrow_inner_end right_eyebrow_inner_end left_eyebrow_outer_end right_eyebrow_outer_end
		mouth_left_corner mouth_right_corner mouth_center_top_lip`),
}

var net8 = []Group{
	group("eye_centers", "left_eye_center right_eye_center"),
	group("nose_tip", "nose_tip"),
	group("mouth_corners", "mouth_left_corner mouth_right_corner mouth_center_top_lip"),
	group("bottom_lip", "mouth_center_bottom_lip"),
	group("eye_corners", "left_eye_inner_corner right_eye_inner_corner left_eye_outer_corner right_eye_outer_corner"),
	group("eyebrows", "left_eyebrow_inner_end right_eyebrow_inner_end left_eyebrow_outer_end right_eyebrow_outer_end"),
}

type network struct {
	architecture plugins.Architecture
	parameters   []int64 // of each member
	gigaflops    float64 // forward pass of one image, counted elsewhere (products alone); 0: not known
}

// The report's networks with their parameters, as its tables and its authors'
// logs have them.
var networks = []network{
	{Architecture("net1", "net1", 100, func(n int) Plan { return Plan{Hidden: []int{n}} }, Recipe(1000)), []int64{924_730}, 0},
	{Architecture("net2", "net2", 500, Baseline, Recipe(1000)), []int64{8_051_502}, 0},
	{Architecture("net3", "net3", 500, Baseline, Flipped(Recipe(3000))), []int64{8_051_502}, 0},
	{Architecture("net4", "net4", 500, Baseline, Adjusted(3000)), []int64{8_051_502}, 0},
	{Architecture("net5", "net5", 500, Baseline, Flipped(Adjusted(3000))), []int64{8_051_502}, 0},
	{Architecture("net6", "net6", 500, withDropout, Flipped(Adjusted(3000))), []int64{8_051_502}, 0.087},
	{Architecture("net7", "net7", 1000, withDropout, Flipped(Adjusted(10_000))), []int64{16_561_502}, 0},
	{Architecture("net8-on-all-columns", "net8", 1000, withDropout, ForExamples(Flipped(Adjusted(1)), 4_000_000, 200)), []int64{16_561_502}, 0},
	{Grouped("net8", "net8", 1000, withDropout, net8, ForExamples(Flipped(Adjusted(1)), 4_000_000, 200)),
		[]int64{16_535_476, 16_533_474, 16_537_478, 16_533_474, 16_539_480, 16_539_480}, 0},
	{Architecture("net9", "net9", 1000, deep(2, 3), Flipped(Adjusted(10_000))), []int64{20_751_462}, 0},
	{Architecture("net10", "net10", 1000, deep(3, 3), Flipped(Adjusted(3000))), []int64{20_945_222}, 0},
	{Architecture("net11", "net11", 1000, deep(3, 2), Flipped(Adjusted(10_000))), []int64{19_944_222}, 1.24},
	{Grouped("specialists", "specialists", 1000, withDropout, specialists, StartingFrom(ForExamples(Flipped(Adjusted(1)), 10_000_000, 0), "net7")),
		[]int64{16_539_480, 16_553_494}, 0},
}

func TestParameters(t *testing.T) {
	for _, n := range networks {
		t.Run(n.architecture.Name, func(t *testing.T) {
			d := document(t, n.architecture)
			if len(d.Members) != len(n.parameters) {
				t.Fatalf("found %d members, want %d", len(d.Members), len(n.parameters))
			}
			var sum int64
			for i, want := range n.parameters {
				p, err := blueprint.NewPlan(d, i, blueprint.KaggleColumns)
				if err != nil {
					t.Fatal(err)
				}
				if p.Parameters() != want {
					t.Errorf("member %s: found %d parameters, want %d", d.Members[i].Name, p.Parameters(), want)
				}
				sum += want
				if giga := float64(p.FLOPs()) / 1e9; n.gigaflops != 0 && math.Abs(giga-n.gigaflops) > 0.03*n.gigaflops {
					t.Errorf("found %.4f GFLOP an image, want %g", giga, n.gigaflops)
				}
			}
			if found, err := d.Parameters(blueprint.KaggleColumns); err != nil || found != sum {
				t.Errorf("found %d parameters in all (%v), want %d", found, err, sum)
			}
		})
	}
}

func document(t *testing.T, a plugins.Architecture) *blueprint.Document {
	t.Helper()
	d, err := a.Document(nil, plugins.DataSummary{Columns: blueprint.KaggleColumns})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// What travels to the host is valid by its rules and by the published schema,
// and comes back as it was.
func TestDocuments(t *testing.T) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(blueprint.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("blueprint.json", value); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("blueprint.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks {
		t.Run(n.architecture.Name, func(t *testing.T) {
			text, err := document(t, n.architecture).JSON()
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(v); err != nil {
				t.Errorf("by the schema: %v", err)
			}
			d, err := blueprint.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Validate(blueprint.KaggleColumns); err != nil {
				t.Error(err)
			}
			if unknown := d.UnknownFields(); len(unknown) > 0 {
				t.Errorf("found unknown fields %v", unknown)
			}
			if again, err := d.JSON(); err != nil || !bytes.Equal(text, again) {
				t.Errorf("found other bytes after reading (%v)", err)
			}
		})
	}
}

// The shapes of net6 and net11 on the way, worked out by hand.
func TestShapes(t *testing.T) {
	for name, want := range map[string]string{
		"net6": "conv1 [94 94 32] pool1 [47 47 32] dropout1 [47 47 32] conv2 [46 46 64] pool2 [23 23 64] dropout2 [23 23 64] " +
			"conv3 [22 22 128] pool3 [11 11 128] dropout3 [11 11 128] flatten [15488] hidden4 [500] dropout4 [500] hidden5 [500] output [30]",
		"net11": "conv1_1 [96 96 32] conv1_2 [96 96 32] conv1_3 [96 96 32] pool1 [48 48 32] dropout1 [48 48 32] " +
			"conv2_1 [48 48 64] conv2_2 [48 48 64] conv2_3 [48 48 64] pool2 [24 24 64] dropout2 [24 24 64] " +
			"conv3_1 [24 24 128] conv3_2 [24 24 128] conv3_3 [24 24 128] pool3 [12 12 128] dropout3 [12 12 128] " +
			"flatten [18432] hidden4 [1000] dropout4 [1000] hidden5 [1000] output [30]",
	} {
		i := slices.IndexFunc(networks, func(n network) bool { return n.architecture.Name == name })
		p, err := blueprint.NewPlan(document(t, networks[i].architecture), 0, blueprint.KaggleColumns)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, n := range p.Nodes {
			found = append(found, fmt.Sprint(n.Layer.Name, " ", n.Out))
		}
		if found := strings.Join(found, " "); found != want {
			t.Errorf("%s: found %s\nwant %s", name, found, want)
		}
	}
}

// Rate and momentum go from the first value at epoch 1 to the second at the
// last; flips change the places of the columns that the report lists.
func TestRecipes(t *testing.T) {
	plain, adjusted := Recipe(1000), Flipped(Adjusted(3000))
	for _, c := range []struct {
		name                 string
		recipe               blueprint.Recipe
		epoch, of            int
		wantRate, wantMoment float64
	}{
		{"plain", plain, 1, 1000, 0.01, 0.9}, {"plain", plain, 1000, 1000, 0.01, 0.9},
		{"adjusted", adjusted, 1, 3000, 0.03, 0.9}, {"adjusted", adjusted, 3000, 3000, 0.0001, 0.999},
		{"adjusted in 3 epochs", adjusted, 2, 3, 0.01505, 0.9495},
	} {
		at := blueprint.Progress{Epoch: c.epoch - 1, Epochs: c.of}
		if rate, momentum := c.recipe.Rate.At(at), c.recipe.Optimizer.Momentum.At(at); math.Abs(rate-c.wantRate) > 1e-15 || math.Abs(momentum-c.wantMoment) > 1e-15 {
			t.Errorf("%s, epoch %d of %d: found rate %g and momentum %g, want %g and %g", c.name, c.epoch, c.of, rate, momentum, c.wantRate, c.wantMoment)
		}
	}
	if !plain.CompleteRows() || plain.Batch != 128 || plain.Validation != 0.2 || !plain.Optimizer.Nesterov || plain.Augment != nil || plain.Loss.Kind != "mse" {
		t.Errorf("found the recipe %+v", plain)
	}
	if grouped := ForExamples(adjusted, 4_000_000, 200); grouped.EpochsFor(7000) != 571 || grouped.Stop.Patience != 200 || adjusted.Stop != nil {
		t.Errorf("found %d epochs for 7,000 rows, stop %+v, and %+v of the recipe it came from", grouped.EpochsFor(7000), grouped.Stop, adjusted.Stop)
	}
	m := blueprint.Member{}
	if scale, offset := m.Affine(blueprint.Input{Height: Size, Width: Size, Channels: 1}); scale != 48 || offset != 48 {
		t.Errorf("found y*%g + %g, want y*48 + 48", scale, offset)
	}
}
