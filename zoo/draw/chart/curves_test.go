package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"
)

func falling(n int, from, to float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = from * math.Pow(to/from, float64(i)/float64(max(n-1, 1)))
	}
	return v
}

func encode(t *testing.T, c Curves, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.Encode(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// svgTexts are the words in a drawing, which also must be whole XML.
func svgTexts(t *testing.T, b []byte) (texts []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(b))
	for inside := false; ; {
		tok, err := d.Token()
		if err == io.EOF {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			inside = tok.Name.Local == "text"
		case xml.CharData:
			if inside {
				texts = append(texts, string(tok))
			}
			inside = false
		}
	}
}

func TestWordsOfCurves(t *testing.T) {
	train, valid := falling(40, 0.02, 0.0005), falling(40, 0.02, 0.001)
	for _, c := range []struct {
		name       string
		c          Curves
		want, lack []string
	}{
		{"one run", Curves{Title: "net6 <on> faces & more", Runs: []Run{{Train: train, Validation: valid}}, Baseline: 0.0218},
			[]string{"net6 <on> faces & more", "training", "validation", "mean face 0.0218", "epoch", "loss", "0.01", "0.001", "40"},
			[]string{"1, training"}},
		{"only training", Curves{Runs: []Run{{Train: train}}, YAxis: "RMSE in pixels"},
			[]string{"training", "RMSE in pixels"}, []string{"validation", "mean face", "loss"}},
		{"several", Curves{Runs: []Run{{Name: "a", Train: train, Validation: valid}, {Train: train}}},
			[]string{"a, training", "a, validation", "2, training"}, []string{"2, validation"}},
		{"named baseline", Curves{Runs: []Run{{Train: train}}, Baseline: 0.5, BaselineName: "guess"},
			[]string{"guess 0.5"}, []string{"mean face 0.5"}},
		{"senseless baseline", Curves{Runs: []Run{{Train: train}}, Baseline: math.NaN()},
			[]string{"training"}, []string{"mean face NaN"}},
		{"negative", Curves{Runs: []Run{{Train: []float64{1, 0, -1}}}}, []string{"0", "-1", "1"}, []string{"NaN"}},
		{"one value", Curves{Runs: []Run{{Train: []float64{0.5}}}}, []string{"0.5", "1"}, nil},
		{"late epochs", Curves{Runs: []Run{{Epochs: []int{100, 200, 300}, Train: []float64{3, 2, 1}}}}, []string{"100", "300"}, []string{"0"}},
		{"not text", Curves{Title: "a\x00b\xff", Runs: []Run{{Train: train}}}, []string{"a b\ufffd"}, nil},
	} {
		texts := svgTexts(t, encode(t, c.c, "svg"))
		for _, w := range c.want {
			if !slices.Contains(texts, w) {
				t.Errorf("%s: no %q among %q", c.name, w, texts)
			}
		}
		for _, w := range c.lack {
			if slices.Contains(texts, w) {
				t.Errorf("%s: found %q, which should not be there", c.name, w)
			}
		}
	}
}

// count is the number of pixels of a colour.
func count(m image.Image, want color.RGBA) (n int) {
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if near(color.RGBAModel.Convert(m.At(x, y)).(color.RGBA), want, 8) {
				n++
			}
		}
	}
	return n
}

func decode(t *testing.T, c Curves) image.Image {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(encode(t, c, "png")))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// On a logarithmic axis an even decay is a straight line: its pixels lie on the chord between its ends.
func TestLogAxis(t *testing.T) {
	m := decode(t, Curves{Runs: []Run{{Validation: falling(50, 1, 0.001)}}})
	if m.Bounds().Dx() != 1152 || m.Bounds().Dy() != 720 {
		t.Fatalf("picture is %v, want 1152x720", m.Bounds())
	}
	var xs, ys []float64
	for x := range m.Bounds().Dx() {
		sum, n := 0.0, 0.0
		for y := 110; y < m.Bounds().Dy(); y++ { // below the legend
			if near(color.RGBAModel.Convert(m.At(x, y)).(color.RGBA), palette[1], 8) {
				sum, n = sum+float64(y), n+1
			}
		}
		if n > 0 {
			xs, ys = append(xs, float64(x)), append(ys, sum/n)
		}
	}
	if len(xs) < 900 {
		t.Fatalf("the curve has %d columns, want most of the picture's 1152", len(xs))
	}
	last := len(xs) - 1
	for i := range xs {
		want := ys[0] + (ys[last]-ys[0])*(xs[i]-xs[0])/(xs[last]-xs[0])
		if math.Abs(ys[i]-want) > 2 {
			t.Fatalf("at column %v the curve is at %.1f, want %.1f", xs[i], ys[i], want)
		}
	}
}

