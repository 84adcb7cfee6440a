package demo

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os/exec"
	"regexp"
	"runtime"
	"testing"
)

// The checksum is the same on every machine. It changes when the faces do, and
// then every figure measured on them has to be measured again.
func TestFacesGolden(t *testing.T) {
	for _, test := range []struct {
		n    int
		seed uint64
		want string
	}{
		{1, 0, "203d7c197ae53074908e40af2f8d65c0e72c1a81ff05bedf1487ca0178d4dcc0"},
		{64, 1, "ec4b524c4c8f0b89db32b813ffb7c5072398f414a9bba3c06ff169db2be1a4a4"},
		{64, math.MaxUint64, "bd56590f0e0cf0d7936ead78c40e2e9407012ecadaf1612d46836468ff8083a2"},
	} {
		s, err := Faces(context.Background(), test.n, test.seed)
		if err != nil {
			t.Fatal(err)
		}
		if s.Checksum != test.want {
			t.Errorf("%d faces of seed %d: found checksum %s, want %s", test.n, test.seed, s.Checksum, test.want)
		}
	}
}

func TestFacesDoNotDependOnWorkers(t *testing.T) {
	all, err := Faces(context.Background(), 40, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	alone, err := Faces(context.Background(), 40, 3)
	if err != nil {
		t.Fatal(err)
	}
	first, err := Faces(context.Background(), 10, 3)
	if err != nil {
		t.Fatal(err)
	}
	if all.Checksum != alone.Checksum {
		t.Error("one worker draws other faces than several")
	}
	if !bytes.Equal(first.Bytes, all.Bytes[:len(first.Bytes)]) {
		t.Error("10 faces are not the first of 40")
	}
	other, err := Faces(context.Background(), 10, 4)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(other.Bytes[:Size*Size], first.Bytes[:Size*Size]) || other.Points[0] == first.Points[0] {
		t.Error("seeds 3 and 4 give the same face")
	}
}

// TestFacesVary: the mean face must be a bad answer, every point inside and on
// the right side, and no picture empty.
func TestFacesVary(t *testing.T) {
	const n = 400
	s, err := Faces(context.Background(), n, 7)
	if err != nil {
		t.Fatal(err)
	}
	c := len(s.Columns)
	mean := make([]float64, c)
	for i, v := range s.Points {
		if !(v > 1 && v < Size-1) {
			t.Fatalf("face %d, %s: found %v, want it inside the picture", i/c, s.Columns[i%c], v)
		}
		mean[i%c] += float64(v) / n
	}
	var sum float64
	for i, v := range s.Points {
		sum += (float64(v) - mean[i%c]) * (float64(v) - mean[i%c])
	}
	if rmse := math.Sqrt(sum / float64(len(s.Points))); rmse < 4 || rmse > 8 {
		t.Errorf("found %.2f pixels RMSE of the mean face, want 4 to 8", rmse)
	}
	for i := range n {
		row := s.Row(i)
		for _, pair := range [][2]int{{0, 2}, {4, 8}, {6, 10}, {12, 16}, {14, 18}, {22, 24}} {
			if row[pair[0]] <= row[pair[1]] {
				t.Errorf("face %d: %s is not to the right of %s", i, s.Columns[pair[0]], s.Columns[pair[1]])
			}
		}
		low, high := uint8(255), uint8(0)
		for _, v := range s.Bytes[i*Size*Size : (i+1)*Size*Size] {
			low, high = min(low, v), max(high, v)
		}
		if high-low < 40 {
			t.Errorf("face %d: found grey values %d to %d, want more contrast", i, low, high)
		}
	}
}

// TestPointsSitOnFeatures paints one feature at a time in another tone and looks
// where the picture changes: its extreme points must be the keypoints.
func TestPointsSitOnFeatures(t *testing.T) {
	const faces = 60
	var sum [15]float64
	for i := range uint64(faces) {
		f := newFace(newRandom(11, i))
		f.eyes.upper = max(f.eyes.upper, 2) // a closed eye shows nothing
		points := f.keypoints()
		f.hair.bald, f.hair.beard, f.hair.moustache = true, 0, 0
		f.extra.glasses, f.extra.bar = false, false
		f.eyes.lashes, f.eyes.crease, f.brows.strength = 0, 0, 0
		check := func(name string, paint func(g *face), want ...int) {
			t.Helper()
			changed := difference(f, paint)
			for _, k := range want {
				p := points[k]
				// Along the line from the feature's middle through the keypoint,
				// the change must end at the keypoint.
				var at point
				for _, j := range want {
					at.x += points[j].x / float64(len(want))
					at.y += points[j].y / float64(len(want))
				}
				dx, dy := p.x-at.x, p.y-at.y
				length := math.Hypot(dx, dy)
				dx, dy = dx/length, dy/length
				reach := 0.0
				for y := range Size {
					for x := range Size {
						if changed[y*Size+x] < 0.02 {
							continue
						}
						ex, ey := float64(x)+0.5-at.x, float64(y)+0.5-at.y
						if along := ex*dx + ey*dy; math.Abs(ex*dy-ey*dx) < 1.5 && along < length+5 {
							reach = max(reach, along)
						}
					}
				}
				sum[k] += (reach - length) / faces
				if math.Abs(reach-length) > 1.5 {
					t.Errorf("face %d, %s, keypoint %d: found the feature's end %.2f pixels from its middle, want %.2f", i, name, k, reach, length)
				}
			}
		}
		check("left eye", func(g *face) { g.eyes.sclera, g.eyes.irisAlbedo = 8, 8 }, 2, 3)
		check("right eye", func(g *face) { g.eyes.sclera, g.eyes.irisAlbedo = 8, 8 }, 4, 5)
		check("left brow", func(g *face) { g.brows.strength, g.brows.albedo = 1, 8 }, 6, 7)
		check("right brow", func(g *face) { g.brows.strength, g.brows.albedo = 1, 8 }, 8, 9)
		check("lips", func(g *face) { g.mouth.lips, g.mouth.teeth = 8, 8 }, 11, 12)
		check("lips", func(g *face) { g.mouth.lips, g.mouth.teeth = 8, 8 }, 13, 14)
	}
	for k, off := range sum {
		if math.Abs(off) > 0.6 {
			t.Errorf("keypoint %d: found the features' ends %.2f pixels outside of it on average, want 0", k, off)
		}
	}
	t.Logf("ends outside of their keypoints by %.2f", sum)
}

// difference is how much the light changes when paint changes the face's tones.
func difference(f *face, paint func(*face)) (changed [Size * Size]float64) {
	g := *f
	paint(&g)
	before, after := new(canvas), new(canvas)
	before.relief(f)
	after.relief(&g)
	for y := range Size {
		for x := range Size {
			px, py := float64(x)+0.5, float64(y)+0.5
			changed[y*Size+x] = math.Abs(after.pixel(&g, px, py) - before.pixel(f, px, py))
		}
	}
	return changed
}

func TestGeometryInverts(t *testing.T) {
	for i := range uint64(50) {
		f := newFace(newRandom(2, i))
		for u := -24.0; u <= 24; u += 8 {
			for v := -24.0; v <= 40; v += 8 {
				if math.Hypot(u/f.a, v/f.b) > 0.8 {
					continue // may be on the far side
				}
				got := f.through(f.lift(point{u, v}, 0))
				if math.Hypot(got.x-u, got.y-v) > 1e-9 {
					t.Fatalf("face %d: (%v, %v) came back as %v", i, u, v, got)
				}
			}
		}
		for _, r := range []turn{f.roll, f.yaw, f.pitch} {
			if math.Abs(r.c*r.c+r.s*r.s-1) > 1e-15 {
				t.Fatalf("face %d: a turn has length %v", i, r.c*r.c+r.s*r.s)
			}
		}
	}
}

func TestFacesRefuses(t *testing.T) {
	for _, n := range []int{-1, 0, MaxFaces + 1} {
		if _, err := Faces(context.Background(), n, 1); err == nil {
			t.Errorf("%d faces: want an error", n)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Faces(ctx, 10, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("found %v, want context.Canceled", err)
	}
}

// TestNothingIsFused looks at what the compiler makes for a machine that has a
// fused multiply-add: with one, the faces would differ there.
func TestNothingIsFused(t *testing.T) {
	cmd := exec.Command("go", "build", "-gcflags=-S", ".")
	cmd.Env = append(cmd.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if n := bytes.Count(out, []byte("\tFMULD\t")); n < 100 {
		t.Fatalf("found %d products in the listing, want it to show hundreds", n)
	}
	fused := regexp.MustCompile(`(\w+\.go:\d+)[)]\s+FN?M(?:ADD|SUB)[SD]\s`)
	for _, m := range fused.FindAllSubmatch(out, -1) {
		t.Errorf("found a fused product at %s, want it in mul", m[1])
	}
}
