package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// Limits on a table of pixels.
const (
	maxLine   = 64 << 20 // bytes of any line: 4096x4096 pixels
	maxPreset = 1 << 30  // bytes of pixels set aside before they are seen
)

const blockSize = 1 << 20 // bytes of a text that are parsed at a time

// A parsed is what became of one block, in the block's order.
type parsed struct {
	pixels []uint8
	points []float32
	ids    []string // nil unless the file names its rows
	rows   int
	blank  int // the line where the blank lines at the block's end begin, or 0
	err    error
}

// A task is a block on its way through a worker.
type task struct {
	block
	out chan *parsed
}

// start reads a text up to its first row: the layout, which then knows the number of
// pixels, the block that the row stands in, and the images' height and width.
func start(src *text, lines *blocks) (l *layout, first block, side int, err error) {
	l, rest, err := readHead(src, lines)
	if err != nil {
		return nil, first, 0, err
	}
	first = block{rest, 2}
	blank := 0
	for blankLines(first.data) { // the first row may lie in a later block
		if len(first.data) > 0 && blank == 0 {
			blank = first.line
		}
		first, err = lines.next()
		if err == io.EOF {
			return nil, first, 0, fmt.Errorf("%s: found a header without rows, want at least one row: %w", src.name, dataset.ErrEmpty)
		}
		if err != nil {
			return nil, first, 0, err
		}
	}
	row, _ := cutLine(first.data)
	if len(row) == 0 && blank == 0 {
		blank = first.line
	}
	if blank > 0 {
		return nil, first, 0, emptyLine(src.name, blank)
	}
	if len(row) > maxLine {
		return nil, first, 0, l.tooLong(first.line)
	}
	side, err = l.side(row, first.line)
	return l, first, side, err
}

