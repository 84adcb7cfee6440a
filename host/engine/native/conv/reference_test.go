package conv

import (
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/native/internal/pytorch"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Every direction gives what PyTorch gives, with each set of kernels.
func TestAgreesWithPyTorch(t *testing.T) {
	pool := work.New(2)
	defer pool.Close()
	caller := pool.Caller()
	tested := 0
	for i, c := range pytorch.Read(t) {
		if c.Op != "conv" {
			continue
		}
		tested++
		x, w := c.X.Shape, c.W.Shape
		g := Geometry{Height: x[1], Width: x[2], Channels: x[3], Filters: w[3], Kernel: [2]int{w[0], w[1]}, Stride: c.Strides, Dilation: c.Dilations,
			Padding: c.Padding, Groups: c.Groups}
		for _, set := range kernel.Sets() {
			t.Run(set.Name+" "+c.Name(i), func(t *testing.T) {
				ctx := Context{set, 2}
				f, err := NewForward(ctx, g)
				if err != nil {
					t.Fatal(err)
				}
				d, _ := NewInput(ctx, g)
				e, _ := NewFilter(ctx, g)
				g, n := f.g, x[0]
				memory := func(n int) []float32 { return make([]float32, n) }
				y, dx, dw, db := memory(n*g.outSize()), memory(n*g.inSize()), memory(g.filterSize()), memory(g.Filters)
				packed, packedBack := memory(f.PackedLen()), memory(d.PackedLen())
				for _, err := range []error{
					f.Pack(caller, c.W.Floats(), packed),
					f.Run(caller, n, c.X.Floats(), packed, c.B.Floats(), kernel.Activation{}, y, memory(f.Scratch())),
					d.Pack(caller, c.W.Floats(), packedBack), d.Run(caller, n, c.DY.Floats(), packedBack, dx, false, memory(d.Scratch())),
					e.Run(caller, n, c.X.Floats(), c.DY.Floats(), dw, db, false, memory(e.Scratch(n))),
				} {
					if err != nil {
						t.Fatal(err)
					}
				}
				pytorch.Near(t, "y", y, c.Y)
				pytorch.Near(t, "dx", dx, c.DX)
				pytorch.Near(t, "dw", dw, c.DW)
				pytorch.Near(t, "db", db, c.DB)
			})
		}
	}
	if tested < 100 {
		t.Errorf("found %d convolutions, want at least 100", tested)
	}
}
