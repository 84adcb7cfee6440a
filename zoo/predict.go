package zoo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Prediction is what models answer for the rows of a set.
type Prediction struct {
	Columns []string
	Points  []float32 // [rows, columns], pixels of the set's images
}

// Row is row i's answer.
func (p *Prediction) Row(i int) []float32 {
	return p.Points[i*len(p.Columns) : (i+1)*len(p.Columns)]
}

// Original gives row i's answer in pixels of the picture that the row was read from.
func (p *Prediction) Original(s *dataset.Set, i int) []float32 {
	out := slices.Clone(p.Row(i))
	scale := s.Scale(i)
	for c, name := range p.Columns {
		out[c] *= scale.Along(name)
	}
	return out
}

// PredictOptions are common to all that runs models.
type PredictOptions struct {
	Backend *backend.Backend
	// FlipAverage answers each image and its mirror image, and takes the mean.
	FlipAverage bool
	// Tick, which may be nil, is told how much of the work is done; of an unknown
	// total, -1.
	Tick func(done, total int)
}

// Predict answers a set with the mean of the models: over all members that
// give a column, by their weights. Columns are those of the first model, then
// what later ones add.
func Predict(ctx context.Context, models []*Model, set *dataset.Set, o PredictOptions) (*Prediction, error) {
	all, err := predictMembers(ctx, models, set, o)
	if err != nil {
		return nil, err
	}
	return mean(all, set.Len()), nil
}

// InputOf is what all the models take; those that take images of different
// sizes can't answer together.
func InputOf(models []*Model) (blueprint.Input, error) {
	if len(models) == 0 {
		return blueprint.Input{}, errNoModel
	}
	in := models[0].Document.Input
	for _, m := range models {
		if o := m.Document.Input; o.Height != in.Height || o.Width != in.Width || o.Channels != in.Channels {
			return in, fmt.Errorf("%s and %s: found images of %dx%dx%d and %dx%dx%d, want models that take images of one size",
				models[0].Document.Name, m.Document.Name, in.Height, in.Width, in.Channels, o.Height, o.Width, o.Channels)
		}
	}
	return in, nil
}

// memberPrediction is one member's answer.
type memberPrediction struct {
	model, member int
	weight        float64
	learned       []bool // rows that have no part in the mean; nil: all have
	Prediction
}

// FlipAverage tells whether all members of the models ask for the mean with
// the answer for the mirror image, where the user doesn't say.
func FlipAverage(models []*Model) bool {
	for _, m := range models {
		for i := range m.Document.Members {
			if !m.Document.Members[i].Output.FlipAverage {
				return false
			}
		}
	}
	return len(models) > 0
}

// Miscalibrated tells whether answers with those for mirror images, or without,
// are not those that some member is calibrated for: those that its own model
// gave, of a merged one the model that the member comes from.
func Miscalibrated(models []*Model, flipAverage bool) bool {
	for _, m := range models {
		for i := range m.Document.Members {
			member, of := &m.Document.Members[i], FlipAverage([]*Model{m})
			if len(m.Provenance.Merged) > 0 {
				of = member.Output.FlipAverage
			}
			if member.Recipe.Calibrate && len(member.Output.Shift) > 0 && of != flipAverage {
				return true
			}
		}
	}
	return false
}

var errNoModel = errors.New("found no model, want at least one")

func predictMembers(ctx context.Context, models []*Model, set *dataset.Set, o PredictOptions) ([]memberPrediction, error) {
	if len(models) == 0 {
		return nil, errNoModel
	}
	total, done := 0, 0
	for _, m := range models {
		total += len(m.Document.Members) * set.Len() * o.views()
	}
	views := viewsOf(set, o)
	var out []memberPrediction
	for k, m := range models {
		for i := range m.Document.Members {
			member, err := newAnswerer(models, k, i, set.Width, o)
			if err != nil {
				return nil, err
			}
			p, err := member.answer(ctx, set, views, func(rows int) {
				if o.Tick != nil {
					o.Tick(done+rows, total)
				}
			})
			member.close()
			if err != nil {
				return nil, err
			}
			done += set.Len() * len(views)
			out = append(out, *p)
		}
	}
	return out, nil
}

// views is how many times each image is answered.
func (o *PredictOptions) views() int {
	if o.FlipAverage {
		return 2
	}
	return 1
}

// viewsOf are a set's images, and their mirror images where these are wanted.
func viewsOf(set *dataset.Set, o PredictOptions) []engine.Images {
	views := []engine.Images{imagesOf(set)}
	if o.FlipAverage {
		views = append(views, mirrored(views[0]))
	}
	return views
}

// answerer is a member that is ready to answer. Close it.
type answerer struct {
	model, member int
	of            *blueprint.Member
	predictor     *engine.Predictor
	flip          *Flip // where mirror images are answered too
}

