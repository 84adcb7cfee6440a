package photo_test

import (
	"context"
	"encoding/json"
	"image"
	"image/draw"
	_ "image/jpeg"
	_ "image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/model/ready"
	"github.com/fkzoo/fkzoo/zoo/photo"
)

// reader has the models that are in the program.
func reader(t *testing.T) *photo.Reader {
	t.Helper()
	b := backendtest.Open(t, "go")
	load := func(name string) *model.Model {
		m, err := model.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	finder, err := photo.NewFinder(b, load(ready.Finder))
	if err != nil {
		t.Fatal(err)
	}
	points := []*model.Model{load(ready.Points)}
	e, err := answer.Open(t.Context(), points, answer.Options{Backend: b, FlipAverage: answer.FlipAverage(points)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := photo.NewReader(finder, e, true, model.Typical(points))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func greyOf(m image.Image) *image.Gray {
	g := image.NewGray(image.Rectangle{Max: m.Bounds().Size()})
	draw.Draw(g, g.Rect, m, m.Bounds().Min, draw.Src)
	return g
}

// overlap is that of a face's box with another's.
func overlap(f *photo.Face, x, y, w, h float64) float64 {
	o := f.Box
	o.X, o.Y, o.Width, o.Height = x, y, w, h
	return f.Box.Overlap(o)
}

// In drawn scenes that no training has seen nearly all faces are found, and their points are near.
func TestScenes(t *testing.T) {
	r := reader(t)
	people, found, extra := 0, 0, 0
	var off float64
	var points int
	for seed := range uint64(12) {
		m, truth, err := demo.Scene(1_000_000+seed, 640, 480, 4)
		if err != nil {
			t.Fatal(err)
		}
		faces, err := r.Read(t.Context(), greyOf(m), photo.Least)
		if err != nil {
			t.Fatal(err)
		}
		people += len(truth)
		extra += len(faces)
		for _, p := range truth {
			for i := range faces {
				f := &faces[i]
				if overlap(f, p.X, p.Y, p.Width, p.Height) < 0.4 {
					continue
				}
				found++
				extra--
				size := math.Sqrt(p.Width * p.Height)
				for k, q := range f.Points {
					off += math.Hypot(q.X-float64(p.Points[2*k]), q.Y-float64(p.Points[2*k+1])) / size
					points++
				}
				break
			}
		}
	}
	t.Logf("found %d of %d faces and %d that are none; points are off by %.3f of a face", found, people, extra, off/float64(points))
	if found < people*85/100 || extra > 2 {
		t.Errorf("found %d of %d faces and %d that are none, want 85 in 100 and hardly any", found, people, extra)
	}
	if off/float64(points) > 0.04 {
		t.Errorf("found points off by %.3f of a face, want at most 0.04", off/float64(points))
	}
}

// Nothing is found where nothing is.
func TestNobody(t *testing.T) {
	r := reader(t)
	for seed := range uint64(10) {
		m, _, err := demo.Scene(2_000_000+seed, 480, 360, 0)
		if err != nil {
			t.Fatal(err)
		}
		faces, err := r.Read(t.Context(), greyOf(m), photo.Least)
		if err != nil || len(faces) > 0 {
			t.Errorf("scene %d: found %d faces, %v, want none", seed, len(faces), err)
		}
	}
	for name, size := range map[string][2]int{"a pixel": {1, 1}, "a line": {500, 1}, "a column": {1, 500}, "a wall": {300, 200}} {
		faces, err := r.Read(t.Context(), image.NewGray(image.Rect(0, 0, size[0], size[1])), photo.Least)
		if err != nil || len(faces) > 0 {
			t.Errorf("%s: found %d faces, %v, want none", name, len(faces), err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Read(ctx, image.NewGray(image.Rect(0, 0, 300, 200)), photo.Least); err == nil {
		t.Error("found no error behind the context's end")
	}
}

// Every face in the photographs is found, with at most one that is none, and its points are near.
func TestPhotographs(t *testing.T) {
	data := os.Getenv("FKZOO_TESTDATA")
	if data == "" {
		t.Skip("FKZOO_TESTDATA not set")
	}
	text, err := os.ReadFile(filepath.Join(data, "photos", "faces.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string][]struct {
		Box    [4]float64
		Points map[string]*[2]float64
		Pose   string
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	r := reader(t)
	extra := 0
	for name, truth := range all {
		file, err := os.Open(filepath.Join(data, "photos", name))
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := image.Decode(file)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		faces, err := r.Read(t.Context(), greyOf(m), photo.Least)
		if err != nil {
			t.Fatal(err)
		}
		extra += len(faces) - len(truth)
	next:
		for _, p := range truth {
			for i := range faces {
				f := &faces[i]
				if overlap(f, p.Box[0], p.Box[1], p.Box[2], p.Box[3]) < 0.4 {
					continue
				}
				var off float64
				n := 0
				for _, q := range f.Points {
					if at := p.Points[q.Name]; at != nil {
						off += math.Hypot(q.X-at[0], q.Y-at[1])
						n++
					}
				}
				if off /= float64(n) * math.Sqrt(p.Box[2]*p.Box[3]); off > 0.06 {
					t.Errorf("%s, %s: found points off by %.3f of the face, want at most 0.06", name, p.Pose, off)
				}
				continue next
			}
			t.Errorf("%s: missed a face, %s, at %v", name, p.Pose, p.Box)
		}
	}
	if extra > 1 {
		t.Errorf("found %d faces that are none, want at most one", extra)
	}
}
