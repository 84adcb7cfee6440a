package train_test

import (
	"math"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Models of several seeds hold out the same rows where their recipes share a split's seed.
func TestSplitSeed(t *testing.T) {
	set := &dataset.Set{Columns: []string{"a"}}
	for r := range 40 {
		set.IDs, set.Points = append(set.IDs, ""), append(set.Points, float32(r))
	}
	held := func(seed, split uint64) []int {
		m := &blueprint.Member{Columns: []string{"*"}, Recipe: blueprint.Recipe{Validation: 0.25, Seed: seed, SplitSeed: split}}
		_, rows, err := model.SplitRows(m, set)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	one := held(1, 0)
	for _, c := range []struct {
		seed, split uint64
		same        bool
	}{{1, 1, true}, {2, 1, true}, {0, 0, true}, {0, 1, true}, {2, 0, false}, {1, 2, false}} {
		if found := held(c.seed, c.split); slices.Equal(found, one) != c.same {
			t.Errorf("seed %d, split %d: found %v, want those of seed 1, %v: %v", c.seed, c.split, found, one, c.same)
		}
	}
}

// A part of the rows is learned from, the same rows are held out, and a smaller
// part is part of a larger one.
func TestSubset(t *testing.T) {
	set := &dataset.Set{Columns: []string{"a", "b"}}
	for r := range 40 {
		b := float32(r)
		if r%4 == 0 {
			b = float32(math.NaN())
		}
		set.IDs, set.Points = append(set.IDs, ""), append(set.Points, float32(r), b)
	}
	member := func(s *blueprint.Subset) *blueprint.Member {
		return &blueprint.Member{Columns: []string{"*"}, Recipe: blueprint.Recipe{
			Loss: blueprint.Loss{Kind: "mse", Rows: "filled"}, Validation: 0.2, Seed: 3, Examples: 400, Subset: s,
		}}
	}
	all, held, err := model.SplitRows(member(nil), set)
	if err != nil || len(all) != 32 || len(held) != 8 {
		t.Fatalf("found %d rows and %d held out (%v), want 32 and 8", len(all), len(held), err)
	}
	complete := slices.DeleteFunc(slices.Clone(all), func(r int) bool { return r%4 == 0 })
	for _, c := range []struct {
		name   string
		subset blueprint.Subset
		want   []int
	}{
		{"nothing said", blueprint.Subset{}, all},
		{"all", blueprint.Subset{Share: 1}, all},
		{"half", blueprint.Subset{Share: 0.5}, all[:16]},
		{"an eighth", blueprint.Subset{Share: 0.125}, all[:4]},
		{"rounded down", blueprint.Subset{Share: 0.12}, all[:3]},
		{"at least one", blueprint.Subset{Share: 1e-9}, all[:1]},
		{"complete", blueprint.Subset{Complete: true}, complete},
		{"half of the complete", blueprint.Subset{Share: 0.5, Complete: true}, complete[:len(complete)/2]},
	} {
		m := member(&c.subset)
		train, validation, err := model.SplitRows(m, set)
		if err != nil || !slices.Equal(train, c.want) || !slices.Equal(validation, held) {
			t.Errorf("%s: found %v and %v held out (%v), want %v and %v", c.name, train, validation, err, c.want, held)
		}
		if epochs, err := model.EpochsOn(m, set); err != nil || epochs != 10 {
			t.Errorf("%s: found %d epochs (%v), want 10: examples count the rows before the split", c.name, epochs, err)
		}
	}
	m := member(&blueprint.Subset{Share: 0.5})
	m.Recipe.Fold = &blueprint.Fold{Number: 2, Of: 4}
	train, validation, err := model.SplitRows(m, set)
	if err != nil || len(train) != 15 || len(validation) != 10 {
		t.Errorf("of a fold: found %d rows and %d held out (%v), want 15 and 10", len(train), len(validation), err)
	}
}