// readCSV reads all rows into a Set, with its checksum. The text streams through a
// few blocks: one goroutine unpacks, others parse. The first fault in the file's
// order is the error: a *dataset.RowError for a line, else one that wraps a kind of
// dataset's, what the zip reader or the system says, or the context's error.
//
// A sink, where there is one, is given the Set after each block and once more at the
// end, and takes away what it has used; room is then made for the rows of one part,
// and there is no checksum.
func readCSV(ctx context.Context, src *text, blockSize, part int, sink func(s *dataset.Set, last bool) error) (*dataset.Set, error) {
	workers := runtime.GOMAXPROCS(0)
	lines := newBlocks(src, blockSize, workers+2)
	l, first, side, err := start(src, lines)
	if err != nil {
		return nil, err
	}
	s := &dataset.Set{Columns: l.columns, Height: side, Width: side, Channels: 1, Numbered: !l.hasID}
	reserve(s, src.size, first.data, part)

	// Blocks go to the workers and, in their order, to the collector below.
	group, ctx := errgroup.WithContext(ctx)
	tasks := make(chan task, 1)
	order := make(chan chan *parsed, workers)
	group.Go(func() error { return feed(ctx, lines, first, tasks, order) })
	spare := make(chan *parsed, workers+2)
	for range workers {
		group.Go(func() error {
			for t := range tasks {
				t.out <- l.block(t.block, recycled(spare))
				lines.recycle(t.block)
			}
			return nil
		})
	}
	group.Go(func() error { return collect(ctx, s, l, order, spare, sink) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return s, nil
}

// readHead reads a text's header; rest is what else is in its first block.
func readHead(src *text, lines *blocks) (l *layout, rest []byte, err error) {
	first, err := lines.next()
	if err == io.EOF {
		return nil, nil, fmt.Errorf("%s: found an empty file, want a CSV: %w", src.name, dataset.ErrEmpty)
	}
	if err != nil {
		return nil, nil, err
	}
	head, rest := cutLine(bytes.TrimPrefix(first.data, input.BOM))
	if bytes.IndexByte(head, 0) >= 0 {
		return nil, nil, fmt.Errorf("%s: found a binary file, want a CSV: %w", src.name, dataset.ErrFormat)
	}
	if len(head) == 0 {
		for blankLines(rest) {
			if first, err = lines.next(); err == io.EOF {
				return nil, nil, fmt.Errorf("%s: found only empty lines, want a CSV: %w", src.name, dataset.ErrEmpty)
			}
			if err != nil {
				return nil, nil, err
			}
			rest = first.data
		}
		return nil, nil, &dataset.RowError{File: src.name, Line: 1, Found: "an empty line", Want: "a header with Kaggle's columns"}
	}
	l, err = parseHeader(src.name, head)
	return l, rest, err
}

// feed reads blocks, from first on, and hands them out.
func feed(ctx context.Context, lines *blocks, blk block, tasks chan<- task, order chan<- chan *parsed) error {
	defer close(tasks)
	defer close(order)
	for {
		out := make(chan *parsed, 1)
		select {
		case order <- out:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case tasks <- task{blk, out}:
		case <-ctx.Done():
			return ctx.Err()
		}
		var err error
		if blk, err = lines.next(); err != nil {
			if err == io.EOF {
				return nil
			}
			// Behind the faults of the lines before it.
			out := make(chan *parsed, 1)
			out <- &parsed{err: err}
			select {
			case order <- out:
			case <-ctx.Done():
			}
			return nil
		}
	}
}

// collect puts the blocks' rows together, in order, and makes the checksum
// where the Set is to be whole.
func collect(ctx context.Context, s *dataset.Set, l *layout, order <-chan chan *parsed, spare chan<- *parsed, sink func(s *dataset.Set, last bool) error) error {
	sum := dataset.NewDigest(s)
	blank, rows := 0, 0
	for out := range order {
		var p *parsed
		select {
		case p = <-out:
		case <-ctx.Done():
			return ctx.Err()
		}
		if blank > 0 && (p.rows > 0 || errors.As(p.err, new(*dataset.RowError))) {
			return emptyLine(l.file, blank)
		}
		if p.err != nil {
			return p.err
		}
		if p.blank > 0 && blank == 0 {
			blank = p.blank
		}
		if int64(len(s.Bytes))+int64(len(p.pixels)) > dataset.MaxSet {
			return fmt.Errorf("%s: found more than %d bytes of pixels, want at most that: %w", l.file, int64(dataset.MaxSet), dataset.ErrLimit)
		}
		n := s.Len()
		s.Bytes = append(s.Bytes, p.pixels...)
		s.Points = append(s.Points, p.points...)
		for r := range p.rows {
			if l.hasID {
				s.IDs = append(s.IDs, p.ids[r])
			} else {
				s.IDs = append(s.IDs, strconv.Itoa(rows+r+1))
			}
		}
		rows += p.rows
		if sink == nil {
			sum.Add(s, n, s.Len())
		} else if err := sink(s, false); err != nil {
			return err
		}
		select {
		case spare <- p:
		default:
		}
	}
	if err := ctx.Err(); err != nil {
		return err // order may have been closed for it
	}
	if sink != nil {
		return sink(s, true)
	}
	s.Checksum = sum.Hex()
	return nil
}

// reserve sets memory aside for as many rows as the text seems to have, judging
// by its first block; in parts, for a part and what a block adds to it.
func reserve(s *dataset.Set, size int64, first []byte, part int) {
	rows := max(bytes.Count(first, newline), 1)
	p := s.Pixels()
	n := int64(float64(size) / float64(len(first)) * float64(rows) * 1.05)
	n = min(n, int64(maxPreset/(p+4*len(s.Columns)+16)))
	n = max(n, int64(rows))
	if part > 0 {
		n = min(n, int64(part+2*rows))
	}
	s.Bytes = make([]uint8, 0, n*int64(p))
	s.IDs = make([]string, 0, n)
	if len(s.Columns) > 0 {
		s.Points = make([]float32, 0, n*int64(len(s.Columns)))
	}
}

func recycled(spare <-chan *parsed) *parsed {
	select {
	case p := <-spare:
		*p = parsed{pixels: p.pixels[:0], points: p.points[:0]}
		return p
	default:
		return &parsed{}
	}
}

// block parses all lines of a block.
func (l *layout) block(b block, out *parsed) *parsed {
	c := len(l.columns)
	number := b.line
	for rest := b.data; len(rest) > 0; number++ {
		var line []byte
		line, rest = cutLine(rest)
		if len(line) == 0 {
			if out.blank == 0 {
				out.blank = number
			}
			continue
		}
		if out.blank > 0 {
			out.err = emptyLine(l.file, out.blank)
			return out
		}
		if len(line) > maxLine {
			out.err = l.tooLong(number)
			return out
		}
		np, nc := len(out.pixels), len(out.points)
		out.pixels = slices.Grow(out.pixels, l.pixels)[:np+l.pixels]
		out.points = slices.Grow(out.points, c)[:nc+c]
		id, err := l.parse(line, number, out.pixels[np:], out.points[nc:])
		if err != nil {
			out.err = err
			return out
		}
		if l.hasID {
			out.ids = append(out.ids, id)
		}
		out.rows++
	}
	return out
}

// cutLine takes the first line off b, without its line end.
func cutLine(b []byte) (line, rest []byte) {
	end := bytes.IndexByte(b, '\n')
	line, rest = b[:end], b[end+1:]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	return line, rest
}

// blankLines says whether there is nothing but line ends.
func blankLines(b []byte) bool {
	for len(b) > 0 {
		var line []byte
		if line, b = cutLine(b); len(line) > 0 {
			return false
		}
	}
	return true
}

func emptyLine(file string, number int) error {
	return &dataset.RowError{File: file, Line: number, Found: "an empty line", Want: "a row, or nothing more"}
}
