package answer_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// Asked by many at once, each gets what it would get alone.
func TestManyAtOnce(t *testing.T) {
	a := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	b := zootest.WithWeights(t, 2, zootest.Net("x", zootest.Nose, zootest.Linear, zootest.Recipe(""), `, "weight": 2`), zootest.Net("y", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	e := answertest.OpenWith(t, answer.Options{FlipAverage: true}, a, b)
	var all sync.WaitGroup
	for k := range 12 {
		set := zootest.Faces(1+k*7, zootest.Every, uint64(k)) // in batches of many sizes
		want := answertest.Answer(t, set, true, a, b)
		all.Go(func() {
			for range 5 {
				if got, err := e.Answer(t.Context(), set, nil); err != nil || !slices.Equal(got.Points, want.Points) || !slices.Equal(got.Columns, want.Columns) {
					t.Errorf("%d images: found other answers than alone (%v)", set.Len(), err)
				}
			}
		})
	}
	all.Wait()
}

// Closing waits for who is being answered; who comes later is refused.
func TestClose(t *testing.T) {
	m := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	e := answertest.Open(t, m)
	under, set := make(chan struct{}), zootest.Faces(200, zootest.Every, 1)
	var once sync.Once
	answered := make(chan error, 1)
	closed := make(chan struct{})
	go func() {
		_, err := e.Answer(t.Context(), set, func(done, total int) {
			once.Do(func() { close(under) })
			select {
			case <-closed:
				t.Error("closed while an answer is under way")
			default:
			}
		})
		answered <- err
	}()
	<-under
	var closing sync.WaitGroup
	for range 3 {
		closing.Go(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	closing.Wait()
	close(closed)
	if err := <-answered; err != nil {
		t.Errorf("found %v, want an answer: the question came before", err)
	}
	for name, err := range map[string]error{
		"answer": second(e.Answer(t.Context(), set, nil)), "members": second(e.Members(t.Context(), set, nil)),
		"stream": e.Each(t.Context(), dataset.SourceOf(set), nil, func(*dataset.Set, *answer.Prediction) error { return nil }),
	} {
		if !errors.Is(err, answer.ErrClosed) {
			t.Errorf("%s: found %v, want %v", name, err, answer.ErrClosed)
		}
	}
}

// Who entered asks on while the ensemble is closed, and is waited for.
func TestCloseWaitsForWhoEntered(t *testing.T) {
	set := zootest.Faces(3, zootest.Every, 1)
	e := answertest.Open(t, zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), "")))
	inside, leave, err := e.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- e.Close() }()
	for second(e.Answer(t.Context(), set, nil)) == nil {
	}
	for range 2 {
		if _, err := e.Answer(inside, set, nil); err != nil {
			t.Errorf("one who entered: %v", err)
		}
	}
	leave()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, err := e.Answer(inside, set, nil); !errors.Is(err, answer.ErrClosed) {
		t.Errorf("one who has left: found %v, want %v", err, answer.ErrClosed)
	}
}

// A question about nothing is one's own fault.
func TestNothingAsked(t *testing.T) {
	set := zootest.Faces(3, zootest.Every, 1)
	e := answertest.Open(t, zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), "")))
	s, err := e.Stream(t.Context(), 3, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, err := range map[string]error{
		"no set": second(e.Answer(t.Context(), nil, nil)), "no set for the members": second(e.Members(t.Context(), nil, nil)),
		"no part": second(s.Answer(t.Context(), nil)), "nobody to take them": e.Each(t.Context(), dataset.SourceOf(set), nil, nil),
		"no source": e.Each(t.Context(), nil, nil, func(*dataset.Set, *answer.Prediction) error { return nil }),
	} {
		if !request.Is(err) {
			t.Errorf("%s: found %v, want a request's error", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// With weights an answer is the mean of the models' own, not of all members; a
// model of weight 0 isn't opened, and has no say in the columns.
func TestWeights(t *testing.T) {
	set := zootest.Faces(9, zootest.Every, 3)
	a := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Nose, zootest.Linear, zootest.Recipe(""), ""))
	b := zootest.WithWeights(t, 2, zootest.Net("x", zootest.Nose, zootest.Linear, zootest.Recipe(""), ""), zootest.Net("y", zootest.Nose, zootest.Linear, zootest.Recipe(""), ""))
	broken := zootest.WithWeights(t, 3, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	delete(broken.Weights, "net/out/bias")
	e := answertest.OpenWith(t, answer.Options{Weights: []float64{3, 0, 1}}, a, broken, b)
	if got := e.Columns(); !slices.Equal(got, zootest.Nose) || len(e.Models()) != 2 {
		t.Errorf("found the columns %q of %d models, want %q of 2", got, len(e.Models()), zootest.Nose)
	}
	got, err := e.Answer(t.Context(), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	ofA, ofB := zootest.MeanAnswer(set, a), zootest.MeanAnswer(set, b)
	for r := range set.Len() {
		for c, name := range got.Columns {
			if want := (3*ofA[name][r] + ofB[name][r]) / 4; !zootest.Near(float64(got.Row(r)[c]), want, 1e-5) {
				t.Errorf("row %d, %s: found %g, want %g", r, name, got.Row(r)[c], want)
			}
		}
	}
	for _, c := range []struct {
		weights []float64
		want    string
	}{
		{[]float64{1}, "weights: found 1 of them, want as many as files, 2"},
		{[]float64{1, -1}, "weights: found -1, want finite numbers of at least 0"},
		{[]float64{0, 0}, "weights: found the sum 0"},
	} {
		_, err := answer.Open(t.Context(), []*model.Model{a, b}, answer.Options{Backend: zootest.GoBackend(t), Weights: c.weights})
		zootest.WantError(t, "weights", err, nil, c.want)
	}
}

// Nothing is opened for who has gone away, and who waits for another's answer may leave.
func TestLeaving(t *testing.T) {
	m := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := answer.Open(gone, []*model.Model{m}, answer.Options{Backend: zootest.GoBackend(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("found %v, want %v", err, context.Canceled)
	}
	e, set := answertest.Open(t, m), zootest.Faces(3, zootest.Every, 1)
	_, err := e.Answer(t.Context(), set, func(int, int) {
		if _, err := e.Answer(gone, set, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("while another is answered: found %v, want %v", err, context.Canceled)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
