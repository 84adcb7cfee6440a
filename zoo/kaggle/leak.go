package kaggle

import (
	"context"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/check"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
)

// Leaks looks for the images that a lookup table asks for among the faces to
// train on: a score on those that are there says little.
func Leaks(ctx context.Context, training *dataset.Set, test *dataset.Source, table *submission.Lookup) (*submission.Leak, error) {
	l, err := newLeaks(ctx, training)
	if err != nil {
		return nil, err
	}
	_, _, err = test.Stream(ctx, 256, func(part *dataset.Set) error {
		if table != nil && part.Numbered {
			return errNumbered(part.Source)
		}
		var asked []int
		for r, id := range part.IDs {
			if table == nil || table.Image(id) >= 0 {
				asked = append(asked, r)
			}
		}
		part, err := part.Select(asked)
		if err != nil || part.Len() == 0 {
			return err
		}
		return l.look(ctx, part)
	})
	return l.found, err
}

// leaks looks through test faces as they stream by.
type leaks struct {
	known *check.Known
	found *submission.Leak
}

func newLeaks(ctx context.Context, training *dataset.Set) (*leaks, error) {
	known, err := check.NewKnown(ctx, training)
	if err != nil {
		return nil, err
	}
	return &leaks{known, &submission.Leak{Data: training.Source, DataChecksum: training.Checksum, Images: []string{}}}, nil
}

func (l *leaks) look(ctx context.Context, part *dataset.Set) error {
	twins, err := l.known.Twins(ctx, part)
	if err != nil {
		return err
	}
	l.found.Faces += part.Len()
	for _, t := range twins {
		if t.Exact {
			l.found.Exact++
		}
		l.found.Images = append(l.found.Images, part.IDs[t.Row])
	}
	return nil
}
