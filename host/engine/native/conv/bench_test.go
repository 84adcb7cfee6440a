package conv

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/peak"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
	"github.com/fkzoo/fkzoo/internal/cputime"
)

// layer is a convolution of a network, and the images that are measured at once.
type layer struct {
	name string
	n    int
	g    Geometry
}

// The convolutions of net11 and compact-m, as `fkzoo info` lists them; those of equal shape once.
var layers = []layer{
	{"net11/conv1_1", 8, shape(96, 96, 1, 32, 3).padded(around(1))},
	{"net11/conv1_2", 8, shape(96, 96, 32, 32, 3).padded(around(1))},
	{"net11/conv2_1", 8, shape(48, 48, 32, 64, 3).padded(around(1))},
	{"net11/conv2_2", 8, shape(48, 48, 64, 64, 3).padded(around(1))},
	{"net11/conv3_1", 8, shape(24, 24, 64, 128, 3).padded(around(1))},
	{"net11/conv3_2", 8, shape(24, 24, 128, 128, 3).padded(around(1))},
	{"compact-m/stem", 16, shape(96, 96, 1, 48, 3).padded([2][2]int{{0, 1}, {0, 1}}).strided(same(2))},
	{"compact-m/block1_1_a", 16, shape(48, 48, 48, 48, 3).padded([2][2]int{{0, 1}, {0, 1}}).strided(same(2))},
	{"compact-m/block1_b", 16, shape(24, 24, 48, 48, 3).padded(around(1))},
	{"compact-m/block1_1_skip", 16, shape(48, 48, 48, 48, 1).strided(same(2))},
	{"compact-m/block2_1_a", 16, shape(24, 24, 48, 96, 3).padded([2][2]int{{0, 1}, {0, 1}}).strided(same(2))},
	{"compact-m/block2_b", 16, shape(12, 12, 96, 96, 3).padded(around(1))},
	{"compact-m/block2_1_skip", 16, shape(24, 24, 48, 96, 1).strided(same(2))},
	{"compact-m/block3_1_a", 16, shape(12, 12, 96, 192, 3).padded([2][2]int{{0, 1}, {0, 1}}).strided(same(2))},
	{"compact-m/block3_b", 16, shape(6, 6, 192, 192, 3).padded(around(1))},
	{"compact-m/block3_1_skip", 16, shape(12, 12, 96, 192, 1).strided(same(2))},
	{"compact-m/top", 16, shape(6, 6, 192, 64, 1)},
	{"compact-m/up2_side", 16, shape(12, 12, 96, 64, 1)},
	{"compact-m/up2_mix", 16, shape(12, 12, 64, 64, 3).padded(around(1))},
	{"compact-m/up1_side", 16, shape(24, 24, 48, 64, 1)},
	{"compact-m/up1_mix", 16, shape(24, 24, 64, 64, 3).padded(around(1))},
	{"compact-m/maps", 16, shape(24, 24, 64, 15, 1)},
	{"net6/conv2", 16, shape(47, 47, 32, 64, 2)},
	{"net6/conv3", 16, shape(23, 23, 64, 128, 2)},
}

// BenchmarkLayers measures each convolution, each direction, with one and two threads, alternating with nothing but multiply-adds:
// GFLOP/s by the clock, and as the share of the peak what is reached of what multiply-adds alone reach in the same run. The best of
// all turns counts, since others may use the machine meanwhile. Packing isn't in it. internal/peers reads what it prints.
func BenchmarkLayers(b *testing.B) {
	for _, set := range kernel.Sets() {
		if set.Name == "plain" {
			continue
		}
		for _, l := range layers {
			for _, direction := range []string{"forward", "input", "filter"} {
				for threads := 1; threads <= 2; threads++ {
					b.Run(fmt.Sprintf("%s/%s/%s/threads=%d", set.Name, l.name, direction, threads), func(b *testing.B) {
						benchmark(b, set, l, direction, threads)
					})
				}
			}
		}
	}
}

