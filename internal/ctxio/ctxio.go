// Package ctxio copies bytes until its context ends. It must not know what they are.
package ctxio

import (
	"context"
	"io"
)

// Copy is [io.Copy], interrupted between two reads with the context's cause.
func Copy(ctx context.Context, to io.Writer, from io.Reader) (int64, error) {
	return io.Copy(to, &reader{ctx, from})
}

type reader struct {
	ctx context.Context
	r   io.Reader
}

func (c *reader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
