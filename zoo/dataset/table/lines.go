package table

import (
	"bytes"
	"fmt"
	"io"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// A block is some whole lines of a file.
type block struct {
	data []byte // ends with a newline, always
	line int    // the number of its first line, from 1
}

// blocks cuts a text into blocks, reusing the memory of those given back.
type blocks struct {
	src   *text
	size  int
	carry []byte // the beginning of a line whose end was not read yet
	line  int    // of the next block
	done  bool
	free  chan []byte
}

func newBlocks(src *text, size, spare int) *blocks {
	b := &blocks{src: src, size: size, line: 1, free: make(chan []byte, spare)}
	return b
}

func (b *blocks) buffer() []byte {
	select {
	case buf := <-b.free:
		return buf
	default:
		return make([]byte, b.size)
	}
}

// recycle takes back a block's memory.
func (b *blocks) recycle(blk block) {
	if cap(blk.data) > 4*b.size {
		return // made for one huge line
	}
	select {
	case b.free <- blk.data[:cap(blk.data)]:
	default:
	}
}

// next gives the following block; io.EOF after the last.
func (b *blocks) next() (block, error) {
	if b.done {
		return block{}, io.EOF
	}
	buf := b.buffer()
	if len(buf) < len(b.carry)+b.size/2 {
		buf = make([]byte, 2*len(b.carry)+b.size)
	}
	n := copy(buf, b.carry)
	searched := 0
	for {
		m, err := io.ReadFull(b.src, buf[n:len(buf)-1]) // room for a last newline
		n += m
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			b.done, b.carry = true, nil
			if n == 0 {
				return block{}, io.EOF
			}
			if buf[n-1] != '\n' {
				buf[n] = '\n'
				n++
			}
			return b.cut(buf, n), nil
		}
		if err != nil {
			return block{}, err
		}
		if end := bytes.LastIndexByte(buf[searched:n], '\n'); end >= 0 {
			end += searched + 1
			b.carry = append(b.carry[:0], buf[end:n]...)
			return b.cut(buf, end), nil
		}
		if n > maxLine {
			return block{}, fmt.Errorf("%s line %d: found more than %d bytes, want at most that in a line: %w",
				b.src.name, b.line, maxLine, dataset.ErrLimit)
		}
		searched = n
		buf = append(make([]byte, 0, 2*len(buf)), buf...)
		buf = buf[:cap(buf)]
	}
}

func (b *blocks) cut(buf []byte, n int) block {
	blk := block{data: buf[:n], line: b.line}
	b.line += bytes.Count(blk.data, newline)
	return blk
}

var newline = []byte{'\n'}
