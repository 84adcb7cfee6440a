package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

const canary = 12345.678

// columnsCase is an operation's memory, of so many rows and channels, with canaries between rows and behind.
type columnsCase struct {
	Columns
	memory [8][]float32
}

func newColumnsCase(op Op, rows, channels int, random *rand.Rand) *columnsCase {
	c := &columnsCase{}
	c.Rows = rows
	consts := [8]float32{0.5, 0.25, 0.75, 0.125, 0.3, 1.5, 0.01, 0.1}
	c.Consts = &consts
	for i := range opStreams[op].all {
		stride := channels + random.IntN(5)
		n := rows
		if i >= opStreams[op].rows {
			n = 1
		}
		off := random.IntN(4)
		m := make([]float32, off+n*stride+32)
		for k := range m {
			m[k] = canary
		}
		for r := range n {
			for k := range channels {
				m[off+r*stride+k] = float32(random.IntN(5)) - 2 + random.Float32()*float32(random.IntN(2))
			}
		}
		if op == OpAdam && i == 2 { // squares
			for k := range m {
				m[k] = float32(math.Abs(float64(m[k])))
			}
		}
		c.memory[i] = m
		c.Ptr[i], c.Stride[i] = unsafe.Pointer(&m[off]), 4*stride
	}
	return c
}

func (c *columnsCase) clone() *columnsCase {
	d := *c
	for i, m := range c.memory {
		if m == nil {
			continue
		}
		d.memory[i] = append([]float32(nil), m...)
		at := (uintptr(c.Ptr[i]) - uintptr(unsafe.Pointer(&m[0]))) / 4
		d.Ptr[i] = unsafe.Pointer(&d.memory[i][at])
	}
	return &d
}

// Every operation gives with each set, over odd sizes, strides and alignments, what it gives in plain Go, and writes nothing else: the
// canaries in the memory are compared too.
func TestColumns(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, set := range Sets() {
		for op := range opCount {
			bound := 2e-6
			if op == OpSum || op == OpDot || op == OpMoments || op == OpNormSumsRelu || op == OpDot2 || op == OpExpSum || op == OpSpreadFrom || op == OpNormSums {
				bound = 1e-4 // in another order
			}
			for _, size := range [][2]int{{1, 1}, {3, 7}, {1, 16}, {5, 32}, {2, 47}, {9, 64}, {4, 129}, {700, 47}} {
				c := newColumnsCase(op, size[0], size[1], random)
				want := c.clone()
				columnsPlain(op, &want.Columns, 0, size[1])
				set.Columns(op, size[1], &c.Columns)
				c.compare(t, fmt.Sprintf("%s, operation %d, %d rows of %d", set.Name, op, size[0], size[1]), want, bound)
			}
			if opStreams[op].rows < opStreams[op].all {
				continue
			}
			for _, n := range []int{1, 15, 16, 100, 1000, 2*numbersOnce + 21} {
				c := newColumnsCase(op, 1, n, random)
				want := c.clone()
				columnsPlain(op, &want.Columns, 0, n)
				set.Flat(op, n, &c.Columns)
				c.compare(t, fmt.Sprintf("%s, operation %d, flat %d", set.Name, op, n), want, bound)
			}
		}
	}
}

func (c *columnsCase) compare(t *testing.T, name string, want *columnsCase, bound float64) {
	t.Helper()
	for i, m := range c.memory {
		for k, v := range m {
			w := want.memory[i][k]
			if !(math.Abs(float64(v-w)) <= bound*(1+math.Abs(float64(w)))) {
				t.Fatalf("%s: stream %d, %d of %d: found %v, want %v", name, i, k, len(m), v, w)
			}
		}
	}
}

// Functions keep to the error that their operation's comment names, each set.
func TestFunctions(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	normal := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	tests := []struct {
		op       Op
		f        func(x float64) float64
		from, to float64
		relative float64 // of the value
		absolute float64
	}{
		{OpExp, math.Exp, -87, 88.7, 2.5e-7, 0},
		{OpExp, math.Exp, -103.9, -87, 0, 1e-44},
		{OpTanh, math.Tanh, -12, 12, 4e-7, 0},
		{OpTanh, math.Tanh, -1e-3, 1e-3, 4e-7, 0},
		{OpSigmoid, sigmoid, -80, 80, 5e-7, 0},
		{OpElu, func(x float64) float64 { return math.Max(x, 0) + math.Expm1(math.Min(x, 0)) }, -25, 3, 4e-7, 0},
		{OpSilu, func(x float64) float64 { return x * sigmoid(x) }, -30, 30, 6e-7, 0},
		{OpGelu, func(x float64) float64 { return x * normal(x) }, -12, 12, 4e-7, 1e-6},
		{OpRelu, func(x float64) float64 { return math.Max(x, 0) }, -2, 2, 0, 0},
	}
	for _, set := range Sets() {
		for _, test := range tests {
			const n = 20003
			x, y := make([]float32, n), make([]float32, n)
			for i := range x {
				x[i] = float32(test.from + (test.to-test.from)*float64(i)/(n-1))
			}
			flat(set, test.op, y, x)
			for i, v := range y {
				want := test.f(float64(x[i]))
				if d := math.Abs(float64(v) - want); !(d <= test.relative*math.Abs(want)+test.absolute) {
					t.Errorf("%s, operation %d of %v: found %v, want %v", set.Name, test.op, x[i], v, want)
					break
				}
			}
		}
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		for _, test := range []struct {
			op      Op
			x, want float32
		}{{OpExp, 89, inf}, {OpExp, inf, inf}, {OpExp, -inf, 0}, {OpExp, -200, 0}, {OpExp, nan, nan}, {OpTanh, inf, 1}, {OpTanh, -inf, -1}, {OpTanh, nan, nan},
			{OpSigmoid, inf, 1}, {OpSigmoid, -inf, 0}, {OpSigmoid, nan, nan}, {OpRelu, nan, nan}, {OpRelu, inf, inf}, {OpElu, -inf, -1}, {OpElu, nan, nan}} {
			x, y := make([]float32, 33), make([]float32, 33)
			for i := range x {
				x[i] = test.x
			}
			flat(set, test.op, y, x)
			for _, v := range y {
				if v != test.want && !(v != v && test.want != test.want) && !(math.Abs(float64(v-test.want)) <= 1e-7) {
					t.Errorf("%s, operation %d of %v: found %v, want %v", set.Name, test.op, test.x, v, test.want)
					break
				}
			}
		}
	}
}

func flat(set *Set, op Op, y, x []float32) {
	var c Columns
	c.Consts = new([8]float32)
	c.Ptr[0], c.Ptr[1] = unsafe.Pointer(&y[0]), unsafe.Pointer(&x[0])
	set.Flat(op, len(x), &c)
}
