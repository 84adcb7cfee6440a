package person

import (
	"math"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo/film"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
)

const size = 96

// frontal is a face that looks at the camera, with nothing before it.
func frontal(i uint64) *Face {
	f := NewFace(num.NewRandom(11, i))
	f.Yaw, f.pitch, f.Roll = num.TurnBy(0), num.TurnBy(0), num.TurnBy(0)
	f.eyes.upper = max(f.eyes.upper, 2) // a closed eye shows nothing
	f.hair.bald, f.hair.beard, f.hair.moustache = true, 0, 0
	f.Extra.Glasses, f.Extra.Props, f.Extra.hat = false, nil, false
	f.eyes.lashes, f.eyes.crease, f.brows.strength = 0, 0, 0
	return f
}

// light draws a face, framed the same each time.
func lightOf(f *Face) (*Canvas, []float64) {
	c := NewCanvas(film.NewPicture(size, size, false))
	c.Begin(f)
	c.Frame(f, num.NewRandom(1, 1))
	c.Person(f)
	return c, c.Planes[0]
}

// TestPointsSitOnFeatures paints one feature at a time in another tone and looks
// where the picture changes: its extreme points must be near the keypoints, and on
// the mean at them.
func TestPointsSitOnFeatures(t *testing.T) {
	const faces = 40
	var sum [15]float64
	for i := range uint64(faces) {
		f := frontal(i)
		c, before := lightOf(f)
		points := c.Keypoints(f)
		check := func(name string, paint func(g *Face), least float64, want ...int) {
			t.Helper()
			g := *f
			paint(&g)
			_, after := lightOf(&g)
			for _, k := range want {
				p := points[k]
				var at num.Point
				for _, j := range want {
					at.X += points[j].X / float64(len(want))
					at.Y += points[j].Y / float64(len(want))
				}
				dx, dy := p.X-at.X, p.Y-at.Y
				length := math.Hypot(dx, dy)
				dx, dy = dx/length, dy/length
				reach := 0.0
				for y := range size {
					for x := range size {
						if math.Abs(after[y*size+x]-before[y*size+x]) < least {
							continue
						}
						ex, ey := float64(x)+0.5-at.X, float64(y)+0.5-at.Y
						if along := ex*dx + ey*dy; math.Abs(ex*dy-ey*dx) < 1.5 && along < length+6 {
							reach = max(reach, along)
						}
					}
				}
				sum[k] += (reach - length) / faces
				if math.Abs(reach-length) > 2.5 {
					t.Errorf("face %d, %s, keypoint %d: found the feature's end %.2f pixels from its middle, want %.2f", i, name, k, reach, length)
				}
			}
		}
		check("left eye", func(g *Face) { g.eyes.sclera, g.eyes.irisAlbedo = 8, 8 }, 0.1, 2, 3)
		check("right eye", func(g *Face) { g.eyes.sclera, g.eyes.irisAlbedo = 8, 8 }, 0.1, 4, 5)
		check("lips", func(g *Face) { g.mouth.lips, g.mouth.teeth = 8, 8 }, 0.1, 11, 12)
		check("lips", func(g *Face) { g.mouth.lips, g.mouth.teeth = 8, 8 }, 0.1, 13, 14)
	}
	for _, k := range []int{2, 3, 4, 5, 11, 12, 13, 14} {
		if math.Abs(sum[k]) > 1 {
			t.Errorf("keypoint %d: found the features' ends %.2f pixels outside of it on average, want 0", k, sum[k])
		}
	}
	t.Logf("ends outside of their keypoints by %.2f", sum)
}

// A hidden point lies at the outline: on the head's edge, where the background begins within some pixels.
func TestHiddenPointsLieAtTheOutline(t *testing.T) {
	for _, way := range []float64{-1, 1} {
		f := frontal(3)
		f.Yaw = num.TurnBy(way * 0.7) // 70 degrees
		c, _ := lightOf(f)
		points := c.Keypoints(f)
		hidden := 0 // the left eye's centre
		if way < 0 {
			hidden = 1
		}
		p := points[hidden]
		edge := math.Inf(1)
		for x := range c.raster.wide {
			if s := c.raster.samples[int(p.Y*side)*c.raster.wide+x]; s.mesh < 0 {
				edge = min(edge, math.Abs((float64(x)+0.5)/side-p.X))
			}
		}
		if edge > 4 {
			t.Errorf("turned %+.0f: found a hidden eye %.1f pixels from the outline, want it there", way, edge)
		}
		// The one that is seen is where its place on the head is.
		seen, _ := f.project(c.surface(f, f.marks()[1-hidden]))
		if d := math.Hypot(points[1-hidden].X-seen.X, points[1-hidden].Y-seen.Y); d > 1e-9 {
			t.Errorf("turned %+.0f: found the seen eye %.2f pixels from its place", way, d)
		}
	}
}

// Faces at another place and size in a colour picture are the same face.
func TestColour(t *testing.T) {
	f := frontal(5)
	c := NewCanvas(film.NewPicture(size, size, true))
	c.Begin(f)
	c.Frame(f, num.NewRandom(1, 1))
	c.Person(f)
	_, grey := lightOf(f)
	worst := 0.0
	for i, g := range grey {
		luma := 0.299*c.Planes[0][i] + 0.587*c.Planes[1][i] + 0.114*c.Planes[2][i]
		worst = max(worst, math.Abs(luma-g))
	}
	if worst > 0.02 {
		t.Errorf("found a colour picture whose luma is up to %.3f off the grey one", worst)
	}
}
