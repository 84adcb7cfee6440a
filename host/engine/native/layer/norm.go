package layer

import (
	"math"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Channels does operations on rows of channels.
type Channels struct {
	set      *kernel.Set
	workers  []worker
	op       kernel.Op
	rows     int
	channels int
	streams  Streams
	roles    int // the first of streams that belong to channels
	count    int
	sums     int // the first stream that is a sum
	parts    int
	scratch  []float32
	abreast  int // rows side by side that are done as if they were one
	wide     [8][]float32
}

// NewChannels makes a Channels for a pool of so many threads at most.
func NewChannels(set *kernel.Set, threads int) *Channels {
	return &Channels{set: set, workers: newWorkers(set, threads)}
}

// parts is into how many parts rows are divided: a matter of the sizes alone.
func parts(rows, channels int) int {
	const most = 32
	return max(1, min(most, rows*channels/chunk))
}

// Run does an operation without sums on rows [rows, channels]; streams from number perChannel on are [channels].
func (l *Channels) Run(c *work.Caller, op kernel.Op, rows, channels int, s Streams, perChannel int) {
	l.begin(op, rows, channels, s, perChannel, len(s))
	c.Run(l.parts, (*channelsTask)(l))
	l.streams = Streams{}
}

func (l *Channels) begin(op kernel.Op, rows, channels int, s Streams, perChannel, sums int) {
	l.op, l.rows, l.channels, l.streams, l.roles, l.sums, l.count = op, rows, channels, s, perChannel, sums, 0
	for l.count < len(s) && s[l.count] != nil {
		l.count++
	}
	l.parts = parts(rows, channels)
	l.widen()
}

const (
	widest      = 16  // rows abreast
	fewChannels = 256 // of more, those that don't fill a vector hardly count
)

// widen finds how many rows abreast fill whole vectors, and repeats what belongs to channels as often.
func (l *Channels) widen() {
	if l.abreast = abreast(l.set, l.rows, l.channels); l.abreast == 1 {
		return
	}
	for i := l.roles; i < min(l.sums, l.count); i++ {
		if l.wide[i] == nil {
			l.wide[i] = make([]float32, widest*fewChannels) // once
		}
		for k := range l.abreast {
			copy(l.wide[i][k*l.channels:], l.streams[i][:l.channels])
		}
	}
}

// abreast is how many rows side by side fill whole vectors.
func abreast(set *kernel.Set, rows, channels int) int {
	if channels >= fewChannels {
		return 1
	}
	for k := 1; k <= widest && 4*k <= rows; k *= 2 {
		if k*channels%set.Lanes == 0 {
			return k
		}
	}
	return 1
}

// SumScratch is how many float32 of scratch memory a Sum of so many sums needs.
func SumScratch(rows, channels, sums int) int {
	n := parts(rows, channels) * channels * sums
	if channels < fewChannels {
		n *= widest
	}
	return n
}

// Sum does an operation whose streams from number first on are sums [channels], which it sets; those from perChannel to there are
// [channels].
func (l *Channels) Sum(c *work.Caller, op kernel.Op, rows, channels int, s Streams, perChannel, first int, scratch []float32) {
	l.begin(op, rows, channels, s, perChannel, first)
	n := l.count - first
	l.scratch = scratch[:l.parts*n*channels*l.abreast]
	clear(l.scratch)
	c.Run(l.parts, (*channelsTask)(l))
	w := &l.workers[0]
	for i := range n {
		to := s[first+i][:channels]
		clear(to)
		for p := range l.parts {
			for k := range l.abreast {
				w.flat(kernel.OpAddTo, channels, to, l.scratch[((p*n+i)*l.abreast+k)*channels:])
			}
		}
	}
	l.streams, l.scratch = Streams{}, nil
}

type channelsTask Channels

func (l *channelsTask) Do(part, id int) {
	wide := l.rows / l.abreast
	first, last := part*wide/l.parts, (part+1)*wide/l.parts
	l.some(id, part, first*l.abreast, last-first, l.abreast)
	if rest := l.rows % l.abreast; rest > 0 && part == l.parts-1 {
		l.some(id, part, l.rows-rest, rest, 1)
	}
}

// some does so many rows from one on, each of as many rows abreast.
func (l *channelsTask) some(id, part, first, rows, abreast int) {
	var lines [8]line
	for i := range l.count {
		switch {
		case i >= l.sums:
			lines[i] = line{l.scratch[(part*(l.count-l.sums)+i-l.sums)*l.abreast*l.channels:], 0}
		case i >= l.roles && abreast > 1:
			lines[i] = line{l.wide[i], 0}
		case i >= l.roles:
			lines[i] = line{l.streams[i], 0}
		default:
			lines[i] = line{l.streams[i][first*l.channels:], abreast * l.channels}
		}
	}
	l.workers[id].do(l.op, rows, abreast*l.channels, lines[:l.count]...)
}

// BatchNorm normalizes each channel over the rows: Ioffe and Szegedy 2015.
type BatchNorm struct {
	*Channels
	C       int
	Epsilon float64
}

// Scratch is how many float32 of scratch memory a pass over so many rows needs.
func (b *BatchNorm) Scratch(rows int) int { return SumScratch(rows, b.C, 2) + 5*b.C }

// Train normalizes x [rows, c] by the rows' mean and variance, which it leaves in mean and inverse (1 / sqrt(variance + epsilon)),
// both [c], and moves the running statistics: momentum of the old, the rest of the new. y may be x.
func (b *BatchNorm) Train(c *work.Caller, rows int, x, scale, offset, runningMean, runningVariance []float32, momentum float64,
	f kernel.Activation, y, mean, inverse, scratch []float32) {
	about, scratch := scratch[:b.C], scratch[b.C:]
	b.about(rows, x, about)
	if b.moments(c, rows, x, about, mean, inverse, scratch) {
		copy(about, mean)
		b.moments(c, rows, x, about, mean, inverse, scratch)
	}
	old, rest := float32(momentum), float32(1-momentum)
	factor, shift := scratch[:b.C], scratch[b.C:][:b.C]
	for i := range b.C {
		variance := float64(inverse[i])
		runningMean[i] = old*runningMean[i] + rest*mean[i]
		runningVariance[i] = old*runningVariance[i] + rest*float32(variance)
		inverse[i] = float32(1 / math.Sqrt(variance+b.Epsilon))
	}
	b.line(scale, offset, mean, inverse, factor, shift)
	b.apply(c, rows, x, factor, shift, f, y)
}

// about sets to, [c], to something near the mean of x [rows, c], that of a few rows, so that one way through x is mostly enough. They lie
// an odd number apart that no image's size divides: not all are an image's corner.
func (b *BatchNorm) about(rows int, x, to []float32) {
	const most = 32
	n := min(rows, most)
	step := int(0.618*float64(rows)) | 1
	clear(to)
	for i := range n {
		for k, v := range x[i*step%rows*b.C:][:b.C] {
			to[k] += v / float32(n)
		}
	}
}

// moments gives mean and variance, [c] each, of x [rows, c] by sums of its differences to about, and tells whether that is too far from a
// mean: then squares hide the variance.
func (b *BatchNorm) moments(c *work.Caller, rows int, x, about, mean, variance, scratch []float32) (far bool) {
	const most = 16 // times the variance that the distance's square may be
	b.Sum(c, kernel.OpMoments, rows, b.C, Streams{x, about, mean, variance}, 1, 2, scratch)
	for i := range b.C {
		off := float64(mean[i]) / float64(rows)
		v := max(0, float64(variance[i])/float64(rows)-off*off)
		far = far || off*off > most*v && off != 0
		mean[i], variance[i] = float32(float64(about[i])+off), float32(v)
	}
	return far
}

// line gives y = x*factor + shift.
func (b *BatchNorm) line(scale, offset, mean, inverse, factor, shift []float32) {
	for i := range b.C {
		factor[i] = scale[i] * inverse[i]
		shift[i] = offset[i] - float32(mean[i]*factor[i])
	}
}

// Predict normalizes x [rows, c] by the running statistics. y may be x.
func (b *BatchNorm) Predict(c *work.Caller, rows int, x, scale, offset, mean, variance []float32, f kernel.Activation, y, scratch []float32) {
	factor, shift := scratch[:b.C], scratch[b.C:][:b.C]
	b.Fold(scale, offset, mean, variance, factor, shift)
	b.apply(c, rows, x, factor, shift, f, y)
}

// Fold gives what the running statistics make of the layer: y = x*factor + shift, [c] each, to be folded into weights.
func (b *BatchNorm) Fold(scale, offset, mean, variance, factor, shift []float32) {
	for i := range b.C {
		factor[i] = float32(float64(scale[i]) / math.Sqrt(float64(variance[i])+b.Epsilon))
		shift[i] = offset[i] - mean[i]*factor[i]
	}
}

func (b *BatchNorm) apply(c *work.Caller, rows int, x, factor, shift []float32, f kernel.Activation, y []float32) {
	op := kernel.OpAffine
	if f.Relu() {
		op = kernel.OpAffineRelu
	}
	b.Run(c, op, rows, b.C, Streams{y, x, factor, shift}, 2)
	if !f.Relu() && !f.Linear() {
		forward, _ := f.Ops()
		for i := range b.workers {
			b.workers[i].consts[0] = f.Slope
		}
		b.Run(c, forward, rows, b.C, Streams{y, y}, 2)
	}
}

// Back gives dScale and dOffset [c], and unless it is nil dx [rows, c], which may be dy, from dy, the input x, and what Train left: with
// norm = (x - mean) * inverse, dx = scale * inverse * (dy - mean of dy - norm * mean of dy * norm). dy is the gradient before the
// activation, with relu that behind max(y, 0).
func (b *BatchNorm) Back(c *work.Caller, rows int, x, dy, scale, offset, mean, inverse []float32, relu bool, dScale, dOffset, dx, scratch []float32) {
	factor, bias, scratch := scratch[:b.C], scratch[b.C:][:b.C], scratch[2*b.C:]
	if relu {
		b.line(scale, offset, mean, inverse, factor, bias)
		b.Sum(c, kernel.OpNormSumsRelu, rows, b.C, Streams{x, dy, factor, bias, mean, dOffset, dScale}, 2, 5, scratch)
	} else {
		b.Sum(c, kernel.OpNormSums, rows, b.C, Streams{x, dy, mean, dOffset, dScale}, 2, 3, scratch)
	}
	of, slope, shift := scratch[:b.C], scratch[b.C:][:b.C], scratch[2*b.C:][:b.C]
	for i := range b.C {
		dScale[i] *= inverse[i]
		a := float64(scale[i]) * float64(inverse[i])
		s := -a * float64(inverse[i]) * float64(dScale[i]) / float64(rows)
		of[i], slope[i] = float32(a), float32(s)
		shift[i] = float32(-a*float64(dOffset[i])/float64(rows) - s*float64(mean[i]))
	}
	switch {
	case dx == nil:
	case relu:
		b.Run(c, kernel.OpAffine2Relu, rows, b.C, Streams{dx, dy, x, factor, bias, of, slope, shift}, 3)
	default:
		b.Run(c, kernel.OpAffine2, rows, b.C, Streams{dx, dy, x, of, slope, shift}, 3)
	}
}

// LayerNorm normalizes each row: Ba, Kiros and Hinton 2016.
type LayerNorm struct {
	workers []worker
	sums    *Channels
	C       int
	Epsilon float64

	rows, parts           int
	x, scale, offset      []float32
	y, dy, dx             []float32
	mean, inverse, rowBuf []float32
	back                  bool
}

// NewLayerNorm makes a LayerNorm of c channels for a pool of so many threads at most.
func NewLayerNorm(set *kernel.Set, threads, c int, epsilon float64) *LayerNorm {
	return &LayerNorm{workers: newWorkers(set, threads), sums: NewChannels(set, threads), C: c, Epsilon: epsilon}
}

// Forward normalizes x [rows, c], and leaves the rows' mean and inverse (1 / sqrt(variance + epsilon)), [rows] each.
func (l *LayerNorm) Forward(c *work.Caller, rows int, x, scale, offset, y, mean, inverse []float32) {
	l.rows, l.x, l.scale, l.offset, l.y, l.mean, l.inverse, l.back = rows, x, scale, offset, y, mean, inverse, false
	l.parts = parts(rows, l.C)
	c.Run(l.parts, (*layerNormTask)(l))
	l.x, l.scale, l.offset, l.y, l.mean, l.inverse = nil, nil, nil, nil, nil, nil
}

// BackScratch is how many float32 of scratch memory Back needs.
func (l *LayerNorm) BackScratch(rows int) int { return round(rows*l.C) + SumScratch(rows, l.C, 1) }

func round(n int) int { return (n + 15) &^ 15 }

// Back gives dScale and dOffset [c], and dx [rows, c], which may be dy: with norm = (x - mean) * inverse and d = dy * scale,
// dx = (d - mean of d - norm * mean of d * norm) * inverse.
func (l *LayerNorm) Back(c *work.Caller, rows int, x, dy, scale, mean, inverse, dScale, dOffset, dx, scratch []float32) {
	l.rows, l.x, l.dy, l.scale, l.dx, l.mean, l.inverse, l.back = rows, x, dy, scale, dx, mean, inverse, true
	l.rowBuf = scratch[:rows*l.C]
	l.parts = parts(rows, l.C)
	sums := scratch[round(rows*l.C):]
	l.sums.Sum(c, kernel.OpSum, rows, l.C, Streams{dy, dOffset}, 1, 1, sums)
	// norm first: dx may be dy.
	c.Run(l.parts, (*normTask)(l))
	l.sums.Sum(c, kernel.OpDot, rows, l.C, Streams{dy, l.rowBuf, dScale}, 2, 2, sums)
	c.Run(l.parts, (*layerNormTask)(l))
	l.x, l.dy, l.scale, l.dx, l.mean, l.inverse, l.rowBuf = nil, nil, nil, nil, nil, nil, nil
}

type layerNormTask LayerNorm

func (l *layerNormTask) Do(part, id int) {
	w := &l.workers[id]
	n := float64(l.C)
	for r := part * l.rows / l.parts; r < (part+1)*l.rows/l.parts; r++ {
		if l.back {
			l.backRow(w, r)
			continue
		}
		x := l.x[r*l.C:][:l.C]
		mean := float32(w.sum(kernel.OpSum, l.C, x, nil) / n)
		w.consts[0] = mean
		inverse := float32(1 / math.Sqrt(w.sum(kernel.OpSpreadFrom, l.C, x, nil)/n+l.Epsilon))
		l.mean[r], l.inverse[r] = mean, inverse
		y := l.y[r*l.C:]
		w.consts[0], w.consts[1] = 1, -mean
		w.flat(kernel.OpShift, l.C, y, x) // first: a mean times inverse would be rounded coarsely
		w.consts[0], w.consts[1] = inverse, 0
		w.flat(kernel.OpAffineRow, l.C, y, y, l.scale, l.offset)
	}
}

// normTask computes the normalized rows anew.
type normTask LayerNorm

func (l *normTask) Do(part, id int) {
	w := &l.workers[id]
	for r := part * l.rows / l.parts; r < (part+1)*l.rows/l.parts; r++ {
		norm := l.rowBuf[r*l.C:]
		w.consts[0], w.consts[1] = 1, -l.mean[r]
		w.flat(kernel.OpShift, l.C, norm, l.x[r*l.C:])
		w.consts[0] = l.inverse[r]
		w.flat(kernel.OpScale, l.C, norm, norm)
	}
}

func (l *layerNormTask) backRow(w *worker, r int) {
	n := float64(l.C)
	norm, dx := l.rowBuf[r*l.C:][:l.C], l.dx[r*l.C:][:l.C]
	w.flat(kernel.OpMul, l.C, dx, l.dy[r*l.C:], l.scale)
	inverse := float64(l.inverse[r])
	mean := w.sum(kernel.OpSum, l.C, dx, nil) / n
	along := w.sum(kernel.OpDot, l.C, dx, norm) / n
	w.consts[0], w.consts[1] = 1, float32(-mean)
	w.flat(kernel.OpShift, l.C, dx, dx)
	w.consts[0] = float32(-along)
	w.flat(kernel.OpAddScaled, l.C, dx, norm)
	w.consts[0] = float32(inverse)
	w.flat(kernel.OpScale, l.C, dx, dx)
}
