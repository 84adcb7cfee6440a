// Package demo draws faces: grey pictures of 96x96 pixels whose 15 keypoints
// are exactly known, so that training works with nothing downloaded.
//
// Each face is a head (a tapered ellipsoid, turned and tilted) with eyes, brows,
// nose, mouth, hair and so on painted and embossed on it in proportions drawn at
// random, then lit, placed before a background and photographed with some blur
// and noise. The keypoints are where the same geometry puts them.
//
// The same seed gives the same bytes on every machine: random numbers are
// made from PCG's 64-bit words alone, every product that is added to something
// is rounded first (mul), as a fused multiply-add would differ, and no function
// of package math is used that machines compute differently.
//
// It knows nothing of networks, and of files only that it is opened as one is.
package demo

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Size is the height and width of a drawn face.
const Size = 96

// MaxFaces is the most that Faces draws at once.
const MaxFaces = 1_000_000

// columns are Kaggle's 30, in Kaggle's order. Left is the person's left, so it
// lies at the larger x.
var columns = [...]string{
	"left_eye_center_x", "left_eye_center_y", "right_eye_center_x", "right_eye_center_y",
	"left_eye_inner_corner_x", "left_eye_inner_corner_y", "left_eye_outer_corner_x", "left_eye_outer_corner_y",
	"right_eye_inner_corner_x", "right_eye_inner_corner_y", "right_eye_outer_corner_x", "right_eye_outer_corner_y",
	"left_eyebrow_inner_end_x", "left_eyebrow_inner_end_y", "left_eyebrow_outer_end_x", "left_eyebrow_outer_end_y",
	"right_eyebrow_inner_end_x", "right_eyebrow_inner_end_y", "right_eyebrow_outer_end_x", "right_eyebrow_outer_end_y",
	"nose_tip_x", "nose_tip_y",
	"mouth_left_corner_x", "mouth_left_corner_y", "mouth_right_corner_x", "mouth_right_corner_y",
	"mouth_center_top_lip_x", "mouth_center_top_lip_y", "mouth_center_bottom_lip_x", "mouth_center_bottom_lip_y",
}

// Columns are the names of the coordinates that Faces gives.
func Columns() []string { return slices.Clone(columns[:]) }

// Faces draws n faces. Face i depends on seed and i alone, so a longer set
// begins with a shorter one of the same seed; other seeds give other faces.
// All points are filled and lie inside the picture.
func Faces(ctx context.Context, n int, seed uint64) (*dataset.Set, error) {
	if n < 1 || n > MaxFaces {
		return nil, fmt.Errorf("demo faces: found a number of %d, want 1 to %d", n, MaxFaces)
	}
	s, err := faces(ctx, 0, n, seed)
	if err != nil {
		return nil, err
	}
	s.Source, s.Checksum = "demo", s.Sum()
	return s, nil
}

// faces draws those from from to to-1, without a checksum.
func faces(ctx context.Context, from, to int, seed uint64) (*dataset.Set, error) {
	n := to - from
	s := &dataset.Set{
		Columns: Columns(), Height: Size, Width: Size, Channels: 1, Numbered: true,
		Bytes:  make([]uint8, n*Size*Size),
		Points: make([]float32, n*len(columns)),
		IDs:    make([]string, n),
	}
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), n) {
		group.Go(func() error {
			c := new(canvas)
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				f := newFace(newRandom(seed, uint64(from+i)))
				c.draw(f, s.Bytes[i*Size*Size:(i+1)*Size*Size])
				for k, p := range f.keypoints() {
					s.Points[i*len(columns)+2*k] = float32(p.x)
					s.Points[i*len(columns)+2*k+1] = float32(p.y)
				}
				s.IDs[i] = strconv.Itoa(from + i + 1)
			}
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return s, nil
}
