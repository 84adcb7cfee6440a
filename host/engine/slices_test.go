package engine

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
)

// sliced has dropout of maps and of rows, with an even and an odd number of
// channels, and a layer that the answer doesn't depend on.
const sliced = `{"name": "c", "kind": "conv2d", "filters": 4, "kernel": [3, 3], "activation": "relu"},
	{"name": "p", "kind": "max_pool", "window": [2, 2]}, {"name": "d1", "kind": "dropout", "rate": 0.3},
	{"name": "c2", "kind": "conv2d", "filters": 3, "kernel": [2, 2]}, {"name": "d2", "kind": "dropout", "rate": 0.3},
	{"name": "f", "kind": "flatten"}, {"name": "h", "kind": "dense", "units": 7, "activation": "tanh"},
	{"name": "unused", "kind": "dense", "inputs": ["h"], "units": 3},
	{"name": "d3", "kind": "dropout", "inputs": ["h"], "rate": 0.4}, {"name": "y", "kind": "dense", "units": "columns"}`

// slicedTrainer trains on 13 rows in batches of 8: 8 and 5.
func slicedTrainer(t *testing.T, data *Resident, augment string, atOnce int, state *State) *Trainer {
	t.Helper()
	recipe := `{"loss": {"kind": "huber", "rows": "filled", "delta": 0.2}, "batch": 8, "epochs": 3, "validation": 0, "rate": 0.2, "average": {"decay": 0.9},
		"optimizer": {"kind": "sgd", "momentum": 0.9, "nesterov": true, "clip": 0.5}, "augment": {` + augment + `}}`
	plan := enginetest.Plan(t, enginetest.Document(10, 10, "unit", sliced, recipe), data.examples.Columns...)
	c := Config{Plan: plan, Rows: upTo(13), Epochs: 3, Seed: 5, State: state}
	if atOnce > 0 {
		return mustTrain(t, data, c, atOnce)
	}
	return mustTrainer(t, data, c)
}

// Slices give what whole batches give, but for the order of sums.
func TestSlicesAreTheWhole(t *testing.T) {
	columns := []string{"left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y"}
	eachDevice(t, func(t *testing.T, on device.Device) {
		data := mustUpload(t, on, faces(13, 10, 10, columns))
		for _, augment := range []string{`"mirror": {}`, `"mirror": {}, "shift": 1, "noise": 0.1`} {
			whole := slicedTrainer(t, data, augment, 0, nil)
			if whole.atOnce != 8 {
				t.Fatalf("a small network: found %d rows at once, want the batch of 8", whole.atOnce)
			}
			before := mustSnapshot(t, whole)
			loss := mustEpoch(t, whole)
			loss += mustEpoch(t, whole)
			want := mustSnapshot(t, whole)
			for _, atOnce := range []int{1, 3, 5} {
				tr := slicedTrainer(t, data, augment, atOnce, nil)
				got := mustEpoch(t, tr)
				got += mustEpoch(t, tr)
				if math.Abs(got-loss) > 1e-5*loss {
					t.Errorf("%s, %d at once: found a loss of %g, want %g", augment, atOnce, got, loss)
				}
				state := mustSnapshot(t, tr)
				for name, w := range want.Tensors {
					var far, moved float64
					for i, v := range state.Tensors[name].Data {
						far = max(far, math.Abs(float64(v-w.Data[i])))
						moved = max(moved, math.Abs(float64(before.Tensors[name].Data[i]-w.Data[i])))
					}
					if far > 1e-4*moved {
						t.Errorf("%s, %d at once: tensor %s is off by %g, having moved by %g", augment, atOnce, name, far, moved)
					}
				}
			}
		}
	})
}

// A training in slices that is continued gives the same bytes.
func TestContinuedSlicesAreTheSame(t *testing.T) {
	columns := []string{"left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y"}
	eachDevice(t, func(t *testing.T, on device.Device) {
		data := mustUpload(t, on, faces(13, 10, 10, columns))
		whole := slicedTrainer(t, data, `"mirror": {}`, 3, nil)
		mustEpoch(t, whole)
		loss := mustEpoch(t, whole)
		want := mustSnapshot(t, whole)
		cut := slicedTrainer(t, data, `"mirror": {}`, 3, nil)
		mustEpoch(t, cut)
		ctx, cancel := context.WithCancel(context.Background())
		if _, err := cut.Epoch(ctx, func(int, int) { cancel() }); !errors.Is(err, context.Canceled) {
			t.Fatalf("found %v, want %v", err, context.Canceled)
		}
		continued := slicedTrainer(t, data, `"mirror": {}`, 3, mustSnapshot(t, cut))
		if got := mustEpoch(t, continued); got != loss {
			t.Errorf("found a loss of %v, want %v", got, loss)
		}
		sameState(t, "continued", mustSnapshot(t, continued), want)
	})
}
