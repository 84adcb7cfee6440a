package engine

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
)

func TestPredict(t *testing.T) {
	columns := []string{"a_x", "a_y", "b_x"}
	layers := `{"name": "c", "kind": "conv2d", "filters": 3, "kernel": 2, "activation": "relu"}, {"name": "p", "kind": "max_pool"}, {"name": "n", "kind": "batch_norm"},
		{"name": "f", "kind": "flatten"}, {"name": "o", "kind": "dropout"}, {"name": "y", "kind": "dense", "units": "columns"}`
	plan := enginetest.Plan(t, strings.Replace(enginetest.Document(5, 5, "standardize", layers, enginetest.Plain(enginetest.SGD)), `"layers"`, `"output": {"scale": 2, "offset": 3}, "layers"`, 1), columns...)
	im := faces(70, 5, 5, columns).Images
	asFloats := im
	asFloats.Bytes, asFloats.Floats = nil, make([]float32, len(im.Bytes))
	for i, v := range im.Bytes {
		asFloats.Floats[i] = float32(v)
	}
	eachDevice(t, func(t *testing.T, on device.Device) {
		p, err := newPredictor(on, plan, InitialWeights(plan, 1))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		predictIn := func(batch int, im Images, rows []int) []float32 {
			t.Helper()
			out, err := p.PredictIn(context.Background(), batch, im, rows, nil)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		predict := func(im Images, rows []int) []float32 { return predictIn(0, im, rows) }
		close := func(what string, got, want []float32) {
			t.Helper()
			if len(got) != len(want) {
				t.Fatalf("%s: found %d values, want %d", what, len(got), len(want))
			}
			for i := range got {
				if math.Abs(float64(got[i]-want[i])) > 1e-5 {
					t.Fatalf("%s: value %d is %g, want %g", what, i, got[i], want[i])
				}
			}
		}
		all := predict(im, nil)
		if len(all) != 70*3 {
			t.Fatalf("found %d values, want %d", len(all), 70*3)
		}
		if !slices.Equal(predict(im, upTo(70)), all) {
			t.Error("all rows by number: found other answers than for all")
		}
		if !slices.Equal(predict(asFloats, nil), all) {
			t.Error("float images: found other answers than for bytes")
		}
		if slices.Equal(all[:3], all[3:6]) {
			t.Error("found the same answer for two images")
		}
		// The last six share a batch with zeros there, and here with none, or with others.
		close("one row", predict(im, []int{69}), all[69*3:])
		close("three rows", predict(im, []int{69, 0, 2}), slices.Concat(all[69*3:], all[:3], all[6:9]))
		close("five rows twice", predict(im, []int{64, 65, 66, 67, 64}), slices.Concat(all[64*3:68*3], all[64*3:65*3]))
		if got := predict(im, []int{}); len(got) != 0 {
			t.Errorf("no rows: found %v", got)
		}
		close("batches of 32", predictIn(32, im, nil), all)
		close("three rows, batches of 32", predictIn(32, im, []int{69, 0, 2}), slices.Concat(all[69*3:], all[:3], all[6:9]))
		var ticks []int
		if _, err := p.Predict(context.Background(), im, nil, func(done int) { ticks = append(ticks, done) }); err != nil || !slices.Equal(ticks, []int{64, 70}) {
			t.Errorf("found the ticks %v and error %v, want [64 70]", ticks, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ticks = nil
		_, err = p.Predict(ctx, im, nil, func(done int) { ticks = append(ticks, done); cancel() })
		if !errors.Is(err, context.Canceled) || !slices.Equal(ticks, []int{64}) {
			t.Errorf("stopped: found error %v after %v, want %v after [64]", err, ticks, context.Canceled)
		}
	})
}

// Pixels are y * scale + offset: a network that answers its bias alone.
func TestPredictionsAreInPixels(t *testing.T) {
	weights := Arrays{"net/y/weights": {Shape: []int{9, 2}, Data: make([]float32, 18)}, "net/y/bias": {Shape: []int{2}, Data: []float32{-0.5, 1}}}
	for _, c := range []struct {
		output string
		want   []float32
	}{{`{}`, []float32{0.75, 3}}, {`{"scale": 2, "offset": 10}`, []float32{9, 12}}, {`{"scale": 4}`, []float32{-2, 4}}} {
		plan := enginetest.Plan(t, strings.Replace(enginetest.Document(3, 3, "unit", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), `"layers"`, `"output": `+c.output+`, "layers"`, 1), "a_x", "a_y")
		p, err := newPredictor(openNative(t), plan, weights)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Predict(context.Background(), faces(1, 3, 3, nil).Images, nil, nil)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("output %s: found %v and error %v, want %v", c.output, got, err, c.want)
		}
		p.Close()
		p.Close() // does no harm
	}
}

func TestBadPredictionsAreRefused(t *testing.T) {
	on := openNative(t)
	plan := enginetest.Plan(t, enginetest.Document(3, 3, "unit", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), "a_x")
	weights := InitialWeights(plan, 1)
	p, err := newPredictor(on, plan, weights)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, c := range []struct {
		want string
		im   Images
		rows []int
	}{
		{"images: found 4x3 with 1 channels, want 3x3 with 1", faces(2, 4, 3, nil).Images, nil},
		{"images: found 8 values, want 9 for 1 images", Images{Count: 1, Height: 3, Width: 3, Channels: 1, Bytes: make([]uint8, 8), Floats: nil}, nil},
		{"images: found 18 values, want 9 for 1 images", Images{Count: 1, Height: 3, Width: 3, Channels: 1, Bytes: make([]uint8, 9), Floats: make([]float32, 9)}, nil},
		{"images: found 0 values, want 9 for 1 images", Images{Count: 1, Height: 3, Width: 3, Channels: 1, Bytes: nil, Floats: nil}, nil},
		{"images: found 0 values, want -9 for -1 images", Images{Count: -1, Height: 3, Width: 3, Channels: 1, Bytes: nil, Floats: nil}, nil},
		{"rows: found row 2, want 0 to 1", faces(2, 3, 3, nil).Images, []int{0, 2}},
		{"rows: found row -1, want 0 to 1", faces(2, 3, 3, nil).Images, []int{-1}},
	} {
		if _, err := p.Predict(context.Background(), c.im, c.rows, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("found error %v, want %q", err, c.want)
		}
	}
	if got, err := p.Predict(context.Background(), Images{Count: 1, Height: 3, Width: 3, Channels: 1, Bytes: make([]uint8, 9), Floats: []float32{}}, nil, nil); err != nil || len(got) != 1 {
		t.Errorf("bytes beside an empty slice of floats: found %v and error %v", got, err)
	}
	delete(weights, "net/y/bias")
	if _, err := newPredictor(on, plan, weights); err == nil || !strings.Contains(err.Error(), "tensor net/y/bias: missing, want shape [1]") {
		t.Errorf("found error %v, want the missing tensor's name", err)
	}
	weights["net/y/bias"] = Array{Shape: []int{1, 1}, Data: []float32{0}}
	if _, err := newPredictor(on, plan, weights); err == nil || !strings.Contains(err.Error(), "tensor net/y/bias: found shape [1 1] with 1 values, want [1]") {
		t.Errorf("found error %v, want the wrong shape", err)
	}
}

// Many goroutines with one predictor, which asks for parts of several sizes, get
// what one alone gets.
func TestPredictorServesManyAtOnce(t *testing.T) {
	columns := []string{"a_x", "a_y"}
	layers := `{"name": "c", "kind": "conv2d", "filters": 3, "kernel": 2, "activation": "relu"}, {"name": "f", "kind": "flatten"}, {"name": "y", "kind": "dense", "units": "columns"}`
	plan := enginetest.Plan(t, enginetest.Document(6, 6, "unit", layers, enginetest.Plain(enginetest.SGD)), columns...)
	im := faces(20, 6, 6, columns).Images
	eachDevice(t, func(t *testing.T, on device.Device) {
		open := func() *Predictor {
			p, err := newPredictor(on, plan, InitialWeights(plan, 1))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.Close)
			return p
		}
		parts := [][]int{nil, {3}, {4, 5, 6}, {7, 8}, {19, 0, 1, 2, 3, 4, 5}}
		var want [][]float32
		alone := open()
		for _, rows := range parts {
			out, err := alone.Predict(context.Background(), im, rows, nil)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, out)
		}
		many := open()
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for k := range 10 {
					i := (g + k) % len(parts)
					if got, err := many.Predict(context.Background(), im, parts[i], nil); err != nil || !slices.Equal(got, want[i]) {
						t.Errorf("rows %v: found %v and error %v, want %v", parts[i], got, err, want[i])
						return
					}
				}
			})
		}
		all.Wait()
	})
}

