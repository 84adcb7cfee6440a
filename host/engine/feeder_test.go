package engine

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/augment"
	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
)

// A batch holds what package augment makes of each row by the change drawn for
// it: points move along, mirrored columns change places, and what is empty or
// leaves the image teaches nothing.
func TestFedBatches(t *testing.T) {
	const size = 12
	columns := []string{"left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y", "nose_x", "nose_y"}
	turn := []int{2, 3, 0, 1, 4, 5}
	e := faces(7, size, size, columns)
	recipe := enginetest.Plain(enginetest.SGD + `, "augment": {"mirror": {"axis": 11}, "rotate": 40, "scale": 0.2, "shift": 3, "contrast": 0.2, "noise": 0.1}`)
	plan := enginetest.Plan(t, enginetest.Document(size, size, "unit", enginetest.OneDense, recipe), columns...)
	tr := mustTrainer(t, mustUpload(t, openNative(t), e), Config{Plan: plan, Rows: []int{6, 5, 4, 3, 2, 1}, Epochs: 50, Seed: 3})
	frame := augment.Frame{Height: size, Width: size, Channels: 1, Axis: 11}
	left, moved, mirrored := 0, 0, 0
	for epoch := range 50 {
		rows := order(tr.Rows, 3, "net", epoch)
		for step := range 2 {
			part := rows[step*4 : min(step*4+4, 6)]
			b := tr.feeder.take(epoch, step)
			if b.rows != len(part) || b.epoch != epoch || b.step != step {
				t.Fatalf("found %d rows of epoch %d, step %d, want %d of %d, %d", b.rows, b.epoch, b.step, len(part), epoch, step)
			}
			changes := tr.feeder.changes(epoch, step, len(part))
			for i, row := range part {
				want := make([]float32, size*size)
				augment.Image(want, e.Bytes[row*size*size:(row+1)*size*size], frame, changes[i])
				if !slices.Equal(b.images[i*size*size:(i+1)*size*size], want) {
					t.Fatalf("epoch %d, row %d: found another image than that of its change", epoch, row)
				}
				if changes[i].Mirror {
					mirrored++
				}
				move := changes[i].Points(frame)
				for point := 0; point < 6; point += 2 {
					from := point
					if changes[i].Mirror {
						from = turn[point]
					}
					x, y := float64(e.Points[row*6+from]), float64(e.Points[row*6+from+1])
					wantX, wantY, inside := move(x, y)
					labels := b.labels[i*12:]
					filled := [2]bool{labels[6+point] == 1, labels[6+point+1] == 1}
					if full := !math.IsNaN(x + y); filled[0] != (full && inside) || filled[1] != filled[0] {
						t.Fatalf("epoch %d, row %d, point %d at %g, %g: found filled %v, inside %v", epoch, row, point/2, x, y, filled, inside)
					} else if full && !inside {
						left++
					} else if full {
						moved++
						if math.Abs(float64(labels[point])-(wantX-6)/6) > 1e-6 || math.Abs(float64(labels[point+1])-(wantY-6)/6) > 1e-6 {
							t.Fatalf("epoch %d, row %d, point %d: found %g, %g, want %g, %g", epoch, row, point/2, labels[point], labels[point+1], (wantX-6)/6, (wantY-6)/6)
						}
					}
				}
			}
			tr.feeder.give(b)
		}
	}
	if left < 20 || moved < 200 || mirrored != 150 {
		t.Errorf("found %d points that left, %d that stayed, %d mirrored, want some, many and half of 300", left, moved, mirrored)
	}
	if n := len(tr.feeder.spare); n > 2 {
		t.Errorf("found memory for %d batches, want at most 2", n)
	}
}

// Schedules reach the host's augmentation: what begins at 0 leaves the first
// epoch's images as they are.
func TestAugmentationFollowsItsSchedules(t *testing.T) {
	columns := []string{"left_eye_x", "left_eye_y"}
	e := faces(4, 6, 6, columns)
	linear := func(to string) string { return `{"kind": "linear", "from": 0, "to": ` + to + `}` }
	recipe := enginetest.Plain(enginetest.SGD + `, "augment": {"mirror": {"share": 0, "pairs": []}, "shift": ` + linear("2") + `, "noise": ` + linear("0.1") +
		`, "erase": {"share": 1, "area": ` + linear("0.5") + `}}`)
	plan := enginetest.Plan(t, enginetest.Document(6, 6, "unit", enginetest.OneDense, recipe), columns...)
	tr := mustTrainer(t, mustUpload(t, openNative(t), e), Config{Plan: plan, Rows: upTo(4), Epochs: 2, Seed: 3})
	for epoch, want := range []bool{true, false} {
		b := tr.feeder.now(epoch, 0)
		unchanged := make([]float32, len(b.images))
		e.Fill(unchanged, order(tr.Rows, 3, "net", epoch))
		if slices.Equal(b.images, unchanged) != want {
			t.Errorf("epoch %d: found the images unchanged %v, want %v", epoch, !want, want)
		}
	}
}

// A network trained on moved, turned and noisy spots finds them where they are.
func TestAugmentedTrainingLearns(t *testing.T) {
	columns := []string{"spot_x", "spot_y"}
	const size, rows = 8, 64
	e := Examples{Images: Images{Count: rows, Height: size, Width: size, Channels: 1, Bytes: make([]uint8, rows*size*size)}, Columns: columns}
	for r := range rows {
		x, y := 2+r%4, 2+r/4%4
		e.Bytes[r*size*size+y*size+x] = 255
		e.Points = append(e.Points, float32(x)+0.5, float32(y)+0.5)
	}
	layers := `{"name": "c", "kind": "conv2d", "filters": 1, "padding": "same"}, {"name": "y", "kind": "soft_argmax", "temperature": 0.05}`
	eachDevice(t, func(t *testing.T, on device.Device) {
		plan := enginetest.Plan(t, enginetest.Document(size, size, "unit", layers, `{"loss": {"kind": "mse", "rows": "filled"}, "optimizer": {"kind": "adamw", "clip": 1},
			"rate": 0.05, "epochs": 12, "batch": 16, "validation": 0, "average": {"decay": 0.5}, "augment": {"shift": 1.5, "rotate": 45, "contrast": 0.2, "noise": 0.01}}`), columns...)
		tr := mustTrainer(t, mustUpload(t, on, e), Config{Plan: plan, Rows: upTo(rows), Epochs: 12, Seed: 1})
		first := mustEpoch(t, tr)
		var last float64
		for range 11 {
			last = mustEpoch(t, tr)
		}
		answer, err := tr.Predict(context.Background(), e.Images, nil)
		if err != nil {
			t.Fatal(err)
		}
		var sum float64
		for i, v := range answer {
			sum += math.Pow(float64(v-e.Points[i]), 2)
		}
		if rmse := math.Sqrt(sum / float64(len(answer))); rmse > 0.3 || last > first/4 {
			t.Errorf("found an error of %.2f pixels and losses from %g to %g, want it to follow the spot", rmse, first, last)
		}
	})
}
