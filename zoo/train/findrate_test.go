package train_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/zoo/figure"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

// The sweep's rates rise evenly in their logarithm, its first loss is that of the
// first weights, and what it suggests trains, while far above it does not.
func TestFindRate(t *testing.T) {
	set := zootest.Faces(60, zootest.Every, 7)
	o := traintest.Options(t, zootest.One(t, zootest.Dropout, `"epochs": 5, "batch": 8, "rate": 1e-6, "optimizer": {"kind": "sgd", "momentum": 0.9}`), set)
	ticks := 0
	all, err := train.FindRate(t.Context(), o, func(done, total int) { ticks++ })
	if err != nil {
		t.Fatal(err)
	}
	s := all[0]
	n := len(s.Rates)
	if ticks != n || len(s.Losses) != n || len(s.Smoothed) != n || n < 50 {
		t.Fatalf("found %d rates, %d ticks", n, ticks)
	}
	for i, r := range s.Rates {
		if want := 1e-6 * math.Pow(1e7, float64(i)/139); !zootest.Near(r/want, 1, 1e-9) {
			t.Fatalf("batch %d: found rate %g, want %g", i+1, r, want)
		}
	}
	if !zootest.Near(s.Smoothed[0], s.Losses[0], 1e-12) || !zootest.Near(s.Smoothed[1], (0.9*s.Losses[0]+s.Losses[1])/1.9, 1e-12) {
		t.Errorf("found smoothed %v of %v", s.Smoothed[:2], s.Losses[:2])
	}
	if !(s.Suggested > 1e-5 && s.Suggested < s.Least && s.Steepest <= s.Least) {
		t.Errorf("found suggested %g, steepest %g, least %g", s.Suggested, s.Steepest, s.Least)
	}
	loss := func(rate float64) float64 {
		o := traintest.Options(t, o.Document.Clone(), set)
		o.Document.Members[0].Recipe.Rate.From = rate
		m, err := train.Run(t.Context(), o)
		if errors.Is(err, engine.ErrDiverged) {
			return math.Inf(1)
		}
		if err != nil {
			t.Fatal(err)
		}
		return m.History[0].TrainLoss[4]
	}
	if low, good, high := loss(1e-6), loss(s.Suggested), loss(s.Suggested*1000); !(good < low && good < high) {
		t.Errorf("found losses %g far below, %g at the suggested rate, %g far above", low, good, high)
	}
	if files, _ := os.ReadDir(filepath.Dir(o.Output)); len(files) > 0 {
		t.Errorf("found %v written, want nothing", files)
	}
	var out bytes.Buffer
	if err := figure.RateCurves("net", all).Encode(&out, "svg"); err != nil || !strings.Contains(out.String(), "learning rate") || !strings.Contains(out.String(), "smoothed") {
		t.Errorf("the drawing: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := train.FindRate(ended, o, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error is %v", err)
	}
}

// A loss that falls, breaks down, and then falls further, the network having
// died, ends where it breaks down; one that does nothing but fall is said not to.
func TestFindRateBreakDown(t *testing.T) {
	for _, c := range []struct {
		name      string
		loss      func(i int) float64
		brokeDown bool
		least     int // batch
	}{
		{"breaks down", func(i int) float64 {
			switch {
			case i < 80:
				return math.Exp(-float64(i) / 30)
			case i < 100:
				return 0.5
			}
			return 0.01
		}, true, 79},
		{"only falls", func(i int) float64 { return math.Exp(-float64(i) / 30) }, false, 139},
		{"wavers", func(i int) float64 { return math.Exp(-float64(i)/30) * (1 + 0.3*float64(i%2)) }, false, 139},
		{"is no number", func(i int) float64 {
			if i == 50 {
				return math.NaN()
			}
			return math.Exp(-float64(i) / 30)
		}, true, 49},
	} {
		var s train.RateSweep
		for i := 0; s.Add(float64(i+1), c.loss(i)); i++ {
		}
		if err := s.Suggest(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if s.BrokeDown != c.brokeDown || s.Least != float64(c.least+1) || s.Steepest <= train.SweepSettle || s.Steepest > s.Least {
			t.Errorf("%s: found broken down %v, least at batch %g, steepest at %g, want %v and %d", c.name, s.BrokeDown, s.Least, s.Steepest, c.brokeDown, c.least+1)
		}
	}
}
