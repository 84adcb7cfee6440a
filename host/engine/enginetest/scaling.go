package enginetest

import "math"

// scalingCases are the blueprint's formulas written down again, for one image.
var scalingCases = map[string]func(x []float64){
	"":     func(x []float64) { each(x, func(v float64) float64 { return v / 255 }) },
	"unit": func(x []float64) { each(x, func(v float64) float64 { return v / 255 }) },
	"raw":  func([]float64) {},
	"standardize": func(x []float64) {
		var sum, squares float64
		for _, v := range x {
			sum += v / 255
		}
		mean := sum / float64(len(x))
		for _, v := range x {
			squares += (v/255 - mean) * (v/255 - mean)
		}
		deviation := max(math.Sqrt(squares/float64(len(x))), 1.0/255)
		each(x, func(v float64) float64 { return (v/255 - mean) / deviation })
	},
}

func each(x []float64, f func(float64) float64) {
	for i, v := range x {
		x[i] = f(v)
	}
}

// Scaled is an image as a scaling makes it, by the blueprint's formula written down again; nil: there is none of that name.
func Scaled(name string, image []float32) []float64 {
	scale := scalingCases[name]
	if scale == nil {
		return nil
	}
	values := make([]float64, len(image))
	for i, v := range image {
		values[i] = float64(v)
	}
	scale(values)
	return values
}
