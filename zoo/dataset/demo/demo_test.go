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

// The checksum is the same on every machine. It changes when the pictures do, and
// then every figure measured on them has to be measured again, and the models in
// the program trained.
func TestGolden(t *testing.T) {
	for _, test := range []struct {
		name string
		draw func(ctx context.Context, n int, seed uint64) (string, error)
		n    int
		seed uint64
		want string
	}{
		{"faces", facesSum, 1, 0, "c07e4e1c37cc494ce382bb6facb77414b916035496e1237f131658137686ac74"},
		{"faces", facesSum, 64, 1, "5b86d9cd397836297fad548dfb3b3b73eee4c08817940a68ca4c10cdb7f5a2d5"},
		{"faces", facesSum, 64, math.MaxUint64, "83bb698a1942d86e70b5916bd76cb36b7754e43ea5087de77336617e2003481e"},
		{"scenes", scenesSum, 1, 0, "5f87a05349cada078f29c0aad2e09ca4230d46fac0cface07c8c98a67fe3a4e4"},
		{"scenes", scenesSum, 32, 1, "cbf318bed75efcea0e2f7436212ce4f1321d5306529150f54d7bfeb26ee3e3f0"},
	} {
		sum, err := test.draw(t.Context(), test.n, test.seed)
		if err != nil {
			t.Fatal(err)
		}
		if sum != test.want {
			t.Errorf("%d %s of seed %d: found checksum %s, want %s", test.n, test.name, test.seed, sum, test.want)
		}
	}
}

func facesSum(ctx context.Context, n int, seed uint64) (string, error) {
	s, err := Faces(ctx, n, seed)
	if err != nil {
		return "", err
	}
	return s.Checksum, nil
}

func scenesSum(ctx context.Context, n int, seed uint64) (string, error) {
	s, err := sceneKind.set(ctx, n, seed)
	if err != nil {
		return "", err
	}
	return s.Checksum, nil
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

// TestFacesVary: the mean face must be a bad answer, every point near the picture,
// eyes mostly on their sides, and no picture empty.
func TestFacesVary(t *testing.T) {
	const n = 400
	s, err := Faces(context.Background(), n, 7)
	if err != nil {
		t.Fatal(err)
	}
	c := len(s.Columns)
	mean := make([]float64, c)
	outside := 0
	for i, v := range s.Points {
		if !(v > -10 && v < Size+10) {
			t.Fatalf("face %d, %s: found %v, want it near the picture", i/c, s.Columns[i%c], v)
		}
		if v < 0 || v > Size {
			outside++
		}
		mean[i%c] += float64(v) / n
	}
	if outside > n*c/200 {
		t.Errorf("found %d of %d coordinates outside of the picture, want one in 200 at most", outside, n*c)
	}
	var sum float64
	for i, v := range s.Points {
		sum += (float64(v) - mean[i%c]) * (float64(v) - mean[i%c])
	}
	if rmse := math.Sqrt(sum / float64(len(s.Points))); rmse < 7 || rmse > 11 {
		t.Errorf("found %.2f pixels RMSE of the mean face, want 7 to 11", rmse)
	}
	crossed, flat := 0, 0
	for i := range n {
		row := s.Row(i)
		for _, pair := range [][2]int{{0, 2}, {4, 8}, {6, 10}, {12, 16}, {14, 18}, {22, 24}} {
			if row[pair[0]] < row[pair[1]] {
				crossed++
			}
		}
		low, high := uint8(255), uint8(0)
		for _, v := range s.Bytes[i*Size*Size : (i+1)*Size*Size] {
			low, high = min(low, v), max(high, v)
		}
		if high-low < 24 {
			flat++
		}
	}
	if crossed > n*6/50 {
		t.Errorf("found %d of %d pairs of points on each other's side, want few: what is hidden lies at the outline", crossed, n*6)
	}
	if flat > n/50 {
		t.Errorf("found %d of %d faces with hardly any contrast, want few", flat, n)
	}
}

// TestScenes: a scene has nobody, or faces that lie in it, small and large ones.
func TestScenes(t *testing.T) {
	const n = 200
	s, err := sceneKind.set(t.Context(), n, 5)
	if err != nil {
		t.Fatal(err)
	}
	empty, boxes := 0, 0
	smallest, largest := math.Inf(1), 0.0
	for i := range n {
		row := s.Row(i)
		if math.IsNaN(float64(row[0])) {
			empty++
		}
		for k := 0; k < len(row); k += 4 {
			x, y, w, h := float64(row[k]), float64(row[k+1]), float64(row[k+2]), float64(row[k+3])
			if math.IsNaN(x) {
				continue
			}
			boxes++
			smallest, largest = min(smallest, h), max(largest, h)
			if mx, my := x+w/2, y+h/2; mx < 0 || my < 0 || mx > sceneSize || my > sceneSize {
				t.Errorf("scene %d: found a face around %.0f, %.0f, want it in the picture", i, mx, my)
			}
			if w < h/3 || w > h*2 {
				t.Errorf("scene %d: found a face of %.0fx%.0f", i, w, h)
			}
		}
	}
	if empty < n/10 || empty > n/2 || boxes < n || smallest > 18 || largest < 100 {
		t.Errorf("found %d empty scenes, %d faces of %.0f to %.0f pixels", empty, boxes, smallest, largest)
	}
}

func TestFacesRefuses(t *testing.T) {
	for _, n := range []int{-1, 0, MaxFaces + 1} {
		if _, err := Faces(context.Background(), n, 1); err == nil {
			t.Errorf("%d faces: want an error", n)
		}
		if _, err := sceneKind.set(context.Background(), n, 1); err == nil {
			t.Errorf("%d scenes: want an error", n)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Faces(ctx, 10, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("found %v, want context.Canceled", err)
	}
}

// TestNothingIsFused looks at what the compiler makes for a machine that has a
// fused multiply-add: with one, the pictures would differ there.
func TestNothingIsFused(t *testing.T) {
	cmd := exec.Command("go", "build", "-gcflags=github.com/fkzoo/fkzoo/zoo/dataset/demo/...=-S", "./...")
	cmd.Env = append(cmd.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if n := bytes.Count(out, []byte("\tFMULD\t")); n < 500 {
		t.Fatalf("found %d products in the listing, want it to show hundreds", n)
	}
	fused := regexp.MustCompile(`(\w+\.go:\d+)[)]\s+FN?M(?:ADD|SUB)[SD]\s`)
	for _, m := range fused.FindAllSubmatch(out, -1) {
		t.Errorf("found a fused product at %s, want it in num.Mul", m[1])
	}
}
