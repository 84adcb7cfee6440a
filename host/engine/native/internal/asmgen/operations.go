package main

import "math"

// operation is one of those along channels.
type operation struct {
	name    string
	doc     string
	streams []stream
	body    func(b *body)
}

func streams(list ...any) []stream {
	var out []stream
	r := in
	for _, x := range list {
		switch x := x.(type) {
		case role:
			r = x
		case string:
			out = append(out, stream{x, r})
		}
	}
	return out
}

// one is an operation of one input and one output.
func one(name, doc string, f func(b *body, x val) val) operation {
	return operation{name, doc, streams(out, "y", in, "x"), func(b *body) { b.out("y", f(b, b.in("x"))) }}
}

// back is an operation that gives an activation's gradient from what it knows, x or y, and dy.
func back(name, doc, known string, f func(b *body, v, dy val) val) operation {
	return operation{name, doc, streams(out, "dx", in, known, "dy"), func(b *body) { b.out("dx", f(b, b.in(known), b.in("dy"))) }}
}

var operations = []operation{
	one("Move", "y = x", func(_ *body, x val) val { return x }),
	one("Scale", "y = x * c0", func(b *body, x val) val { return b.mul(x, b.arg(0)) }),
	one("Shift", "y = x * c0 + c1", func(b *body, x val) val { return b.fma(x, b.arg(0), b.arg(1)) }),
	{"Add", "y = a + b", streams(out, "y", in, "a", "b"), func(b *body) { b.out("y", b.add(b.in("a"), b.in("b"))) }},
	{"AddRelu", "y = max(a + b, 0)", streams(out, "y", in, "a", "b"), func(b *body) { b.out("y", b.max(b.lit(0), b.add(b.in("a"), b.in("b")))) }},
	{"Mul", "y = a * b", streams(out, "y", in, "a", "b"), func(b *body) { b.out("y", b.mul(b.in("a"), b.in("b"))) }},
	{"AddTo", "y += x", streams(inout, "y", in, "x"), func(b *body) { b.out("y", b.add(b.in("y"), b.in("x"))) }},
	{"AddScaled", "y += x * c0", streams(inout, "y", in, "x"), func(b *body) { b.out("y", b.fma(b.in("x"), b.arg(0), b.in("y"))) }},
	{"AddScaled6", "y += x0*c0 + x1*c1 ... x5*c5", streams(inout, "y", in, "x0", "x1", "x2", "x3", "x4", "x5"), func(b *body) {
		y := b.in("y")
		for i, x := range []string{"x0", "x1", "x2", "x3", "x4", "x5"} {
			y = b.fma(b.in(x), b.arg(i), y)
		}
		b.out("y", y)
	}},
	{"AddProduct", "y += a * b", streams(inout, "y", in, "a", "b"), func(b *body) { b.out("y", b.fma(b.in("a"), b.in("b"), b.in("y"))) }},
	{"Blend", "y = y*c0 + x*c1", streams(inout, "y", in, "x"), func(b *body) {
		b.out("y", b.fma(b.in("x"), b.arg(1), b.mul(b.in("y"), b.arg(0))))
	}},
	{"Max", "y = the larger of y and x, y where they are equal", streams(inout, "y", in, "x"), func(b *body) {
		b.out("y", b.max(b.in("x"), b.in("y")))
	}},
	{"Max4", "y = the largest of four", streams(out, "y", in, "a", "b", "c", "d"), func(b *body) {
		b.out("y", b.max(b.max(b.in("d"), b.in("c")), b.max(b.in("b"), b.in("a"))))
	}},
	{"MaxBackFirst", "where x == y, dx = dy and rest = 0; elsewhere dx = 0 and rest = dy",
		streams(out, "dx", "rest", in, "x", "y", "dy"), func(b *body) {
			d := b.keep(b.equal(b.in("x"), b.in("y")), b.in("dy"))
			b.out("dx", d)
			b.out("rest", b.sub(b.in("dy"), d))
		}},
	{"MaxBackNext", "where x == y, dx = rest and rest = 0; elsewhere dx = 0",
		streams(out, "dx", inout, "rest", in, "x", "y"), func(b *body) {
			d := b.keep(b.equal(b.in("x"), b.in("y")), b.in("rest"))
			b.out("dx", d)
			b.out("rest", b.sub(b.in("rest"), d))
		}},
	{"MaxBack4", "of a, b, c and d the first that is y becomes dy, the others 0", streams(inout, "a", "b", "c", "d", in, "y", "dy"), func(b *body) {
		rest := b.in("dy")
		for i, x := range []string{"a", "b", "c", "d"} {
			d := b.keep(b.equal(b.in(x), b.in("y")), rest)
			b.out(x, d)
			if i < 3 {
				rest = b.sub(rest, d)
			}
		}
	}},
	{"MaxBackAdd", "where x == y, dx += rest and rest = 0",
		streams(inout, "dx", "rest", in, "x", "y"), func(b *body) {
			d := b.keep(b.equal(b.in("x"), b.in("y")), b.in("rest"))
			b.out("dx", b.add(b.in("dx"), d))
			b.out("rest", b.sub(b.in("rest"), d))
		}},

	one("Relu", "y = max(x, 0)", func(b *body, x val) val { return b.max(b.lit(0), x) }),
	back("ReluBack", "dx = dy where y > 0", "y", func(b *body, y, dy val) val { return b.keep(b.greater(y, b.lit(0)), dy) }),
	one("LeakyRelu", "y = x, below 0: c0 * x", func(b *body, x val) val {
		return b.add(b.max(b.lit(0), x), b.mul(b.min(b.lit(0), x), b.arg(0)))
	}),
	back("LeakyReluBack", "dx = dy, where x isn't above 0: c0 * dy", "x", func(b *body, x, dy val) val {
		return b.choose(b.greater(x, b.lit(0)), dy, b.mul(dy, b.arg(0)))
	}),
	one("Exp", "y = e^x, off by at most 2 units in the last place", func(b *body, x val) val { return b.exp(x) }),
	one("Tanh", "y = tanh x, off by at most 4e-7 of its value", func(b *body, x val) val { return b.tanh(x) }),
	back("TanhBack", "dx = dy * (1 - y*y)", "y", func(b *body, y, dy val) val { return b.mul(dy, b.fnma(y, y, b.lit(1))) }),
	one("Sigmoid", "y = 1 / (1 + e^-x), off by at most 4 units in the last place", func(b *body, x val) val { return b.sigmoid(x) }),
	back("SigmoidBack", "dx = dy * y * (1 - y)", "y", func(b *body, y, dy val) val { return b.mul(dy, b.mul(y, b.sub(b.lit(1), y))) }),
	one("Elu", "y = x, below 0: e^x - 1", func(b *body, x val) val {
		return b.add(b.max(b.lit(0), x), b.expm1(b.min(b.lit(0), x)))
	}),
	back("EluBack", "dx = dy, where y isn't above 0: dy * (y + 1)", "y", func(b *body, y, dy val) val {
		return b.choose(b.greater(y, b.lit(0)), dy, b.fma(dy, y, dy))
	}),
	one("Silu", "y = x / (1 + e^-x)", func(b *body, x val) val { return b.mul(x, b.sigmoid(x)) }),
	back("SiluBack", "dx = dy * s * (1 + x*(1 - s)), s = 1 / (1 + e^-x)", "x", func(b *body, x, dy val) val {
		s := b.sigmoid(x)
		return b.mul(dy, b.mul(s, b.fma(x, b.sub(b.lit(1), s), b.lit(1))))
	}),
	one("Gelu", "y = x * (1 + erf(x / sqrt 2)) / 2, erf off by at most 4e-7 of its value", func(b *body, x val) val {
		return b.mul(x, b.normal(x))
	}),
	back("GeluBack", "dx = dy * (the normal distribution's function + x * its density)", "x", func(b *body, x, dy val) val {
		density := b.mul(b.exp(b.mul(b.mul(x, x), b.lit(-0.5))), b.lit(1/math.Sqrt(2*math.Pi)))
		return b.mul(dy, b.fma(x, density, b.normal(x)))
	}),

	{"Affine", "y = x * scale + offset", streams(out, "y", in, "x", channel, "scale", "offset"), func(b *body) {
		b.out("y", b.fma(b.in("x"), b.in("scale"), b.in("offset")))
	}},
	{"AffineRelu", "y = max(x * scale + offset, 0)", streams(out, "y", in, "x", channel, "scale", "offset"), func(b *body) {
		b.out("y", b.max(b.lit(0), b.fma(b.in("x"), b.in("scale"), b.in("offset"))))
	}},
	{"AddChannels", "y = x + offset", streams(out, "y", in, "x", channel, "offset"), func(b *body) { b.out("y", b.add(b.in("x"), b.in("offset"))) }},
	{"MulChannels", "y = x * scale", streams(out, "y", in, "x", channel, "scale"), func(b *body) { b.out("y", b.mul(b.in("x"), b.in("scale"))) }},
	{"AddWeighted", "y += x * w", streams(inout, "y", in, "x", channel, "w"), func(b *body) {
		b.out("y", b.fma(b.in("x"), b.in("w"), b.in("y")))
	}},
	{"Affine2", "y = a*s + b*t + offset", streams(out, "y", in, "a", "b", channel, "s", "t", "offset"), func(b *body) {
		b.out("y", b.fma(b.in("a"), b.in("s"), b.fma(b.in("b"), b.in("t"), b.in("offset"))))
	}},
	{"Affine2Relu", "y = d*s + b*t + shift, where d is a where b*scale + offset > 0", streams(out, "y", in, "a", "b", channel, "scale", "offset", "s", "t", "shift"), func(b *body) {
		x := b.in("b")
		d := b.keep(b.greater(b.fma(x, b.in("scale"), b.in("offset")), b.lit(0)), b.in("a"))
		b.out("y", b.fma(d, b.in("s"), b.fma(x, b.in("t"), b.in("shift"))))
	}},
	{"AffineRow", "y = (x*c0 + c1) * scale + offset, row by row", streams(out, "y", in, "x", "scale", "offset"), func(b *body) {
		b.out("y", b.fma(b.fma(b.in("x"), b.arg(0), b.arg(1)), b.in("scale"), b.in("offset")))
	}},
	{"Sum", "sum += x", streams(in, "x", sum, "sum"), func(b *body) { b.accumulate("sum", "sum", b.in("x")) }},
	{"Largest", "top = the larger of top and x", streams(in, "x", sum, "top"), func(b *body) { b.accumulate("top", "top", b.in("x")) }},
	{"Dot2", "sx += e * x and sy += e * y", streams(in, "e", "x", "y", sum, "sx", "sy"), func(b *body) {
		b.accumulate("dot", "sx", b.in("e"), b.in("x"))
		b.accumulate("dot", "sy", b.in("e"), b.in("y"))
	}},
	{"ExpSum", "e = e^((x - top)*c0), and sum += e", streams(out, "e", in, "x", channel, "top", sum, "sum"), func(b *body) {
		e := b.exp(b.mul(b.sub(b.in("x"), b.in("top")), b.arg(0)))
		b.out("e", e)
		b.accumulate("sum", "sum", e)
	}},
	{"SoftBack", "dx = e^((v - top)*c0) * (x*gx + y*gy + shift)", streams(out, "dx", in, "v", "x", "y", channel, "top", "gx", "gy", "shift"), func(b *body) {
		e := b.exp(b.mul(b.sub(b.in("v"), b.in("top")), b.arg(0)))
		b.out("dx", b.mul(e, b.fma(b.in("x"), b.in("gx"), b.fma(b.in("y"), b.in("gy"), b.in("shift")))))
	}},
	{"Dot", "sum += a * b", streams(in, "a", "b", sum, "sum"), func(b *body) { b.accumulate("dot", "sum", b.in("a"), b.in("b")) }},
	{"Moments", "sum += x - from and squares += (x - from)^2", streams(in, "x", channel, "from", sum, "sum", "squares"), func(b *body) {
		d := b.sub(b.in("x"), b.in("from"))
		b.accumulate("sum", "sum", d)
		b.accumulate("dot", "squares", d, d)
	}},
	{"SpreadFrom", "sum += (x - c0)^2", streams(in, "x", sum, "sum"), func(b *body) {
		d := b.sub(b.in("x"), b.arg(0))
		b.accumulate("dot", "sum", d, d)
	}},
	{"NormSums", "sum += dy and dot += dy * (x - mean)", streams(in, "x", "dy", channel, "mean", sum, "sum", "dot"), func(b *body) {
		b.accumulate("sum", "sum", b.in("dy"))
		b.accumulate("dot", "dot", b.in("dy"), b.sub(b.in("x"), b.in("mean")))
	}},
	{"NormSumsRelu", "of d, which is dy where x*scale + offset > 0: sum += d and dot += d * (x - mean)", streams(in, "x", "dy", channel, "scale", "offset", "mean", sum, "sum", "dot"), func(b *body) {
		x := b.in("x")
		d := b.keep(b.greater(b.fma(x, b.in("scale"), b.in("offset")), b.lit(0)), b.in("dy"))
		b.accumulate("sum", "sum", d)
		b.accumulate("dot", "dot", d, b.sub(x, b.in("mean")))
	}},

	{"Momentum", "v = v*c0 - g*c1, w += v", streams(inout, "w", "v", in, "g"), func(b *body) {
		v := b.fnma(b.in("g"), b.arg(1), b.mul(b.in("v"), b.arg(0)))
		b.out("v", v)
		b.out("w", b.add(b.in("w"), v))
	}},
	{"Nesterov", "v = v*c0 - g*c1, w += v*c0 - g*c1", streams(inout, "w", "v", in, "g"), func(b *body) {
		step := b.mul(b.in("g"), b.arg(1))
		v := b.sub(b.mul(b.in("v"), b.arg(0)), step)
		b.out("v", v)
		b.out("w", b.add(b.in("w"), b.sub(b.mul(v, b.arg(0)), step)))
	}},
	{"Adam", "m = m*c0 + g*c1, v = v*c2 + g*g*c3, w = w - w*c7 - m*c4/(sqrt(v*c5) + c6)", streams(inout, "w", "m", "v", in, "g"), func(b *body) {
		g := b.in("g")
		m := b.fma(g, b.arg(1), b.mul(b.in("m"), b.arg(0)))
		v := b.fma(b.mul(g, g), b.arg(3), b.mul(b.in("v"), b.arg(2)))
		b.out("m", m)
		b.out("v", v)
		step := b.div(b.mul(m, b.arg(4)), b.add(b.sqrt(b.mul(v, b.arg(5))), b.arg(6)))
		b.out("w", b.sub(b.fnma(b.in("w"), b.arg(7), b.in("w")), step))
	}},
}
