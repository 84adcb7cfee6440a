package layers

import (
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/format/legacy/ndarray"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Float32 gives an array's values as a model has them, and what that did to them.
func Float32(a *ndarray.Array) (values []float32, change string) {
	values, exact := a.Float32()
	if !exact {
		change = "rounded from " + a.Type + " to float32"
	}
	return values, change
}

// floats takes an array's values in the order of a view of it.
func floats(name string, from lasagne.Param, view *ndarray.Array, change string) tensor {
	values, rounded := Float32(view)
	if rounded != "" {
		change = strings.TrimPrefix(change+", "+rounded, ", ")
	}
	return tensor{name, from, change, values, view.Shape}
}

// filters gives a convolution's: [filters, in, height, width] to [height,
// width, in, filters], turned round where Lasagne convolves.
func filters(w lasagne.Param, flip bool) tensor {
	view, change := w.Array.Transpose(2, 3, 1, 0), "axes to [height, width, in, out]"
	if flip {
		view, change = view.Flip(0).Flip(1), change+", filters turned round"
	}
	return floats("weights", w, view, change)
}

// bias gives a bias, an untied one [filters, height, width] as [height, width, filters].
func bias(b *lasagne.Param) tensor {
	if len(b.Array.Shape) == 3 {
		return floats("bias", *b, b.Array.Transpose(1, 2, 0), "axes to [height, width, out]")
	}
	return floats("bias", *b, b.Array, "")
}

// order says which number of a flattened [channels, height, width] each number
// of a flattened [height, width, channels] is; nil where they are the same.
func order(s blueprint.Shape) []int {
	h, wide, c := s[0], s[1], s[2]
	if c == 1 || h*wide == 1 {
		return nil
	}
	out := make([]int, 0, h*wide*c)
	for at := range h * wide {
		for channel := range c {
			out = append(out, channel*h*wide+at)
		}
	}
	return out
}

// rows gives the rows in another order.
func rows(values []float32, order []int) []float32 {
	n := len(values) / len(order)
	out := make([]float32, 0, len(values))
	for _, from := range order {
		out = append(out, values[from*n:(from+1)*n]...)
	}
	return out
}
