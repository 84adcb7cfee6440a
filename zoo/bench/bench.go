// Package bench measures how fast an architecture trains and answers on a backend: images and operations a second, the times of
// a batch, and the process's memory.
//
// What is measured is the engine's work alone: images are drawn at random, training changes none of them (augmentation is the
// host's and depends on its recipe), and an answer is the network's, without that for the mirror image.
//
// The package must not know where architectures come from, in which process it runs, nor who reads the figures.
package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/internal/peakmemory"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// Task is what is measured.
type Task string

// The tasks: a step of training, and answers.
const (
	Train   Task = "train"
	Predict Task = "predict"
)

// Tasks are all there are.
func Tasks() []Task { return []Task{Train, Predict} }

// Limits of a request.
const (
	MostBatch    = 1 << 16 // images, as of a recipe
	MostDuration = time.Hour
)

// Request asks for one case.
type Request struct {
	Document *blueprint.Document // as it would be trained
	Columns  []string            // of the data; nil: Kaggle's 30
	Task     Task
	Batch    int           // images at once; 0: in training the first member's recipe's, else 1
	Duration time.Duration // of what is measured; warming up comes before it, and the last round may end later
}

// Check tells what is wrong with a request, before anything is measured.
func (r *Request) Check() error {
	if r.Document == nil || len(r.Document.Members) == 0 {
		return request.Errorf("architecture", "found none, want one")
	}
	if !slices.Contains(Tasks(), r.Task) {
		return request.Errorf("task", "found %q, want %s", string(r.Task), tasksText())
	}
	if r.Batch < 0 || r.Batch > MostBatch {
		return request.Errorf("batch", "found %d, want 1 to %d", r.Batch, MostBatch)
	}
	if r.Duration <= 0 || r.Duration > MostDuration {
		return request.Errorf("duration", "found %v, want more than 0, at most %v", r.Duration, MostDuration)
	}
	return nil
}

func tasksText() string {
	var all []string
	for _, t := range Tasks() {
		all = append(all, string(t))
	}
	return strings.Join(all, " or ")
}

// batch is how many images are taken at once.
func (r *Request) batch() int {
	switch {
	case r.Batch > 0:
		return r.Batch
	case r.Task == Train:
		return r.Document.Members[0].Recipe.Batch
	}
	return 1
}

// Result is what was measured of a case. Of several members the times are sums, as of an answer or a step of each.
type Result struct {
	Architecture    string       `json:"architecture"`
	Backend         string       `json:"backend"`
	Task            Task         `json:"task"`
	Batch           int          `json:"batch"`
	Rounds          int          `json:"rounds"` // batches that were timed, of each member
	ImagesPerSecond float64      `json:"images_per_second"`
	GFLOPs          float64      `json:"gflops"`               // 1e9 operations a second, a multiplication and an addition as two
	PeakShare       float64      `json:"peak_share,omitempty"` // of what multiply-adds alone reached on the same processors; 0: not known
	Milliseconds    Milliseconds `json:"milliseconds"`         // that a batch takes
	PeakMemory      int64        `json:"peak_memory_bytes,omitempty"`
}

// Milliseconds are of the rounds' times the median and the 99th percentile: of fewer than 100 rounds the longest.
type Milliseconds struct {
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
}

// peakTime is how long the peak is measured, before and after the rounds: the machine may be busier at one of them.
const peakTime = 250 * time.Millisecond

// Run measures a case. PeakMemory is that of the whole process since it began: who wants it of the case alone gives it a process
// of its own. tick, which may be nil, is told the milliseconds that have passed of all.
func Run(ctx context.Context, b *backend.Backend, r Request, tick func(done, total int)) (*Result, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	if tick == nil {
		tick = func(int, int) {}
	}
	peak := engine.Peak(ctx, b, peakTime)
	var all [][]time.Duration
	var operations int64 // for an image
	members := r.Document.Members
	for i := range members {
		m, err := r.open(b, i)
		defer m.close()
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", members[i].Name, err)
		}
		each := r.Duration / time.Duration(len(members))
		times, err := m.measure(ctx, each, func(spent time.Duration) {
			tick(int((time.Duration(i)*each + spent).Milliseconds()), int(r.Duration.Milliseconds()))
		})
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", members[i].Name, err)
		}
		if r.Task == Train { // members are trained one after the other, and answer together
			m.close()
		}
		all = append(all, times)
		operations += m.operations
	}
	peak = max(peak, engine.Peak(ctx, b, peakTime))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := &Result{Architecture: r.Document.Name, Backend: b.Name(), Task: r.Task, Batch: r.batch(), PeakMemory: peakmemory.Bytes()}
	out.take(all, operations, peak)
	return out, nil
}

// take makes figures of the members' times, of the operations for an image, and of the peak; 0: not known.
func (r *Result) take(times [][]time.Duration, operations int64, peak float64) {
	sums, mean := together(times)
	r.Rounds = len(sums)
	r.ImagesPerSecond = float64(r.Batch) / mean.Seconds()
	perSecond := r.ImagesPerSecond * float64(operations)
	r.GFLOPs = perSecond / 1e9
	if peak > 0 {
		r.PeakShare = perSecond / peak
	}
	slices.Sort(sums)
	r.Milliseconds = Milliseconds{milliseconds(median(sums)), milliseconds(percentile(sums, 99))}
}

// together adds the members' times up, round by round, as many as each has; mean is of all that each has.
func together(times [][]time.Duration) (sums []time.Duration, mean time.Duration) {
	for i, member := range times {
		var sum time.Duration
		for _, t := range member {
			sum += t
		}
		mean += sum / time.Duration(len(member))
		if i == 0 {
			sums = slices.Clone(member)
			continue
		}
		sums = sums[:min(len(sums), len(member))]
		for k := range sums {
			sums[k] += member[k]
		}
	}
	return sums, mean
}

// percentile is the least of sorted values that at least so many in a hundred don't exceed: the nearest rank.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[max(0, (p*len(sorted)+99)/100-1)]
}

// median is the middle one of sorted values, or the mean of both.
func median(sorted []time.Duration) time.Duration {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