func benchmark(b *testing.B, set *kernel.Set, l layer, direction string, threads int) {
	pool := work.New(threads)
	defer pool.Close()
	caller, ctx := pool.Caller(), Context{set, threads}
	f, err := NewForward(ctx, l.g)
	if err != nil {
		b.Fatal(err)
	}
	d, _ := NewInput(ctx, l.g)
	e, _ := NewFilter(ctx, l.g)
	g, n := f.g, l.n
	fill := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i%7-3) * 0.1
		}
		return x
	}
	x, w, dy := fill(n*g.inSize()), fill(g.filterSize()), fill(n*g.outSize())
	bias, y, dw, dx := fill(g.Filters), fill(n*g.outSize()), fill(len(w)), fill(len(x))
	packed, packedBack := make([]float32, f.PackedLen()), make([]float32, d.PackedLen())
	scratch := make([]float32, max(f.Scratch(), d.Scratch(), e.Scratch(n)))
	relu, _ := kernel.NewActivation("relu", 0)
	if err := f.Pack(caller, w, packed); err != nil {
		b.Fatal(err)
	}
	if err := d.Pack(caller, w, packedBack); err != nil {
		b.Fatal(err)
	}
	run := func() error {
		switch direction {
		case "forward":
			return f.Run(caller, n, x, packed, bias, relu, y, scratch)
		case "input":
			return d.Run(caller, n, dy, packedBack, dx, false, scratch)
		}
		return e.Run(caller, n, x, dy, dw, bias, false, scratch)
	}
	alone := peak.NewTask(set, threads, 16<<20)
	var rate, most float64
	for b.Loop() {
		start := time.Now()
		multiplied := alone.Run(caller)
		most = max(most, multiplied/time.Since(start).Seconds())
		start = time.Now()
		if err := run(); err != nil {
			b.Fatal(err)
		}
		rate = max(rate, float64(n)*g.Operations()/time.Since(start).Seconds())
	}
	b.ReportMetric(rate/1e9, "GFLOP/s")
	b.ReportMetric(most/1e9, "peak-GFLOP/s")
	b.ReportMetric(rate/most, "of-peak")
	b.ReportMetric(float64(n), "images")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkOneImage measures all convolutions of a network forward for one image, one thread, packed before: GFLOP/s by processor time.
func BenchmarkOneImage(b *testing.B) {
	times := map[string]int{"net11/conv1_2": 2, "net11/conv2_2": 2, "net11/conv3_2": 2, "compact-m/block1_b": 3, "compact-m/block2_b": 3, "compact-m/block3_b": 3}
	for _, net := range []string{"net11", "compact-m", "net6"} {
		b.Run(net, func(b *testing.B) {
			pool := work.New(1)
			defer pool.Close()
			caller := pool.Caller()
			var runs []func()
			operations := 0.0
			for _, l := range layers {
				if !strings.HasPrefix(l.name, net+"/") {
					continue
				}
				f, err := NewForward(Context{kernel.Sets()[0], 1}, l.g)
				if err != nil {
					b.Fatal(err)
				}
				x, y := make([]float32, f.g.inSize()), make([]float32, f.g.outSize())
				for range max(1, times[l.name]) {
					packed, scratch := make([]float32, f.PackedLen()), make([]float32, f.Scratch())
					operations += l.g.Operations()
					runs = append(runs, func() {
						if err := f.Run(caller, 1, x, packed, nil, kernel.Activation{}, y, scratch); err != nil {
							b.Fatal(err)
						}
					})
				}
			}
			most := 0.0
			for b.Loop() {
				used := cputime.Used()
				for _, run := range runs {
					run()
				}
				most = max(most, operations/(cputime.Used()-used).Seconds())
			}
			b.ReportMetric(most/1e9, "GFLOP/s")
			b.ReportMetric(operations/most*1e3, "ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}
