package tensor

import "math"

// Float gives the value of a floating-point element from its bits; NaN for a type that is no float. The small types are
// those of IEEE 754 (float16), the upper half of a float32 (bfloat16), and of «FP8 Formats for Deep Learning»
// (arXiv 2209.05433), Table 1: E5M2 like IEEE 754, E4M3 without infinities and with one NaN of each sign.
func Float(t DType, bits uint64) float64 {
	switch t {
	case Float64:
		return math.Float64frombits(bits)
	case Float32:
		return float64(math.Float32frombits(uint32(bits)))
	case BFloat16:
		return float64(math.Float32frombits(uint32(bits) << 16))
	case Float16:
		return small(bits, 5, 10, true)
	case Float8E5M2:
		return small(bits, 5, 2, true)
	case Float8E4M3:
		return small(bits, 4, 3, false)
	}
	return math.NaN()
}

// small decodes a float with so many bits of exponent and mantissa, with IEEE 754's infinities and NaNs or with neither
// infinities nor any NaN but all ones.
func small(bits uint64, exponent, mantissa int, ieee bool) float64 {
	m := bits & (1<<mantissa - 1)
	e := int(bits >> mantissa & (1<<exponent - 1))
	bias, top := 1<<(exponent-1)-1, 1<<exponent-1
	var v float64
	switch {
	case e == top && (ieee && m != 0 || !ieee && m == 1<<mantissa-1):
		return math.NaN()
	case e == top && ieee:
		v = math.Inf(1)
	case e == 0:
		v = math.Ldexp(float64(m), 1-bias-mantissa)
	default:
		v = math.Ldexp(float64(m|1<<mantissa), e-bias-mantissa)
	}
	if bits>>(exponent+mantissa)&1 == 1 {
		v = -v
	}
	return v
}
