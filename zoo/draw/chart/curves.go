// Package chart draws learning curves and bars. It takes plain slices, and must not know data sets, networks, model files or
// how faces are drawn. The same input gives the same bytes on the same kind of machine.
package chart

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"strings"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	gfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/zoo/draw/look"
)

// ErrEmpty is what a picture of nothing matches.
var ErrEmpty = errors.New("nothing to draw")

// A Run is one training: a loss per epoch on the training rows, on the held out ones, or both.
type Run struct {
	Name string // in the legend; needed only where there are several

	// Epochs numbers the values; nil: 1, 2, 3, ... Increasing.
	Epochs []int
	// X stands in place of Epochs where what is below isn't an epoch. Increasing; above 0 for a logarithmic axis.
	X []float64
	// Train and Validation have a value for each epoch, or are nil. NaN and infinities leave a gap.
	Train, Validation []float64
}

// Curves are the learning curves of one or more runs: losses over epochs, on a logarithmic axis where all are above 0.
type Curves struct {
	Title string
	Runs  []Run
	YAxis string // what is measured; empty: "loss"
	XAxis string // what it is measured over; empty: "epoch"
	XLog  bool   // XAxis is logarithmic
	Marks bool   // a dot for each value, as where there are few

	// Series name what Train and Validation are, where that is something else.
	Series [2]string

	// Baseline draws a horizontal line, as for what the mean face's loss is; 0: none. BaselineName stands for it
	// in the legend; empty: "mean face".
	Baseline     float64
	BaselineName string
}

const (
	marginLeft   = vg.Length(14)
	marginRight  = vg.Length(18)
	curvesWidth  = 8 * vg.Inch
	curvesHeight = 5 * vg.Inch
	curvesDPI    = 144

	// The picture grows with the rows of its legend beyond these.
	legendRows = 3
	// Of more curves than these the legend names the first alone.
	maxLegend = 200
)

// Write writes the curves to a file, .svg or .png. Without force an existing file is refused.
func (c *Curves) Write(path string, force bool) error {
	return writePlot(path, force, c.encode)
}

// writePlot writes a drawing in the format that the path's end tells.
func writePlot(path string, force bool, encode func(format string) ([]byte, error)) error {
	b, err := encode(strings.ToLower(strings.TrimPrefix(filepath.Ext(path), ".")))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.Write(path, force, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// CheckPath says whether Write knows the file's kind, so that a training with a wrong name ends before it begins.
func (*Curves) CheckPath(path string) error {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".svg", ".png":
		return nil
	}
	return fmt.Errorf("%s: found a name ending in %q, want .svg or .png", path, filepath.Ext(path))
}

// Encode writes the curves in a format, "svg" or "png" (1152 x 720 pixels, higher
// where the legend is long).
func (c *Curves) Encode(w io.Writer, format string) error {
	b, err := c.encode(format)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func (c *Curves) encode(format string) ([]byte, error) {
	if format != "svg" && format != "png" {
		return nil, fmt.Errorf("learning curves: found the format %q, want svg or png", format)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	height := curvesHeight
	if _, legend := layLegend(curvesWidth-marginLeft-marginRight, c.legend()); legend > legendRows*legendRow {
		height += legend - legendRows*legendRow
	}
	return render(format, curvesWidth, height, c.draw)
}

// render draws as svg or png.
func render(format string, width, height vg.Length, draw func(vgdraw.Canvas)) ([]byte, error) {
	var b bytes.Buffer
	if format == "png" {
		canvas := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(curvesDPI))
		draw(vgdraw.New(canvas))
		_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(&b)
		return b.Bytes(), err
	}
	canvas := vgsvg.New(width, height)
	draw(vgdraw.New(canvas))
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	// Few systems have the Liberation fonts: name the like of them, and not a serif, as the next best.
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")), nil
}

func (c *Curves) check() error {
	any := false
	for i, r := range c.Runs {
		for _, s := range r.series() {
			if s.values == nil {
				continue
			}
			if r.X != nil && len(r.X) != len(s.values) {
				return fmt.Errorf("learning curves, run %d %q: found %d values of %s over %d of x, want as many", i+1, r.Name, len(s.values), s.name, len(r.X))
			}
			if r.Epochs != nil && len(r.Epochs) != len(s.values) {
				return fmt.Errorf("learning curves, run %d %q: found %d values of %s and %d epochs, want as many",
					i+1, r.Name, len(s.values), s.name, len(r.Epochs))
			}
			for _, v := range s.values {
				any = any || finite(v)
			}
		}
		for j, x := range r.X {
			if !finite(x) || j > 0 && x <= r.X[j-1] || c.XLog && x < 1e-100 {
				return fmt.Errorf("learning curves, run %d %q: found x %g in place %d, want increasing numbers, above 0 on a logarithmic axis", i+1, r.Name, x, j+1)
			}
		}
		for j := 1; j < len(r.Epochs); j++ {
			if r.Epochs[j] <= r.Epochs[j-1] {
				return fmt.Errorf("learning curves, run %d %q: found epoch %d after %d, want increasing ones",
					i+1, r.Name, r.Epochs[j], r.Epochs[j-1])
			}
		}
	}
	if !any {
		return fmt.Errorf("learning curves: found no finite value: %w", ErrEmpty)
	}
	return nil
}

type series struct {
	name   string
	values []float64
}

func (r *Run) series() [2]series {
	return [2]series{{"training", r.Train}, {"validation", r.Validation}}
}

func (r *Run) epoch(i int) float64 {
	switch {
	case r.X != nil:
		return r.X[i]
	case r.Epochs != nil:
		return float64(r.Epochs[i])
	}
	return float64(i + 1)
}

// finite says whether a value can be drawn; a training that diverged to 1e100 is as good as at infinity.
func finite(v float64) bool { return math.Abs(v) <= 1e100 }

// A curve is a series as it is drawn.
type curve struct {
	name  string
	style vgdraw.LineStyle
	parts [][]point // between gaps
	marks bool
}

type point struct{ x, y float64 }

func (r *Run) parts(values []float64) (parts [][]point) {
	gap := true
	for i, v := range values {
		if !finite(v) {
			gap = true
			continue
		}
		if gap {
			parts, gap = append(parts, nil), false
		}
		last := &parts[len(parts)-1]
		*last = append(*last, point{r.epoch(i), v})
	}
	return parts
}

// Okabe and Ito's colours, which the colour-blind tell apart, without the yellow.
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff},
	{0xcc, 0x79, 0xa7, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0xe6, 0x9f, 0x00, 0xff}, {0x4a, 0x4a, 0x4a, 0xff},
}

