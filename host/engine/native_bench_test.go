package engine_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/internal/cputime"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// rival is one of the devices that a benchmark compares: go through a piece of work once.
type rival struct {
	name string
	once func()
}

// rivals are the native device and the backends named, with what makes the piece of work.
func rivals(b *testing.B, names []string, make func(b *testing.B, d device.Device) func()) []rival {
	out := []rival{{"native", make(b, engine.BenchNative(b))}}
	for _, name := range names {
		if slices.Contains(backendtest.Names(), name) {
			out = append(out, rival{name, make(b, engine.DeviceOf(backendtest.Open(b, name)))})
		}
	}
	return out
}

// race has the rivals take turns, since machines differ by the minute, and reports the images a second of each: medians of the time that
// passed, and of the processor time, which other work on the machine disturbs less, as if all processors had been the rival's.
func race(b *testing.B, images int, all []rival) {
	wall, used := map[string][]float64{}, map[string][]float64{}
	for _, r := range all {
		r.once() // compiles
	}
	b.ResetTimer()
	for range b.N {
		for _, r := range all {
			start, before := time.Now(), cputime.Used()
			r.once()
			wall[r.name] = append(wall[r.name], time.Since(start).Seconds())
			used[r.name] = append(used[r.name], (cputime.Used() - before).Seconds())
		}
	}
	for _, r := range all {
		b.ReportMetric(float64(images)/median(wall[r.name]), r.name+"-images/s")
		if cputime.Used() > 0 {
			b.ReportMetric(float64(images*runtime.GOMAXPROCS(0))/median(used[r.name]), r.name+"-images/processors-s")
		}
	}
	b.ReportMetric(0, "ns/op")
}

// aloneAndNot measures the native device alone, to be profiled, and beside the backends.
func aloneAndNot(b *testing.B, name string, images int, make func(b *testing.B, d device.Device) func()) {
	b.Run(name+"/alone", func(b *testing.B) { race(b, images, rivals(b, nil, make)) })
	b.Run(name+"/all", func(b *testing.B) { race(b, images, rivals(b, []string{"cpu"}, make)) })
}

// BenchmarkNativeTrain compares training steps.
func BenchmarkNativeTrain(b *testing.B) {
	for _, c := range []struct {
		name  string
		batch int
	}{{"net6", 128}, {"net11", 64}, {"compact-s", 32}, {"compact-m", 32}} {
		plan := benchPlan(b, c.name)
		plan.Member.Recipe.Batch, plan.Member.Recipe.Augment = c.batch, nil
		aloneAndNot(b, c.name, c.batch, func(b *testing.B, d device.Device) func() { return trainOn(b, d, plan, c.batch) })
	}
}

// trainOn is a step of training.
func trainOn(b *testing.B, d device.Device, plan *blueprint.Plan, batch int) func() {
	data, err := engine.UploadTo(d, benchExamples(batch))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(data.Close)
	t, err := engine.NewTrainer(data, engine.Config{Plan: plan, Rows: allRows(batch), Epochs: 1 << 20, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(t.Close)
	return func() {
		if _, err := t.Epoch(context.Background(), nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNativeReady is how long it takes to make a training's program and give it memory, or a network's for one image: what is
// between a command and its first step, weights and data aside.
func BenchmarkNativeReady(b *testing.B) {
	d := engine.BenchNative(b)
	for _, c := range []struct {
		name  string
		batch int
	}{{"net6", 128}, {"net11", 64}, {"compact-s", 32}, {"compact-m", 32}} {
		plan := benchPlan(b, c.name)
		data, err := engine.UploadTo(d, benchExamples(c.batch))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(data.Close)
		weights := engine.InitialWeights(plan, 1)
		b.Run(c.name+"/train", func(b *testing.B) {
			for b.Loop() {
				t, err := engine.NewTrainer(data, engine.Config{Plan: plan, Rows: allRows(c.batch), Epochs: 1, Seed: 1, Weights: weights})
				if err != nil {
					b.Fatal(err)
				}
				t.Close()
			}
		})
		b.Run(c.name+"/predict", func(b *testing.B) {
			for b.Loop() {
				p, err := engine.NewPredictorOn(d, plan, weights)
				if err != nil {
					b.Fatal(err)
				}
				p.Close()
			}
		})
	}
}

// BenchmarkNativePredict compares answers to a batch of 64 images, and to one.
func BenchmarkNativePredict(b *testing.B) {
	for _, name := range []string{"net6", "net11", "compact-s", "compact-m"} {
		for _, n := range []int{64, 1} {
			plan, images := benchPlan(b, name), benchExamples(n).Images
			aloneAndNot(b, fmt.Sprint(name, "/", n), n, func(b *testing.B, d device.Device) func() {
				p, err := engine.NewPredictorOn(d, plan, engine.InitialWeights(plan, 1))
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(p.Close)
				return func() {
					if _, err := p.Predict(context.Background(), images, nil, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
