package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/model/ready"
	"github.com/fkzoo/fkzoo/zoo/photo"
	"github.com/fkzoo/fkzoo/zoo/photo/film"
	"github.com/fkzoo/fkzoo/zoo/train"
)

func digests() (points, finder string, err error) {
	p, err := model.Describe(ready.Points)
	if err != nil {
		return "", "", err
	}
	f, err := model.Describe(ready.Finder)
	if err != nil {
		return "", "", err
	}
	return p.Digest, f.Digest, nil
}

// photos are what was found in photographs whose faces are labelled.
type photos struct {
	Photos  int     `json:"photos"`
	Seconds float64 `json:"seconds"` // for one, on the mean
	False   int     `json:"false"`
	Poses   []pose  `json:"poses"`
}

// pose is the faces of one.
type pose struct {
	Pose     string  `json:"pose"`
	Faces    int     `json:"faces"`
	Found    int     `json:"found"`
	Score    float64 `json:"score"`     // the mean
	OfFace   float64 `json:"of_face"`   // the points' mean distance from their labels, of the root of the box's area
	OfEyes   float64 `json:"of_eyes"`   // of the distance between the eyes, where both are labelled
	WithEyes int     `json:"with_eyes"` // so many
}

// labelled is a face in faces.json.
type labelled struct {
	Box    [4]float64             `json:"box"`
	Points map[string]*[2]float64 `json:"points"`
	Pose   string                 `json:"pose"`
}

func (b *bench) photos() error {
	folder, err := b.in("photos")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(folder, "faces.json"))
	if err != nil {
		return err
	}
	var all map[string][]labelled
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	out := &photos{Photos: len(all)}
	poses := map[string]*pose{}
	request := zoo.PhotosRequest{Photos: []string{folder}}
	for range 2 { // the first time compiles
		out.False = 0
		clear(poses)
		start := time.Now()
		err = b.zoo.Photos(b.ctx, request, func(p *zoo.Photo) error {
			truth := all[filepath.Base(p.Name)]
			if p.Err != nil {
				return p.Err
			}
			out.False += compare(p.Faces, truth, poses)
			return nil
		})
		if err != nil {
			return err
		}
		out.Seconds = math.Round(1000*time.Since(start).Seconds()/float64(len(all))) / 1000
	}
	for _, p := range poses {
		if p.Found > 0 {
			p.Score, p.OfFace = p.Score/float64(p.Found), p.OfFace/float64(p.Found)
			p.OfEyes /= float64(max(p.WithEyes, 1))
		}
		out.Poses = append(out.Poses, *p)
	}
	slices.SortFunc(out.Poses, func(a, b pose) int { return cmp.Or(-cmp.Compare(a.Faces, b.Faces), cmp.Compare(a.Pose, b.Pose)) })
	b.record.Photos = out
	return nil
}

// compare finds each labelled face among those that were found, and gives how many of these are none.
func compare(faces []photo.Face, truth []labelled, poses map[string]*pose) int {
	used := make([]bool, len(faces))
	for _, l := range truth {
		p := poses[l.Pose]
		if p == nil {
			p = &pose{Pose: l.Pose}
			poses[l.Pose] = p
		}
		p.Faces++
		best, at := 0.3, -1
		for i := range faces {
			o := faces[i].Box.Overlap(blueprint.Box{X: l.Box[0], Y: l.Box[1], Width: l.Box[2], Height: l.Box[3]})
			if o > best && !used[i] {
				best, at = o, i
			}
		}
		if at < 0 {
			continue
		}
		used[at] = true
		p.Found++
		p.Score += faces[at].Score
		off, n := 0.0, 0.0
		for _, q := range faces[at].Points {
			if t := l.Points[q.Name]; t != nil {
				off, n = off+math.Hypot(q.X-t[0], q.Y-t[1]), n+1
			}
		}
		off /= n
		p.OfFace += off / math.Sqrt(l.Box[2]*l.Box[3])
		if left, right := l.Points["left_eye_center"], l.Points["right_eye_center"]; left != nil && right != nil {
			p.OfEyes += off / math.Hypot(left[0]-right[0], left[1]-right[1])
			p.WithEyes++
		}
	}
	extra := 0
	for _, u := range used {
		if !u {
			extra++
		}
	}
	return extra
}

// data is how far the points are off on a data set of real faces.
type data struct {
	Rows          int            `json:"rows"`
	RMSE          float64        `json:"rmse_pixels"`
	Median        float64        `json:"median_pixels"` // of the rows' own
	MeanFace      float64        `json:"mean_face_pixels"`
	OwnMean       float64        `json:"own_mean_face_pixels"`
	Turns         []turned       `json:"turns"`
	ExpectedReal  []measure.Part `json:"expected_real"`
	ExpectedDrawn []measure.Part `json:"expected_drawn"`
}