// curves lists what is drawn. One run has a colour for each of its two series; of several each has one colour,
// its training loss dashed.
func (c *Curves) curves() (list []curve) {
	for i, r := range c.Runs {
		for j, s := range r.series() {
			parts := r.parts(s.values)
			if parts == nil {
				continue
			}
			s.name = cmp.Or(c.Series[j], s.name)
			v := curve{name: s.name, parts: parts, marks: c.Marks, style: vgdraw.LineStyle{Width: vg.Points(1.8), Color: palette[j]}}
			if len(c.Runs) > 1 {
				v.style.Color = palette[i%len(palette)]
				if j == 0 {
					v.style.Width, v.style.Dashes = vg.Points(1.3), []vg.Length{vg.Points(4), vg.Points(3)}
				}
			}
			if r.Name != "" {
				v.name = r.Name + ", " + s.name
			} else if len(c.Runs) > 1 {
				v.name = fmt.Sprintf("%d, %s", i+1, s.name)
			}
			list = append(list, v)
		}
	}
	return list
}

// style is a text's style with a sans serif font.
func style(size float64, weight font.Weight, col color.Color) text.Style {
	return text.Style{
		Color:   col,
		Font:    gfont.Font{Typeface: "Liberation", Variant: "Sans", Weight: weight, Size: vg.Points(size)},
		Handler: plot.DefaultTextHandler,
	}
}

var (
	gridColor = color.RGBA{0xe4, 0xe6, 0xea, 0xff}
	axisColor = color.RGBA{0x9a, 0xa0, 0xa8, 0xff}
)

