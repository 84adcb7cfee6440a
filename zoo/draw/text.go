package draw

import (
	"image"
	"image/color"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/fkzoo/fkzoo/zoo/draw/look"
)

const (
	captionHeight = 22
	captionBase   = 15 // from the line's top to the letters' base
)

// A typeface is a font at a size in pixels. A font.Face is not for many goroutines at once, so each draws alone.
type typeface struct {
	mu   sync.Mutex
	open func() font.Face
}

func newTypeface(ttf []byte, size float64) *typeface {
	return &typeface{open: sync.OnceValue(func() font.Face {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic(err) // a font that is compiled in
		}
		face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			panic(err)
		}
		return face
	})}
}

var (
	captionFont = newTypeface(goregular.TTF, 13)
	titleFont   = newTypeface(gobold.TTF, 18)
	legendFont  = newTypeface(goregular.TTF, 14)
)

// text writes s with its base line at y and its left end at x.
func (c *canvas) text(x, y int, s string, t *typeface, col color.Color) {
	if s == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	d := font.Drawer{Dst: c.RGBA, Src: image.NewUniform(col), Face: t.open(), Dot: fixed.P(x, y)}
	d.DrawString(look.Printable(s))
}

// width is how many pixels s takes.
func width(s string, t *typeface) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return font.MeasureString(t.open(), look.Printable(s)).Ceil()
}

// clip shortens s to a width. A path keeps its end, which tells it from others; the gap is three dots.
func clip(s string, t *typeface, room int) string {
	s = look.Printable(s)
	if width(s, t) <= room {
		return s
	}
	runes := []rune(s)
	// The longest end that fits, by halving: a name may be long.
	low, high := 0, min(len(runes), max(room, 0))
	for low < high {
		mid := (low + high + 1) / 2
		if width("…"+string(runes[len(runes)-mid:]), t) <= room {
			low = mid
		} else {
			high = mid - 1
		}
	}
	if low == 0 {
		return ""
	}
	return "…" + string(runes[len(runes)-low:])
}
