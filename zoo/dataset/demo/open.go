package demo

import (
	"context"
	"fmt"
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

// Is tells whether a name is that of drawn faces: demo, demo:FACES or
// demo:FACES:SEED. A file called demo is meant by ./demo.
func Is(name string) bool { return name == "demo" || strings.HasPrefix(name, "demo:") }

// Open is drawn faces as a source, drawn when they are read. A name that asks for
// none, or for too many, is a *dataset.NameError.
func Open(_ context.Context, f *input.File, _ input.Size) (*dataset.Source, error) {
	r := faceRows{DefaultFaces, DefaultSeed}
	if _, rest, _ := strings.Cut(f.Name, ":"); rest != "" {
		number, second, hasSeed := strings.Cut(rest, ":")
		var err error
		if r.n, err = strconv.Atoi(number); err != nil || r.n < 1 || r.n > MaxFaces {
			return nil, &dataset.NameError{Name: f.Name, Found: fmt.Sprintf("%q faces", number), Want: fmt.Sprintf("a number from 1 to %d", MaxFaces)}
		}
		if hasSeed {
			if r.seed, err = strconv.ParseUint(second, 10, 64); err != nil {
				return nil, &dataset.NameError{Name: f.Name, Found: fmt.Sprintf("the seed %q", second), Want: "a whole number of at least 0"}
			}
		}
	}
	return &dataset.Source{Columns: Columns(), Height: Size, Width: Size, Channels: 1, Count: r.n, Numbered: true, Rows: r}, nil
}

// faceRows are faces that are drawn when they are wanted.
type faceRows struct {
	n    int
	seed uint64
}

// Read draws all faces.
func (r faceRows) Read(ctx context.Context) (*dataset.Set, error) { return Faces(ctx, r.n, r.seed) }

// Names are numbers.
func (r faceRows) Names(_ context.Context, fn func(string) error) error {
	for i := range r.n {
		if err := fn(strconv.Itoa(i + 1)); err != nil {
			return err
		}
	}
	return nil
}

// Stream draws the faces part by part.
func (r faceRows) Stream(ctx context.Context, n int, fn func(part *dataset.Set) error) error {
	for from := 0; from < r.n; from += n {
		part, err := faces(ctx, from, min(from+n, r.n), r.seed)
		if err == nil {
			err = fn(part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
