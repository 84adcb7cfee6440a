package layer

import (
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/native/internal/pytorch"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Pools give what PyTorch's give, both directions, with each set of kernels.
func TestPoolsAgreeWithPyTorch(t *testing.T) {
	pool := work.New(2)
	defer pool.Close()
	caller := pool.Caller()
	tested := 0
	for i, c := range pytorch.Read(t) {
		if c.Op == "conv" {
			continue
		}
		tested++
		for _, set := range kernel.Sets() {
			t.Run(set.Name+" "+c.Name(i), func(t *testing.T) {
				s := c.X.Shape
				p := Pool{Mean: c.Op != "max", Height: s[1], Width: s[2], Channels: s[3], Window: c.Window, Stride: c.Strides, Padding: c.Padding,
					CountPadding: c.CountPadding}
				if err := p.Prepare(set, 2); err != nil {
					t.Fatal(err)
				}
				h, w := p.Out()
				x, y := c.X.Floats(), make([]float32, s[0]*h*w*s[3])
				p.Forward(caller, s[0], x, y)
				pytorch.Near(t, "y", y, c.Y)
				dx := make([]float32, len(x))
				p.Back(caller, s[0], x, y, c.DY.Floats(), dx, make([]float32, p.BackScratch()))
				pytorch.Near(t, "dx", dx, c.DX)
			})
		}
	}
	if tested < 20 {
		t.Errorf("found %d pools, want at least 20", tested)
	}
}
