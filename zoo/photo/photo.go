// Package photo finds faces in photographs and asks models for their points: each face is cut out as the models' training data was,
// turned upright, answered, cut out by these points once more, and answered again. Answers are in pixels of the photograph.
//
// It must not know how photographs are read or drawn, nor how a network runs.
package photo

import (
	"cmp"
	"context"
	"errors"
	"image"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/internal/gate"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// A Face is one that was found.
type Face struct {
	Box     blueprint.Box // in pixels of the photograph
	Score   float64       // 1: surely a face; 0: surely none
	Points  []Point
	Turn    float64    // degrees, to the right, by which it is turned in the plane
	upright similarity // from the photograph to the models' input
	side    int        // the input's width
}

// A Point of a face.
type Point struct {
	Name  string
	X, Y  float64 // in pixels of the photograph
	Error float64 // expected, in pixels; NaN: not known
}

// ErrClosed is returned for a question to a reader that is closed.
var ErrClosed = errors.New("the reader of photographs is closed")

// A Reader finds faces and their points. It may be asked by many goroutines at once. Close it; closing its models does, too.
type Reader struct {
	finder *Finder
	models *answer.Ensemble
	frame  frame
	asked  gate.Gate // questions under way
	owned  bool      // the models are closed with it
}

// NewReader puts a finder before models. The finder is then the reader's to close, and the models where they are owned. typical are the mean places of the models'
// points in their input, by column, as their training data had them.
func NewReader(f *Finder, e *answer.Ensemble, owned bool, typical map[string]float64) (*Reader, error) {
	frame, err := newFrame(e, typical)
	if err != nil {
		return nil, err
	}
	r := &Reader{finder: f, models: e, frame: frame, owned: owned}
	e.OnClose(r.free)
	return r, nil
}

// Close frees what the reader has on the backend, once what it is asked now is answered. Closing it again does nothing.
func (r *Reader) Close() {
	r.free()
	if r.owned {
		_ = r.models.Close() // it has no error
	}
}

func (r *Reader) free() { r.asked.Close(r.finder.Close) }

// Names are those of the points, in the order in which faces have them.
func (r *Reader) Names() []string { return r.frame.names }

// Left are the models' columns that have no part in faces, since nobody knows where their points typically lie.
func (r *Reader) Left() []string { return r.frame.left }

// Least is the score below which a face isn't told.
const Least = 0.55

// leastBox is the score of a box that is looked into.
const leastBox = 0.2

// Read finds the faces in a grey photograph with a score of at least as much, the best first.
func (r *Reader) Read(ctx context.Context, m *image.Gray, least float64) ([]Face, error) {
	ctx, leave, err := r.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	p := newStack(m)
	boxes, err := r.finder.find(ctx, p, leastBox)
	if err != nil {
		return nil, err
	}
	if len(boxes) == 0 {
		return nil, nil
	}
	looks := make([]look, len(boxes))
	for i := range boxes {
		looks[i] = look{box: boxes[i], cut: r.frame.ofBox(boxes[i])}
	}
	if err := r.answer(ctx, p, looks, false); err != nil {
		return nil, err
	}
	for i := range looks {
		looks[i].again(&r.frame)
	}
	if err := r.answer(ctx, p, looks, true); err != nil {
		return nil, err
	}
	var out []Face
	for i := range looks {
		if f := looks[i].face(&r.frame); f.Score >= least {
			out = append(out, f)
		}
	}
	return distinct(out), nil
}

// enter begins a question, which the models are then kept open for, too.
func (r *Reader) enter(ctx context.Context) (inside context.Context, leave func(), err error) {
	ctx, leaveReader, ok := r.asked.Enter(ctx)
	if !ok {
		return nil, nil, ErrClosed
	}
	ctx, leaveModels, err := r.models.Enter(ctx)
	if err != nil {
		leaveReader()
		return nil, nil, err
	}
	return ctx, func() { leaveModels(); leaveReader() }, nil
}

// A look is a face that is being looked at.
type look struct {
	box    blueprint.Box
	cut    similarity // from the photograph to the network's input
	before []point    // the answer before, in the photograph
	points []point
	errors []float64 // expected, in pixels of the photograph
}

// answer asks the models about all the cut-outs together, and how far off they may be.
func (r *Reader) answer(ctx context.Context, p stack, looks []look, expected bool) error {
	in := r.models.Input()
	pixels := in.Height * in.Width
	set := &dataset.Set{Height: in.Height, Width: in.Width, Channels: 1, Bytes: make([]uint8, len(looks)*pixels), IDs: make([]string, len(looks))}
	for i := range looks {
		p.cut(looks[i].cut, in.Height, in.Width, set.Bytes[i*pixels:(i+1)*pixels])
	}
	var got *answer.Prediction
	var off []float32
	var err error
	if expected {
		got, off, err = r.models.Expected(ctx, set, nil)
	} else {
		got, err = r.models.Answer(ctx, set, nil)
	}
	if err != nil {
		return err
	}
	for i := range looks {
		l := &looks[i]
		answers := got.Row(i)
		back := l.cut.inverse()
		l.before, l.points = l.points, nil
		for _, at := range r.frame.places {
			l.points = append(l.points, back.of(point{float64(answers[at[0]]), float64(answers[at[1]])}))
			if expected {
				l.errors = append(l.errors, back.scale()*float64(off[i*len(got.Columns)+at[0]]))
			}
		}
	}
	return nil
}

// again cuts the face out by its points, unless they are no face's.
func (l *look) again(f *frame) {
	s, ok := fit(l.points, f.mean)
	if !ok {
		return
	}
	if grown := s.scale() / l.cut.scale(); grown < 0.55 || grown > 1.8 {
		return
	}
	l.cut = s
}

// face is what the last answer and the one before tell.
func (l *look) face(f *frame) Face {
	out := Face{Box: l.box, upright: l.cut, side: f.side, Turn: -math.Atan2(l.cut.b, l.cut.a) * 180 / math.Pi}
	for i, p := range l.points {
		out.Points = append(out.Points, Point{f.names[i], p.x, p.y, l.errors[i]})
	}
	// A face's points stay where they are, however it is cut out; what is none has them where the cut-out is.
	apart := 0.0
	for i := range l.points {
		apart += math.Hypot(l.points[i].x-l.before[i].x, l.points[i].y-l.before[i].y)
	}
	apart *= l.cut.scale() / f.size / float64(len(l.points))
	out.Score = l.box.Score * math.Exp(-apart*apart/(2*steady*steady))
	return out
}

// steady is how far a face's points move between two looks, in sizes of the face.
const steady = 0.1

// distinct leaves out faces whose points are those of a better one.
func distinct(all []Face) []Face {
	slices.SortStableFunc(all, func(a, b Face) int { return cmp.Compare(b.Score, a.Score) })
	var out []Face
	for _, f := range all {
		if !slices.ContainsFunc(out, func(o Face) bool { return o.near(&f) }) {
			out = append(out, f)
		}
	}
	return out
}

func (f *Face) near(o *Face) bool {
	sum := 0.0
	for i := range f.Points {
		sum += math.Hypot(f.Points[i].X-o.Points[i].X, f.Points[i].Y-o.Points[i].Y)
	}
	return sum/float64(len(f.Points)) < 0.25*max(f.Box.Width, f.Box.Height)
}