func (c *Curves) draw(full vgdraw.Canvas) {
	curves := c.curves()
	full.SetColor(look.Paper)
	full.Fill(full.Path())
	area := vgdraw.Crop(full, marginLeft, -marginRight, vg.Points(12), -vg.Points(14))

	if c.Title != "" {
		s := style(15, font.WeightBold, look.Ink)
		s.YAlign = vgdraw.YTop
		area.FillText(s, vg.Point{X: area.Min.X, Y: area.Max.Y}, plain(c.Title, s, area.Max.X-area.Min.X))
		area.Max.Y -= vg.Points(24)
	}
	area.Max.Y -= drawLegend(area, c.legend()) + vg.Points(10)
	// The axis is named above it, not up its side: easier to read, and there is room for a unit.
	s := style(10.5, font.WeightNormal, look.Faint)
	s.YAlign = vgdraw.YTop
	name := "loss"
	if c.YAxis != "" {
		name = c.YAxis
	}
	area.FillText(s, area.Min.Add(vg.Point{Y: area.Max.Y - area.Min.Y}), plain(name, s, area.Max.X-area.Min.X))
	area.Max.Y -= vg.Points(18)

	p := plot.New()
	p.BackgroundColor = nil
	c.axes(p, curves)
	p.Add(grid{})
	if c.hasBaseline() {
		p.Add(baseline(c.Baseline))
	}
	for _, v := range curves {
		p.Add(v)
	}
	p.Draw(area)
}

func (c *Curves) hasBaseline() bool { return c.Baseline >= 1e-100 && finite(c.Baseline) }

func (c *Curves) baselineName() string {
	if c.BaselineName == "" {
		return "mean face"
	}
	return c.BaselineName
}

// legend lists what the legend names.
func (c *Curves) legend() []curve {
	entries := c.curves()
	if more := len(entries) - maxLegend; more > 0 {
		entries = append(entries[:maxLegend:maxLegend], curve{name: fmt.Sprintf("and %d more", more)})
	}
	if c.hasBaseline() {
		entries = append(entries, curve{name: c.baselineName() + " " + number(c.Baseline, 4), style: baselineStyle})
	}
	return entries
}

// A legend's measures: a row's height, the line beside a name, and that with the space behind it.
const (
	legendRow    = vg.Length(17)
	legendSample = vg.Length(24)
	legendName   = legendSample + 6
)

func legendStyle() text.Style {
	s := style(11, font.WeightNormal, look.Ink)
	s.YAlign = vgdraw.YCenter
	return s
}

// layLegend shortens the entries' names to the width, says how far each lies to the right of the legend's upper
// left corner and below it, and how high all are.
func layLegend(width vg.Length, entries []curve) (at []vg.Point, height vg.Length) {
	s := legendStyle()
	x, y := vg.Length(0), legendRow/2
	for i := range entries {
		entries[i].name = plain(entries[i].name, s, width-legendName)
		w := legendName + s.Width(entries[i].name)
		if x > 0 && x+w > width {
			x, y = 0, y+legendRow
		}
		at = append(at, vg.Point{X: x, Y: y})
		x += w + vg.Points(24)
	}
	return at, y + legendRow/2
}

// drawLegend writes the entries from left to right at the area's top and returns the height they take.
func drawLegend(area vgdraw.Canvas, entries []curve) vg.Length {
	at, height := layLegend(area.Max.X-area.Min.X, entries)
	for i, v := range entries {
		x, y := area.Min.X+at[i].X, area.Max.Y-at[i].Y
		if v.style.Width > 0 {
			area.StrokeLine2(v.style, x, y, x+legendSample, y)
		}
		area.FillText(legendStyle(), vg.Point{X: x + legendName, Y: y + vg.Points(1)}, v.name)
	}
	return height
}

