package gomlx

import (
	"sync"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/gomlxtest"
)

// A number of rows is compiled for once, however many ask for it at once.
func TestAnswersCompileOnce(t *testing.T) {
	plan := enginetest.Plan(t, enginetest.Document(3, 3, "unit", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), "a_x")
	gomlxtest.Each(t, func(t *testing.T, on Backend) {
		network, err := New(on).Load(plan, enginetest.Weights(plan, 1))
		if err != nil {
			t.Fatal(err)
		}
		defer network.Close()
		n := network.(*loaded)
		var all sync.WaitGroup
		var mu sync.Mutex
		made := map[*program]bool{}
		for i := range 12 {
			all.Go(func() {
				rows := 1 + i%2
				if _, err := n.Answer(make([]float32, rows*9), rows); err != nil {
					t.Error(err)
				}
				p, err := n.program(rows)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				made[p] = true
				mu.Unlock()
			})
		}
		all.Wait()
		if len(made) != 2 || len(n.programs) != 2 {
			t.Errorf("found %d programs of which %d are kept, want 2", len(made), len(n.programs))
		}
	})
}
