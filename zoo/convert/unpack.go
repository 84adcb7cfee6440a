package convert

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A packed file may become maxUnpacking times its size and minUnpacked bytes: weights hardly get smaller, an optimizer's
// velocities that are all 0 halve a file, and gzip can say a thousand bytes in one.
const (
	maxUnpacking = 64
	minUnpacked  = 1 << 20
)

// unpack gives what a file packed by gzip or bzip2 holds, and by which; other files as they are.
func unpack(data []byte) (out []byte, packing string, err error) {
	limit := maxUnpacking*int64(len(data)) + minUnpacked
	var r io.Reader
	var size int64 // as the file says
	switch {
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		packing = "gzip"
		if len(data) < 18 { // header and trailer
			return nil, packing, errors.New("gzip: cut short")
		}
		size = int64(binary.LittleEndian.Uint32(data[len(data)-4:]))
		if r, err = gzip.NewReader(bytes.NewReader(data)); err != nil {
			return nil, packing, fmt.Errorf("%s: %w", packing, cut(err))
		}
	case bytes.HasPrefix(data, []byte("BZh")):
		packing = "bzip2"
		r = bzip2.NewReader(bytes.NewReader(data))
	default:
		return data, "", nil
	}
	var b bytes.Buffer
	b.Grow(int(min(size, limit)) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, packing, fmt.Errorf("%s: after %d bytes unpacked: %w", packing, n, cut(err))
	case n > limit:
		return nil, packing, fmt.Errorf("%s: %w: more than %d bytes of %d, want at most %d times as many; where it is a network's after all, unpack it first",
			packing, ErrUnpacking, limit, len(data), maxUnpacking)
	}
	return b.Bytes(), packing, nil
}

// cut names a file that ends too early as that.
func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("cut short")
	}
	return err
}
