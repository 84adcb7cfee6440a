package chart

import (
	"bytes"
	"errors"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/draw/look"
)

func TestBars(t *testing.T) {
	b := Bars{Title: "error by column", Value: "pixels", Other: "mean face",
		Bars: []Bar{{"left_eye_center_x", 1, 4}, {"nose_tip_x", 2, math.NaN()}, {"none", math.NaN(), 3}}}
	dir := t.TempDir()
	for _, name := range []string{"a.svg", "a.png"} {
		if err := b.Write(filepath.Join(dir, name), false); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "a.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"error by column", "left_eye_center_x", "nose_tip_x", ">2<", "mean face"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("found no %q in the drawing", want)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	// A bar's length is its value's: the second has twice the first's pixels.
	count := map[int]int{}
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			r, g, bl, _ := m.At(x, y).RGBA()
			if r>>8 == uint32(look.Orange.R) && g>>8 == uint32(look.Orange.G) && bl>>8 == uint32(look.Orange.B) {
				count[(y*72/curvesDPI-54)/barRow]++
			}
		}
	}
	if r := float64(count[1]) / float64(count[0]); len(count) != 2 || math.Abs(r-2) > 0.1 {
		t.Errorf("found %v orange pixels by row, want twice as many in the second of two", count)
	}

	for _, bad := range []struct {
		bars []Bar
		path string
		want string
	}{{nil, "b.svg", "found 0"}, {[]Bar{{"a", -1, 0}}, "b.svg", "want a number of at least 0"}, {b.Bars, "b.pdf", "want svg or png"}} {
		if err := (&Bars{Bars: bad.bars}).Write(filepath.Join(dir, bad.path), false); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("found %v, want %s", err, bad.want)
		}
	}
	if err := (&Bars{}).Write("b.svg", false); !errors.Is(err, ErrEmpty) {
		t.Errorf("found %v, want ErrEmpty", err)
	}
}