func TestCurvesShowEverySeries(t *testing.T) {
	full := count(decode(t, Curves{Runs: []Run{{Train: falling(40, 1, 0.1)}}}), palette[0])
	holes := falling(40, 1, 0.1)
	for i := 10; i < 30; i++ {
		holes[i] = math.NaN()
	}
	if n := count(decode(t, Curves{Runs: []Run{{Train: holes}}}), palette[0]); n > full*2/3 || n < full/5 {
		t.Errorf("with half the values missing: %d pixels, whole: %d", n, full)
	}
	if n := count(decode(t, Curves{Runs: []Run{{Train: []float64{math.Inf(1), 2, math.NaN()}}}}), palette[0]); n < 20 {
		t.Errorf("a value alone has %d pixels, want a dot", n)
	}
	var many Curves
	for range 8 {
		many.Runs = append(many.Runs, Run{Train: falling(9, 1, 0.1), Validation: falling(9, 2, 0.2)})
	}
	m := decode(t, many)
	for i, c := range palette {
		if count(m, c) < 20 {
			t.Errorf("of 8 runs, colour %d is not to be seen", i)
		}
	}
}

// Whatever the numbers, there is a picture and no panic.
func TestExtremeCurves(t *testing.T) {
	for _, v := range [][]float64{
		{1e100, math.SmallestNonzeroFloat64},
		{math.MaxFloat64, 1},
		{1e100, 1e-100}, {1e100, 1e100}, {-1e100, 1e100},
		{math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat64},
		{0, 0, 0}, {1e-300, 0}, {1, 1 + 1e-15}, {-1e99}, {5e-324, 1},
		{0, 1e100}, {1e15, 1e15 + 1, -3},
	} {
		for _, base := range []float64{0, 1, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1)} {
			c := Curves{Runs: []Run{{Train: v}}, Baseline: base}
			b := encode(t, c, "svg")
			if bytes.Contains(b, []byte("NaN")) || bytes.Contains(b, []byte("Inf")) {
				t.Errorf("%v with baseline %v: the drawing has a NaN or Inf", v, base)
			}
			svgTexts(t, b)
			if base == 0 {
				decode(t, c)
			}
		}
	}
}

func TestLongTrainingStaysSmall(t *testing.T) {
	long := falling(200_000, 1, 0.01)
	for i := range long {
		long[i] *= 1 + 0.3*float64(i*7919%100)/100
	}
	long[123_456] = 0.0001 // must not be thinned away
	b := encode(t, Curves{Runs: []Run{{Train: long}}}, "svg")
	if len(b) > 400_000 {
		t.Errorf("200,000 epochs make %d bytes", len(b))
	}
	short := encode(t, Curves{Runs: []Run{{Train: long[:100_000]}}}, "svg")
	if slices.Contains(svgTexts(t, short), "0.0001") || !slices.Contains(svgTexts(t, b), "0.0001") {
		t.Error("the axis should reach the lowest value, and only where it is there")
	}
	points := make([]point, 0, 4)
	for _, part := range (&Run{Train: long}).parts(long) {
		for _, p := range part {
			if p.y == 0.0001 {
				points = append(points, p)
			}
		}
	}
	if len(points) != 1 || points[0].x != 123_457 {
		t.Errorf("the lowest value is at %v, want epoch 123457", points)
	}
}

