package native

import (
	"fmt"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// inputTask puts images into a network, one a part.
type inputTask struct {
	pass                    *pass
	from                    int // the first image's row
	x                       []float32
	height, width, channels int
	scale                   func(x []float32)
}

// input emits the images' way in: taken from where they lie, mirrored and scaled.
func (b *builder) input() *tensor {
	in := b.plan.Document.Input
	scale, ok := scalings[in.Scaling]
	if !ok {
		panic(fmt.Errorf("scaling %s: %w", in.Scaling, device.ErrUnsupported))
	}
	t := &inputTask{pass: b.pass, height: in.Height, width: in.Width, channels: in.Channels, scale: scale}
	x := b.Rows(blueprint.Shape{in.Height, in.Width, in.Channels})
	b.Emit(instr{Uses: []*tensor{x}, Rowwise: true, Run: func(f *frame) {
		t.from, t.x = f.From, f.Of(x)
		f.Caller.Run(f.Rows, t)
		t.x = nil
	}})
	return x
}

// Do puts one image in.
func (t *inputTask) Do(part, _ int) {
	s := &t.pass.slice
	n := t.height * t.width * t.channels
	x, row := t.x[part*n:][:n], t.from+part
	if t.pass.images == nil {
		copy(x, s.Pixels[row*n:][:n])
	} else {
		at := int(s.Index[row]) * n
		if im := t.pass.images; len(im.Floats) > 0 {
			copy(x, im.Floats[at:][:n])
		} else {
			for i, v := range im.Bytes[at:][:n] {
				x[i] = float32(v)
			}
		}
		if s.Flips[row] == 1 {
			t.mirror(x)
		}
	}
	t.scale(x)
}

// mirror turns an image left to right.
func (t *inputTask) mirror(x []float32) {
	c := t.channels
	for y := range t.height {
		row := x[y*t.width*c:][:t.width*c]
		for i, k := 0, len(row)-c; i < k; i, k = i+c, k-c {
			for ch := range c {
				row[i+ch], row[k+ch] = row[k+ch], row[i+ch]
			}
		}
	}
}

// loss emits the loss's sum over the filled cells of the slice, their number, and the gradient of the loss, which is their mean over the
// whole batch, with respect to the answer.
func (b *builder) loss(y *tensor) *tensor {
	l := b.plan.Member.Recipe.Loss
	form, ok := losses[l.Kind]
	if !ok {
		panic(fmt.Errorf("loss %s: %w", l.Kind, device.ErrUnsupported))
	}
	delta, epsilon := device.LossWidths(l)
	columns, dy, pass := y.Row(), b.Rows(y.Shape()), b.pass
	b.Emit(instr{Uses: []*tensor{y, dy}, Run: func(f *frame) {
		share := 1 / float64(max(pass.slice.Cells, 1))
		answer, slope := f.Of(y), f.Of(dy)
		pass.loss, pass.cells = 0, 0
		for row := range f.Rows {
			labels := pass.labelsOf(row, 2*columns)
			for c := range columns {
				at := row*columns + c
				if slope[at] = 0; labels[columns+c] == 0 {
					continue
				}
				v, d := form(float64(answer[at]-labels[c]), delta, epsilon)
				pass.loss += v
				pass.cells++
				slope[at] = float32(d * share)
			}
		}
	}})
	return dy
}
