package main

import "math"

// val is a value of an operation: a vector of numbers, or of all ones and zeros where it is a condition's.
type val int

// role is what an operation does with a stream.
type role int

const (
	in      role = iota // read, row by row
	out                 // written, row by row
	inout               // read, then written
	channel             // one number for each channel, read once
	sum                 // one number for each channel, read once and written at the end
)

type stream struct {
	name string
	role role
}

// instr is one step of an operation: to = op(args), or what reads and writes stream n.
type instr struct {
	op   string
	args []val
	to   val
	n    int
	bits uint32 // of a literal
}

// body is an operation's steps, once for each vector of a row.
type body struct {
	streams []stream
	list    []instr
	count   int
	lits    map[uint32]val
	consts  map[int]val
	inputs  map[string]val
}

func newBody(o *operation) *body {
	b := &body{streams: o.streams, lits: map[uint32]val{}, consts: map[int]val{}, inputs: map[string]val{}}
	o.body(b)
	return b
}

func (b *body) emit(op string, n int, args ...val) val {
	v := val(b.count)
	b.count++
	b.list = append(b.list, instr{op: op, args: args, to: v, n: n})
	return v
}

func (b *body) stream(name string) int {
	for i, s := range b.streams {
		if s.name == name {
			return i
		}
	}
	panic("no stream " + name)
}

// in is a stream's value.
func (b *body) in(name string) val {
	v, ok := b.inputs[name]
	if !ok {
		i := b.stream(name)
		v = b.emit([]string{"load", "", "load", "channel", ""}[b.streams[i].role], i)
		b.inputs[name] = v
	}
	return v
}

func (b *body) out(name string, v val) { b.emit("store", b.stream(name), v) }

// accumulate changes a channel's number: to its sum with a, with a product, or to the larger.
func (b *body) accumulate(op, name string, args ...val) { b.emit(op, b.stream(name), args...) }

func (b *body) bits(bits uint32) val {
	v, ok := b.lits[bits]
	if !ok {
		v = b.emit("literal", 0)
		b.list[len(b.list)-1].bits = bits
		b.lits[bits] = v
	}
	return v
}

func (b *body) lit(x float64) val { return b.bits(math.Float32bits(float32(x))) }

// arg is a number that the caller gives.
func (b *body) arg(i int) val {
	v, ok := b.consts[i]
	if !ok {
		v = b.emit("const", i)
		b.consts[i] = v
	}
	return v
}

func (b *body) add(x, y val) val { return b.emit("add", 0, x, y) }
func (b *body) sub(x, y val) val { return b.emit("sub", 0, x, y) }
func (b *body) mul(x, y val) val { return b.emit("mul", 0, x, y) }
func (b *body) div(x, y val) val { return b.emit("div", 0, x, y) }

// fma is x*y + z, fnma z - x*y.
func (b *body) fma(x, y, z val) val  { return b.emit("fma", 0, x, y, z) }
func (b *body) fnma(x, y, z val) val { return b.emit("fnma", 0, x, y, z) }

// max and min give y where one of both isn't a number.
func (b *body) max(x, y val) val { return b.emit("max", 0, x, y) }
func (b *body) min(x, y val) val { return b.emit("min", 0, x, y) }

func (b *body) sqrt(x val) val  { return b.emit("sqrt", 0, x) }
func (b *body) round(x val) val { return b.emit("round", 0, x) }

// pow2 is 2 to the power of a whole number from -126 to 127.
func (b *body) pow2(x val) val { return b.emit("pow2", 0, x, b.bits(127)) }

func (b *body) greater(x, y val) val { return b.emit("greater", 0, x, y) }
func (b *body) equal(x, y val) val   { return b.emit("equal", 0, x, y) }

// keep is x where the condition holds, 0 elsewhere; choose is x or y.
func (b *body) keep(condition, x val) val      { return b.emit("keep", 0, condition, x) }
func (b *body) choose(condition, x, y val) val { return b.emit("choose", 0, condition, x, y) }

// poly is c[0] + c[1]*x + c[2]*x*x ...
func (b *body) poly(x val, c ...float64) val {
	v := b.lit(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		v = b.fma(v, x, b.lit(c[i]))
	}
	return v
}

// reduce writes x as n*ln 2 + r, |r| at most ln(2)/2, and gives n and e^r - 1. The polynomial for (e^r - 1 - r)/r^2 was fitted by
// least squares on Chebyshev's nodes: off by 4e-9 of e^r.
func (b *body) reduce(x val) (n, r1 val) {
	n = b.round(b.mul(x, b.lit(math.Log2E)))
	r := b.fnma(n, b.lit(0.693359375), x)
	r = b.fnma(n, b.lit(math.Ln2-0.693359375), r)
	q := b.poly(r, 0.5, 0.16666516661643982, 0.04166626185178757, 0.008369158953428268, 0.0013946457765996456)
	return n, b.fma(b.mul(r, r), q, r)
}

// exp is off by at most 2 units in the last place; what is beyond float32 becomes infinite, or 0.
func (b *body) exp(x val) val {
	n, r := b.reduce(b.max(b.lit(-104), b.min(b.lit(89), x)))
	half := b.round(b.mul(n, b.lit(0.5)))
	return b.mul(b.mul(b.add(r, b.lit(1)), b.pow2(half)), b.pow2(b.sub(n, half)))
}

// expm1 is e^x - 1 for x up to 0, off by at most 3 units in the last place.
func (b *body) expm1(x val) val {
	n, r := b.reduce(b.max(b.lit(-30), x))
	s := b.pow2(n)
	return b.fma(s, r, b.sub(s, b.lit(1)))
}

// odd is x*p(x^2)/q(x^2) for |x| up to the limit, beyond it what it is there; at most 1 in size. Both polynomials were fitted for
// the least relative error.
func (b *body) odd(x val, limit float64, p, q []float64) val {
	x = b.max(b.lit(-limit), b.min(b.lit(limit), x))
	z := b.mul(x, x)
	y := b.div(b.mul(x, b.poly(z, p...)), b.poly(z, q...))
	return b.max(b.lit(-1), b.min(b.lit(1), y))
}

// tanh is off by at most 4e-7 of its value.
func (b *body) tanh(x val) val {
	return b.odd(x, 9.02,
		[]float64{1, 0.1367991715669632, 0.0038683307357132435, 2.8007516448269598e-05, 3.0585152188677966e-08, -1.2203555006806699e-11},
		[]float64{1, 0.4701324999332428, 0.02724584937095642, 0.0003938636218663305, 1.287370537284005e-06})
}

// erf is off by at most 4e-7 of its value.
func (b *body) erf(x val) val {
	return b.odd(x, 3.93,
		[]float64{1.1283791065216064, 0.19078169763088226, 0.05279000103473663, 0.0037795158568769693, 0.0002848061849363148, 2.0419836346263764e-06},
		[]float64{1, 0.5024086236953735, 0.11425664275884628, 0.014997252263128757, 0.0011651894310489297, 3.800408012466505e-05})
}

// sigmoid is off by at most 4 units in the last place.
func (b *body) sigmoid(x val) val {
	return b.div(b.lit(1), b.add(b.lit(1), b.exp(b.sub(b.lit(0), x))))
}

// normal is the normal distribution's function.
func (b *body) normal(x val) val {
	return b.fma(b.erf(b.mul(x, b.lit(math.Sqrt2/2))), b.lit(0.5), b.lit(0.5))
}
