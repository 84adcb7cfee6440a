package kernel

import . "github.com/gomlx/gomlx/core/graph"

// size is a feature map's: images, height, width, channels.
type size struct{ n, h, w, c int }

func sizeOf(x *Node) size {
	mustFloat32("feature map", x)
	if x.Rank() != 4 {
		fail("feature map: found shape %s, want [images, height, width, channels]", x.Shape())
	}
	d := x.Shape().Dimensions
	return size{d[0], d[1], d[2], d[3]}
}
