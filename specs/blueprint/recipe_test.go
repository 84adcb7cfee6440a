package blueprint

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/specs/record"
)

// schedules.json is what schedules.py has from PyTorch and NumPy.
func TestSchedulesAgainstPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/schedules.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name          string
		Schedule      Schedule
		Epochs        int
		StepsPerEpoch int `json:"steps_per_epoch"`
		At            []int
		Want          []float64
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, c := range cases {
		kinds[c.Schedule.Kind] = true
		if err := checkObject(reflect.ValueOf(c.Schedule), &Setting{Max: 1}); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		if len(c.At) == 0 || len(c.At) != len(c.Want) {
			t.Fatalf("%s: found %d moments and %d values", c.Name, len(c.At), len(c.Want))
		}
		for k, i := range c.At {
			at := Progress{Epoch: i / c.StepsPerEpoch, Epochs: c.Epochs, Step: i, StepsPerEpoch: c.StepsPerEpoch}
			if found := c.Schedule.At(at); math.Abs(found-c.Want[k]) > 1e-12*math.Abs(c.Schedule.From) {
				t.Errorf("%s: at %d found %.17g, want %.17g", c.Name, i, found, c.Want[k])
				break
			}
		}
	}
	for _, kind := range Schedules.Names() {
		if !kinds[kind] {
			t.Errorf("%s: no case", kind)
		}
	}
}

// The report's: the first value at epoch 1 and the second at the last, exactly.
func TestLinearIsExactAtBothEnds(t *testing.T) {
	for _, epochs := range []int{2, 3, 1000, 3000, 10_000} {
		for _, s := range []Schedule{Linear(0.03, 0.0001), Linear(0.9, 0.999), {Kind: "cosine", From: 0.03, To: 0.0001}} {
			first, last := s.At(Progress{Epoch: 0, Epochs: epochs}), s.At(Progress{Epoch: epochs - 1, Epochs: epochs})
			if first != s.From || last != s.To {
				t.Errorf("%s over %d epochs: found %.17g to %.17g, want %g to %g", s.Kind, epochs, first, last, s.From, s.To)
			}
		}
	}
}

func TestSchedulesAtTheEdges(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Schedule
		at   Progress
		want float64
	}{
		{"by epoch, steps don't matter", Linear(1, 0), Progress{Epoch: 1, Epochs: 3, Step: 19, StepsPerEpoch: 10}, 0.5},
		{"past the end", Linear(1, 0.25), Progress{Epoch: 7, Epochs: 3}, 0.25},
		{"no epochs", Linear(1, 0.25), Progress{}, 1},
		{"one epoch", Linear(1, 0.25), Progress{Epochs: 1}, 1},
		{"one_cycle past the end", Schedule{Kind: "one_cycle", From: 1}, Progress{Epoch: 99, Epochs: 10}, 1.0 / 250_000},
		{"one_cycle of one epoch", Schedule{Kind: "one_cycle", From: 1}, Progress{Epochs: 1}, 1},
		{"one_cycle that only warms up", Schedule{Kind: "one_cycle", From: 1, Warmup: 9}, Progress{Epoch: 4, Epochs: 5}, 1},
		{"one_cycle with a first moment of warm-up", Schedule{Kind: "one_cycle", From: 1, Warmup: 1}, Progress{Epoch: 0, Epochs: 5}, 1},
		{"step by a tenth", Schedule{Kind: "step", From: 1, Factor: 0.5, Every: 0.1, By: "step"}, Progress{Epochs: 1, Step: 3, StepsPerEpoch: 10}, 0.125},
		{"step without steps known", Schedule{Kind: "step", From: 1, Factor: 0.5, Every: 1, By: "step"}, Progress{Epochs: 3, Step: 2}, 0.25},
	} {
		if found := c.s.At(c.at); math.Abs(found-c.want) > 1e-15 {
			t.Errorf("%s: found %g, want %g", c.name, found, c.want)
		}
	}
}

