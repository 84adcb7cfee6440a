// Package ctxio reads and copies bytes until a context ends. It must not know what they are.
package ctxio

import (
	"context"
	"io"
)

// Copy is [io.Copy], interrupted as a [NewReader].
func Copy(ctx context.Context, to io.Writer, from io.Reader) (int64, error) {
	return io.Copy(to, NewReader(ctx, from))
}

// NewReader is r until the context ends, whose error is then the reader's: between two reads, and within one that waits, as for
// a terminal or a pipe. A goroutine stays behind in that one until r gives something, which is lost, or fails: who has asked
// must not read from r any more.
func NewReader(ctx context.Context, r io.Reader) io.Reader {
	return &reader{ctx: ctx, r: r, done: make(chan read, 1)}
}

// most is how many bytes are read at once: as many as a pipe holds.
const most = 64 << 10

type reader struct {
	ctx  context.Context
	r    io.Reader
	own  []byte // what r reads into, since p is the caller's again when the context ends
	done chan read
}

// read is how one went.
type read struct {
	n     int
	err   error
	panic any
}

func (c *reader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	if n := min(len(p), most); n > len(c.own) {
		c.own = make([]byte, n)
	}
	into := c.own[:min(len(p), most)]
	go func() {
		var of read
		defer func() {
			of.panic = recover() // the caller's, who may be able to deal with it
			c.done <- of
		}()
		of.n, of.err = c.r.Read(into)
	}()
	select {
	case of := <-c.done:
		if of.panic != nil {
			panic(of.panic)
		}
		return copy(p, into[:of.n]), of.err
	case <-c.ctx.Done():
		return 0, c.ctx.Err()
	}
}