// axes sets ranges, ticks and labels.
func (c *Curves) axes(p *plot.Plot, curves []curve) {
	low, high := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, v := range curves {
		for _, part := range v.parts {
			for _, at := range part {
				low = point{min(low.x, at.x), min(low.y, at.y)}
				high = point{max(high.x, at.x), max(high.y, at.y)}
			}
		}
	}
	if c.hasBaseline() {
		low.y, high.y = min(low.y, c.Baseline), max(high.y, c.Baseline)
	}
	switch {
	case low.x == high.x && c.XLog:
		low.x, high.x = low.x/2, high.x*2
	case low.x == high.x:
		low.x, high.x = low.x-1, high.x+1
	}
	p.X.Min, p.X.Max = low.x, high.x
	p.X.Tick.Marker = plot.TickerFunc(epochTicks)
	p.X.Label.Text = cmp.Or(c.XAxis, "epoch")
	if c.XLog {
		p.X.Scale = logScale{}
		p.X.Tick.Marker = plot.TickerFunc(logTicks)
	}
	if low.y >= 1e-100 {
		// Room of 4 % at both ends, and no range narrower than a tenth.
		pad := math.Pow(high.y/low.y, 0.04)
		if high.y/low.y < 1.1 {
			pad = 1.05
		}
		p.Y.Min, p.Y.Max = low.y/pad, high.y*pad
		p.Y.Scale = logScale{}
		p.Y.Tick.Marker = plot.TickerFunc(logTicks)
	} else {
		pad := (high.y - low.y) * 0.04
		if pad < 1e-100 || pad < math.Abs(high.y)*1e-9 {
			pad = max(math.Abs(high.y)*0.05, 1e-3)
		}
		p.Y.Min, p.Y.Max = low.y-pad, high.y+pad
		p.Y.Tick.Marker = plot.TickerFunc(linearTicks)
	}
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color, a.Width, a.Padding = axisColor, vg.Points(0.8), 0
		a.Tick.Color, a.Tick.Width, a.Tick.Length = axisColor, vg.Points(0.8), vg.Points(4)
		rot, x, y := a.Tick.Label.Rotation, a.Tick.Label.XAlign, a.Tick.Label.YAlign
		a.Tick.Label = style(10.5, font.WeightNormal, look.Ink)
		a.Tick.Label.Rotation, a.Tick.Label.XAlign, a.Tick.Label.YAlign = rot, x, y
		a.Label.TextStyle.Font = style(12, font.WeightNormal, look.Ink).Font
		a.Label.TextStyle.Color = look.Ink
		a.Label.Padding = vg.Points(6)
	}
}

// logScale is plot.LogScale without its panic.
type logScale struct{}

func (logScale) Normalize(low, high, x float64) float64 {
	l := math.Log(low)
	return (math.Log(max(x, math.SmallestNonzeroFloat64)) - l) / (math.Log(high) - l)
}

// Plot draws a curve, and a dot for a value that stands alone.
func (v curve) Plot(c vgdraw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	c.SetLineStyle(v.style)
	for _, part := range v.parts {
		points := make([]vg.Point, len(part))
		for i, at := range part {
			points[i] = vg.Point{X: tx(at.x), Y: ty(at.y)}
		}
		points = thin(points)
		if v.marks || len(points) == 1 {
			for _, at := range points {
				c.DrawGlyphNoClip(vgdraw.GlyphStyle{Color: v.style.Color, Radius: vg.Points(3), Shape: vgdraw.CircleGlyph{}}, at)
			}
		}
		if len(points) > 1 {
			c.StrokeLines(v.style, points)
		}
	}
}

// thin leaves out what no eye sees: of the points in each twentieth of a millimetre across, the first, the lowest, the
// highest and the last stay. A training of 100,000 epochs makes no file of megabytes.
func thin(points []vg.Point) []vg.Point {
	const column = 0.15 // points, 1/72 inch
	var out []vg.Point
	for i := 0; i < len(points); {
		low, high, j := i, i, i
		for ; j < len(points) && points[j].X < points[i].X+column; j++ {
			if points[j].Y < points[low].Y {
				low = j
			}
			if points[j].Y > points[high].Y {
				high = j
			}
		}
		last := i - 1
		for _, k := range []int{i, min(low, high), max(low, high), j - 1} {
			if k > last {
				out, last = append(out, points[k]), k
			}
		}
		i = j
	}
	return out
}

// grid draws a line for each labelled tick.
type grid struct{}

func (grid) Plot(c vgdraw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	s := vgdraw.LineStyle{Color: gridColor, Width: vg.Points(0.7)}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if t.Label != "" {
			c.StrokeLine2(s, tx(t.Value), c.Min.Y, tx(t.Value), c.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if t.Label != "" {
			c.StrokeLine2(s, c.Min.X, ty(t.Value), c.Max.X, ty(t.Value))
		}
	}
}

// baseline draws a dotted line across.
type baseline float64

var baselineStyle = vgdraw.LineStyle{Color: look.Faint, Width: vg.Points(1.3), Dashes: []vg.Length{vg.Points(1.5), vg.Points(3)}}

func (b baseline) Plot(c vgdraw.Canvas, p *plot.Plot) {
	_, ty := p.Transforms(&c)
	c.StrokeLine2(baselineStyle, c.Min.X, ty(float64(b)), c.Max.X, ty(float64(b)))
}

// plain is a text on one line, without what has no picture, and short enough for its room.
func plain(s string, t text.Style, room vg.Length) string {
	s = look.Printable(s)
	for runes := []rune(s); len(runes) > 0 && t.Width(s) > room; {
		runes = runes[:len(runes)-1]
		s = string(runes) + "…"
	}
	return s
}
