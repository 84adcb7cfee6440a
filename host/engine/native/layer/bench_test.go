package layer

import (
	"math"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
	"github.com/fkzoo/fkzoo/internal/cputime"
)

// BenchmarkLayers measures what a network does beside products, on maps of 16 images of 48x48x64 pixels, one thread: GB/s of what is
// read and written, by processor time.
func BenchmarkLayers(b *testing.B) {
	set := kernel.Sets()[0]
	const n, h, w, c = 16, 48, 48, 64
	const rows, size = n * h * w, n * h * w * c
	pool := work.New(1)
	defer pool.Close()
	caller := pool.Caller()
	memory := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i%17-8) * 0.1
		}
		return x
	}
	x, y, dy, dx := memory(size), memory(size), memory(size), memory(size)
	scale, offset, mean, variance, more := memory(c), memory(c), memory(c), memory(c), memory(c)
	e := NewEach(set, 1)
	norm := &BatchNorm{Channels: NewChannels(set, 1), C: c, Epsilon: 1e-3}
	p := &Pool{Height: h, Width: w, Channels: c, Window: [2]int{2, 2}}
	if err := p.Prepare(set, 1); err != nil {
		b.Fatal(err)
	}
	d, err := NewDropout(set, 1, 0.3, true, 1, h*w*c, c)
	if err != nil {
		b.Fatal(err)
	}
	relu, _ := kernel.NewActivation("relu", 0)
	gelu, _ := kernel.NewActivation("gelu", 0)
	scratch := memory(norm.Scratch(rows) + p.BackScratch())
	for _, test := range []struct {
		name   string
		arrays float64 // read or written
		f      func()
	}{
		{"relu", 2, func() { e.Activate(caller, relu, size, x, y) }},
		{"relu-back", 3, func() { e.ActivateBack(caller, relu, size, y, dy, dx) }},
		{"gelu", 2, func() { e.Activate(caller, gelu, size, x, y) }},
		{"gelu-back", 3, func() { e.ActivateBack(caller, gelu, size, x, dy, dx) }},
		{"add", 3, func() { e.Run(caller, kernel.OpAdd, size, Streams{y, x, dy}, [8]float32{}) }},
		{"sum-squares", 1, func() { e.SumSquares(caller, x) }},
		{"dropout", 2, func() { d.Apply(caller, [2]uint32{1, 2}, 0, n, x, y) }},
		{"max-pool", 1.25, func() { p.Forward(caller, n, x, y) }},
		{"max-pool-back", 2.5, func() { p.Back(caller, n, x, y, dy, dx, scratch) }},
		{"batch-norm", 3, func() {
			norm.Train(caller, rows, x, scale, offset, mean, variance, 0.9, relu, y, more, mean, scratch)
		}},
		{"batch-norm-back", 5, func() {
			norm.Back(caller, rows, x, dy, scale, scale, mean, variance, true, more, offset, dx, scratch)
		}},
		{"adam", 7, func() {
			e.Run(caller, kernel.OpAdam, size, Streams{x, y, dy, dx}, [8]float32{0.9, 0.1, 0.99, 0.01, 1e-9, 1, 1, 0})
		}},
	} {
		b.Run(test.name, func(b *testing.B) {
			best := math.Inf(1)
			for b.Loop() {
				start := cputime.Used()
				test.f()
				best = min(best, (cputime.Used() - start).Seconds())
			}
			b.ReportMetric(4*size*test.arrays/best/1e9, "GB/s")
			b.ReportMetric(best*1e3, "ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}
