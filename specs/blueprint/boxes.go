package blueprint

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Outputs are what an answer may be.
var Outputs = Table[Row]{
	{Name: "points", Help: "one value for each of the member's columns"},
	{Name: "boxes", Help: "a grid of cells over the image, each with a score and the box of a thing whose middle may be near: a layer of shape [rows, columns, 5]; the member's columns are NAME_x, NAME_y (the upper left corner), NAME_width and NAME_height of as many things as a row may have, empty where it has fewer"},
}

// A Box is where a thing is: its upper left corner and its size, in pixels.
type Box struct {
	X, Y, Width, Height float64
	Score               float64 // of an answer: 1 where the network is sure, 0 where nothing is
}

// boxValues are a cell's: score, x, y, width, height.
const boxValues = 5

// A Grid is the cells of an answer of boxes.
type Grid struct {
	Rows, Columns int
	CellY, CellX  float64 // a cell's height and width in pixels of the image
}

// Answers is the number of values in the answer to one image.
func (p *Plan) Answers() int { return int(p.Nodes[p.Output].Out.Size()) }

// Boxes tells whether the answer is boxes.
func (m *Member) Boxes() bool { return m.Output.Kind == "boxes" }

// Grid is that of a plan whose answer is boxes.
func (p *Plan) Grid() Grid {
	out, in := p.Nodes[p.Output].Out, p.Document.Input
	return Grid{out[0], out[1], float64(in.Height) / float64(out[0]), float64(in.Width) / float64(out[1])}
}

// Values is the number of values in an answer.
func (g Grid) Values() int { return g.Rows * g.Columns * boxValues }

// Sides compares the boxes of an answer with what is taught, in cells that have one: the sum of the squares of what their sides are off
// by, in pixels, the same for an answer of zeros, and how many sides there are.
func (g Grid) Sides(y, filled, found []float32) (squares, zero float64, sides int) {
	for at := 0; at < len(y); at += boxValues {
		if filled[at+1] == 0 {
			continue
		}
		cell := at / boxValues
		row, column := cell/g.Columns, cell%g.Columns
		box := func(v []float32) [4]float64 {
			b := g.box(row, column, v)
			return [4]float64{b.X, b.Y, b.X + b.Width, b.Y + b.Height}
		}
		truth, answer, nothing := box(y[at:]), box(found[at:]), box(make([]float32, boxValues))
		for i, v := range truth {
			squares += (answer[i] - v) * (answer[i] - v)
			zero += (nothing[i] - v) * (nothing[i] - v)
			sides++
		}
	}
	return squares, zero, sides
}

// typical is the side of a box of width and height 0 in an answer, in cells.
const typical = 4

// Targets writes what a network is taught of boxes: y of [rows, columns, 5], and 1 for each value that counts, else 0. A cell's score
// is exp(-d²/2s²), d being its middle's distance to that of the box for which this is most, and s the greater of half a cell and an
// eighth of the box's side; where it is at least a half, the box is told too: its middle from that of the cell, in cells, and the
// logarithms to base 2 of its width and height in four cells. The side is the root of width by height.
func (g Grid) Targets(boxes []Box, y, filled []float32) {
	for at, row := 0, 0; row < g.Rows; row++ {
		for column := range g.Columns {
			cell, told := y[at:at+boxValues], filled[at:at+boxValues]
			at += boxValues
			clear(cell)
			clear(told)
			told[0] = 1
			for i := range boxes {
				b := &boxes[i]
				dx := (b.X+b.Width/2)/g.CellX - float64(column) - 0.5
				dy := (b.Y+b.Height/2)/g.CellY - float64(row) - 0.5
				w, h := b.Width/g.CellX, b.Height/g.CellY
				s := max(0.5, math.Sqrt(w*h)/8)
				score := float32(math.Exp(-(float64(dx*dx) + float64(dy*dy)) / (2 * s * s)))
				if score <= cell[0] {
					continue
				}
				cell[0] = score
				if score < 0.5 {
					continue
				}
				cell[1], cell[2] = float32(dx), float32(dy)
				cell[3], cell[4] = float32(math.Log2(w/typical)), float32(math.Log2(h/typical))
				for k := range told {
					told[k] = 1
				}
			}
		}
	}
}

// Found are the boxes of an answer, as [Grid.Targets] has it, whose score is at least as much, best first: of those that overlap by
// more than a part of what both cover, the best.
func (g Grid) Found(y []float32, least, overlap float64) []Box {
	var all []Box
	for row := range g.Rows {
		for column := range g.Columns {
			cell := y[(row*g.Columns+column)*boxValues:][:boxValues]
			if score := float64(cell[0]); score >= least {
				if b := g.box(row, column, cell); b.X == b.X && b.Y == b.Y && b.Width == b.Width && b.Height == b.Height {
					all = append(all, b)
				}
			}
		}
	}
	return Distinct(all, overlap)
}

