package engine

import (
	"errors"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func TestCheck(t *testing.T) {
	const layers = `{"name": "conv", "kind": "conv2d", "filters": 2, "kernel": 3}, {"name": "drop", "kind": "dropout", "rate": 0.5},
		{"name": "flat", "kind": "flatten"}, {"name": "out", "kind": "dense", "units": "columns"}`
	eachDevice(t, func(t *testing.T, on device.Device) {
		for _, c := range []struct {
			name, more string
			want       error
		}{
			{"what can be trained", ``, nil},
			{"mirror", `, "augment": {"mirror": {"share": 0.5}}`, nil},
			{"augmented", `, "augment": {"rotate": 5, "erase": {"share": 0.5, "area": 0.1}}`, nil},
		} {
			plan := enginetest.Plan(t, enginetest.Document(6, 6, "unit", layers, enginetest.Plain(enginetest.SGD+c.more)), "a_x", "a_y")
			if err := on.Check(plan); !errors.Is(err, c.want) {
				t.Errorf("%s: error is %v, want %v", c.name, err, c.want)
			}
		}
		plan := enginetest.Plan(t, enginetest.Document(6, 6, "unit", layers, enginetest.Plain(enginetest.SGD)), "a_x", "a_y")
		plan.Nodes[0].Kind = &blueprint.Kind{Name: "unheard"}
		if err := on.Check(plan); !errors.Is(err, ErrUnsupported) {
			t.Errorf("an unknown kind: error is %v, want %v", err, ErrUnsupported)
		}
	})
}
