package engine_test

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/internal/cputime"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// benchmarked are documents that plugins gave, as testdata/bench keeps them.
var benchmarked = []string{"net6", "net11", "compact-s"}

func benchPlan(b *testing.B, name string) *blueprint.Plan {
	text, err := os.ReadFile("testdata/bench/" + name + ".json")
	if err != nil {
		b.Fatal(err)
	}
	d, err := blueprint.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	plan, err := blueprint.NewPlan(d, 0, blueprint.KaggleColumns)
	if err != nil {
		b.Fatal(err)
	}
	return plan
}

func benchExamples(rows int) engine.Examples {
	r := rand.New(rand.NewPCG(1, 2))
	e := engine.Examples{Images: engine.Images{Count: rows, Height: 96, Width: 96, Channels: 1, Bytes: make([]uint8, rows*96*96)}, Columns: blueprint.KaggleColumns}
	for i := range e.Bytes {
		e.Bytes[i] = uint8(r.Uint32())
	}
	for range rows * 30 {
		e.Points = append(e.Points, float32(96*r.Float64()))
	}
	return e
}

// BenchmarkTrain is whole training steps of the recipe's batch, by backend.
func BenchmarkTrain(b *testing.B) {
	for _, name := range benchmarked {
		b.Run(name, func(b *testing.B) {
			backendtest.EachBench(b, func(b *testing.B, on *backend.Backend) {
				plan := benchPlan(b, name)
				batch := plan.Member.Recipe.Batch
				data, err := engine.Upload(on, benchExamples(batch))
				if err != nil {
					b.Fatal(err)
				}
				defer data.Close()
				rows := make([]int, batch)
				for i := range rows {
					rows[i] = i
				}
				t, err := engine.NewTrainer(data, engine.Config{Plan: plan, Rows: rows, Epochs: 1 << 20, Seed: 1})
				if err != nil {
					b.Fatal(err)
				}
				defer t.Close()
				epoch := func() {
					if _, err := t.Epoch(context.Background(), nil); err != nil {
						b.Fatal(err)
					}
				}
				epoch() // compiles
				b.ResetTimer()
				for range b.N {
					epoch()
				}
				perSecond := float64(batch) * float64(b.N) / b.Elapsed().Seconds()
				b.ReportMetric(perSecond, "images/s")
				b.ReportMetric(3*float64(plan.FLOPs())*perSecond/1e9, "GFLOP/s")
			})
		})
	}
}

// BenchmarkAugmented alternates compact-s's training epochs with every kind of
// augmentation and without any: what data and augmentation cost beside the
// device's own work, less the gathering of the plain images, which the device
// does. times-plain is the ratio of their medians, processor-times-plain that of
// their processor times, which other work on the machine disturbs less.
func BenchmarkAugmented(b *testing.B) {
	backendtest.EachBench(b, func(b *testing.B, on *backend.Backend) {
		const batches = 4
		var trainers [2]*engine.Trainer
		for i := range trainers {
			plan := benchPlan(b, "compact-s")
			r := &plan.Member.Recipe
			r.Augment = nil
			if i == 1 {
				fixed := func(v float64) *blueprint.Schedule { s := blueprint.Constant(v); return &s }
				r.Augment = &blueprint.Augment{Mirror: &blueprint.Mirror{}, Shift: fixed(4), Rotate: fixed(15), Scale: fixed(0.15), Brightness: fixed(0.1),
					Contrast: fixed(0.2), Noise: fixed(0.02), Erase: &blueprint.Erase{Share: blueprint.Constant(0.5), Area: blueprint.Constant(0.1)}}
			}
			n := batches * r.Batch
			data, err := engine.Upload(on, benchExamples(n))
			if err != nil {
				b.Fatal(err)
			}
			defer data.Close()
			rows := make([]int, n)
			for k := range rows {
				rows[k] = k
			}
			if trainers[i], err = engine.NewTrainer(data, engine.Config{Plan: plan, Rows: rows, Epochs: 1 << 20, Seed: 1}); err != nil {
				b.Fatal(err)
			}
			defer trainers[i].Close()
			if _, err := trainers[i].Epoch(context.Background(), nil); err != nil { // compiles
				b.Fatal(err)
			}
		}
		var times, processor [2][]float64
		b.ResetTimer()
		for range max(b.N, 5) {
			for i, t := range trainers {
				start, used := time.Now(), cputime.Used()
				if _, err := t.Epoch(context.Background(), nil); err != nil {
					b.Fatal(err)
				}
				times[i], processor[i] = append(times[i], time.Since(start).Seconds()), append(processor[i], (cputime.Used()-used).Seconds())
			}
		}
		ratio := func(of [2][]float64) float64 {
			slices.Sort(of[0])
			slices.Sort(of[1])
			return of[1][len(of[1])/2] / of[0][len(of[0])/2]
		}
		b.ReportMetric(ratio(times), "times-plain")
		if cputime.Used() > 0 { // the system tells
			b.ReportMetric(ratio(processor), "processor-times-plain")
		}
	})
}

// BenchmarkPredict is a batch of 64 images, and one image.
func BenchmarkPredict(b *testing.B) {
	for _, name := range benchmarked {
		for label, n := range map[string]int{"64": 64, "1": 1} {
			b.Run(name+"/"+label, func(b *testing.B) {
				backendtest.EachBench(b, func(b *testing.B, on *backend.Backend) {
					plan := benchPlan(b, name)
					p, err := engine.NewPredictor(on, plan, engine.InitialWeights(plan, 1))
					if err != nil {
						b.Fatal(err)
					}
					defer p.Close()
					images := benchExamples(n).Images
					predict := func() {
						if _, err := p.Predict(context.Background(), images, nil, nil); err != nil {
							b.Fatal(err)
						}
					}
					predict()
					b.ResetTimer()
					for range b.N {
						predict()
					}
					b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "images/s")
				})
			})
		}
	}
}
