package layers

import (
	"fmt"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// image is the network's input.
func (w *Writer) image(op lasagne.Input) (value, error) {
	in := blueprint.Input{Channels: 1}
	switch s := op.Shape; len(s) {
	case 3:
		in.Channels, in.Height, in.Width = s[0], s[1], s[2]
	case 2:
		in.Height, in.Width = s[0], s[1]
	case 1: // a square grey image's pixels
		side := int(math.Sqrt(float64(max(s[0], 0))))
		if side*side != s[0] {
			return value{}, fmt.Errorf("found an input of %d values, want an image, or the pixels of a square one", s[0])
		}
		in.Height, in.Width = side, side
	default:
		return value{}, fmt.Errorf("found an input of shape %v, want [channels, height, width] or [pixels]", s)
	}
	if in.Height < 1 || in.Width < 1 || in.Channels < 1 {
		return value{}, fmt.Errorf("found an input of shape %v, want lengths that are known", op.Shape)
	}
	if w.input.Height != 0 && w.input.Height*w.input.Width*w.input.Channels != in.Height*in.Width*in.Channels {
		return value{}, fmt.Errorf("found an input of shape %v after one of %dx%dx%d, want one size for all", op.Shape, w.input.Channels, w.input.Height, w.input.Width)
	}
	w.input = in
	v := value{layer: blueprint.InputName, shape: blueprint.Shape{in.Height, in.Width, in.Channels}, lasagne: op.Shape}
	if len(op.Shape) > 1 {
		return v, nil
	}
	return w.flatten(v)
}

// flatten gives the values as a vector.
func (w *Writer) flatten(in value) (value, error) {
	if len(in.shape) == 1 {
		return in, nil
	}
	out, err := w.add("flatten", "flatten", nil, nil, in)
	if err == nil {
		out.lasagne, out.order = []int{out.shape[0]}, order(in.shape)
	}
	return out, err
}

func (w *Writer) reshape(l *lasagne.Layer, op lasagne.Reshape, in value) (value, error) {
	shape, err := resolve(op.Shape, in.lasagne)
	switch {
	case err != nil:
		return value{}, err
	case slices.Equal(shape, in.lasagne):
		return in, nil
	case len(shape) == 1:
		out, err := w.flatten(in)
		return out, err
	case len(shape) != 3:
		return value{}, fmt.Errorf("found the new shape %v, want [values] or [channels, height, width]", shape)
	}
	image := blueprint.Shape{shape[1], shape[2], shape[0]}
	now := in.order
	if len(in.shape) == 3 {
		now = order(in.shape)
	}
	if !slices.Equal(now, order(image)) {
		return value{}, fmt.Errorf("found the new shape %v for values of the shape %v: that is another order of the values, which a blueprint can't say", shape, in.lasagne)
	}
	if slices.Equal(in.shape, image) {
		in.lasagne = shape
		return in, nil
	}
	return w.add(l.Name, "reshape", blueprint.Settings{"shape": []int(image)}, nil, in)
}

// resolve fills in what a reshape leaves open: see [lasagne.Reshape].
func resolve(wanted, from []int) ([]int, error) {
	total, known, open := 1, 1, -1
	for _, n := range from {
		total *= n
	}
	out := make([]int, len(wanted))
	for i, n := range wanted {
		if n <= -2 {
			axis := -2 - n - 1
			if axis < 0 || axis >= len(from) {
				return nil, fmt.Errorf("found the new shape %v for %v, want axes that it has", wanted, from)
			}
			n = from[axis]
		}
		if out[i] = n; n == -1 {
			open = i
			continue
		}
		if n < 1 || n > total {
			return nil, fmt.Errorf("found the new shape %v for %v, want as many values", wanted, from)
		}
		if known *= n; known > total {
			break
		}
	}
	if open >= 0 && total%known == 0 {
		out[open] = total / known
		known = total
	}
	if known != total {
		return nil, fmt.Errorf("found the new shape %v for %v, want as many values", wanted, from)
	}
	return out, nil
}
