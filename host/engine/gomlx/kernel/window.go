package kernel

// window is a filter's or a pool's geometry.
type window struct {
	size, strides, dilations [2]int
	padding                  [2][2]int
}

// out is the number of positions along an axis of the given length.
func (w window) out(axis, in int) int {
	span := (w.size[axis]-1)*w.dilations[axis] + 1
	if in+w.padding[axis][0]+w.padding[axis][1] < span {
		return 0
	}
	return (in+w.padding[axis][0]+w.padding[axis][1]-span)/w.strides[axis] + 1
}

// over gives the maps of c channels that the window makes of x.
func (w window) over(x maps, c int) maps { return maps{x.n, w.out(0, x.h), w.out(1, x.w), c} }

func ceilDiv(a, b int) int { return -floorDiv(-a, b) }

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
