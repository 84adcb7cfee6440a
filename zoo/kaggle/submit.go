package kaggle

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
)

// Options are how a submission is made.
type Options struct {
	Tick answer.Tick
	// Training, which may be nil, is what the models were trained on: the test
	// faces are looked for there.
	Training *dataset.Set
}

// Submitted is what [Submit] made, and of what.
type Submitted struct {
	*submission.Submission
	Images   int              // in the test data
	Unasked  int              // those of them that the table doesn't ask for
	Clipped  int              // values that lay outside their image
	Batch    int              // the images predicted at a time
	Checksum string           // of the test data's content
	Leak     *submission.Leak // of test faces that are in the training data; nil: not looked for

	options answer.Options
}

// Submit answers what a lookup table asks of the test data, whose rows have names,
// as the ensemble answers: the values in the table's order, in pixels of the
// pictures, put back to the border where they lay outside. The test data streams
// through: beside the networks there is memory for the table's rows and for a few
// hundred images.
func Submit(ctx context.Context, with *answer.Ensemble, test *dataset.Source, table *submission.Lookup, o Options) (*Submitted, error) {
	s := &submitter{
		table: table, done: make([]bool, len(table.Images)),
		out: &Submitted{
			Submission: &submission.Submission{IDs: table.IDs, Values: make([]float64, table.Len())},
			Batch:      with.Batch(len(table.Images)), options: with.Options(),
		},
	}
	if err := s.find(with.Columns()); err != nil {
		return nil, err
	}
	var err error
	if o.Training != nil {
		if s.leaks, err = newLeaks(ctx, o.Training); err != nil {
			return nil, err
		}
		s.out.Leak = s.leaks.found
	}
	if s.answers, err = with.Stream(ctx, len(table.Images), s.out.Batch, o.Tick); err != nil {
		return nil, err
	}
	defer s.answers.Close()
	s.input = with.Input()
	if test, err = test.FitPictures(s.input.Height, s.input.Width); err != nil {
		return nil, err
	}
	s.out.Checksum, s.out.Images, err = test.Stream(ctx, answer.PartBatches*s.out.Batch, func(part *dataset.Set) error {
		return s.part(ctx, part)
	})
	if err != nil {
		return nil, err
	}
	return s.out, s.complete(test.Name)
}

// complete refuses a table that asks for images that the test data hasn't.
func (s *submitter) complete(test string) error {
	lacking := 0
	for _, done := range s.done {
		if !done {
			lacking++
		}
	}
	if lacking == 0 {
		return nil
	}
	first := s.table.Images[slices.Index(s.done, false)]
	return fmt.Errorf("%s: found no image %s, which %s asks for: it has %d of the %d that are asked for, want the table of this test data",
		test, first, s.table.Source, len(s.done)-lacking, len(s.done))
}

// errNumbered is for test data whose images no table can name.
func errNumbered(test string) error {
	return fmt.Errorf("%s: found no column ImageId, want Kaggle's test.csv, whose images the lookup table names", test)
}

// submitter puts answers where a table wants them.
type submitter struct {
	table  *submission.Lookup
	column []int // of each of the table's features, among the answers
	done   []bool
	leaks  *leaks // nil: not looked for
	out    *Submitted

	answers *answer.Stream
	input   blueprint.Input
}

// find looks for the table's features among the models' columns.
func (s *submitter) find(columns []string) error {
	var missing []string
	for _, feature := range s.table.Features {
		at := slices.Index(columns, feature)
		if s.column = append(s.column, at); at < 0 {
			missing = append(missing, feature)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s asks for %s, which no model gives: found %s", s.table.Source, strings.Join(missing, ", "), strings.Join(columns, ", "))
	}
	return nil
}

// part answers some of the images.
func (s *submitter) part(ctx context.Context, part *dataset.Set) error {
	if part.Numbered {
		return errNumbered(part.Source)
	}
	var rows, images []int
	for r, id := range part.IDs {
		image := s.table.Image(id)
		switch {
		case image < 0:
			s.out.Unasked++
			continue
		case s.done[image]:
			return fmt.Errorf("%s: found image %s twice, want it once", part.Source, id)
		}
		s.done[image] = true
		rows, images = append(rows, r), append(images, image)
	}
	if len(rows) == 0 {
		return nil
	}
	set := part
	if len(rows) < part.Len() {
		var err error
		if set, err = part.Select(rows); err != nil {
			return err
		}
	}
	if s.leaks != nil {
		if err := s.leaks.look(ctx, set); err != nil {
			return err
		}
	}
	own := set
	set = set.Resized(s.input.Height, s.input.Width)
	p, err := s.answers.Answer(ctx, set)
	if err != nil {
		return err
	}
	for i, image := range images {
		scale := own.Scale(i)
		s.put(p.Columns, p.Original(set, i), image, float32(own.Width)*scale.X, float32(own.Height)*scale.Y)
	}
	return nil
}

// put writes an image's answer to its rows.
func (s *submitter) put(columns []string, points []float32, image int, width, height float32) {
	for row := range s.table.Rows(image) {
		c := s.column[s.table.Feature(row)]
		border := height
		if blueprint.IsX(columns[c]) {
			border = width
		}
		v := min(max(points[c], 0), border)
		if v != points[c] {
			s.out.Clipped++
		}
		s.out.Values[row] = float64(v)
	}
}
