package dataset

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
)

// readKaggle reads Kaggle's training.csv or test.csv, or the zip with it. Of
// several CSV files in a zip the one called like the zip is taken.
//
// The text streams through a few blocks of a megabyte: one goroutine unpacks,
// others parse. The first fault in the file's order is the error: a *RowError
// for a line, else one that wraps ErrEmpty, ErrFormat, ErrLimit, what the
// zip reader or the system says, or the context's error.
func readKaggle(ctx context.Context, path string) (*Set, error) {
	src, err := openText(path)
	if err != nil {
		return nil, err
	}
	defer src.close()
	return readCSV(ctx, src, blockSize, 0, nil)
}

const blockSize = 1 << 20

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

// readCSV reads all rows into a Set. A sink, where there is one, is given the Set
// after each block and once more at the end, and takes away what it has used;
// room is then made for the rows of one part.
func readCSV(ctx context.Context, src *source, blockSize, part int, sink func(s *Set, last bool) error) (*Set, error) {
	workers := runtime.GOMAXPROCS(0)
	lines := newBlocks(src, blockSize, workers+2)
	l, rest, err := readHead(src, lines)
	if err != nil {
		return nil, err
	}
	first := block{rest, 2}
	blank := 0
	for blankLines(first.data) { // the first row may lie in a later block
		if len(first.data) > 0 && blank == 0 {
			blank = first.line
		}
		first, err = lines.next()
		if err == io.EOF {
			return nil, fmt.Errorf("%s: found a header without rows, want at least one row: %w", src.name, ErrEmpty)
		}
		if err != nil {
			return nil, err
		}
	}
	row, _ := cutLine(first.data)
	if len(row) == 0 && blank == 0 {
		blank = first.line
	}
	if blank > 0 {
		return nil, emptyLine(src.name, blank)
	}
	if len(row) > maxLine {
		return nil, l.tooLong(first.line)
	}
	side, err := l.side(row, first.line)
	if err != nil {
		return nil, err
	}
	s := &Set{Columns: l.columns, Height: side, Width: side, Channels: 1, Numbered: !l.hasID}
	s.reserve(src.size, first.data, part)

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
	group.Go(func() error { return s.collect(ctx, l, order, spare, sink) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return s, nil
}

// readHead reads a text's header; rest is what else is in its first block.
func readHead(src *source, lines *blocks) (l *layout, rest []byte, err error) {
	first, err := lines.next()
	if err == io.EOF {
		return nil, nil, fmt.Errorf("%s: found an empty file, want a CSV: %w", src.name, ErrEmpty)
	}
	if err != nil {
		return nil, nil, err
	}
	head, rest := cutLine(bytes.TrimPrefix(first.data, bom))
	if bytes.IndexByte(head, 0) >= 0 {
		return nil, nil, fmt.Errorf("%s: found a binary file, want a CSV: %w", src.name, ErrFormat)
	}
	if len(head) == 0 {
		for blankLines(rest) {
			if first, err = lines.next(); err == io.EOF {
				return nil, nil, fmt.Errorf("%s: found only empty lines, want a CSV: %w", src.name, ErrEmpty)
			}
			if err != nil {
				return nil, nil, err
			}
			rest = first.data
		}
		return nil, nil, &RowError{File: src.name, Line: 1, Found: "an empty line", Want: "a header with Kaggle's columns"}
	}
	l, err = parseHeader(src.name, head)
	return l, rest, err
}

// checkHead refuses what isn't Kaggle's CSV, or a zip with it, by its header.
func checkHead(path string) error {
	src, err := openText(path)
	if err != nil {
		return err
	}
	defer src.close()
	_, _, err = readHead(src, newBlocks(src, 1<<16, 0))
	return err
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

// collect puts the blocks' rows together, in order, and makes the checksum.
func (s *Set) collect(ctx context.Context, l *layout, order <-chan chan *parsed, spare chan<- *parsed, sink func(s *Set, last bool) error) error {
	sum := newDigest(s)
	blank, rows := 0, 0
	for out := range order {
		var p *parsed
		select {
		case p = <-out:
		case <-ctx.Done():
			return ctx.Err()
		}
		if blank > 0 && (p.rows > 0 || errors.As(p.err, new(*RowError))) {
			return emptyLine(l.file, blank)
		}
		if p.err != nil {
			return p.err
		}
		if p.blank > 0 && blank == 0 {
			blank = p.blank
		}
		if int64(len(s.Bytes))+int64(len(p.pixels)) > maxSet {
			return fmt.Errorf("%s: found more than %d bytes of pixels, want at most that: %w", l.file, int64(maxSet), ErrLimit)
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
		sum.rows(s, n, s.Len())
		if sink != nil {
			if err := sink(s, false); err != nil {
				return err
			}
		}
		select {
		case spare <- p:
		default:
		}
	}
	if err := ctx.Err(); err != nil {
		return err // order may have been closed for it
	}
	s.Checksum = sum.hex()
	if sink != nil {
		return sink(s, true)
	}
	return nil
}

// reserve sets memory aside for as many rows as the text seems to have, judging
// by its first block; in parts, for a part and what a block adds to it.
func (s *Set) reserve(text int64, first []byte, part int) {
	rows := max(bytes.Count(first, newline), 1)
	p := s.Pixels()
	n := int64(float64(text) / float64(len(first)) * float64(rows) * 1.05)
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
	return &RowError{File: file, Line: number, Found: "an empty line", Want: "a row, or nothing more"}
}
