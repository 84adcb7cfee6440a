package demo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// What a name without them stands for.
const (
	DefaultFaces = 2000
	DefaultSeed  = 1
)

// Name is what faces of this number and seed are opened by.
func Name(faces int, seed uint64) string { return fmt.Sprintf("demo:%d:%d", faces, seed) }

// kinds are what is drawn, by the names that data is asked for by.
var kinds = map[string]*kind{faceKind.name: &faceKind, sceneKind.name: &sceneKind}

// Is tells whether a name is that of drawn faces or scenes: demo, demo:FACES,
// demo:FACES:SEED, scenes and so on. A file called demo is meant by ./demo.
func Is(name string) bool {
	before, _, _ := strings.Cut(name, ":")
	return kinds[before] != nil
}

// Open is drawn faces or scenes as a source, drawn when they are read. A name that
// asks for none, or for too many, is a *dataset.NameError.
func Open(_ context.Context, f *input.File, _ input.Size) (*dataset.Source, error) {
	name, rest, _ := strings.Cut(f.Name, ":")
	k := kinds[name]
	if k == nil {
		return nil, &dataset.NameError{Name: f.Name, Found: fmt.Sprintf("the kind %q", name), Want: "demo or scenes"}
	}
	r := drawnRows{k, DefaultFaces, DefaultSeed}
	if rest != "" {
		number, second, hasSeed := strings.Cut(rest, ":")
		var err error
		if r.n, err = strconv.Atoi(number); err != nil || r.n < 1 || r.n > MaxFaces {
			return nil, &dataset.NameError{Name: f.Name, Found: fmt.Sprintf("%q %s", number, k.what), Want: fmt.Sprintf("a number from 1 to %d", MaxFaces)}
		}
		second, last, hasMore := strings.Cut(second, ":")
		if hasMore {
			if r.kind = facesWithout(last); r.kind == nil || k != &faceKind {
				return nil, &dataset.NameError{Name: f.Name, Found: fmt.Sprintf("%q behind the seed", last), Want: "of demo no-KIND, a variation: " + strings.Join(Variations(), ", ")}
			}
		}
		if hasSeed {
			if r.seed, err = strconv.ParseUint(second, 10, 64); err != nil {
				return nil, &dataset.NameError{Name: f.Name, Found: fmt.Sprintf("the seed %q", second), Want: "a whole number of at least 0"}
			}
		}
	}
	return &dataset.Source{Columns: slices.Clone(k.columns), Height: k.size, Width: k.size, Channels: 1, Count: r.n, Numbered: true, Rows: r}, nil
}

// drawnRows are pictures that are drawn when they are wanted.
type drawnRows struct {
	kind *kind
	n    int
	seed uint64
}

// Read draws all.
func (r drawnRows) Read(ctx context.Context) (*dataset.Set, error) {
	return r.kind.set(ctx, r.n, r.seed)
}

// Names are numbers.
func (r drawnRows) Names(_ context.Context, fn func(string) error) error {
	for i := range r.n {
		if err := fn(strconv.Itoa(i + 1)); err != nil {
			return err
		}
	}
	return nil
}

// Stream draws them part by part.
func (r drawnRows) Stream(ctx context.Context, n int, fn func(part *dataset.Set) error) error {
	for from := 0; from < r.n; from += n {
		part, err := r.kind.rows(ctx, from, min(from+n, r.n), r.seed)
		if err == nil {
			err = fn(part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
