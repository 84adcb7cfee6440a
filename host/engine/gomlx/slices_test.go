package gomlx

import (
	"fmt"
	"os"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Which batches are sliced.
func TestSliceRows(t *testing.T) {
	for _, c := range []struct {
		name  string
		batch int
		kind  backend.Kind
		want  int
	}{
		{"net6", 128, backend.Go, 32},
		{"net6", 32, backend.Go, 32},
		{"net6", 100, backend.Go, 25},
		{"net6", 128, backend.XLACPU, 128},
		{"net11", 64, backend.Go, 16},
		{"compact-s", 32, backend.Go, 32}, // has batch_norm
	} {
		t.Run(fmt.Sprint(c.name, c.batch, c.kind), func(t *testing.T) {
			text, err := os.ReadFile("../testdata/bench/" + c.name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			d, err := blueprint.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := blueprint.NewPlan(d, 0, blueprint.KaggleColumns)
			if err != nil {
				t.Fatal(err)
			}
			plan.Member.Recipe.Batch = c.batch
			if got := sliceRows(plan, c.kind); got != c.want {
				t.Errorf("found %d rows at once, want %d", got, c.want)
			}
		})
	}
}
