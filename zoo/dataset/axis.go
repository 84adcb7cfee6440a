package dataset

import (
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// A MirrorAxis says how a set's coordinates change when its images are mirrored:
// the mirror image has at width-1-i the pixel that the image has at i, and a
// point's x becomes Axis - x, where the point also changes its side.
type MirrorAxis struct {
	// Axis is the estimate, in pixels: the image's width where a point lies on
	// the feature that it names, more where all lie to the right of it.
	Axis float64
	// Error is its standard error, in pixels.
	Error float64
	// From says what it was estimated from: FromImages, FromPoints, or
	// FromWidth where neither says enough.
	From string
	// Points is what the points alone say: the median over the points of
	// x + partner's x, where a point's partner is that of the other side or,
	// for one in the middle, itself. It is that of the images too only where
	// faces look to both sides alike and stand in the images' middle. NaN where
	// no point has a partner, with a standard error of its own.
	Points, PointsError float64
}

// What a MirrorAxis was estimated from.
const (
	FromImages = "images"
	FromPoints = "points"
	FromWidth  = "width"
)

const (
	axisRows   = 2000 // that the estimate looks at, spread evenly
	axisGroups = 8    // for the standard error
	maxAxisErr = 0.5  // pixels of 96; an estimate less sure than that is none
)

// MirrorAxis estimates the axis of the set's labels.
//
// It compares what lies around the points: with M(u, v) the mean over all
// images of the surroundings of a point, each with mean 0 and variance 1, and
// M'(u, v) that of its partner, labels that are s pixels to the right of their
// features give M(u, v) = F(u+s, v) and M'(-u, v) = F(u-s, v). The shift s
// that makes both least different, over all points, is found on a grid that
// grows finer, each time around the labels moved by what was found, and
//
//	Axis = width + 2s
//
// This doesn't depend on where in the images faces stand, nor on how many look
// to which side. The standard error is the jackknife's over eighths of the rows.
// Where the images show nothing that is the same on both sides (a difference
// above a third of what the surroundings show), the points alone have to do,
// and where these are too few or too scattered, the image's width stands.
func (s *Set) MirrorAxis() MirrorAxis {
	out := MirrorAxis{Axis: float64(s.Width), From: FromWidth, Points: math.NaN(), PointsError: math.NaN()}
	if s.Width == 0 || s.Len() == 0 || len(s.Columns) == 0 {
		return out
	}
	out.Points, out.PointsError = s.pointsAxis()
	most := maxAxisErr * float64(s.Width) / 96
	if shift, err, ok := s.imagesAxis(); ok && err <= most {
		out.Axis, out.Error, out.From = float64(s.Width)+2*shift, err, FromImages
	} else if out.PointsError <= most {
		out.Axis, out.Error, out.From = out.Points, out.PointsError, FromPoints
	}
	return out
}

// pair is a point and the one that it becomes in a mirrored image: columns of
// their x and, for the surroundings, y; -1 where there is none.
type pair struct{ x, y, otherX, otherY int }

// pairs lists the set's points, each pair once, those in the middle as pairs of
// one point.
func (s *Set) pairs() (out []pair) {
	for c, name := range s.Columns {
		if !blueprint.IsX(name) {
			continue
		}
		mirrored := blueprint.Mirrored(name)
		other := s.Column(mirrored)
		if other < c { // none, or listed already
			continue
		}
		out = append(out, pair{c, s.Column(blueprint.Partner(name)), other, s.Column(blueprint.Partner(mirrored))})
	}
	return out
}

// pointsAxis is the median of each pair's sum of x, each row counting once: its
// median over its pairs. The error of a median is 1.2533 standard errors of a
// normal distribution's mean, whose deviation is taken from the quartiles.
func (s *Set) pointsAxis() (axis, err float64) {
	var sums, row []float64
	pairs := s.pairs()
	for r := range s.Len() {
		row = row[:0]
		for _, p := range pairs {
			if v := float64(s.Row(r)[p.x]) + float64(s.Row(r)[p.otherX]); v == v {
				row = append(row, v)
			}
		}
		if len(row) > 0 {
			slices.Sort(row)
			sums = append(sums, row[len(row)/2])
		}
	}
	if len(sums) < 2*axisGroups {
		return math.NaN(), math.NaN()
	}
	slices.Sort(sums)
	n := len(sums)
	return sums[n/2], 1.2533 * (sums[n*3/4] - sums[n/4]) / 1.349 / math.Sqrt(float64(n))
}

// imagesAxis is the shift of the labels to the right, in pixels, with its
// standard error. ok is false where there is too little to compare.
func (s *Set) imagesAxis() (shift, deviation float64, ok bool) {
	pairs := slices.DeleteFunc(s.pairs(), func(p pair) bool { return p.y < 0 || p.otherY < 0 })
	unit := float64(s.Width) / 96 // the grid is for images of 96 pixels
	if len(pairs) == 0 || s.Len() < 4*axisGroups {
		return 0, 0, false
	}
	var left [axisGroups]float64
	// Wide and coarse, then finer around what was found.
	for _, step := range []float64{0.5, 0.5, 0.1, 0.02} {
		sums := s.surroundings(pairs, shift, unit)
		if sums == nil {
			return 0, 0, false
		}
		more, difference := bestShift(sums, -1, step*unit, unit)
		if step == 0.02 {
			for g := range left {
				without, _ := bestShift(sums, g, step*unit, unit)
				left[g] = shift + without
			}
			ok = difference < 1./3
		}
		shift += more
	}
	var mean, squares float64
	for _, v := range left {
		mean += v / axisGroups
	}
	for _, v := range left {
		squares += (v - mean) * (v - mean)
	}
	// Of the axis, which is twice the shift.
	return shift, 2 * math.Sqrt(squares*(axisGroups-1)/axisGroups), ok
}

const (
	around = 10 // the surroundings reach so far, in ninety-sixths of the width,
	inside = 6  // and so far where they are compared, so that shifted ones are still known
	side   = 2*around + 1
)

// patches are the surroundings of a point, summed over rows: side x side values.
type patches struct {
	sum  [axisGroups][side * side]float64
	rows [axisGroups]float64
}

// surroundings sums up what lies around each pair's two points, moved left by
// shift: [pair][0 for the point, 1 for its partner, mirrored]. It is nil where
// too few are whole.
func (s *Set) surroundings(pairs []pair, shift, unit float64) [][2]*patches {
	out := make([][2]*patches, len(pairs))
	for i := range out {
		out[i] = [2]*patches{{}, {}}
	}
	var patch [side * side]float64
	every := max(1, s.Len()/axisRows)
	for r := 0; r < s.Len(); r += every {
		group := r / every % axisGroups
		image, row := s.Gray(r).Pix, s.Row(r)
		for i, p := range pairs {
			for half, at := range [2][2]int{{p.x, p.y}, {p.otherX, p.otherY}} {
				x, y := float64(row[at[0]])-shift, float64(row[at[1]])
				if !s.cut(image, x, y, unit, half == 1, &patch) {
					continue
				}
				a := out[i][half]
				for k, v := range patch {
					a.sum[group][k] += v
				}
				a.rows[group]++
			}
		}
	}
	whole := out[:0]
	for _, p := range out {
		if slices.Min(p[0].rows[:]) >= 2 && slices.Min(p[1].rows[:]) >= 2 {
			whole = append(whole, p)
		}
	}
	if len(whole) == 0 {
		return nil
	}
	return whole
}

// cut samples the surroundings of (x, y), with mean 0 and variance 1, mirrored
// where asked; false where they leave the image or show nothing.
func (s *Set) cut(image []uint8, x, y, unit float64, mirror bool, out *[side * side]float64) bool {
	reach := around * unit
	if !(x-reach >= 0.5 && x+reach <= float64(s.Width)-0.5 && y-reach >= 0.5 && y+reach <= float64(s.Height)-0.5) { // not: NaN
		return false
	}
	var sum, squares float64
	for v := range side {
		gy := y + float64(v-around)*unit - 0.5 // the middle of a pixel is at a half
		y0 := min(int(gy), s.Height-2)
		fy := gy - float64(y0)
		up, down := image[y0*s.Width:], image[(y0+1)*s.Width:]
		for u := range side {
			gx := x + float64(u-around)*unit - 0.5
			x0 := min(int(gx), s.Width-2)
			fx := gx - float64(x0)
			value := (1-fy)*((1-fx)*float64(up[x0])+fx*float64(up[x0+1])) + fy*((1-fx)*float64(down[x0])+fx*float64(down[x0+1]))
			k := v*side + u
			if mirror {
				k = v*side + side - 1 - u
			}
			out[k] = value
			sum += value
			squares += value * value
		}
	}
	mean := sum / (side * side)
	deviation := math.Sqrt(max(squares/(side*side)-mean*mean, 0))
	if deviation < 1 { // a grey level: nothing to see
		return false
	}
	for k := range out {
		out[k] = (out[k] - mean) / deviation
	}
	return true
}

// bestShift is the shift of the labels, in pixels, of a grid around 0, that
// makes the mean surroundings least different, and that difference as a share
// of what they show. Rows of the group without are left out.
func bestShift(pairs [][2]*patches, without int, step, unit float64) (shift, difference float64) {
	means := make([][2][side * side]float64, len(pairs))
	shows := make([]float64, len(pairs))
	for i, p := range pairs {
		for half, a := range p {
			rows := 0.0
			for g := range a.sum {
				if g == without {
					continue
				}
				rows += a.rows[g]
				for k, v := range a.sum[g] {
					means[i][half][k] += v
				}
			}
			for k := range means[i][half] {
				means[i][half][k] /= rows
				shows[i] += means[i][half][k] * means[i][half][k] / (2 * side * side)
			}
		}
	}
	const grid = 8
	best := math.Inf(1)
	var costs [2*grid + 1]float64
	at := 0
	for g := range costs {
		d := float64(g-grid) * step / unit
		for i := range means {
			sum := 0.0
			for v := around - inside; v <= around+inside; v++ {
				for u := around - inside; u <= around+inside; u++ {
					// The feature lies left of the label in one and, as mirrored, right of it in the other.
					e := between(&means[i][0], v, float64(u)-d) - between(&means[i][1], v, float64(u)+d)
					sum += e * e
				}
			}
			costs[g] += sum / (2 * (2*inside + 1) * (2*inside + 1)) / (shows[i] + 1e-9) / float64(len(means))
		}
		if c := costs[g]; c < best {
			best, at = c, g
		}
	}
	shift = float64(at - grid)
	if at > 0 && at < 2*grid { // a parabola through the least and its neighbours
		a, b, c := costs[at-1], costs[at], costs[at+1]
		if bend := a - 2*b + c; bend > 0 {
			shift += 0.5 * (a - c) / bend
		}
	}
	return shift * step, best
}

// between reads a line of surroundings at a fractional place.
func between(m *[side * side]float64, v int, u float64) float64 {
	u = min(max(u, 0), side-1)
	i := min(int(u), side-2)
	f := u - float64(i)
	return m[v*side+i]*(1-f) + m[v*side+i+1]*f
}
