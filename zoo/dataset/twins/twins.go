// Package twins finds the images of a data set that show the same as another, or nearly the same: saved anew, mirrored, or the
// next frame of a video. It must not know what a twin is a fault for, nor how data is read.
package twins

import (
	"context"
	"crypto/sha256"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Two images are held for the same one, saved anew, or for neighbouring frames
// of one video, if these two limits allow it. On the real set of 3,462 and 770
// faces, frames of videos, 121 pairs are within 56 bits; looked at one by one,
// the nearest 60 all show the same person in the same place, and the next ones
// begin to differ. JPEG at quality 30, noise of 5 grey levels, a gamma of 0.8, a
// blur of one pixel and a resizing to two thirds change at most 22 bits,
// 15 % more contrast with clipped whites 22, a shift of one pixel 36, of two 62,
// and a rim of two pixels cut off 58.
const (
	mostBits  = 52   // of hashBits
	leastLike = 0.90 // correlation of the aligned images
)

const (
	frequencies = 16
	hashBits    = frequencies*frequencies - 1
	words       = 4
)

// A hash has the signs of an image's lowest frequencies: of the two-dimensional
// DCT-II of the image, the coefficients (u, v) with u, v < 16 but (0, 0), which
// brightness alone changes. Scaling an image, its contrast, and what changes
// single pixels hardly change these signs; faces of different people in the same
// place differ in about half of them.
type hash [words]uint64

func (h hash) distance(o hash) int {
	n := 0
	for i := range h {
		n += bits.OnesCount64(h[i] ^ o[i])
	}
	return n
}

// mirrored is the mirrored image's hash: the odd horizontal frequencies change sign.
func (h hash) mirrored() hash {
	for i := range h {
		h[i] ^= 0x5555555555555555 // bit k is frequency k+1, counted row by row
	}
	return h
}

// waves is the DCT's matrix [frequencies, n].
func waves(n int) []float64 {
	m := make([]float64, frequencies*n)
	for f := range frequencies {
		for i := range n {
			m[f*n+i] = math.Cos(math.Pi * float64(f) * (float64(i) + 0.5) / float64(n))
		}
	}
	return m
}

// boxes is the matrix [to, from] that averages from values into to.
func boxes(from, to int) []float64 {
	m := make([]float64, to*from)
	for i := range to {
		a, b := float64(i)*float64(from)/float64(to), float64(i+1)*float64(from)/float64(to)
		for j := int(a); j < from && float64(j) < b; j++ {
			m[i*from+j] = (min(b, float64(j+1)) - max(a, float64(j))) / (b - a)
		}
	}
	return m
}

// reduce gives rows * image * columns^T, an array [n, n] of an image [h, w].
func reduce(image []uint8, h, w int, rows, columns []float64, n int) []float64 {
	half := make([]float64, h*n)
	for y := range h {
		line := image[y*w : (y+1)*w]
		for k := range n {
			sum := 0.0
			for x, c := range columns[k*w : (k+1)*w] {
				sum += c * float64(line[x])
			}
			half[y*n+k] = sum
		}
	}
	out := make([]float64, n*n)
	for k := range n {
		for y, c := range rows[k*h : (k+1)*h] {
			if c == 0 {
				continue
			}
			for l := range n {
				out[k*n+l] += c * half[y*n+l]
			}
		}
	}
	return out
}

// Faces are a set's images as they are compared.
type Faces struct {
	set           *dataset.Set
	hashes        []hash
	sums          [][32]byte
	lone          []int     // rows that show something, each image once, in order
	first         []int     // of a row with the same image as an earlier one, that one; else the row itself
	contrast      []float64 // standard deviation in grey levels
	small         sync.Map  // row -> its reduced image
	rows, columns []float64
}

const (
	reduced    = 48 // side of the images that are aligned
	rim        = 4  // of these, left out
	leastShown = 2  // grey levels of standard deviation; less is a blank image
)

// NewFaces looks at the set's images. The set is kept.
func NewFaces(ctx context.Context, s *dataset.Set) (*Faces, error) {
	n := s.Len()
	f := &Faces{set: s, hashes: make([]hash, n), sums: make([][32]byte, n), first: make([]int, n), contrast: make([]float64, n),
		rows: boxes(s.Height, reduced), columns: boxes(s.Width, reduced)}
	rows, columns := waves(s.Height), waves(s.Width)
	err := parallel(ctx, n, func(r int) {
		pixels := s.Gray(r).Pix
		f.sums[r] = sha256.Sum256(pixels)
		f.contrast[r] = deviation(pixels)
		for k, v := range reduce(pixels, s.Height, s.Width, rows, columns, frequencies) {
			if k > 0 && v > 0 {
				f.hashes[r][(k-1)/64] |= 1 << ((k - 1) % 64)
			}
		}
	})
	seen := map[[32]byte]int{}
	for r := range n {
		earlier, again := seen[f.sums[r]]
		if !again {
			seen[f.sums[r]], earlier = r, r
			if f.Shows(r) {
				f.lone = append(f.lone, r)
			}
		}
		f.first[r] = earlier
	}
	return f, err
}

// Set is the one whose images they are.
func (f *Faces) Set() *dataset.Set { return f.set }

// Contrast is the standard deviation of a row's image, in grey levels.
func (f *Faces) Contrast(r int) float64 { return f.contrast[r] }

// Shows tells whether a row's image is more than a blank.
func (f *Faces) Shows(r int) bool { return f.contrast[r] >= leastShown }

// parallel calls do for 0 to n-1 on all processors.
func parallel(ctx context.Context, n int, do func(i int)) error {
	group, ctx := errgroup.WithContext(ctx)
	const chunk = 16
	next := make(chan int)
	group.Go(func() error {
		defer close(next)
		for i := 0; i < n; i += chunk {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			select {
			case next <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for i := range next {
				for j := i; j < min(i+chunk, n); j++ {
					do(j)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func deviation(pixels []uint8) float64 {
	var sum, squares float64
	for _, v := range pixels {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(pixels))
	return math.Sqrt(max(squares/n-sum/n*sum/n, 0))
}

// A Twin is another row that shows nearly the same as a row.
type Twin struct {
	Row, Other  int
	Exact       bool    // the same pixels
	Mirrored    bool    // once mirrored
	Bits        int     // by which the hashes differ, of 255
	Correlation float64 // of the pixels, once the two are aligned
}

const mostTried = 8 // candidates for a row's twin

// Among finds, for each row of f, the nearest row of others, or, where others is
// f itself, the nearest earlier row. Blank images have none. The comparison goes
// over all pairs of hashes: 7,000 by 1,800 of them take a tenth of a second, so
// that an index would save nothing.
func (f *Faces) Among(ctx context.Context, others *Faces) ([]Twin, error) {
	exact := map[[32]byte]int{}
	for _, r := range others.lone {
		exact[others.sums[r]] = r
	}
	found := make([]*Twin, f.set.Len())
	err := parallel(ctx, len(f.lone), func(i int) {
		row := f.lone[i]
		candidates := others.lone
		if f == others {
			candidates = f.lone[:i]
		} else if o, same := exact[f.sums[row]]; same {
			found[row] = &Twin{Row: row, Other: o, Exact: true, Correlation: 1}
			return
		}
		found[row] = f.nearest(row, others, candidates)
	})
	var out []Twin
	for r, t := range found {
		if first := f.first[r]; first != r && f.Shows(r) {
			if f == others {
				t = &Twin{Row: r, Other: first, Exact: true, Correlation: 1}
			} else if t = found[first]; t != nil {
				again := *t
				again.Row = r
				t = &again
			}
		}
		if t != nil {
			out = append(out, *t)
		}
	}
	return out, err
}

// nearest is the first of the candidates, from the smallest distance up, that
// looks the same once aligned; nil where there is none.
func (f *Faces) nearest(row int, others *Faces, candidates []int) *Twin {
	var near []Twin
	h := f.hashes[row]
	turned := h.mirrored()
	for _, o := range candidates {
		other := others.hashes[o]
		if d := h.distance(other); d <= mostBits {
			near = append(near, Twin{Row: row, Other: o, Bits: d})
		} else if d := turned.distance(other); d <= mostBits {
			near = append(near, Twin{Row: row, Other: o, Bits: d, Mirrored: true})
		}
	}
	slices.SortStableFunc(near, func(a, b Twin) int { return a.Bits - b.Bits })
	for _, t := range near[:min(len(near), mostTried)] {
		t.Correlation = aligned(f.reduced(row), others.reduced(t.Other), t.Mirrored)
		if t.Correlation >= leastLike {
			return &t
		}
	}
	return nil
}

// reduced is a row's image of 48x48.
func (f *Faces) reduced(r int) []float64 {
	if v, ok := f.small.Load(r); ok {
		return v.([]float64)
	}
	v := reduce(f.set.Gray(r).Pix, f.set.Height, f.set.Width, f.rows, f.columns, reduced)
	f.small.Store(r, v)
	return v
}

// aligned is the greatest correlation of a's inner part with b's, moved by up to
// two pixels of 48 in each direction and enlarged or made smaller by up to 8 %.
func aligned(a, b []float64, mirror bool) float64 {
	if mirror {
		b = slices.Clone(b)
		for line := range slices.Chunk(b, reduced) {
			slices.Reverse(line)
		}
	}
	best := -1.0
	for _, scale := range []float64{1, 0.96, 1.04, 0.92, 1.08} {
		for dy := -2.0; dy <= 2; dy++ {
			for dx := -2.0; dx <= 2; dx++ {
				best = max(best, correlation(a, b, scale, dx, dy))
			}
		}
	}
	return best
}

// correlation of a(x, y) with b(middle + scale*(x-middle) + dx, ...), for x and y
// outside the rim.
func correlation(a, b []float64, scale, dx, dy float64) float64 {
	const middle = (reduced - 1) / 2.0
	var sa, sb, saa, sbb, sab, n float64
	for y := rim; y < reduced-rim; y++ {
		gy := min(max(middle+scale*(float64(y)-middle)+dy, 0), reduced-1)
		y0 := min(int(gy), reduced-2)
		fy := gy - float64(y0)
		for x := rim; x < reduced-rim; x++ {
			gx := min(max(middle+scale*(float64(x)-middle)+dx, 0), reduced-1)
			x0 := min(int(gx), reduced-2)
			fx := gx - float64(x0)
			at := y0*reduced + x0
			q := (1-fy)*((1-fx)*b[at]+fx*b[at+1]) + fy*((1-fx)*b[at+reduced]+fx*b[at+reduced+1])
			p := a[y*reduced+x]
			sa, sb, saa, sbb, sab, n = sa+p, sb+q, saa+p*p, sbb+q*q, sab+p*q, n+1
		}
	}
	spread := math.Sqrt(max(saa-sa*sa/n, 0) * max(sbb-sb*sb/n, 0))
	if spread == 0 {
		return 0
	}
	return (sab - sa*sb/n) / spread
}