// turned are the rows whose faces are turned alike.
type turned struct {
	Lean   string  `json:"lean"`
	Rows   int     `json:"rows"`
	RMSE   float64 `json:"rmse_pixels"`
	Median float64 `json:"median_pixels"`
}

func (b *bench) onData() error {
	path, err := b.in("data", "training.zip")
	if err != nil {
		return err
	}
	ask := func(name string) (*zoo.Evaluated, error) {
		return b.zoo.Evaluate(b.ctx, zoo.EvaluateRequest{ModelsRequest: zoo.ModelsRequest{Models: []string{ready.Points}}, Data: zoo.DataRequest{Names: []string{name}}, Expected: true})
	}
	drawn, err := ask("demo:2000:77")
	if err != nil {
		return err
	}
	e, err := ask(path)
	if err != nil {
		return err
	}
	out := &data{Rows: e.Rows, RMSE: e.RMSEPixels, MeanFace: e.MeanFace, ExpectedReal: e.Expected, ExpectedDrawn: drawn.Expected}
	out.OwnMean = ownMean(e.Data)
	rms := rowErrors(e)
	out.Median = median(rms)
	for _, t := range []struct {
		name string
		lean [2]float64
	}{{"at most 9°", [2]float64{0, 0.15}}, {"9 to 17°", [2]float64{0.15, 0.3}}, {"17 to 30°", [2]float64{0.3, 0.5}}, {"30 to 44°", [2]float64{0.5, 0.7}}, {"more", [2]float64{0.7, 1.1}}} {
		var some []float64
		for i, v := range rms {
			if l := lean(e.Data, i); l >= t.lean[0] && l < t.lean[1] {
				some = append(some, v)
			}
		}
		squares := 0.0
		for _, v := range some {
			squares += v * v
		}
		out.Turns = append(out.Turns, turned{t.name, len(some), math.Sqrt(squares / float64(max(len(some), 1))), median(some)})
	}
	b.record.Data = out
	return nil
}

