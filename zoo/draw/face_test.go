package draw

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/draw/look"
)

var nan = float32(math.NaN())

// flat is a face of one grey.
func flat(h, w int, grey uint8, predicted, truth []float32) Face {
	return Face{Height: h, Width: w, Channels: 1, Bytes: bytes.Repeat([]byte{grey}, h*w), Predicted: predicted, True: truth}
}

func picture(t *testing.T, f Face, s Style) *image.RGBA {
	t.Helper()
	m, err := f.Picture(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// near says whether two colours differ by at most d in each channel.
func near(a, b color.RGBA, d int) bool {
	abs := func(x, y uint8) bool { return int(x)-int(y) <= d && int(y)-int(x) <= d }
	return abs(a.R, b.R) && abs(a.G, b.G) && abs(a.B, b.B) && abs(a.A, b.A)
}

// centre is the middle of what is orange or blue, each pixel weighted by how much it is so, and their number.
func centre(m *image.RGBA, want color.RGBA) (x, y float64, n int) {
	var sum float64
	for j := range m.Rect.Dy() {
		for i := range m.Rect.Dx() {
			c := m.RGBAAt(i, j)
			weight := (float64(c.R) - float64(c.B)) / (float64(want.R) - float64(want.B))
			if weight > 0 {
				x, y, sum = x+weight*(float64(i)+0.5), y+weight*(float64(j)+0.5), sum+weight
			}
			if near(c, want, 12) {
				n++
			}
		}
	}
	return x / sum, y / sum, n
}

// A dot's middle is the point times the scale, to a fraction of a pixel; so is a ring's.
func TestPointsAreWhereTheyShouldBe(t *testing.T) {
	for _, at := range [][2]float32{{30, 40}, {48.25, 50.5}, {10.1, 80.9}, {85, 12}} {
		for _, scale := range []int{2, 4, 7} {
			for _, want := range []struct {
				f   Face
				col color.RGBA
			}{
				{flat(96, 96, 128, at[:], nil), predictedColor},
				{flat(96, 96, 128, nil, at[:]), trueColor},
			} {
				x, y, n := centre(picture(t, want.f, Style{Scale: scale}), want.col)
				if n == 0 || math.Abs(x-float64(at[0])*float64(scale)) > 0.1 || math.Abs(y-float64(at[1])*float64(scale)) > 0.1 {
					t.Errorf("%v at scale %d: found %d pixels around %.2f, %.2f", at, scale, n, x, y)
				}
			}
		}
	}
}

func TestMarks(t *testing.T) {
	count := func(f Face, c color.RGBA) int {
		_, _, n := centre(picture(t, f, Style{Scale: 4}), c)
		return n
	}
	hit := flat(96, 96, 90, []float32{48, 48}, []float32{48, 48})
	miss := flat(96, 96, 90, []float32{20, 48}, []float32{70, 48})
	disc := count(flat(96, 96, 90, []float32{48, 48}, nil), predictedColor)
	if disc < 40 || disc > 90 {
		t.Errorf("a dot has %d pixels, want about 64", disc)
	}
	if n := count(hit, predictedColor); n != disc {
		t.Errorf("a dot in its ring has %d pixels, want %d", n, disc)
	}
	white := func(f Face) (n int) {
		m := picture(t, f, Style{Scale: 4})
		for i := 0; i < len(m.Pix); i += 4 {
			if min(m.Pix[i], m.Pix[i+1], m.Pix[i+2]) > 160 {
				n++
			}
		}
		return n
	}
	if n := white(hit); n != 0 {
		t.Errorf("a hit has %d white pixels, want no line", n)
	}
	if n := white(miss); n < 150 {
		t.Errorf("a miss of 50 pixels has a line of %d white pixels, want over 150", n)
	}
	for name, f := range map[string]Face{
		"x missing":    flat(96, 96, 90, []float32{nan, 48}, nil),
		"y missing":    flat(96, 96, 90, []float32{48, nan}, nil),
		"both missing": flat(96, 96, 90, []float32{nan, nan}, nil),
		"no points":    flat(96, 96, 90, nil, nil),
	} {
		m := picture(t, f, Style{Scale: 4})
		for i := 0; i < len(m.Pix); i += 4 {
			if m.Pix[i] != 90 || m.Pix[i+1] != 90 || m.Pix[i+2] != 90 {
				t.Errorf("%s: pixel %d is %v, want the face alone", name, i/4, m.Pix[i:i+4])
				break
			}
		}
	}
	half := flat(96, 96, 90, []float32{nan, nan, 30, 30}, []float32{60, 60, nan, nan})
	if p, q := count(half, predictedColor), count(half, trueColor); p == 0 || q == 0 || white(half) != 0 {
		t.Errorf("a prediction and another's truth: %d and %d pixels, want both and no line", p, q)
	}
}

// What lies outside is an open dot at the edge; no number, however large, does harm.
func TestOutside(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		at     [2]float32
		x0, y0 int // where its mark must have colour
	}{
		{[2]float32{-20, 48}, 3, 192},
		{[2]float32{inf, 48}, 380, 192},
		{[2]float32{48, -3e38}, 192, 3},
		{[2]float32{48, 200}, 192, 380},
	} {
		m := picture(t, flat(96, 96, 128, c.at[:], []float32{40, 40}), Style{Scale: 4})
		if !near(m.RGBAAt(c.x0, c.y0), predictedColor, 30) {
			t.Errorf("%v: pixel %d, %d is %v, want the mark", c.at, c.x0, c.y0, m.RGBAAt(c.x0, c.y0))
		}
	}
}

func TestPixels(t *testing.T) {
	grey := Face{Height: 2, Width: 3, Channels: 1, Bytes: []uint8{0, 50, 100, 150, 200, 255}}
	colour := Face{Height: 1, Width: 2, Channels: 3, Floats: []float32{255, 0, 10.4, -5, 300, nan}}
	two := Face{Height: 1, Width: 2, Channels: 2, Floats: []float32{7, 99, 8.6, 99}}
	for _, c := range []struct {
		name  string
		f     Face
		scale int
		x, y  int
		want  color.RGBA
	}{
		{"upper left", grey, 5, 4, 4, color.RGBA{0, 0, 0, 255}},
		{"its neighbour", grey, 5, 5, 4, color.RGBA{50, 50, 50, 255}},
		{"lower right", grey, 5, 14, 9, color.RGBA{255, 255, 255, 255}},
		{"not enlarged", grey, 1, 0, 1, color.RGBA{150, 150, 150, 255}},
		{"colour", colour, 3, 1, 1, color.RGBA{255, 0, 10, 255}},
		{"out of range", colour, 3, 4, 1, color.RGBA{0, 255, 0, 255}},
		{"two channels", two, 2, 0, 0, color.RGBA{7, 7, 7, 255}},
		{"two channels, second pixel", two, 2, 3, 1, color.RGBA{9, 9, 9, 255}},
	} {
		m := picture(t, c.f, Style{Scale: c.scale, Sharp: true})
		if m.Rect.Dx() != c.f.Width*c.scale || m.Rect.Dy() != c.f.Height*c.scale {
			t.Errorf("%s: size is %v, want %d times", c.name, m.Rect, c.scale)
		}
		if got := m.RGBAAt(c.x, c.y); got != c.want {
			t.Errorf("%s: pixel %d, %d is %v, want %v", c.name, c.x, c.y, got, c.want)
		}
	}
	for side, want := range map[int]int{96: 384, 48: 384, 100: 400, 384: 384, 500: 500, 1: 16} {
		if got := picture(t, flat(side, side, 1, nil, nil), Style{}).Rect.Dx(); got != want {
			t.Errorf("a face of %d pixels is drawn with %d, want %d", side, got, want)
		}
	}
	// Bytes and the same values as floats are one picture.
	b := flat(96, 96, 77, []float32{12, 34}, nil)
	f := b
	f.Bytes, f.Floats = nil, make([]float32, 96*96)
	for i := range f.Floats {
		f.Floats[i] = 77
	}
	if !bytes.Equal(picture(t, b, Style{}).Pix, picture(t, f, Style{}).Pix) {
		t.Error("bytes and floats give different pictures")
	}
}

func TestRefusedFaces(t *testing.T) {
	good := func(change func(f *Face)) Face {
		f := flat(4, 4, 9, []float32{1, 1}, []float32{1, 1})
		f.ID = "seven"
		change(&f)
		return f
	}
	for _, c := range []struct {
		name string
		f    Face
		s    Style
		want string
	}{
		{"no size", good(func(f *Face) { f.Height = 0 }), Style{}, "0x4"},
		{"no channels", good(func(f *Face) { f.Channels = 0 }), Style{}, "0 channels"},
		{"few pixels", good(func(f *Face) { f.Bytes = f.Bytes[:15] }), Style{}, "found 15 values, want 16"},
		{"no pixels", good(func(f *Face) { f.Bytes = nil }), Style{}, "one of the two"},
		{"both kinds", good(func(f *Face) { f.Floats = make([]float32, 16) }), Style{}, "one of the two"},
		{"odd points", good(func(f *Face) { f.Predicted = f.Predicted[:1] }), Style{}, "1 predicted coordinates, want pairs"},
		{"odd truth", good(func(f *Face) { f.True = make([]float32, 3) }), Style{}, "3 true coordinates, want pairs"},
		{"not as many", good(func(f *Face) { f.True = make([]float32, 4) }), Style{}, "2 predicted and 4 true"},
		{"negative scale", good(func(*Face) {}), Style{Scale: -1}, "found -1"},
		{"huge scale", good(func(*Face) {}), Style{Scale: math.MaxInt}, "at most"},
		{"large scale", good(func(*Face) {}), Style{Scale: 3000}, "at most"},
		{"huge size", good(func(f *Face) { f.Height, f.Width = math.MaxInt/2, 4 }), Style{}, "want 1x1 to"},
	} {
		if _, err := c.f.Picture(c.s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestCaption(t *testing.T) {
	f := flat(96, 96, 200, nil, nil)
	bare := picture(t, f, Style{})
	f.ID, f.Note = "a/long/path/that/does/not/fit/into/the/width/of/the/picture/at/all/face-17.png", "1.23 px"
	m := picture(t, f, Style{})
	if m.Rect.Dy() != bare.Rect.Dy()+captionHeight {
		t.Fatalf("height with a caption is %d, without %d", m.Rect.Dy(), bare.Rect.Dy())
	}
	dark := func(x0, x1 int) (n int) {
		for y := bare.Rect.Dy(); y < m.Rect.Dy(); y++ {
			for x := x0; x < x1; x++ {
				if m.RGBAAt(x, y).R < 150 {
					n++
				}
			}
		}
		return n
	}
	// The name at the left, the note at the right, and a gap between.
	w := width(f.Note, captionFont)
	if l, gap, r := dark(0, 200), dark(384-4-w-7, 384-4-w-1), dark(384-4-w, 384); l < 100 || gap != 0 || r < 50 {
		t.Errorf("dark pixels: %d left, %d in the gap, %d right; want many, none, many", l, gap, r)
	}
	for _, c := range []struct {
		s    string
		room int
		want string
	}{
		{"short", 100, "short"},
		{"", 0, ""},
		{"nothing fits", 3, ""},
		{"line\nbreak\x00", 1000, "line break "},
		{"bad \xff", 1000, "bad \ufffd"},
	} {
		if got := clip(c.s, captionFont, c.room); got != c.want {
			t.Errorf("clip(%q, %d) is %q, want %q", c.s, c.room, got, c.want)
		}
	}
	if got := clip("some/folder/face-17.png", captionFont, 80); !strings.HasPrefix(got, "…") ||
		!strings.HasSuffix(got, "17.png") || width(got, captionFont) > 80 {
		t.Errorf("a clipped path is %q", got)
	}
}

func TestSheet(t *testing.T) {
	s := Sheet{Title: "some faces"}
	for i := range 7 {
		f := flat(96, 96, uint8(30*i+20), []float32{24, 48}, nil)
		f.ID = fmt.Sprint(i)
		s.Faces = append(s.Faces, f)
	}
	s.Faces[2].Height, s.Faces[2].Width = 48, 192 // wide: between two stripes of paper
	s.Columns, s.Cell = 3, 96
	m, err := s.Picture()
	if err != nil {
		t.Fatal(err)
	}
	w, h := 2*sheetMargin+3*(96+sheetGap)-sheetGap, sheetHead+3*(96+captionHeight+sheetGap)-sheetGap+sheetMargin
	if m.Rect.Dx() != w || m.Rect.Dy() != h {
		t.Fatalf("sheet is %v, want %dx%d", m.Rect, w, h)
	}
	for i := range s.Faces {
		x, y := sheetMargin+i%3*(96+sheetGap), sheetHead+i/3*(96+captionHeight+sheetGap)
		grey := uint8(30*i + 20)
		if got := m.RGBAAt(x+80, y+48); got != (color.RGBA{grey, grey, grey, 255}) {
			t.Errorf("face %d: %v, want grey %d", i, got, grey)
		}
		edge := color.RGBA{grey, grey, grey, 255}
		if i == 2 {
			edge = look.Paper
		}
		if got := m.RGBAAt(x+80, y+2); got != edge {
			t.Errorf("face %d near its top: %v, want %v", i, got, edge)
		}
		if px := m.RGBAAt(x+24, y+48); i != 2 && !near(px, predictedColor, 12) {
			t.Errorf("face %d: its point is %v", i, px)
		}
	}
	if got := m.RGBAAt(sheetMargin+150, sheetHead+2*(96+captionHeight+sheetGap)+48); got != look.Paper {
		t.Errorf("where no face is: %v, want paper", got)
	}

	for _, c := range []struct {
		name string
		s    Sheet
		want string
	}{
		{"empty", Sheet{}, "no faces"},
		{"columns", Sheet{Faces: s.Faces, Columns: -1}, "-1 columns"},
		{"cell", Sheet{Faces: s.Faces, Cell: 5}, "5, want"},
		{"too large", Sheet{Faces: s.Faces, Cell: 4096}, "at most"},
		{"bad face", Sheet{Faces: []Face{{ID: "x"}}}, `face "x"`},
	} {
		_, err := c.s.Picture()
		if c.name == "cell" {
			c.want = "pixels, want 1 to 4096"
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one with %q", c.name, err, c.want)
		}
	}
	if _, err := (&Sheet{}).Picture(); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty sheet: %v, want ErrEmpty", err)
	}
	// One small face: the legend still has its room.
	if m := must(t, &Sheet{Faces: s.Faces[:1], Cell: 16}); m.Rect.Dx() < legendWidth(legendOf(true, false)) {
		t.Errorf("a narrow sheet has %d pixels", m.Rect.Dx())
	}
}

func must(t *testing.T, s *Sheet) *image.RGBA {
	t.Helper()
	m, err := s.Picture()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWriteFiles(t *testing.T) {
	dir := t.TempDir()
	f := flat(96, 96, 60, []float32{10, 20, 30, 40}, []float32{11, 22, 33, 44})
	f.ID = "1"
	face, sheet := filepath.Join(dir, "f.png"), filepath.Join(dir, "s.png")
	write := func(force bool) error {
		return errors.Join(WriteFace(face, force, &f, Style{}), (&Sheet{Faces: []Face{f, f}}).Write(sheet, force))
	}
	if err := write(false); err != nil {
		t.Fatal(err)
	}
	first := read(t, face) + read(t, sheet)
	if err := write(false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an existing file: %v, want fs.ErrExist", err)
	}
	if err := write(true); err != nil {
		t.Fatal(err)
	}
	if read(t, face)+read(t, sheet) != first {
		t.Error("the same face gave other bytes the second time")
	}
	m, err := png.Decode(strings.NewReader(read(t, face)))
	if err != nil {
		t.Fatal(err)
	}
	drawn := picture(t, f, Style{})
	for _, p := range []image.Point{{40, 80}, {3, 3}, {132, 176}, {200, 390}} {
		if got := color.RGBAModel.Convert(m.At(p.X, p.Y)); got != drawn.RGBAAt(p.X, p.Y) {
			t.Errorf("the file's pixel %v is %v, want %v", p, got, drawn.RGBAAt(p.X, p.Y))
		}
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

func BenchmarkFace(b *testing.B) {
	f := flat(96, 96, 60, make([]float32, 30), make([]float32, 30))
	for i := range f.Bytes {
		f.Bytes[i] = uint8(i * i >> 7)
	}
	for i := range f.Predicted {
		f.Predicted[i], f.True[i] = float32(10+i*5%70), float32(11+i*5%70)
	}
	path := filepath.Join(b.TempDir(), "f.png")
	for b.Loop() {
		if err := WriteFace(path, true, &f, Style{}); err != nil {
			b.Fatal(err)
		}
	}
}
