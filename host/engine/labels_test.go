package engine

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
)

// An image has one bright pixel, and the network knows where that is. It is
// right about mirrored images too, as long as their labels are mirrored.
func TestMirroredImagesAndLabelsFit(t *testing.T) {
	const width, count = 6, 9
	e := Examples{Images: Images{Count: count, Height: 1, Width: width, Channels: 1, Bytes: make([]uint8, count*width)}, Columns: []string{"nose_x"}}
	know := Arrays{"net/y/weights": {Shape: []int{width, 1}}, "net/y/bias": {Shape: []int{1}, Data: []float32{0}}}
	for i := range width {
		know["net/y/weights"] = Array{Shape: []int{width, 1}, Data: append(know["net/y/weights"].Data, (float32(i)+0.5-width/2)/(width/2))}
	}
	for r := range count {
		at := r * 5 % 3 // on the left half: mirrored ones are on the right
		e.Bytes[r*width+at] = 255
		e.Points = append(e.Points, float32(at)+0.5)
	}
	recipe := func(share string) string {
		return `{"loss": {"kind": "mae"}, "optimizer": {"kind": "sgd"}, "rate": 0, "epochs": 1, "batch": 5, "validation": 0, "augment": {"mirror": ` + share + `}}`
	}
	eachDevice(t, func(t *testing.T, on device.Device) {
		data := mustUpload(t, on, e)
		for _, c := range []struct {
			share string
			want  int
		}{
			{`{}`, 2 + 2}, // half of 5 and of 4, rounded down
			{`{"share": 1}`, 9},
			{`{"share": 0.6}`, 3 + 2},
		} {
			plan := enginetest.Plan(t, enginetest.Document(1, width, "unit", enginetest.OneDense, recipe(c.share)), e.Columns...)
			tr := mustTrainer(t, data, Config{Plan: plan, Rows: upTo(count), Epochs: 1, Seed: 3, Weights: know})
			if loss := mustEpoch(t, tr); loss > 1e-6 {
				t.Errorf("share %s: found a loss of %g, want 0", c.share, loss)
			}
			if got := mirroredRows(t, tr); got != c.want {
				t.Errorf("share %s: found %d mirrored of %d, want %d", c.share, got, count, c.want)
			}
		}
	})
}

// mirroredRows counts the labels of mirrored rows that an epoch's steps take.
func mirroredRows(t *testing.T, tr *Trainer) int {
	t.Helper()
	n := 0
	rows, size := order(tr.Rows, tr.Seed, "net", 0), tr.batchSize()
	tr.epoch = 0
	for tr.step = 0; tr.step < tr.StepsPerEpoch(); tr.step++ {
		part := rows[tr.step*size : min((tr.step+1)*size, len(rows))]
		b := tr.draw(part)
		for i, r := range part {
			if int(b.Index[i]) != r || int(b.Label[i]) != r+int(b.Flips[i])*tr.data.examples.Count {
				t.Errorf("row %d: found the image %d and the label %d, flipped %d", r, b.Index[i], b.Label[i], b.Flips[i])
			}
			n += int(b.Flips[i])
		}
	}
	tr.step = 0
	return n
}

func TestLabels(t *testing.T) {
	empty := float32(math.NaN())
	columns := []string{"left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y", "nose_x", "nose_y"}
	e := Examples{Images: Images{Count: 2, Height: 8, Width: 8, Channels: 1}, Columns: append([]string{"unused"}, columns...),
		Points: []float32{9, 6, 1, 2, 3, 4, 5, 9, empty, 1, 2, empty, 4, empty}}
	for _, c := range []struct {
		name, mirror, member string
		want                 []float32 // of both rows, then mirrored: targets, then which are filled
	}{
		{"plain", ``, `["*"]`, []float32{
			.5, -.75, -.5, -.25, 0, .25, 1, 1, 1, 1, 1, 1,
			0, -.75, -.5, 0, 0, 0, 0, 1, 1, 0, 1, 0}},
		{"columns in another order", ``, `["nose_y", "left_eye_x"]`, []float32{.25, .5, 1, 1, 0, 0, 0, 0}},
		{"mirrored", `, "augment": {"mirror": {}}`, `["*"]`, []float32{
			.5, -.75, -.5, -.25, 0, .25, 1, 1, 1, 1, 1, 1,
			0, -.75, -.5, 0, 0, 0, 0, 1, 1, 0, 1, 0,
			.5, -.25, -.5, -.75, 0, .25, 1, 1, 1, 1, 1, 1,
			.5, 0, 0, -.75, 0, 0, 1, 0, 0, 1, 1, 0}},
		{"axis and pairs given", `, "augment": {"mirror": {"axis": 7, "pairs": []}}`, `["left_eye_x", "nose_y"]`, []float32{
			.5, .25, 1, 1, 0, 0, 0, 0,
			-.75, .25, 1, 1, 0, 0, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := enginetest.Plan(t, strings.Replace(enginetest.Document(8, 8, "raw", enginetest.OneDense, enginetest.Plain(enginetest.SGD+c.mirror)), `["*"]`, c.member, 1), columns...)
			l, err := newLabels(plan, &e)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.all(&e); !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
}
