package conv

import (
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// FuzzGeometry convolves whatever fits, in all directions, and compares with plain loops, each set of kernels. What doesn't fit is an
// error.
func FuzzGeometry(f *testing.F) {
	f.Add([]byte{5, 6, 3, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, uint64(1))
	f.Add([]byte{12, 12, 40, 35, 3, 3, 2, 2, 1, 1, 0, 1, 0, 1, 1, 1}, uint64(2))
	f.Add([]byte{9, 25, 12, 18, 2, 4, 1, 2, 2, 1, 3, 0, 2, 1, 6, 3}, uint64(3))
	f.Add([]byte{1, 40, 70, 33, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1}, uint64(4))
	f.Add([]byte{2, 2, 1, 1, 5, 5, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1}, uint64(5))
	pool := work.New(2)
	f.Cleanup(pool.Close)
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		if len(data) < 16 {
			return
		}
		at := func(i, most int) int { return int(data[i]) % most }
		groups := 1 + at(14, 6)
		g := Geometry{Height: at(0, 30), Width: at(1, 60), Channels: groups * at(2, 80/groups), Filters: groups * at(3, 80/groups),
			Kernel: [2]int{at(4, 6), at(5, 6)}, Stride: [2]int{at(6, 4), at(7, 4)}, Dilation: [2]int{at(8, 4), at(9, 4)},
			Padding: [2][2]int{{at(10, 5), at(11, 5)}, {at(12, 5), at(13, 5)}}, Groups: groups}
		n := 1 + at(15, 3)
		caller := pool.Caller()
		if _, err := NewForward(Context{kernel.Sets()[0], 2}, g); err != nil {
			if h, w := g.Out(); h > 0 && w > 0 && g.Height > 0 && g.Width > 0 && g.Channels > 0 && g.Filters > 0 && g.Kernel[0] > 0 && g.Kernel[1] > 0 {
				t.Fatalf("%v: found %v, want none", g, err)
			}
			return
		}
		if float64(n)*g.Operations() > 2e7 {
			return // plain loops would take long
		}
		for _, set := range kernel.Sets() {
			check(t, set, caller, g, n, seed)
		}
	})
}