func TestRefusedCurves(t *testing.T) {
	one := []Run{{Train: []float64{1}}}
	for _, c := range []struct {
		name, format string
		c            Curves
		want         string
		is           error
	}{
		{"nothing", "svg", Curves{}, "no finite value", ErrEmpty},
		{"no numbers", "png", Curves{Runs: []Run{{Train: []float64{math.NaN()}}}}, "no finite value", ErrEmpty},
		{"format", "gif", Curves{Runs: one}, `"gif"`, nil},
		{"epochs", "svg", Curves{Runs: []Run{{Epochs: []int{1, 2}, Train: []float64{1}}}}, "1 values of training and 2 epochs", nil},
		{"order", "svg", Curves{Runs: []Run{{Epochs: []int{2, 2}, Train: []float64{1, 1}}}}, "epoch 2 after 2", nil},
	} {
		err := c.c.Encode(io.Discard, c.format)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: error is %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestWriteCurves(t *testing.T) {
	dir := t.TempDir()
	c := Curves{Title: "t", Runs: []Run{{Train: falling(20, 1, 0.1), Validation: falling(20, 1, 0.2)}}, Baseline: 0.9}
	for _, name := range []string{"a.svg", "b.PNG"} {
		path := filepath.Join(dir, name)
		if err := c.CheckPath(path); err != nil {
			t.Error(err)
		}
		if err := c.Write(path, false); err != nil {
			t.Fatal(err)
		}
		first := read(t, path)
		if err := c.Write(path, false); !errors.Is(err, fs.ErrExist) {
			t.Errorf("an existing file: %v, want fs.ErrExist", err)
		}
		if err := c.Write(path, true); err != nil {
			t.Fatal(err)
		}
		if read(t, path) != first {
			t.Errorf("%s: the same curves gave other bytes the second time", name)
		}
	}
	for _, name := range []string{"a", "a.jpg", ".", "a.svg.gz"} {
		path := filepath.Join(dir, name)
		if c.CheckPath(path) == nil || c.Write(path, true) == nil {
			t.Errorf("%s: was taken, want .svg or .png only", name)
		}
	}
}

func TestTicks(t *testing.T) {
	labels := func(ticks []plot.Tick) (l []string) {
		for _, t := range ticks {
			if t.Label != "" {
				l = append(l, t.Label)
			}
		}
		return l
	}
	for _, c := range []struct {
		name      string
		f         func(low, high float64) []plot.Tick
		low, high float64
		want      string
	}{
		{"epochs", epochTicks, 1, 40, "5 10 15 20 25 30 35 40"},
		{"three epochs", epochTicks, 1, 3, "1 2 3"},
		{"one epoch", epochTicks, 0, 2, "0 1 2"},
		{"many epochs", epochTicks, 1, 3000, "500 1000 1500 2000 2500 3000"},
		{"log", logTicks, 0.0005, 0.02, "0.0005 0.001 0.002 0.005 0.01 0.02"},
		{"narrow log", logTicks, 1, 4, "1 2 3 4"},
		{"wide log", logTicks, 1e-6, 1, "1e-6 1e-5 0.0001 0.001 0.01 0.1 1"},
		{"very wide log", logTicks, 1e-20, 1, "1e-18 1e-15 1e-12 1e-9 1e-6 0.001 1"},
		{"nearly flat log", logTicks, 0.0115, 0.0125, "0.0116 0.0118 0.012 0.0122 0.0124"},
		{"linear", linearTicks, -1, 1, "-1 -0.5 0 0.5 1"},
		{"large", linearTicks, 0, 4e6, "0 500000 1e6 1.5e6 2e6 2.5e6 3e6 3.5e6 4e6"},
	} {
		if got := strings.Join(labels(c.f(c.low, c.high)), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for v, want := range map[float64]string{0: "0", 0.0123456: "0.01235", 12: "12", 1e-5: "1e-5", 2.5e-12: "2.5e-12", 3e9: "3e9", -0.5: "-0.5"} {
		if got := number(v, 4); got != want {
			t.Errorf("number(%v) is %s, want %s", v, got, want)
		}
	}
}

func ExampleCurves() {
	c := Curves{
		Title:    "compact-s on the demo faces",
		Runs:     []Run{{Train: []float64{0.02, 0.01, 0.004}, Validation: []float64{0.021, 0.012, 0.006}}},
		Baseline: 0.022,
	}
	var b bytes.Buffer
	if err := c.Encode(&b, "svg"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.Contains(b.String(), ">validation</text>"))
	// Output: true
}

// A long legend makes the picture higher, and takes nothing from the curves; one without end is cut.
func TestLongLegend(t *testing.T) {
	runs := func(n int) (all []Run) {
		for i := range n {
			all = append(all, Run{Name: fmt.Sprintf("a run with a long name, number %d", i+1), Train: falling(9, 1, 0.1), Validation: falling(9, 2, 0.2)})
		}
		return all
	}
	const row = 17 * 144 / 72
	for _, c := range []struct{ runs, height int }{{1, 720}, {3, 720}, {4, 720 + row}, {20, 720 + 17*row}, {500, 720 + 98*row}} {
		m := decode(t, Curves{Runs: runs(c.runs)})
		if found := m.Bounds(); found.Dx() != 1152 || found.Dy() != c.height {
			t.Errorf("%d runs: found %v, want 1152x%d", c.runs, found, c.height)
		}
	}
	if text := string(encode(t, Curves{Runs: runs(500)}, "svg")); !strings.Contains(text, "and 800 more") || strings.Contains(text, "number 101,") {
		t.Error("found another legend than the first 200 curves' names and how many more there are")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// near says whether two colours differ by at most d in each channel.
func near(a, b color.RGBA, d int) bool {
	abs := func(x, y uint8) bool { return int(x)-int(y) <= d && int(y)-int(x) <= d }
	return abs(a.R, b.R) && abs(a.G, b.G) && abs(a.B, b.B) && abs(a.A, b.A)
}
