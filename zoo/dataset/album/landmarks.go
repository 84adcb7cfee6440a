// Package album finds pictures and the points known on them: in folders with .pts files,
// and by CSV files that name them. It knows nothing of how a picture is decoded.
package album

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// landmarks is how many points the iBUG order has.
const landmarks = 68

// from68 says which of the 68 landmarks (from 0, in the iBUG order) each of
// Kaggle's 15 points is the mean of, in the order of [blueprint.KaggleColumns].
// left is the person's left.
var from68 = [15][]int{
	{42, 43, 44, 45, 46, 47}, // left_eye_center
	{36, 37, 38, 39, 40, 41}, // right_eye_center
	{42}, {45}, {39}, {36},   // left eye, inner and outer corner; right eye
	{22}, {26}, {21}, {17}, // left eyebrow, inner and outer end; right eyebrow
	{30}, {54}, {48}, {51}, {57}, // nose tip; mouth: left and right corner, top and bottom lip
}

// Landmarks gives the 30 coordinates of [blueprint.KaggleColumns] for 68
// landmarks in the iBUG order, x and y in turn: the eyes' centres are the means of
// the six points around each eye, the other 13 points are landmarks themselves.
func Landmarks(xy [2 * landmarks]float32) []float32 {
	out := make([]float32, 0, 2*len(from68))
	for _, points := range from68 {
		for axis := range 2 {
			sum := 0.0
			for _, p := range points {
				sum += float64(xy[2*p+axis])
			}
			out = append(out, float32(sum/float64(len(points))))
		}
	}
	return out
}

var (
	axisFirst = regexp.MustCompile(`^(.*?)([xy])_?(\d{1,3})$`)
	axisLast  = regexp.MustCompile(`^(.*?)_?(\d{1,3})_?([xy])$`)
)

// landmarkFields finds the 68 landmarks among a header's names: the field of each
// coordinate, x and y in turn. ok is false where they aren't there.
func landmarkFields(names []string) (at [2 * landmarks]int, ok bool) {
	plain := map[int]int{}               // 0 to 135
	named := map[string]map[[2]int]int{} // by what stands around number and axis: {number, axis} -> field
	var order []string
	for f, name := range names {
		if n, err := strconv.Atoi(name); err == nil && len(name) <= 3 {
			plain[n] = f
			continue
		}
		m := axisFirst.FindStringSubmatch(name)
		if m != nil {
			m[0] = "first"
		} else if m = axisLast.FindStringSubmatch(name); m != nil {
			m[0], m[2], m[3] = "last", m[3], m[2]
		} else {
			continue
		}
		key := m[0] + m[1]
		if named[key] == nil {
			named[key] = map[[2]int]int{}
			order = append(order, key)
		}
		n, _ := strconv.Atoi(m[3])
		named[key][[2]int{n, strings.Index("xy", m[2])}] = f
	}
	if len(plain) == 2*landmarks {
		ok = true
		for i := range at {
			f, there := plain[i]
			at[i], ok = f, ok && there
		}
		if ok {
			return at, true
		}
	}
	for _, key := range order {
		fields := named[key]
		if len(fields) != 2*landmarks {
			continue
		}
		first := 1
		if _, zero := fields[[2]int{0, 0}]; zero {
			first = 0
		}
		ok = true
		for i := range at {
			f, there := fields[[2]int{i/2 + first, i % 2}]
			at[i], ok = f, ok && there
		}
		if ok {
			return at, true
		}
	}
	return at, false
}

// emptyPoints is a row without any.
func emptyPoints(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(math.NaN())
	}
	return out
}

var kaggle = blueprint.KaggleColumns
