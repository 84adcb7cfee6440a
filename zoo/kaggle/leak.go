package kaggle

import (
	"context"
	"fmt"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/twins"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
	"github.com/fkzoo/fkzoo/zoo/model"
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
	known *twins.Known
	found *submission.Leak
}

func newLeaks(ctx context.Context, training *dataset.Set) (*leaks, error) {
	known, err := twins.NewKnown(ctx, training)
	if err != nil {
		return nil, err
	}
	return &leaks{known, &submission.Leak{Data: training.Source, DataChecksum: training.Checksum, Images: []string{}}}, nil
}

func (l *leaks) look(ctx context.Context, part *dataset.Set) error {
	found, err := l.known.Twins(ctx, part)
	if err != nil {
		return err
	}
	l.found.Faces += part.Len()
	for _, t := range found {
		if t.Exact {
			l.found.Exact++
		}
		l.found.Images = append(l.found.Images, part.IDs[t.Row])
	}
	return nil
}

// OtherData says, a line each, which models weren't trained on the set, or don't say on what: in it test faces are looked
// for all the same. names are the models'.
func OtherData(models []*model.Model, names []string, set *dataset.Set) (lines []string) {
	for k, m := range models {
		switch from := m.Provenance.Data; {
		case from.Checksum == "":
			lines = append(lines, fmt.Sprintf("%s: doesn't say what it was trained on: test faces are looked for in %s all the same", names[k], set.Source))
		case from.Checksum != set.Checksum:
			lines = append(lines, fmt.Sprintf("%s: was trained on other data than %s: on %s", names[k], set.Source, from.Source))
		}
	}
	return lines
}
