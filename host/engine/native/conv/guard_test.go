package conv

import (
	"fmt"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/native/internal/guard"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// No direction reads behind its arrays: that would end the test.
func TestReadsWithin(t *testing.T) {
	pool := work.New(1)
	defer pool.Close()
	caller := pool.Caller()
	for _, set := range kernel.Sets() {
		for _, g := range geometries {
			t.Run(fmt.Sprintf("%s/%v", set.Name, g), func(t *testing.T) {
				ctx := Context{set, 1}
				f, err := NewForward(ctx, g)
				if err != nil {
					t.Fatal(err)
				}
				d, _ := NewInput(ctx, g)
				e, _ := NewFilter(ctx, g)
				g := f.g
				x, w, bias, y := guard.Floats(t, g.inSize()), guard.Floats(t, g.filterSize()), guard.Floats(t, g.Filters), guard.Floats(t, g.outSize())
				packed, packedBack := guard.Floats(t, f.PackedLen()), guard.Floats(t, d.PackedLen())
				scratch := func(n int) []float32 { return guard.Floats(t, n) }
				for _, err := range []error{
					f.Pack(caller, w, packed), f.Run(caller, 1, x, packed, bias, kernel.Activation{}, y, scratch(f.Scratch())),
					d.Pack(caller, w, packedBack), d.Run(caller, 1, y, packedBack, x, false, scratch(d.Scratch())),
					e.Run(caller, 1, x, y, w, bias, false, scratch(e.Scratch(1))),
				} {
					if err != nil {
						t.Fatal(err)
					}
				}
				if d.Adds() {
					if err := d.Run(caller, 1, y, packedBack, x, true, scratch(d.Scratch())); err != nil {
						t.Fatal(err)
					}
				}
				if err := e.Run(caller, 1, x, y, w, bias, true, scratch(e.Scratch(1))); err != nil {
					t.Fatal(err)
				}
				if !Pools(g) {
					return
				}
				p, err := NewPooled(ctx, g)
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Run(caller, 1, x, packed, bias, kernel.Activation{}, guard.Floats(t, p.outSize()), scratch(p.Scratch())); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
