package blueprint

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// The limits that docs/blueprint.md promises are those that hold.
func TestLimitsInTheGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/blueprint.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| what | at most |")
	for row, limits := range map[string][]int64{
		"text of a document":  {MaxBytes >> 20, int64(limits.Depth), int64(limits.Entries), int64(limits.Values)},
		"members":             {maxMembers},
		"columns of a member": {maxColumns, maxColumnName},
		"layers of a member":  {maxLayers, maxInputs},
		"values of an image, a layer's output or a parameter": {maxParameters},
		"parameters of a member":                              {maxParameters},
		"operations of a member, for one image":               {maxFLOPs},
		"epochs":                                              {maxEpochs},
		"batch":                                               {maxBatch},
	} {
		_, line, found := strings.Cut(table, "\n| "+row+" | ")
		line, _, _ = strings.Cut(line, "\n")
		if !found {
			t.Errorf("%s: no such row", row)
		}
		for _, n := range limits {
			if want := strconv.FormatInt(n, 10); !strings.Contains(strings.ReplaceAll(line, ",", ""), want) {
				t.Errorf("%s: found %q, want %s", row, line, want)
			}
		}
	}
}

// Training is three forward passes, but for gradients of what no parameter lies before: the image, and what is made of it alone.
func TestTrainingFLOPs(t *testing.T) {
	d, err := read([]byte(`{"blueprint": 1, "name": "net", "input": {"height": 4, "width": 4, "channels": 1}, "members": [{"name": "net", "columns": ["nose_tip_x"],
		"layers": [{"name": "less", "kind": "max_pool", "size": 2}, {"name": "flat", "kind": "flatten"}, {"name": "hidden", "kind": "dense", "units": 3},
			{"name": "answer", "kind": "dense", "units": 1}],
		"recipe": {"loss": {"kind": "mse"}, "optimizer": {"kind": "sgd"}, "rate": 0.1, "epochs": 1, "batch": 1, "validation": 0.2}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(d, 0, KaggleColumns)
	if err != nil {
		t.Fatal(err)
	}
	pool, hidden, answer := p.Nodes[0].FLOPs, p.Nodes[2].FLOPs, p.Nodes[3].FLOPs
	if got, want := p.TrainingFLOPs(), pool+2*hidden+3*answer; pool == 0 || hidden == 0 || answer == 0 || got != want {
		t.Errorf("found %d operations, want %d: %d once, %d twice, %d three times", got, want, pool, hidden, answer)
	}
}
