package chart

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

const mostTicks = 8 // with labels, on an axis

// step is the smallest of 1, 2 and 5 times a power of ten that makes at most mostTicks steps of a range.
func step(span float64) float64 {
	raw := span / mostTicks
	ten := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if m*ten >= raw*(1-1e-9) {
			return m * ten
		}
	}
	return 10 * ten
}

// epochTicks are whole numbers.
func epochTicks(low, high float64) []plot.Tick {
	d := max(1, step(high-low))
	return even(math.Ceil(low/d), math.Floor(high/d), d, func(v float64) string {
		if v < 0 { // an axis around a single epoch 0
			return ""
		}
		return strconv.FormatFloat(v, 'f', 0, 64)
	})
}

func linearTicks(low, high float64) []plot.Tick {
	d := step(high - low)
	if d == 0 || !finite(d) {
		return nil
	}
	return even(math.Ceil(low/d), math.Floor(high/d), d, func(v float64) string { return number(v, 6) })
}

func even(first, last, d float64, label func(float64) string) (ticks []plot.Tick) {
	for i := range int(min(last-first, 2*mostTicks)) + 1 {
		v := (first + float64(i)) * d
		ticks = append(ticks, plot.Tick{Value: v, Label: label(v)})
	}
	return ticks
}

// logTicks labels powers of ten (of a wide range: every second, third, ...), with their halves and fifths in between
// where the range is narrow, and even steps where it is narrower than a factor of three.
func logTicks(low, high float64) []plot.Tick {
	if high/low < 3 {
		return linearTicks(low, high)
	}
	first, last := int(math.Floor(math.Log10(low))), int(math.Ceil(math.Log10(high)))
	decades := math.Log10(high) - math.Log10(low)
	every := 1 + (last-first)/(mostTicks+1)
	var ticks []plot.Tick
	for e := first; e <= last; e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow10(e)
			if v < low*(1-1e-9) || v > high*(1+1e-9) || v == 0 || math.IsInf(v, 0) {
				continue
			}
			t := plot.Tick{Value: v}
			switch {
			case m == 1 && e%every == 0,
				decades < 3 && (m == 2 || m == 5),
				decades < 0.7 && (m == 3 || m == 4 || m == 7):
				t.Label = number(v, 6)
			case decades > 6:
				continue // no room for the small ones
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// number writes a value in at most some digits, without an exponent where a person would do without.
func number(v float64, digits int) string {
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e6) {
		s := strconv.FormatFloat(v, 'g', min(digits, 3), 64)
		s = strings.Replace(s, "e-0", "e-", 1)
		return strings.Replace(strings.Replace(s, "e+0", "e", 1), "e+", "e", 1)
	}
	return strconv.FormatFloat(round(v, digits), 'f', -1, 64)
}

func round(v float64, digits int) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	if err != nil {
		return v
	}
	return r
}
