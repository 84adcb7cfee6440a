package twins

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/twins/twinstest"
)

var ctx = context.Background()

func TestTwins(t *testing.T) {
	const n, copies = 150, 20
	base := twinstest.Drawn(t, n, 1)
	f, err := NewFaces(ctx, base)
	if err != nil {
		t.Fatal(err)
	}
	if w, err := f.Among(ctx, f); err != nil || len(w) > 0 {
		t.Errorf("different faces: found %d twins (%v), want none: %+v", len(w), err, w)
	}
	for name, change := range twinstest.Changes {
		others := twinstest.Drawn(t, 40, 2)
		for i := range copies {
			copy(twinstest.Image(others, 2*i), twinstest.Image(base, 7*i))
			change(twinstest.Image(others, 2*i))
		}
		o, err := NewFaces(ctx, others)
		if err != nil {
			t.Fatal(err)
		}
		found, err := o.Among(ctx, f)
		if err != nil || len(found) != copies {
			t.Errorf("%s: found %d twins (%v), want %d", name, len(found), err, copies)
		}
		for _, w := range found {
			if w.Row%2 != 0 || w.Other != w.Row/2*7 || w.Mirrored != (name == "mirrored") || w.Exact || w.Correlation < leastLike {
				t.Errorf("%s: found %+v, want row %d", name, w, w.Row/2*7)
			}
		}
	}
}

func TestAlike(t *testing.T) {
	s := twinstest.Drawn(t, 40, 1)
	copy(twinstest.Image(s, 30), twinstest.Image(s, 7))
	copy(twinstest.Image(s, 35), twinstest.Image(s, 7))
	twinstest.Changes["gamma"](twinstest.Image(s, 35))
	copy(twinstest.Image(s, 39), twinstest.Image(s, 35)) // as 35, which is nearly as 7
	copy(twinstest.Image(s, 20), twinstest.Image(s, 3))
	twinstest.Changes["mirrored"](twinstest.Image(s, 20))
	first, err := Alike(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for r, got := range first {
		want := r
		switch r {
		case 30, 35, 39:
			want = 7
		case 20:
			want = 3
		}
		if got != want {
			t.Errorf("row %d: found it like %d, want %d", r, got, want)
		}
	}
}

// BenchmarkTwins is the search alone: 7,000 faces within themselves, and 1,800
// among them, as many as in the competition.
func BenchmarkTwins(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	many := func(n int) *Faces {
		f := &Faces{set: &dataset.Set{IDs: make([]string, n)}, hashes: make([]hash, n), sums: make([][32]byte, n), first: make([]int, n)}
		for i := range n {
			for w := range words {
				f.hashes[i][w] = r.Uint64()
			}
			f.sums[i][0], f.sums[i][1], f.first[i] = byte(i), byte(i>>8), i
			f.lone = append(f.lone, i)
		}
		return f
	}
	training, test := many(7000), many(1800)
	for b.Loop() {
		for _, f := range []*Faces{training, test} {
			if _, err := f.Among(ctx, training); err != nil {
				b.Fatal(err)
			}
		}
	}
}
