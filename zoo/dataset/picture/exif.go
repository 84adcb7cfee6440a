package picture

import (
	"bufio"
	"bytes"
	"image"
	"io"

	"github.com/bep/imagemeta"
)

// orientation is the picture's EXIF orientation, 1 to 8; 1, as it is stored, where
// it has none, or none that can be read: then every viewer shows it so.
func orientation(f io.ReadSeeker, kind string) int {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 1
	}
	format := imagemeta.PNG
	if kind == "jpeg" {
		format = imagemeta.JPEG
		exif := exifOf(bufio.NewReader(f))
		if exif == nil {
			return 1
		}
		f = bytes.NewReader(exif)
	}
	out := 1
	_, _ = imagemeta.Decode(imagemeta.Options{
		R: f, ImageFormat: format, Sources: imagemeta.EXIF,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return t.Tag == "Orientation" && t.Namespace == "IFD0" },
		HandleTag: func(t imagemeta.TagInfo) error {
			if v, ok := t.Value.(uint16); ok && v >= 1 && v <= 8 {
				out = int(v)
			}
			return imagemeta.ErrStopWalking
		},
	})
	return out
}

// maxSegments are those of a JPEG that are looked through for one with EXIF.
const maxSegments = 10_000

// exifOf is a JPEG that has nothing but the first EXIF segment of r; nil where there
// is none before the picture's own bytes. Any number of fill bytes, FF, may stand before
// a marker (ITU-T T.81, B.1.1.2), which imagemeta doesn't know.
func exifOf(r *bufio.Reader) []byte {
	const (
		app1, startOfScan, endOfImage = 0xe1, 0xda, 0xd9
		head                          = "Exif\x00\x00"
	)
	if _, err := r.Discard(2); err != nil { // the start of the image
		return nil
	}
	for range maxSegments {
		if b, err := r.ReadByte(); err != nil || b != 0xff {
			return nil
		}
		marker, err := r.ReadByte()
		for err == nil && marker == 0xff {
			marker, err = r.ReadByte()
		}
		var size [2]byte // itself among what it counts
		if err != nil || marker == startOfScan || marker == endOfImage {
			return nil
		}
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return nil
		}
		n := int(size[0])<<8 | int(size[1])
		if n < 2 {
			return nil
		}
		if start, err := r.Peek(len(head)); marker == app1 && n >= 2+len(head) && err == nil && string(start) == head {
			out := append([]byte{0xff, 0xd8, 0xff, app1}, size[:]...)
			out = append(out, make([]byte, n-2)...)
			if _, err := io.ReadFull(r, out[6:]); err != nil {
				return nil
			}
			return append(out, 0xff, endOfImage)
		}
		if _, err := r.Discard(n - 2); err != nil {
			return nil
		}
	}
	return nil
}

// oriented turns a picture as an EXIF orientation says: see turned.
func oriented(m *image.Gray, turn int) *image.Gray {
	if turn <= 1 || turn > 8 {
		return m
	}
	w, h := m.Rect.Dx(), m.Rect.Dy()
	out := image.NewGray(image.Rectangle{Max: turnedSize(w, h, turn)})
	turned(out.Pix, out.Stride, m.Pix, m.Stride, w, h, 1, turn)
	return out
}

// turnedSize is the size that a picture has when it is turned.
func turnedSize(w, h, turn int) image.Point {
	if turn >= 5 && turn <= 8 {
		return image.Pt(h, w)
	}
	return image.Pt(w, h)
}

// turned writes a picture of w x h pixels, each of so many bytes, as an EXIF orientation says: 2 mirrored, 3 upside
// down, 4 both, 5 to 8 with rows and columns exchanged (6 a quarter to the right,
// 8 to the left).
func turned(to []uint8, toStride int, from []uint8, stride, w, h, bytes, turn int) {
	for y := range h {
		line := from[y*stride : y*stride+w*bytes]
		if turn <= 1 || turn > 8 {
			copy(to[y*toStride:], line)
			continue
		}
		for x := range w {
			// Where a stored pixel is seen.
			sx, sy := x, y
			switch turn {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = h-1-y, x
			case 7:
				sx, sy = h-1-y, w-1-x
			case 8:
				sx, sy = y, w-1-x
			}
			copy(to[sy*toStride+sx*bytes:], line[x*bytes:(x+1)*bytes])
		}
	}
}
