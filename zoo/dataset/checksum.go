package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
)

// Sum is the SHA-256, in hex, of what the Set means, so that a CSV, the same
// zipped, and the same with other line ends have one checksum. Hashed are, all
// numbers little-endian:
//
//   - "fkzoo dataset 1\n" (16 bytes);
//   - height, width, channels, and 1 for Bytes or 4 for Floats (uint32 each);
//   - the number of columns (uint32), then for each its length (uint32) and its
//     name in UTF-8;
//   - for each row its pixels (uint8, or float32), then its points (float32, an
//     empty cell as the bits 0x7fc00000).
//
// IDs, Scales, Source and Notes are not part of it.
func (s *Set) Sum() string {
	d := NewDigest(s)
	d.Add(s, 0, s.Len())
	return d.Hex()
}

// A Digest makes the checksum of a Set while its rows come in, as [Set.Sum] has it.
type Digest struct {
	h   hash.Hash
	buf []byte
}

// NewDigest begins that of a Set of this shape, with these columns and this kind of
// pixels; its rows don't count yet.
func NewDigest(s *Set) *Digest {
	d := &Digest{h: sha256.New()}
	b := []byte("fkzoo dataset 1\n")
	size := uint32(1)
	if s.Floats != nil {
		size = 4
	}
	for _, v := range []uint32{uint32(s.Height), uint32(s.Width), uint32(s.Channels), size, uint32(len(s.Columns))} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	for _, c := range s.Columns {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(c)))
		b = append(b, c...)
	}
	d.h.Write(b)
	return d
}

// Add adds rows from to to-1 of s.
func (d *Digest) Add(s *Set, from, to int) {
	p, c := s.Pixels(), len(s.Columns)
	for r := from; r < to; r++ {
		if s.Bytes != nil {
			d.h.Write(s.Bytes[r*p : (r+1)*p])
		} else {
			d.floats(s.Floats[r*p : (r+1)*p])
		}
		if c > 0 {
			d.floats(s.Points[r*c : (r+1)*c])
		}
	}
}

func (d *Digest) floats(values []float32) {
	d.buf = d.buf[:0]
	for _, v := range values {
		bits := math.Float32bits(v)
		if isNaN(v) {
			bits = 0x7fc00000
		}
		d.buf = binary.LittleEndian.AppendUint32(d.buf, bits)
	}
	d.h.Write(d.buf)
}

// Hex is the checksum of the rows so far.
func (d *Digest) Hex() string { return hex.EncodeToString(d.h.Sum(nil)) }