// A predictor that is closed while it answers ends the calls under way and refuses
// those to come.
func TestPredictorClosesWhileItAnswers(t *testing.T) {
	columns := []string{"a_x", "a_y"}
	plan := enginetest.Plan(t, enginetest.Document(6, 6, "unit", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), columns...)
	im := faces(20, 6, 6, columns).Images
	eachDevice(t, func(t *testing.T, on device.Device) {
		p, err := newPredictor(on, plan, InitialWeights(plan, 1))
		if err != nil {
			t.Fatal(err)
		}
		want, err := p.PredictIn(context.Background(), 1, im, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		started := make(chan bool, 4)
		for range cap(started) {
			all.Go(func() {
				for first := true; ; first = false {
					got, err := p.PredictIn(context.Background(), 1, im, nil, nil)
					if first {
						started <- true
					}
					if errors.Is(err, ErrClosed) {
						return
					}
					if err != nil || !slices.Equal(got, want) {
						t.Errorf("found %v and error %v, want %v or %v", got, err, want, ErrClosed)
						return
					}
				}
			})
		}
		for range cap(started) {
			<-started
		}
		p.Close()
		all.Wait()
		if _, err := p.Predict(context.Background(), im, nil, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("closed: found error %v, want %v", err, ErrClosed)
		}
		p.Close() // does no harm
	})
}

// A batch of fewer images than none is refused.
func TestPredictInRefuses(t *testing.T) {
	columns := []string{"a_x"}
	plan := enginetest.Plan(t, enginetest.Document(6, 6, "unit", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), columns...)
	eachDevice(t, func(t *testing.T, on device.Device) {
		p, err := newPredictor(on, plan, InitialWeights(plan, 1))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if _, err := p.PredictIn(context.Background(), -1, faces(3, 6, 6, columns).Images, nil, nil); err == nil || !strings.Contains(err.Error(), "batch: found -1 images") {
			t.Errorf("found error %v, want one of the batch", err)
		}
	})
}

// A closed trainer answers with an error.
func TestTrainerAfterClose(t *testing.T) {
	columns := []string{"a_x"}
	e := faces(4, 6, 6, columns)
	plan := enginetest.Plan(t, enginetest.Document(6, 6, "unit", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), columns...)
	eachDevice(t, func(t *testing.T, on device.Device) {
		tr := mustTrainer(t, mustUpload(t, on, e), Config{Plan: plan, Rows: upTo(4), Epochs: 1, Seed: 1})
		tr.Close()
		tr.Close() // does no harm
		for what, ask := range map[string]func() error{
			"Epoch":    func() error { _, err := tr.Epoch(context.Background(), nil); return err },
			"Loss":     func() error { _, _, err := tr.Loss(); return err },
			"Predict":  func() error { _, err := tr.Predict(context.Background(), e.Images, nil); return err },
			"Current":  func() error { _, err := tr.Current(); return err },
			"Snapshot": func() error { _, err := tr.Snapshot(); return err },
		} {
			if err := ask(); !errors.Is(err, ErrClosed) {
				t.Errorf("%s: found error %v, want %v", what, err, ErrClosed)
			}
		}
		if epoch, step := tr.Position(); epoch != 0 || step != 0 {
			t.Errorf("found the position %d, %d, want 0, 0", epoch, step)
		}
	})
}

// What goroutines share while they cut and fill batches is theirs alone: the race
// detector, which GoMLX's products don't bear, sees it here.
func TestBatchesOfManyAtOnce(t *testing.T) {
	plan := enginetest.Plan(t, enginetest.Document(2, 2, "unit", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), "a_x")
	a := answerer{plan: plan, answer: func(pixels []float32, rows int) ([]float32, error) {
		out := make([]float32, rows)
		for i, v := range pixels {
			out[i/4] += v
		}
		return out, nil
	}}
	im := faces(70, 2, 2, nil).Images
	scale, offsets := plan.Affine()
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for n := range 20 {
				rows := upTo(70)[:1+(7*g+11*n)%70]
				got, err := a.all(context.Background(), im, rows, 0, nil)
				if err != nil {
					t.Error(err)
				}
				for i := range rows {
					sum := 0
					for _, v := range im.Bytes[i*4 : i*4+4] {
						sum += int(v)
					}
					if want := float32(float64(sum)*scale + offsets[0]); got[i] != want {
						t.Errorf("row %d: found %g, want %g", i, got[i], want)
						return
					}
				}
			}
		})
	}
	all.Wait()
}
