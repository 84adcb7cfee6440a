package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
)

// The epoch and the first batch whose loss isn't finite are named.
func TestTrainingThatDivergesSaysSo(t *testing.T) {
	e := faces(4, 3, 3, []string{"a_x"})
	e.Points = []float32{1, 2, 3, 1}
	eachDevice(t, func(t *testing.T, on device.Device) {
		plan := enginetest.Plan(t, enginetest.Document(3, 3, "raw", enginetest.OneDense, `{"loss": {"kind": "mse"}, "optimizer": {"kind": "sgd"}, "rate": 1e4, "epochs": 9, "batch": 1, "validation": 0}`), e.Columns...)
		tr := mustTrainer(t, mustUpload(t, on, e), Config{Plan: plan, Rows: upTo(4), Epochs: 9, Seed: 1})
		first := 0
		for epoch := range 9 {
			_, err := tr.Epoch(context.Background(), func(done, _ int) {
				sum, _, err := tr.Loss()
				if err != nil {
					t.Fatal(err)
				}
				if first == 0 && !finite(sum) {
					first = done
				}
			})
			if err == nil {
				continue
			}
			want := fmt.Sprintf("epoch %d is", epoch+1)
			if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("from batch %d of 4 on", first)) {
				t.Errorf("found error %v, want %v with %q and batch %d", err, ErrDiverged, want, first)
			}
			return
		}
		t.Error("found no error, want ErrDiverged")
	})
}

// A training that diverges within a long epoch ends before the epoch does, with
// the first batch named, and gives no state to go on from.
func TestDivergingEndsWithinTheEpoch(t *testing.T) {
	const rows = 300
	e := faces(rows, 3, 3, []string{"a_x"})
	eachDevice(t, func(t *testing.T, on device.Device) {
		for _, c := range []struct {
			name, rate string
			batch      int // done in slices of one row
			maxLoss    float64
			said       string
		}{
			{"not a number", "1e-5", 1, 0, "the loss of epoch 1 is NaN from batch "},
			{"in slices", "1e-5", 2, 1e6, ", and has been more than 1e+06, from where no training comes back, from batch "},
			{"beyond the limit", "1e-5", 1, 1e6, ", and has been more than 1e+06, from where no training comes back, from batch "},
		} {
			plan := enginetest.Plan(t, enginetest.Document(3, 3, "raw", enginetest.OneDense, `{"loss": {"kind": "mse"}, "optimizer": {"kind": "sgd"}, "rate": `+c.rate+fmt.Sprintf(`, "epochs": 9, "batch": %d, "validation": 0}`, c.batch)), e.Columns...)
			tr := mustTrain(t, mustUpload(t, on, e), Config{Plan: plan, Rows: upTo(rows), Epochs: 9, Seed: 1, MaxLoss: c.maxLoss}, 1)
			first, last := 0, 0
			_, err := tr.Epoch(context.Background(), func(done, _ int) {
				last = done
				sum, cells, err := tr.Loss()
				if err != nil {
					t.Fatal(err)
				}
				if loss := sum / cells; first == 0 && (!finite(loss) || c.maxLoss > 0 && loss > c.maxLoss) {
					first = done
				}
			})
			if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), fmt.Sprintf("%s%d of %d on", c.said, first, rows/c.batch)) {
				t.Errorf("%s: found error %v, want %v, %q and batch %d", c.name, err, ErrDiverged, c.said, first)
			}
			if first == 0 || last > first+2*lookEvery {
				t.Errorf("%s: diverged in batch %d, ended after batch %d, want at most %d more", c.name, first, last, 2*lookEvery)
			}
			if _, err := tr.Snapshot(); !errors.Is(err, ErrDiverged) {
				t.Errorf("%s: the state: found error %v, want %v", c.name, err, ErrDiverged)
			}
		}
	})
}