func TestEpochsFor(t *testing.T) {
	for _, c := range []struct {
		r    Recipe
		rows int
		want int
	}{
		{Recipe{Epochs: 3000}, 2140, 3000},
		{Recipe{Epochs: 3000}, 0, 3000},
		{Recipe{Examples: 10_000_000}, 7000, 1428}, // 1428.57, rounded down
		{Recipe{Examples: 10_000_000}, 2155, 4640},
		{Recipe{Examples: 100}, 2155, 1},
		{Recipe{Examples: 100}, 0, 0},
		{Recipe{Examples: maxExamples}, 1, maxEpochs},
	} {
		if found := c.r.EpochsFor(c.rows); found != c.want {
			t.Errorf("epochs %d, examples %d, %d rows: found %d, want %d", c.r.Epochs, c.r.Examples, c.rows, found, c.want)
		}
	}
}

func TestOptimizerDefaults(t *testing.T) {
	zero := Constant(0)
	for _, c := range []struct {
		o     Optimizer
		decay float64
	}{
		{Optimizer{Kind: "adamw"}, 0.01}, {Optimizer{Kind: "adamw", Decay: &zero}, 0}, {Optimizer{Kind: "adam"}, 0.01}, {Optimizer{Kind: "sgd"}, 0.01},
	} {
		d := c.o.Defaults()
		if d.Decay.From != c.decay || d.Momentum.From != 0 || d.Beta1.From != 0.9 || d.Beta2.From != 0.999 || d.Epsilon.From != 1e-8 || d.Clip.From != 0 {
			t.Errorf("%s: found decay %g, momentum %g, betas %g and %g, epsilon %g, clip %g", c.o.Kind, d.Decay.From, d.Momentum.From, d.Beta1.From, d.Beta2.From, d.Epsilon.From, d.Clip.From)
		}
		if c.o.Momentum != nil {
			t.Errorf("%s: found the recipe changed", c.o.Kind)
		}
	}
	// Whoever works out a step has every setting there is, of whatever optimizer.
	for _, kind := range append(Optimizers.Names(), "nonesuch") {
		d := reflect.ValueOf(Optimizer{Kind: kind}.Defaults())
		for name, field := range record.Fields(d) {
			if field.Type() == reflect.TypeFor[*Schedule]() && field.IsNil() {
				t.Errorf("%s: found no %s, want a default", kind, name)
			}
		}
	}
}

func TestScheduleText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`0.5`, `0.5`}, {`{"kind":"constant","from":0.5}`, `0.5`}, {`-0`, `-0`}, {`1e-7`, `1e-7`},
		{`{"kind":"constant","from":0.5,"by":"step"}`, `{"kind":"constant","from":0.5,"by":"step"}`},
		{`{"kind":"constant","from":0.5,"x":[1, 2]}`, `{"kind":"constant","from":0.5,"x":[1,2]}`},
		{`{"to":1,"from":0,"kind":"linear"}`, `{"kind":"linear","from":0,"to":1}`},
	} {
		var s Schedule
		if err := json.Unmarshal([]byte(c.text), &s); err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if b, err := json.Marshal(s); err != nil || string(b) != c.want {
			t.Errorf("%s: found %s (%v), want %s", c.text, b, err, c.want)
		}
	}
}

func TestMirrorAxisJSON(t *testing.T) {
	for _, test := range []struct {
		text string
		want MirrorAxis
		of96 float64 // pixels, for images of 96
		bad  string
	}{
		{`{}`, 0, 96, ""}, {`{"axis":"auto"}`, AutoAxis, 96, ""}, {`{"axis":97.63}`, 97.63, 97.63, ""},
		{`{"axis":"middle"}`, 0, 0, `found "middle", want a number of pixels or "auto"`}, {`{"axis":-1}`, 0, 0, "found -1"},
	} {
		var m Mirror
		err := json.Unmarshal([]byte(test.text), &m)
		if test.bad != "" {
			if err == nil || !strings.Contains(err.Error(), test.bad) {
				t.Errorf("%s: found %v, want %s", test.text, err, test.bad)
			}
			continue
		}
		if err != nil || m.Axis != test.want || m.AxisOf(96) != test.of96 {
			t.Errorf("%s: found %v (%v), want %v", test.text, m.Axis, err, test.want)
		}
		if text, err := json.Marshal(m); err != nil || string(text) != test.text {
			t.Errorf("%s: written as %s (%v)", test.text, text, err)
		}
	}
}