func newAnswerer(models []*Model, model, member, width int, o PredictOptions) (*answerer, error) {
	m := models[model]
	a := &answerer{model: model, member: member, of: &m.Document.Members[member]}
	wrong := func(err error) (*answerer, error) { return nil, fmt.Errorf("member %s: %w", a.of.Name, err) }
	plan, err := blueprint.NewPlan(m.Document, member, nil)
	if err != nil {
		return wrong(err)
	}
	if o.FlipAverage {
		if a.flip, err = FlipOf(plan.Member, width); err != nil {
			return wrong(fmt.Errorf("flip average: %w", err))
		}
	}
	if a.predictor, err = engine.NewPredictor(o.Backend, plan, m.Weights); err != nil {
		return wrong(err)
	}
	return a, nil
}

func (a *answerer) close() { a.predictor.Close() }

// answer answers the set's images; a second view of them is their mirror
// images, and the answer then the mean of both.
func (a *answerer) answer(ctx context.Context, set *dataset.Set, views []engine.Images, tick func(rows int)) (*memberPrediction, error) {
	wrong := func(err error) (*memberPrediction, error) { return nil, fmt.Errorf("member %s: %w", a.of.Name, err) }
	points, err := a.predictor.Predict(ctx, views[0], nil, tick)
	if err != nil {
		return wrong(err)
	}
	if a.flip != nil {
		flipped, err := a.predictor.Predict(ctx, views[1], nil, func(rows int) { tick(set.Len() + rows) })
		if err != nil {
			return wrong(err)
		}
		a.flip.average(points, flipped)
	}
	for at, v := range points {
		if v-v != 0 { // not a number, or infinite
			return wrong(fmt.Errorf("found %g as the answer for image %q, want a finite number: its weights are of no use", v, set.IDs[at/len(a.of.Columns)]))
		}
	}
	return &memberPrediction{model: a.model, member: a.member, weight: a.of.MeanWeight(), Prediction: Prediction{a.of.Columns, points}}, nil
}

// Flip is how a member's answer for a mirror image is turned back: column c of an answer is Sign[c] times column From[c]
// of that for the mirror image, plus Add[c], in pixels of the image that was mirrored.
type Flip struct {
	From      []int
	Sign, Add []float64
}

// FlipOf gives the flip that the member was trained with, for images of this width in pixels, or else that which follows
// from its columns' names, with the width as the axis: where the data's labels lie is then not known. What output.shift
// adds to an answer isn't turned. An error: a column has no partner.
func FlipOf(m *blueprint.Member, width int) (*Flip, error) {
	mirror := m.Mirror()
	from, err := mirror.Permutation(m.Columns)
	if err != nil {
		return nil, err
	}
	f := &Flip{from, make([]float64, len(from)), make([]float64, len(from))}
	for c, name := range m.Columns {
		if f.Sign[c] = 1; blueprint.IsX(name) {
			f.Sign[c], f.Add[c] = -1, mirror.AxisOf(width)
		}
		if shift := m.Output.Shift; len(shift) > 0 {
			f.Add[c] += shift[c] - f.Sign[c]*shift[from[c]]
		}
	}
	return f, nil
}

// average makes points the mean with the answers for mirrored images, turned back.
func (f *Flip) average(points, flipped []float32) {
	n := len(f.From)
	for at := 0; at < len(points); at += n {
		for c, from := range f.From {
			v := f.Sign[c]*float64(flipped[at+from]) + f.Add[c]
			points[at+c] = float32((float64(points[at+c]) + v) / 2)
		}
	}
}

// mirrored gives the images turned left to right.
func mirrored(im engine.Images) engine.Images {
	im.Bytes, im.Floats = slices.Clone(im.Bytes), slices.Clone(im.Floats)
	reverse(im.Bytes, im.Width, im.Channels)
	reverse(im.Floats, im.Width, im.Channels)
	return im
}

func reverse[T any](values []T, width, channels int) {
	for line := range slices.Chunk(values, width*channels) {
		for l, r := 0, width-1; l < r; l, r = l+1, r-1 {
			for c := range channels {
				line[l*channels+c], line[r*channels+c] = line[r*channels+c], line[l*channels+c]
			}
		}
	}
}

// mean combines members' answers into one row of columns.
func mean(all []memberPrediction, rows int) *Prediction {
	index := map[string]int{}
	out := &Prediction{}
	for _, p := range all {
		for _, c := range p.Columns {
			if _, ok := index[c]; !ok {
				index[c] = len(out.Columns)
				out.Columns = append(out.Columns, c)
			}
		}
	}
	n := len(out.Columns)
	sums, weights := make([]float64, rows*n), make([]float64, rows*n)
	for _, p := range all {
		for c, name := range p.Columns {
			at := index[name]
			for r := range rows {
				if p.learned != nil && p.learned[r] {
					continue
				}
				weights[r*n+at] += p.weight
				sums[r*n+at] += p.weight * float64(p.Points[r*len(p.Columns)+c])
			}
		}
	}
	out.Points = make([]float32, len(sums))
	for i, s := range sums {
		out.Points[i] = float32(s / weights[i]) // NaN where nobody answers
	}
	return out
}

func imagesOf(s *dataset.Set) engine.Images {
	return engine.Images{Count: s.Len(), Height: s.Height, Width: s.Width, Channels: s.Channels, Bytes: s.Bytes, Floats: s.Floats}
}

