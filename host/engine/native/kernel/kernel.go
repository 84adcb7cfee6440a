// Package kernel is the innermost loops of the native engine, in assembly for AVX-512, AVX2 with FMA and NEON, and in plain Go:
// tiles of products that convolutions and dense layers are made of, and operations along channels. A [Set] is those of one kind
// of processor; [FromEnvironment] picks one. All numbers are float32.
//
// Kernels know addresses and strides alone: no layers, shapes, threads or memory's owners. They check nothing; the packages above
// do. A call that keeps to [Set.Budget] stays below 100 microseconds, since assembly can't be preempted.
package kernel

//go:generate go run ../internal/asmgen

import (
	"math"
	"unsafe"
)

// GroupPixels is how many neighbouring pixels (or rows of a matrix) a group of a [Tile] has.
const GroupPixels = 6

// Span is a run of a tile's inputs that lie side by side: Count values that begin Offset bytes behind each pixel.
type Span struct{ Offset, Count int }

// Tile is products along channels: for groups of [GroupPixels] pixels,
//
//	Out[pixel][c] = max(Low, base + sum over spans and their values i of In[pixel][Offset + i] * W[i][c])
//
// for a block of output channels c, where base is Bias[c], or with Add Out[pixel][c] as it was. Weights lie side by side, a block
// for each input value. In and Out are the first pixels of each group; distances are in bytes. Of [Set.Groups] groups, a call may
// leave the second out. Repeated Count times, In and Out moving by the steps. Where the set has [Set.Masks], the last Skip channels are
// neither read from Out nor written.
type Tile struct {
	In, Out           [2]unsafe.Pointer
	W, Bias           unsafe.Pointer
	Spans             *Span
	NSpans            int
	InPixel, OutPixel int
	Count             int // is 0 afterwards
	InStep, OutStep   int
	Low               float32
	Skip              uint32
	Add               int
	_, _              int // where the call stands
}

// Outer is products along pixels, summed:
//
//	C[i][c] = sum over Rows and their Pixels of A[pixel][i] * B[pixel][c]
//
// for rows i of C and a block of channels c; with Add that is added to C. Distances are in bytes.
type Outer struct {
	A, B, C      unsafe.Pointer
	Rows, Pixels int
	APixel, ARow int
	BPixel, BRow int
	CRow         int
	Add          int
}

// Op is an operation along channels.
type Op int

// Columns are the arguments of an operation along channels: streams, in the order of the operation's names, of Rows rows, a stride
// of bytes apart. Streams that belong to channels have no rows.
type Columns struct {
	Rows   int
	vecs   int
	_      int // where the call stands
	Consts *[8]float32
	Ptr    [8]unsafe.Pointer
	Stride [8]int
}

func (a *Columns) at(stream, row, column int) *float32 {
	return (*float32)(unsafe.Add(a.Ptr[stream], row*a.Stride[stream]+4*column))
}

type kind int

const (
	plain kind = iota
	avx512
	avx2
	neon
)

// Set is the kernels of one kind of processor.
type Set struct {
	Name   string
	kind   kind
	Lanes  int  // numbers in a vector
	half   int  // in a shorter one that transforms have too; 0: there is none
	Block  int  // channels of a tile; half as many are possible too
	Groups int  // of pixels in a tile, at most
	Masks  bool // tiles may leave out channels
	// OuterRows are the rows that an Outer may have, the largest first.
	OuterRows [3]int
	peakFMAs  int // numbers in a turn of the peak
}

// Budget is how many input values (a tile) or pixels (an outer product) a call should have at most, repetitions counted, so that
// it stays below 100 microseconds on a slow machine.
func (s *Set) Budget() int { return 1 << 12 }

// Tile computes tiles of groups of pixels by a block of channels, or by half a block.
func (s *Set) Tile(groups int, half bool, a *Tile) {
	switch s.kind {
	case avx512, avx2, neon:
		s.tile(groups, half, a)
	default:
		block := s.Block
		if half {
			block /= 2
		}
		tilePlain(groups, block, a)
	}
}

