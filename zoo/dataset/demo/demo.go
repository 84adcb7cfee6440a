// Package demo draws faces: grey pictures of 96x96 pixels whose 15 keypoints
// are exactly known, so that training works with nothing downloaded; and scenes
// of people, of whom it is known where their faces are.
//
// Each face is on a head in space, in proportions drawn at random, with eyes,
// brows, nose, mouth, hair and so on painted and embossed on it, turned, lit,
// placed before things and photographed, well or badly. The keypoints are where the
// same geometry puts them; one that the head itself hides is at its outline,
// where annotators put it.
//
// The same seed gives the same bytes on every machine: package num says how.
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
	"github.com/fkzoo/fkzoo/zoo/dataset/demo/film"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo/num"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo/person"
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
// All points are filled.
func Faces(ctx context.Context, n int, seed uint64) (*dataset.Set, error) {
	return faceKind.set(ctx, n, seed)
}

// set draws n of a kind.
func (k *kind) set(ctx context.Context, n int, seed uint64) (*dataset.Set, error) {
	if n < 1 || n > MaxFaces {
		return nil, fmt.Errorf("drawn %s: found a number of %d, want 1 to %d", k.what, n, MaxFaces)
	}
	s, err := k.rows(ctx, 0, n, seed)
	if err != nil {
		return nil, err
	}
	s.Source, s.Checksum = k.name, s.Sum()
	return s, nil
}

// A kind is what is drawn: faces, each in a picture of its own, or scenes.
type kind struct {
	name    string
	what    string // several of them
	size    int
	columns []string
	stream  uint64 // sets its random numbers apart from the other's
	draw    func(c *person.Canvas, r *num.Random, out []uint8, points []float32)
}

// rows draws those from from to to-1, without a checksum.
func (k *kind) rows(ctx context.Context, from, to int, seed uint64) (*dataset.Set, error) {
	n, pixels, width := to-from, k.size*k.size, len(k.columns)
	s := &dataset.Set{
		Columns: slices.Clone(k.columns), Height: k.size, Width: k.size, Channels: 1, Numbered: true,
		Bytes:  make([]uint8, n*pixels),
		Points: make([]float32, n*width),
		IDs:    make([]string, n),
	}
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), n) {
		group.Go(func() error {
			c := person.NewCanvas(film.NewPicture(k.size, k.size, false))
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				r := num.NewRandom(seed^k.stream, uint64(from+i))
				k.draw(c, r, s.Bytes[i*pixels:(i+1)*pixels], s.Points[i*width:(i+1)*width])
				s.IDs[i] = strconv.Itoa(from + i + 1)
			}
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return s, nil
}