// rowErrors are each row's root of the mean squared error along one axis.
func rowErrors(e *zoo.Evaluated) []float64 {
	out := make([]float64, e.Data.Len())
	for i := range out {
		sum, n := 0.0, 0.0
		for c, name := range e.Answers.Columns {
			if at := e.Data.Column(name); at >= 0 {
				if d := float64(e.Answers.Row(i)[c]) - float64(e.Data.Row(i)[at]); d == d {
					sum, n = sum+d*d, n+1
				}
			}
		}
		out[i] = math.Sqrt(sum / n)
	}
	return out
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

// lean is the sine of the angle at which the nose's tip lies from the middle between the eyes, against the upright to their line: it grows
// as the head turns.
func lean(s *dataset.Set, row int) float64 {
	at := func(name string) (x, y float64) {
		return float64(s.Row(row)[s.Column(name+"_x")]), float64(s.Row(row)[s.Column(name+"_y")])
	}
	lx, ly := at("left_eye_center")
	rx, ry := at("right_eye_center")
	nx, ny := at("nose_tip")
	nx, ny = nx-(lx+rx)/2, ny-(ly+ry)/2
	ux, uy := lx-rx, ly-ry
	return math.Abs(nx*ux+ny*uy) / (math.Hypot(ux, uy) * math.Hypot(nx, ny))
}

// ownMean is how far a set's mean face is off.
func ownMean(s *dataset.Set) float64 {
	mean, squares, cells := model.DataOf(s).Mean, 0.0, 0.0
	for i, v := range s.Points {
		if v == v {
			d := float64(v) - mean[i%len(s.Columns)]
			squares, cells = squares+d*d, cells+1
		}
	}
	return math.Sqrt(squares / cells)
}

// nobody is how many faces were found in pictures without one.
type nobody struct {
	Kind     string  `json:"kind"`
	Pictures int     `json:"pictures"`
	Faces    int     `json:"faces"`
	Highest  float64 `json:"highest_score"`
}

// eachKind is how many pictures of each kind are looked at.
const eachKind = 200

func (b *bench) nobody() error {
	reader, err := b.zoo.PhotoReader(b.ctx, zoo.ModelsRequest{})
	if err != nil {
		return err
	}
	defer reader.Close()
	b.record.Nobody = nil
	for _, kind := range demo.EmptyKinds() {
		n := nobody{Kind: kind, Pictures: eachKind}
		for seed := range uint64(eachKind) {
			m, err := demo.Empty(kind, 3_000_000+seed, 640, 480)
			if err != nil {
				return err
			}
			faces, err := reader.Read(b.ctx, greyOf(m), 1e-9)
			if err != nil {
				return err
			}
			for i := range faces {
				n.Highest = max(n.Highest, faces[i].Score)
				if faces[i].Score >= photo.Least {
					n.Faces++
				}
			}
		}
		b.record.Nobody = append(b.record.Nobody, n)
	}
	return nil
}

// greyOf is a picture's luma.
func greyOf(m *image.RGBA) *image.Gray {
	g := image.NewGray(m.Rect)
	draw.Draw(g, g.Rect, m, m.Rect.Min, draw.Src)
	return g
}

// shake is how the points of a drawn film of a turning head move.
type shake struct {
	Smooth float64 `json:"smooth_seconds"`
	Shake  float64 `json:"shake_pixels"` // the mean distance of a point's error from the mean of those in the frames before and after
	Off    float64 `json:"off_pixels"`   // the mean distance from where the point is
	Frames int     `json:"frames"`
	Found  int     `json:"found"` // frames in which the face was found
}

// Frames of the film, and in a second.
const (
	frames = 120
	rate   = 30
)

func (b *bench) film() error {
	path := filepath.Join(b.work, "turning.mp4")
	truth, err := b.draw(path)
	if err != nil {
		return err
	}
	b.record.Film = nil
	for _, smooth := range []float64{0, 0.1, 0.3} {
		s := shake{Smooth: smooth, Frames: len(truth)}
		var last, before []float64
		n, moves := 0.0, 0.0
		r := zoo.FilmRequest{Film: path, Smooth: smooth}
		err := b.zoo.Film(b.ctx, r, func(*film.Film) error { return nil }, func(f *zoo.Frame) error {
			if len(f.Faces) == 0 || f.Number >= len(truth) {
				last, before = nil, nil
				return nil
			}
			s.Found++
			var errors []float64
			for k, q := range f.Faces[0].Points {
				dx, dy := q.X-float64(truth[f.Number].Points[2*k]), q.Y-float64(truth[f.Number].Points[2*k+1])
				errors = append(errors, dx, dy)
				s.Off, n = s.Off+math.Hypot(dx, dy), n+1
			}
			for k := 0; before != nil && k < len(errors); k += 2 {
				off := func(i int) float64 { return last[i] - (errors[i]+before[i])/2 }
				s.Shake, moves = s.Shake+math.Hypot(off(k), off(k+1)), moves+1
			}
			before, last = last, errors
			return nil
		})
		if err != nil {
			return err
		}
		s.Off, s.Shake = s.Off/n, s.Shake/moves
		b.record.Film = append(b.record.Film, s)
	}
	return nil
}

// draw writes the film through ffmpeg.
func (b *bench) draw(path string) ([]demo.Person, error) {
	const width, height = 480, 360
	cmd := exec.CommandContext(b.ctx, "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgba", "-video_size", fmt.Sprintf("%dx%d", width, height),
		"-framerate", fmt.Sprint(rate), "-i", "-", "-pix_fmt", "yuv420p", path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var truth []demo.Person
	err = demo.Turning(4, width, height, frames, func(_ int, m *image.RGBA, p demo.Person) error {
		truth = append(truth, p)
		_, err := in.Write(m.Pix)
		return err
	})
	if closed := in.Close(); err == nil {
		err = closed
	}
	if ended := cmd.Wait(); err == nil {
		err = ended
	}
	return truth, err
}

// variation is what faces drawn without one teach.
type variation struct {
	Without string  `json:"without"` // "": none
	RMSE    float64 `json:"rmse_pixels"`
}

// what the variations are called on the page.
var what = map[string]string{
	"turn": "turned heads", "tilt": "tilting and nodding", "hair": "long hair, fringes, curls, beards", "age": "lines, rough and grey of age",
	"skin": "dark and light skin", "worn": "glasses and hats", "held": "fingers, microphones, strands before the face",
	"expression": "open mouths, smiles, narrow eyes", "light": "light from anywhere", "outline": "hidden points told at the outline",
	"background": "things behind", "camera": "blur, noise, JPEG, low resolution, exposure",
}

// Faces and epochs of each training.
const (
	variationFaces  = 4000
	variationEpochs = 10
)

func (b *bench) variations() error {
	path, err := b.in("data", "training.zip")
	if err != nil {
		return err
	}
	b.record.Variations = nil
	for _, without := range append([]string{""}, demo.Variations()...) {
		name := demo.Name(variationFaces, 1)
		if without != "" {
			name += ":no-" + without
		}
		out := filepath.Join(b.work, "variation.fkz")
		r := zoo.TrainRequest{Request: train.Request{Architecture: "compact-s", Epochs: variationEpochs, Output: out, Force: true}, Data: zoo.DataRequest{Names: []string{name}}}
		if _, err := b.zoo.Train(b.ctx, r, nil); err != nil {
			return err
		}
		e, err := b.zoo.Evaluate(b.ctx, zoo.EvaluateRequest{ModelsRequest: zoo.ModelsRequest{Models: []string{out}}, Data: zoo.DataRequest{Names: []string{path}}})
		if err != nil {
			return err
		}
		fmt.Fprintf(b.out, "without %q: %.3f pixels\n", without, e.RMSEPixels)
		b.record.Variations = append(b.record.Variations, variation{without, e.RMSEPixels})
	}
	return nil
}
