package zoo_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/bench"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/request"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// small is a trained network's file.
func small(t *testing.T, z *zoo.Zoo) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "net1.fkz")
	_, err := z.Train(t.Context(), zoo.TrainRequest{
		Request: train.Request{Architecture: "net1", Settings: []string{"hidden=2"}, Epochs: 1, Output: path},
		Data:    data("demo:12"),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func data(names ...string) zoo.DataRequest { return zoo.DataRequest{Names: names} }

// heard is a watcher that counts.
type heard struct {
	zoo.Silent
	lock     sync.Mutex
	progress []int
	done     int
}

func (h *heard) Progress(_ string, done, total int) {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.progress = append(h.progress, total)
}

func (h *heard) Done() {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.done++
}

// Each of several requests at once tells its own watcher alone.
func TestWatchersOfRequests(t *testing.T) {
	z := zoo.Open(zoo.Options{Backend: "go"})
	defer z.Close()
	path := small(t, z)
	var all sync.WaitGroup
	for n := 5; n < 9; n++ {
		all.Go(func() {
			var h heard
			e, err := z.Watched(&h).Evaluate(t.Context(), zoo.EvaluateRequest{
				ModelsRequest: zoo.ModelsRequest{Models: []string{path}}, Data: data("demo:" + string(rune('0'+n)) + ":2"),
			})
			if err != nil || e.Rows != n || h.done != 1 || len(h.progress) == 0 {
				t.Errorf("%d faces: found %v, error %v, told %v, %d times done", n, e, err, h.progress, h.done)
			}
			for _, total := range h.progress {
				if total != n {
					t.Errorf("%d faces: heard of the progress of %d", n, total)
				}
			}
		})
	}
	all.Wait()
}

// gated holds a request in the middle.
type gated struct{ begun, go_ chan struct{} }

func (g *gated) Begin([]string, *dataset.Source) error {
	close(g.begun)
	<-g.go_
	return nil
}
func (*gated) Part(*dataset.Set, *answer.Prediction) error { return nil }

// Close waits for what is under way, closes what is open, and refuses what comes later.
func TestCloseWaits(t *testing.T) {
	z := zoo.Open(zoo.Options{Backend: "go"})
	path := small(t, z)
	models := zoo.ModelsRequest{Models: []string{path}}
	open, err := z.Ensemble(t.Context(), models)
	if err != nil {
		t.Fatal(err)
	}
	again, err := z.Ensemble(t.Context(), models)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	g := &gated{make(chan struct{}), make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		if err := z.Predict(t.Context(), zoo.PredictRequest{ModelsRequest: zoo.ModelsRequest{Open: open}, Images: data("demo:3")}, g); err != nil {
			t.Errorf("the request under way: %v", err)
		}
	})
	<-g.begun
	closed := make(chan error)
	go func() { closed <- z.Close() }()
	for {
		if _, err := z.Plugins(); errors.Is(err, zoo.ErrClosed) {
			break
		}
	}
	select {
	case <-closed:
		t.Error("closed with a request under way")
	default:
	}
	close(g.go_)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	all.Wait()
	if _, err := open.Answer(context.Background(), &dataset.Set{}, nil); !errors.Is(err, answer.ErrClosed) {
		t.Errorf("an ensemble of a closed zoo: found %v, want %v", err, answer.ErrClosed)
	}
	if _, err := z.Ensemble(context.Background(), models); !errors.Is(err, zoo.ErrClosed) {
		t.Errorf("a closed zoo: found %v, want %v", err, zoo.ErrClosed)
	}
}

// What is described is measured on the zoo's backend, and its watcher told.
func TestBench(t *testing.T) {
	var h heard
	z := zoo.Open(zoo.Options{Backend: "go", Watch: &h})
	defer z.Close()
	a, err := z.Describe(t.Context(), zoo.DescribeRequest{Architecture: "net1", Settings: []string{"hidden=2"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := z.Bench(t.Context(), bench.Request{Document: a.Document, Task: bench.Train, Batch: 3, Duration: time.Millisecond})
	if err != nil || r.Architecture != "net1" || r.Backend != "go" || r.Batch != 3 || r.ImagesPerSecond <= 0 {
		t.Errorf("found %+v, %v", r, err)
	}
	if h.done != 1 || len(h.progress) == 0 {
		t.Errorf("was told of %v, %d times done", h.progress, h.done)
	}
}

// Requests that can't be are told from failures of other kinds.
func TestFaultyRequests(t *testing.T) {
	z := zoo.Open(zoo.Options{Backend: "go"})
	defer z.Close()
	path := small(t, z)
	evaluate := func(r zoo.EvaluateRequest) error { _, err := z.Evaluate(t.Context(), r); return err }
	models := zoo.ModelsRequest{Models: []string{path}}
	open, err := z.Ensemble(t.Context(), models)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"no models": evaluate(zoo.EvaluateRequest{Data: data("demo:3")}),
		"no data":   evaluate(zoo.EvaluateRequest{ModelsRequest: models}),
		"half a size": func() error {
			_, err := z.Read(t.Context(), zoo.DataRequest{Names: []string{"demo:3"}, Height: 5})
			return err
		}(),
		"a wrong name":          evaluate(zoo.EvaluateRequest{ModelsRequest: models, Data: data("demo:0")}),
		"a negative batch":      evaluate(zoo.EvaluateRequest{ModelsRequest: zoo.ModelsRequest{Models: []string{path}, Batch: -4}, Data: data("demo:3")}),
		"models and an open":    evaluate(zoo.EvaluateRequest{ModelsRequest: zoo.ModelsRequest{Models: []string{path}, Open: open}, Data: data("demo:3")}),
		"a negative limit":      z.Predict(t.Context(), zoo.PredictRequest{ModelsRequest: models, Images: data("demo:3"), Limit: -1}, nil),
		"nothing to measure":    func() error { _, err := z.Bench(t.Context(), bench.Request{}); return err }(),
		"no architecture":       func() error { _, err := z.Describe(t.Context(), zoo.DescribeRequest{}); return err }(),
		"nothing to train":      func() error { _, err := z.Train(t.Context(), zoo.TrainRequest{}, nil); return err }(),
		"a pattern without end": func() error { _, _, err := z.List(t.Context(), "net["); return err }(),
	} {
		if !request.Is(err) {
			t.Errorf("%s: found %v, want a request's error", name, err)
		}
	}
	if err := evaluate(zoo.EvaluateRequest{ModelsRequest: zoo.ModelsRequest{Models: []string{path + "x"}}, Data: data("demo:3")}); err == nil || request.Is(err) {
		t.Errorf("a file that isn't there: found %v, want another error", err)
	}
	m, err := model.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := open.Warm(t.Context(), 3); err != nil {
		t.Error(err)
	}
	set, err := z.Read(t.Context(), data("demo:3").For(m.Document.Input))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := open.Answer(t.Context(), set, nil); err != nil || len(p.Points) != 3*len(p.Columns) {
		t.Errorf("after warming: found %v, %v", p, err)
	}
}
