package kernel

import . "github.com/gomlx/gomlx/core/graph"

// window is a filter's or a pool's geometry.
type window struct {
	size, strides, dilations [2]int
	padding                  [2][2]int
}

// tap is one of the planes from which a plane is computed, along one axis.
type tap struct {
	index int // of the window
	phase int // of the plane
	by    int // by how much the plane is moved
}

// out is the number of positions along an axis of the given length.
func (w window) out(axis, in int) int {
	span := (w.size[axis]-1)*w.dilations[axis] + 1
	if in+w.padding[axis][0]+w.padding[axis][1] < span {
		return 0
	}
	return (in+w.padding[axis][0]+w.padding[axis][1]-span)/w.strides[axis] + 1
}

// offset is where the window's pixel i lies in the input, for output 0.
func (w window) offset(axis, i int) int { return i*w.dilations[axis] - w.padding[axis][0] }

// taps are what output phase a sees along an axis with p input phases. With
// p/s output phases, output (p/s)*u + a sees the input s*((p/s)*u + a) + o,
// which is element u + floor((s*a+o)/p) of phase (s*a+o) mod p.
func (w window) taps(axis, a, p int) []tap {
	taps := make([]tap, w.size[axis])
	for i := range taps {
		at := w.strides[axis]*a + w.offset(axis, i)
		taps[i] = tap{i, mod(at, p), floorDiv(at, p)}
	}
	return taps
}

// backTaps are the output phases, of p, that saw input phase a.
func (w window) backTaps(axis, a, p int) []tap {
	var taps []tap
	for i := range w.size[axis] {
		at := a - w.offset(axis, i)
		if mod(at, w.strides[axis]) == 0 {
			at = floorDiv(at, w.strides[axis])
			taps = append(taps, tap{i, mod(at, p), floorDiv(at, p)})
		}
	}
	return taps
}

// output is the map, without planes yet, that the window makes of x, which has
// planes in multiples of the strides.
func (w window) output(x *Map, c int) *Map {
	y := &Map{k: x.k, n: x.n, h: w.out(0, x.h), w: w.out(1, x.w), c: c}
	size := [2]int{y.h, y.w}
	for axis := range 2 {
		y.p[axis] = x.p[axis] / w.strides[axis]
		// Planes of the input's size need no moving; much smaller ones are worth it.
		y.g[axis] = x.g[axis]
		if need := ceilDiv(size[axis], y.p[axis]); need > x.g[axis] || 10*need < 7*x.g[axis] {
			y.g[axis] = need
		}
	}
	return y
}

// readsBeyond tells whether an output sees the padding behind the last row or
// column of x.
func (w window) readsBeyond(x *Map) bool {
	in := [2]int{x.h, x.w}
	for axis := range 2 {
		if (w.out(axis, in[axis])-1)*w.strides[axis]+w.offset(axis, w.size[axis]-1) >= in[axis] {
			return true
		}
	}
	return false
}

// seen are the planes of x, moved, that plane (a, b) of y is computed from, in
// the order of the taps.
func seen(x, y *Map, a, b int, rows, cols []tap, lowFill bool) []*Node {
	want := [2]int{y.extent(0, a), y.extent(1, b)}
	views := make([]*Node, 0, len(rows)*len(cols))
	for _, i := range rows {
		for _, j := range cols {
			views = append(views, x.view(i.phase*x.p[1]+j.phase, [2]int{i.by, j.by}, y.g, want, lowFill))
		}
	}
	return views
}
