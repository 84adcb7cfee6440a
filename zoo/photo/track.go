package photo

import (
	"math"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// A Tracker follows faces from frame to frame of a film, and smooths their points in time with a fading-memory filter of the first degree
// (Morrison 1969; the critically damped g-h filter): a point is where it was, moved on as it moved, and then a part of the way to where it is
// found. It takes the shake out, and lags behind what moves by little. It is for one goroutine.
type Tracker struct {
	Seconds float64 // in which what was found before fades to 1/e; 0: nothing is smoothed

	tracks []*track
	next   int
}

// nearby is a distance, in sizes of the face, at which what was before fades twice as fast: a point that is found further away has moved.
const nearby = 0.02

// forgotten is how long a face may be missed and still be the same, in seconds.
const forgotten = 0.5

// A track is one face's.
type track struct {
	number int
	seen   float64
	box    blueprint.Box
	points []Point
	speeds []point // in pixels a second
}

// Frame takes the faces of the frame at a time in seconds, later than the one before, and gives each its number, from 1, the same as long
// as it is seen. The points are smoothed in place.
func (t *Tracker) Frame(time float64, faces []Face) (numbers []int) {
	var kept []*track
	for _, k := range t.tracks {
		if time-k.seen <= forgotten {
			kept = append(kept, k)
		}
	}
	t.tracks = kept
	taken := map[*track]bool{}
	for i := range faces {
		f := &faces[i]
		k := t.nearest(f, taken)
		if k == nil {
			t.next++
			k = &track{number: t.next}
			t.tracks = append(t.tracks, k)
		} else if t.Seconds > 0 && len(k.points) == len(f.Points) {
			k.smooth(f, time-k.seen, t.Seconds)
		}
		if k.speeds == nil {
			k.speeds = make([]point, len(f.Points))
		}
		taken[k] = true
		k.seen, k.box, k.points = time, f.Box, append([]Point(nil), f.Points...)
		numbers = append(numbers, k.number)
	}
	return numbers
}

// nearest is the track whose box overlaps the face's most.
func (t *Tracker) nearest(f *Face, taken map[*track]bool) *track {
	var best *track
	most := 0.2
	for _, k := range t.tracks {
		if o := k.box.Overlap(f.Box); o > most && !taken[k] {
			best, most = k, o
		}
	}
	return best
}

// smooth moves the face's points towards where they are expected, for a frame so many seconds later.
func (k *track) smooth(f *Face, dt, seconds float64) {
	if !(dt > 0) {
		return
	}
	near := nearby * max(f.Box.Width, f.Box.Height)
	for i := range f.Points {
		p, before, speed := &f.Points[i], k.points[i], &k.speeds[i]
		x, y := before.X+speed.x*dt, before.Y+speed.y*dt // expected
		dx, dy := p.X-x, p.Y-y
		q := math.Hypot(dx, dy) / near
		r := math.Exp(-dt / seconds * (1 + q*q))
		g, h := 1-r*r, (1-r)*(1-r)
		speed.x, speed.y = speed.x+h*dx/dt, speed.y+h*dy/dt
		p.X, p.Y = x+g*dx, y+g*dy
	}
}
