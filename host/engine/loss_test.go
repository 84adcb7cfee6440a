package engine

import (
	"math"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// The loss as the zoo computes it for validation is that of training.
func TestLossOfAgreesWithPyTorch(t *testing.T) {
	for _, c := range enginetest.TheReference(t).Losses {
		answer, target, cells := c.Answer.Tensor(t).Data, c.Target.Tensor(t).Data, c.Cells.Tensor(t).Data
		k, loss := 0, LossOf(c.Loss)
		for i, filled := range c.Filled.Tensor(t).Data {
			if filled == 0 {
				continue
			}
			if got := loss(float64(answer[i] - target[i])); math.Abs(got-float64(cells[k])) > 1e-7 {
				t.Errorf("%s: cell %d: found %g, want %g", c.Loss.Kind, i, got, cells[k])
			}
			k++
		}
	}
}

// Each row of the blueprint's table has a loss for the host.
func TestEveryLossHasOneOnTheHost(t *testing.T) {
	for _, kind := range blueprint.Losses.Names() {
		if cellLosses[kind] == nil {
			t.Errorf("loss %s: not in cellLosses", kind)
		}
	}
	if len(cellLosses) != len(blueprint.Losses) {
		t.Errorf("found %d losses, want %d", len(cellLosses), len(blueprint.Losses))
	}
	if got := LossOf(blueprint.Loss{Kind: "nonesuch"})(1); !math.IsNaN(got) {
		t.Errorf("a loss that is none of them: found %g, want not a number", got)
	}
}

// BenchmarkLossOf is one cell's loss.
func BenchmarkLossOf(b *testing.B) {
	for _, kind := range blueprint.Losses.Names() {
		b.Run(kind, func(b *testing.B) {
			loss, sum := LossOf(blueprint.Loss{Kind: kind}), 0.0
			for d := -1.0; b.Loop(); d = -d {
				sum += loss(d)
			}
			if !finite(sum) {
				b.Fatalf("found a sum of %g", sum)
			}
		})
	}
}