func (g Grid) box(row, column int, cell []float32) Box {
	b := Box{Score: min(float64(cell[0]), 1)}
	side := func(v float32) float64 { return typical * math.Exp2(min(max(float64(v), -16), 16)) }
	b.Width, b.Height = side(cell[3])*g.CellX, side(cell[4])*g.CellY
	b.X = (float64(column)+0.5+float64(cell[1]))*g.CellX - b.Width/2
	b.Y = (float64(row)+0.5+float64(cell[2]))*g.CellY - b.Height/2
	return b
}

// Distinct sorts boxes by score, and leaves out those that a better one overlaps by more than a part of what both cover.
func Distinct(all []Box, overlap float64) []Box {
	slices.SortStableFunc(all, func(a, b Box) int { return cmp.Compare(b.Score, a.Score) })
	var out []Box
	for _, b := range all {
		if !slices.ContainsFunc(out, func(better Box) bool { return b.Overlap(better) > overlap }) {
			out = append(out, b)
		}
	}
	return out
}

// Overlap is the part that two boxes share of what both cover, 0 to 1.
func (b Box) Overlap(o Box) float64 {
	w := min(b.X+b.Width, o.X+o.Width) - max(b.X, o.X)
	h := min(b.Y+b.Height, o.Y+o.Height) - max(b.Y, o.Y)
	if !(w > 0 && h > 0) {
		return 0
	}
	return w * h / (b.Width*b.Height + o.Width*o.Height - w*h)
}

// BoxesOf are the boxes of a row of cells, of columns as [Outputs] has them; those with an empty cell are left out.
func BoxesOf(row []float32) []Box {
	var out []Box
	for ; len(row) >= 4; row = row[4:] {
		b := Box{X: float64(row[0]), Y: float64(row[1]), Width: float64(row[2]), Height: float64(row[3])}
		if b.Width > 0 && b.Height > 0 && b.X == b.X && b.Y == b.Y {
			out = append(out, b)
		}
	}
	return out
}

// CheckBoxes refuses a row of cells in which a box has no size, or some of its cells are empty and others aren't: what it would teach isn't
// so.
func CheckBoxes(row []float32) error {
	for k := 0; k+4 <= len(row); k += 4 {
		box, empty := row[k:k+4], 0
		for _, v := range box {
			if v != v {
				empty++
			}
		}
		switch {
		case empty == 4:
		case empty > 0:
			return fmt.Errorf("box %d: found %d of its 4 cells empty, want all or none", k/4+1, empty)
		case !(box[2] > 0 && box[3] > 0):
			return fmt.Errorf("box %d: found a size of %gx%g, want more than 0", k/4+1, box[2], box[3])
		}
	}
	return nil
}

// boxColumns are the endings of four columns that tell a box.
var boxColumns = [4]string{"_x", "_y", "_width", "_height"}

// CheckBoxColumns refuses data's columns that don't tell boxes.
func CheckBoxColumns(columns []string) error {
	for i, c := range columns {
		name := strings.TrimSuffix(columns[i-i%4], boxColumns[0])
		if want := name + boxColumns[i%4]; c != want {
			return fmt.Errorf("columns: found %q, want %q: an answer of boxes has four for each, NAME_x, NAME_y, NAME_width, NAME_height, as scenes:1000 has", c, want)
		}
	}
	if len(columns)%4 != 0 {
		return fmt.Errorf("columns: found %d, want four for each box", len(columns))
	}
	return nil
}

// checkBoxes refuses what an answer of boxes can't have.
func (p *Plan) checkBoxes() error {
	node := &p.Nodes[p.Output]
	if out := node.Out; len(out) != 3 || out[2] != boxValues {
		return fmt.Errorf("layer %q (%s): found an output of shape %v, want [rows, columns, %d]: a score and a box for each cell of a grid", node.Layer.Name, node.Kind.Name, out, boxValues)
	}
	m := p.Member
	refused := map[string]bool{
		"output.scale": m.Output.Scale != 0, "output.offset": m.Output.Offset != 0, "output.shift": m.Output.Shift != nil,
		"output.flip_average": m.Output.FlipAverage, "output.uncertainty": m.Output.Uncertainty != nil, "recipe.calibrate": m.Recipe.Calibrate,
		"recipe.loss.rows of complete rows": m.Recipe.CompleteRows(),
	}
	if a := m.Recipe.Augment; a != nil {
		refused["recipe.augment.mirror"] = a.Mirror != nil
		refused["recipe.augment.shift"] = a.Shift != nil
		refused["recipe.augment.rotate"] = a.Rotate != nil
		refused["recipe.augment.scale"] = a.Scale != nil
	}
	for _, name := range sortedKeys(refused) {
		if refused[name] {
			return fmt.Errorf("%s: found it with an answer of boxes, want it for points only", name)
		}
	}
	return nil
}
