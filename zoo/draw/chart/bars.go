package chart

import (
	"fmt"

	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"github.com/fkzoo/fkzoo/zoo/draw/look"
)

// Bars is a value for each of some names, as horizontal bars in the order given, with a second value, as a line
// across each bar's row, to compare with.
type Bars struct {
	Title string
	Value string // what the bars are, with its unit
	Other string // what the lines are
	Bars  []Bar
}

// A Bar is one name's values, not negative. NaN: there is none.
type Bar struct {
	Name         string
	Value, Other float64
}

const barRow = 17 // points

// Write writes the bars to a file, .svg or .png. Without force an existing file is refused.
func (b *Bars) Write(path string, force bool) error { return writePlot(path, force, b.encode) }

func (b *Bars) encode(format string) ([]byte, error) {
	if format != "svg" && format != "png" {
		return nil, fmt.Errorf("bars: found the format %q, want svg or png", format)
	}
	if n := len(b.Bars); n == 0 || n > 1000 {
		return nil, fmt.Errorf("bars: found %d, want 1 to 1000: %w", n, ErrEmpty)
	}
	for _, bar := range b.Bars {
		for _, v := range []float64{bar.Value, bar.Other} {
			if v < 0 || v == v && !finite(v) {
				return nil, fmt.Errorf("bar %q: found %g, want a number of at least 0", bar.Name, v)
			}
		}
	}
	return render(format, curvesWidth, vg.Points(float64(70+barRow*len(b.Bars))), b.draw)
}

func (b *Bars) draw(full vgdraw.Canvas) {
	full.SetColor(look.Paper)
	full.Fill(full.Path())
	area := vgdraw.Crop(full, vg.Points(14), -vg.Points(18), vg.Points(12), -vg.Points(12))
	title := style(15, 0, look.Ink)
	title.YAlign = vgdraw.YTop
	area.FillText(title, vg.Point{X: area.Min.X, Y: area.Max.Y}, plain(b.Title, title, area.Max.X-area.Min.X))
	area.Max.Y -= vg.Points(22)
	note := style(10.5, 0, look.Faint)
	note.YAlign = vgdraw.YTop
	legend := b.Value
	if b.Other != "" {
		legend += "; line: " + b.Other
	}
	area.FillText(note, vg.Point{X: area.Min.X, Y: area.Max.Y}, plain(legend, note, area.Max.X-area.Min.X))
	area.Max.Y -= vg.Points(20)

	name := style(10.5, 0, look.Ink)
	name.YAlign = vgdraw.YCenter
	var widest vg.Length
	most := 0.0
	for _, bar := range b.Bars {
		widest = max(widest, name.Width(plain(bar.Name, name, vg.Points(220))))
		for _, v := range []float64{bar.Value, bar.Other} {
			if v > most { // not: NaN
				most = v
			}
		}
	}
	left, room := area.Min.X+widest+vg.Points(8), area.Max.X-vg.Points(38)
	at := func(v float64) vg.Length {
		if most == 0 {
			return left
		}
		return left + (room-left)*vg.Length(v/most)
	}
	for i, bar := range b.Bars {
		y := area.Max.Y - vg.Points(barRow*(float64(i)+0.5))
		area.FillText(name, vg.Point{X: area.Min.X, Y: y}, plain(bar.Name, name, vg.Points(220)))
		const half = 5
		if bar.Value == bar.Value {
			x := at(bar.Value)
			area.FillPolygon(look.Orange, []vg.Point{{X: left, Y: y - half}, {X: x, Y: y - half}, {X: x, Y: y + half}, {X: left, Y: y + half}})
			area.FillText(name, vg.Point{X: x + vg.Points(5), Y: y}, number(bar.Value, 3))
		}
		if bar.Other == bar.Other && b.Other != "" {
			x := at(bar.Other)
			area.StrokeLine2(vgdraw.LineStyle{Color: axisColor, Width: vg.Points(2)}, x, y-half-1, x, y+half+1)
		}
	}
}
