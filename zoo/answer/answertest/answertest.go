// Package answertest opens ensembles for tests, on the backend that is always
// there. It must not know what their answers are for.
package answertest

import (
	"testing"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Open makes models ready until the test ends.
func Open(t testing.TB, models ...*model.Model) *answer.Ensemble {
	t.Helper()
	return OpenWith(t, answer.Options{}, models...)
}

// OpenWith is [Open] with options, in which the backend is set.
func OpenWith(t testing.TB, o answer.Options, models ...*model.Model) *answer.Ensemble {
	t.Helper()
	o.Backend = zootest.GoBackend(t)
	e, err := answer.Open(t.Context(), models, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// Answer is what models answer for a set, with mirror images or without.
func Answer(t testing.TB, set *dataset.Set, flip bool, models ...*model.Model) *answer.Prediction {
	t.Helper()
	p, err := OpenWith(t, answer.Options{FlipAverage: flip}, models...).Answer(t.Context(), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