// Outer sums products for rows, one of OuterRows, by a block of channels, or by half a block.
func (s *Set) Outer(rows int, half bool, a *Outer) {
	switch s.kind {
	case avx512, avx2, neon:
		s.outer(rows, half, a)
	default:
		block := s.Block
		if half {
			block /= 2
		}
		outerPlain(rows, block, a)
	}
}

// numbersOnce is how many numbers of each stream one call goes over.
const numbersOnce = 16 << 10

// Columns does an operation for so many channels. Pointers and Rows are no longer what they were afterwards.
func (s *Set) Columns(op Op, channels int, a *Columns) {
	rows := a.Rows
	if channels%s.Lanes != 0 && a.sideBySide(op, channels) {
		s.Flat(op, rows*channels, a)
		return
	}
	atOnce := max(4, numbersOnce/channels&^3)
	for rows > 0 {
		a.Rows = min(rows, atOnce)
		s.columnsOnce(op, channels, a)
		if rows -= a.Rows; rows > 0 {
			for i := range opStreams[op].rows {
				a.Ptr[i] = unsafe.Add(a.Ptr[i], a.Rows*a.Stride[i])
			}
		}
	}
}

// AddRows adds so many rows of x, a stride apart, to sums, with a to work with.
func (s *Set) AddRows(a *Columns, sums, x []float32, rows, stride int) {
	a.Rows = rows
	a.Ptr[0], a.Stride[0] = unsafe.Pointer(&x[0]), 4*stride
	a.Ptr[1] = unsafe.Pointer(&sums[0])
	s.Columns(OpSum, len(sums), a)
}

// sideBySide tells whether rows can be taken as one.
func (a *Columns) sideBySide(op Op, channels int) bool {
	for i := range opStreams[op].rows {
		if a.Stride[i] != 4*channels {
			return false
		}
	}
	return opStreams[op].rows == opStreams[op].all
}

func (s *Set) columnsOnce(op Op, channels int, a *Columns) {
	full := 0
	if a.vecs = channels / s.Lanes; a.vecs > 0 && s.kind != plain {
		full = a.vecs * s.Lanes
		s.columns(op, a)
	}
	if full < channels {
		columnsPlain(op, a, full, channels-full)
	}
}

// Flat does an operation of which no stream belongs to channels for n numbers that lie side by side in each stream. Pointers are no
// longer what they were afterwards.
func (s *Set) Flat(op Op, n int, a *Columns) {
	for n > 0 {
		once := min(n, numbersOnce)
		s.flatOnce(op, once, a)
		if n -= once; n > 0 {
			for i := range opStreams[op].rows {
				a.Ptr[i] = unsafe.Add(a.Ptr[i], 4*once)
			}
		}
	}
}

func (s *Set) flatOnce(op Op, n int, a *Columns) {
	a.Rows, a.vecs = n/s.Lanes, 1
	full := a.Rows * s.Lanes
	if s.kind == plain {
		full = 0
	} else if full > 0 {
		for i := range opStreams[op].rows {
			a.Stride[i] = 4 * s.Lanes
		}
		s.columns(op, a)
	}
	if a.Rows = 1; full < n {
		columnsPlain(op, a, full, n-full)
	}
}

// lines are cache lines of 64 bytes side by side.
type lines struct {
	from  unsafe.Pointer
	count int
}

// Prefetch asks for numbers that will be read soon, at least one.
func (s *Set) Prefetch(x []float32) {
	s.prefetch(&lines{unsafe.Pointer(&x[0]), (len(x) + 15) / 16})
}

// Peak does about so many multiply-adds and nothing else, and tells how many.
func (s *Set) Peak(n int) int {
	turns := max(1, n/s.peakFMAs)
	s.peak(turns)
	return turns * s.peakFMAs
}

func largerOf(x, y float32) float32 {
	if x > y {
		return x
	}
	return y
}

func smallerOf(x, y float32) float32 {
	if x < y {
		return x
	}
	return y
}

func choose(condition bool, x, y float32) float32 {
	if condition {
		return x
	}
	return y
}

func pow2(x float32) float32 { return math.Float32frombits(uint32(int32(x)+127) << 23) }
