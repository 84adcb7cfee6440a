package bench

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// upTo are so many milliseconds, from 1 on.
func upTo(n int) (all []time.Duration) {
	for i := range n {
		all = append(all, time.Duration(i+1)*time.Millisecond)
	}
	return all
}

// Medians and percentiles beside those that one counts by hand.
func TestPercentile(t *testing.T) {
	for _, c := range []struct {
		n           int
		median, p99 float64
	}{
		{1, 1, 1}, {2, 1.5, 2}, {3, 2, 3}, {99, 50, 99}, {100, 50.5, 99}, {101, 51, 100}, {200, 100.5, 198}, {1000, 500.5, 990},
	} {
		all := upTo(c.n)
		if m, p := milliseconds(median(all)), milliseconds(percentile(all, 99)); m != c.median || p != c.p99 {
			t.Errorf("1 to %d: found the median %g and %g, want %g and %g", c.n, m, p, c.median, c.p99)
		}
	}
}

// Members' times are added up, round by round.
func TestTake(t *testing.T) {
	ms := func(all ...int) (out []time.Duration) {
		for _, n := range all {
			out = append(out, time.Duration(n)*time.Millisecond)
		}
		return out
	}
	for _, c := range []struct {
		name              string
		times             [][]time.Duration
		peak              float64
		rounds            int
		images, share     float64
		median, p99, rate float64
	}{
		{"one member", [][]time.Duration{ms(30, 10, 20)}, 1e6, 3, 400, 0.4, 20, 30, 4e-4},
		{"a device without a peak", [][]time.Duration{ms(10)}, 0, 1, 800, 0, 10, 10, 8e-4},
		{"two members", [][]time.Duration{ms(30, 10, 20), ms(5, 15)}, 1e6, 2, 8 / 0.03, 8 / 30.0, 30, 35, 8 / 0.03 / 1e6},
	} {
		r := Result{Batch: 8}
		r.take(c.times, 1000, c.peak)
		for _, v := range [][2]float64{{float64(r.Rounds), float64(c.rounds)}, {r.ImagesPerSecond, c.images}, {r.GFLOPs, c.rate}, {r.PeakShare, c.share},
			{r.Milliseconds.Median, c.median}, {r.Milliseconds.P99, c.p99}} {
			if math.Abs(v[0]-v[1]) > 1e-9*v[1] {
				t.Errorf("%s: found %+v, want %+v", c.name, r, c)
				break
			}
		}
		if c.times[0][0] < c.times[0][len(c.times[0])-1] {
			t.Errorf("%s: the times given were changed", c.name)
		}
	}
}

// two is an architecture of two members, with what must not disturb: augmentation, and a rate from which training diverges.
func two(t *testing.T) *blueprint.Document {
	return zootest.Document(t,
		zootest.Net("eyes", zootest.Eyes, zootest.Dropout, zootest.Recipe(`"batch": 6, "rate": 1e4, "augment": {"noise": 0.1}`), ""),
		zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(`"batch": 9, "rate": 1e4`), ""))
}

// Both tasks are measured on a real backend, in the batches that were asked for.
func TestRun(t *testing.T) {
	b, d := zootest.GoBackend(t), two(t)
	before, _ := d.JSON()
	for _, c := range []struct {
		task         Task
		batch, taken int
	}{{Train, 0, 6}, {Train, 4, 4}, {Predict, 0, 1}, {Predict, 5, 5}, {Predict, 100, 100}} {
		last, total := 0, 0
		r, err := Run(t.Context(), b, Request{Document: d, Columns: zootest.Every, Task: c.task, Batch: c.batch, Duration: 20 * time.Millisecond},
			func(done, all int) { last, total = done, all })
		if err != nil {
			t.Errorf("%s %d: %v", c.task, c.batch, err)
			continue
		}
		if r.Architecture != "tiny" || r.Backend != "go" || r.Task != c.task || r.Batch != c.taken || r.Rounds < 1 {
			t.Errorf("%s %d: found %+v, want batches of %d", c.task, c.batch, r, c.taken)
		}
		// Peaks of tiny networks are far away.
		if r.ImagesPerSecond <= 0 || r.GFLOPs <= 0 || r.PeakShare <= 0 || r.PeakShare > 1 || r.Milliseconds.Median <= 0 || r.Milliseconds.P99 < r.Milliseconds.Median {
			t.Errorf("%s %d: found %+v", c.task, c.batch, r)
		}
		if last < 10 || last > total || total != 20 {
			t.Errorf("%s %d: was told of %d of %d ms", c.task, c.batch, last, total)
		}
	}
	if after, _ := d.JSON(); !slices.Equal(after, before) {
		t.Error("the document given was changed")
	}
}

// Training's operations are those of training, prediction's those of an answer.
func TestOperations(t *testing.T) {
	b, d := zootest.GoBackend(t), two(t)
	plan, err := blueprint.NewPlan(d, 0, zootest.Every)
	if err != nil {
		t.Fatal(err)
	}
	for task, want := range map[Task]int64{Train: plan.TrainingFLOPs(), Predict: plan.FLOPs()} {
		m, err := (&Request{Document: d, Columns: zootest.Every, Task: task}).open(b, 0)
		if err != nil || m.operations != want {
			t.Errorf("%s: found %d operations, error %v, want %d", task, m.operations, err, want)
		}
		m.close()
		m.close()
	}
}

// What is wrong with a request is said before anything is done.
func TestCheck(t *testing.T) {
	d := two(t)
	good := Request{Document: d, Task: Train, Duration: time.Second}
	for _, c := range []struct {
		change func(r *Request)
		want   string // of the error
	}{
		{func(*Request) {}, ""},
		{func(r *Request) { r.Document = nil }, "architecture: found none"},
		{func(r *Request) { r.Task = "fly" }, `task: found "fly", want train or predict`},
		{func(r *Request) { r.Batch = -1 }, "batch: found -1, want 1 to 65536"},
		{func(r *Request) { r.Batch = MostBatch + 1 }, "batch: found 65537, want 1 to 65536"},
		{func(r *Request) { r.Duration = 0 }, "duration: found 0s, want more than 0, at most 1h0m0s"},
		{func(r *Request) { r.Duration = 2 * time.Hour }, "duration: found 2h0m0s"},
	} {
		r := good
		c.change(&r)
		err := r.Check()
		if c.want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		zootest.WantError(t, c.want, err, nil, c.want)
		if _, second := Run(t.Context(), nil, r, nil); !request.Is(err) || second == nil || second.Error() != err.Error() {
			t.Errorf("%s: found %v, want it to be the request's fault, and %v of Run", c.want, err, second)
		}
	}
}

// A case ends with its context.
func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := zootest.GoBackend(t)
	_, err := Run(ctx, b, Request{Document: two(t), Columns: zootest.Every, Task: Predict, Duration: time.Hour}, func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("found %v, want %v", err, context.Canceled)
	}
}
