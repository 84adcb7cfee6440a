// Package mirror estimates where the axis of a data set's labels lies, about which
// they have to be turned when images are mirrored. It knows pixels, points and how
// columns are named, not how data is read nor what is trained on it.
package mirror

import (
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// An Axis says how a set's coordinates change when its images are mirrored:
// the mirror image has at width-1-i the pixel that the image has at i, and a
// point's x becomes Axis - x, where the point also changes its side.
type Axis struct {
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

// What an Axis was estimated from.
const (
	FromImages = "images"
	FromPoints = "points"
	FromWidth  = "width"
)

const (
	axisRows   = 2000 // that the estimate looks at, spread evenly
	axisGroups = 16   // for the standard error
	minRows    = 32   // for an estimate from the images; half as many for one from the points
	axisCuts   = 6    // at most, each around what the one before found
	settled    = 0.02 // ninety-sixths of the width: so little a cut may still change
	maxAxisErr = 0.5  // pixels of 96; an estimate less sure than that is none
)

// AxisOf estimates the axis of the set's labels.
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
// to which side. The standard error is the jackknife's over sixteenths of the
// rows, each two runs of rows that follow one another, as a video's frames do.
// Where the images show nothing that is the same on both sides (a difference
// above a third of what the surroundings show, or one that is least at the edge
// of the search or wherever one looks from), the points alone have to do,
// and where these are too few or too scattered, the image's width stands.
func AxisOf(s *dataset.Set) Axis {
	out := Axis{Axis: float64(s.Width), From: FromWidth, Points: math.NaN(), PointsError: math.NaN()}
	if s.Width == 0 || s.Len() == 0 || len(s.Columns) == 0 {
		return out
	}
	out.Points, out.PointsError = pointsAxis(s)
	most := maxAxisErr * float64(s.Width) / 96
	if shift, err, ok := imagesAxis(s); ok && err <= most {
		out.Axis, out.Error, out.From = float64(s.Width)+2*shift, err, FromImages
	} else if out.PointsError <= most {
		out.Axis, out.Error, out.From = out.Points, out.PointsError, FromPoints
	}
	return out
}

// pair is a point and the one that it becomes in a mirrored image: columns of
// their x and, for the surroundings, y; -1 where there is none.
type pair struct{ x, y, otherX, otherY int }

// pairsOf lists the set's points, each pair once, those in the middle as pairs of
// one point.
func pairsOf(s *dataset.Set) (out []pair) {
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
func pointsAxis(s *dataset.Set) (axis, err float64) {
	var sums, row []float64
	pairs := pairsOf(s)
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
	if len(sums) < minRows/2 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(sums)
	n := len(sums)
	return sums[n/2], 1.2533 * (sums[n*3/4] - sums[n/4]) / 1.349 / math.Sqrt(float64(n))
}

// imagesAxis is the shift of the labels to the right, in pixels, with the
// standard error of the axis, which is twice the shift. ok is false where there
// is too little to compare, or no shift that stands out.
func imagesAxis(s *dataset.Set) (shift, deviation float64, ok bool) {
	pairs := slices.DeleteFunc(pairsOf(s), func(p pair) bool { return p.y < 0 || p.otherY < 0 })
	unit := float64(s.Width) / 96 // the grid is for images of 96 pixels
	if len(pairs) == 0 || s.Len() < minRows {
		return 0, 0, false
	}
	for range axisCuts {
		sums := surroundings(s, pairs, shift, unit)
		if sums == nil {
			return 0, 0, false
		}
		more, difference, found := bestShift(sums, -1, unit)
		if !found || difference >= 1./3 {
			return 0, 0, false
		}
		shift += more
		if math.Abs(more) > settled*unit {
			continue
		}
		// Without each group, what is best is sought as widely as with it: near
		// what was found alone, all would find the same.
		var squares float64
		for g := range axisGroups {
			without, _, found := bestShift(sums, g, unit)
			if !found {
				return 0, 0, false
			}
			squares += (without - more) * (without - more)
		}
		return shift, 2 * math.Sqrt(squares*(axisGroups-1)/axisGroups), true
	}
	return 0, 0, false
}

const (
	around = 10 // the surroundings reach so far, in ninety-sixths of the width,
	inside = 6  // and so far where they are compared, so that shifted ones are still known
	side   = 2*around + 1
	margin = 3 // where means are read beyond their edge, which is repeated
	wide   = side + 2*margin
)

// patches are the surroundings of a point, summed over rows: side x side values.
type patches struct {
	sum  [axisGroups][side * side]float64
	rows [axisGroups]float64
}

// enough says whether most would be left without any one group.
func (p *patches) enough() bool {
	sum := 0.0
	for _, rows := range p.rows {
		sum += rows
	}
	return sum >= minRows/2 && slices.Max(p.rows[:]) <= sum/2
}

// surroundings sums up what lies around each pair's two points, moved left by
// shift: [pair][0 for the point, 1 for its partner, mirrored]. It is nil where
// too few are whole.
func surroundings(s *dataset.Set, pairs []pair, shift, unit float64) [][2]*patches {
	out := make([][2]*patches, len(pairs))
	for i := range out {
		out[i] = [2]*patches{{}, {}}
	}
	var patch [side * side]float64
	every := max(1, s.Len()/axisRows)
	for r := 0; r < s.Len(); r += every {
		group := r * 2 * axisGroups / s.Len() % axisGroups // a run of rows in either half: these may be two sets
		image, row := s.Gray(r).Pix, s.Row(r)
		for i, p := range pairs {
			for half, at := range [2][2]int{{p.x, p.y}, {p.otherX, p.otherY}} {
				x, y := float64(row[at[0]])-shift, float64(row[at[1]])
				if !cut(s, image, x, y, unit, half == 1, &patch) {
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
		if p[0].enough() && p[1].enough() {
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
func cut(s *dataset.Set, image []uint8, x, y, unit float64, mirror bool, out *[side * side]float64) bool {
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

// bestShift is the shift of the labels, in pixels, that makes the mean
// surroundings least different, and that difference as a share of what they
// show. Rows of the group without are left out. It is sought on a grid around 0
// that grows finer; found is false where the least lies on the grid's edge.
func bestShift(pairs [][2]*patches, without int, unit float64) (shift, difference float64, found bool) {
	means := make([][2][side * wide]float64, len(pairs))
	shows := make([]float64, len(pairs))
	for i, p := range pairs {
		for half, a := range p {
			var sum [side * side]float64
			rows := 0.0
			for g := range a.sum {
				if g == without {
					continue
				}
				rows += a.rows[g]
				for k, v := range a.sum[g] {
					sum[k] += v
				}
			}
			for k := range means[i][half] {
				means[i][half][k] = sum[k/wide*side+min(max(k%wide-margin, 0), side-1)] / rows
			}
			for _, v := range sum {
				shows[i] += v / rows * v / rows / (2 * side * side)
			}
		}
	}
	const grid = 8
	var costs [2*grid + 1]float64
	for _, step := range []float64{0.5, 0.1, 0.02} {
		at := 0
		for g := range costs {
			costs[g] = differ(means, shows, shift+float64(g-grid)*step)
			if costs[g] < costs[at] {
				at = g
			}
		}
		if at == 0 || at == 2*grid {
			return 0, 0, false
		}
		shift += float64(at-grid) * step
		a, b, c := costs[at-1], costs[at], costs[at+1]
		if bend := a - 2*b + c; bend > 0 { // a parabola through the least and its neighbours
			shift += 0.5 * (a - c) / bend * step
		}
		difference = b
	}
	return shift * unit, difference, true
}

// differ is the difference of mean surroundings, moved by d, as a share of what
// they show.
func differ(means [][2][side * wide]float64, shows []float64, d float64) (share float64) {
	// The feature lies left of the label in one and, as mirrored, right of it in the other.
	left, l := weights(-d)
	right, r := weights(d)
	for i := range means {
		sum := 0.0
		for v := around - inside; v <= around+inside; v++ {
			for u := around - inside; u <= around+inside; u++ {
				a, b := means[i][0][v*wide+margin+u+l:][:4], means[i][1][v*wide+margin+u+r:][:4]
				e := left[0]*a[0] + left[1]*a[1] + left[2]*a[2] + left[3]*a[3] -
					right[0]*b[0] - right[1]*b[1] - right[2]*b[2] - right[3]*b[3]
				sum += e * e
			}
		}
		share += sum / (2 * (2*inside + 1) * (2*inside + 1)) / (shows[i] + 1e-9) / float64(len(means))
	}
	return share
}

// weights are those of four neighbours, the first at distance first, for the
// value at distance d: a cubic B-spline's. It smooths alike wherever it is read.
// Between two values a straight line smooths most in their middle, and where
// surroundings are noise they then differ least half a pixel away, whatever the shift.
func weights(d float64) (w [4]float64, first int) {
	whole := math.Floor(d)
	f := d - whole
	g := 1 - f
	return [4]float64{g * g * g / 6, 2./3 - f*f + f*f*f/2, 2./3 - g*g + g*g*g/2, f * f * f / 6}, int(whole) - 1
}
