package device

import "fmt"

// Images are grey or colour pictures of one size, values 0 to 255 in the order
// [image, height, width, channel]. Exactly one of Bytes and Floats is set.
type Images struct {
	Count                   int
	Height, Width, Channels int
	Bytes                   []uint8
	Floats                  []float32
}

// Pixels is the number of values of an image.
func (im Images) Pixels() int { return im.Height * im.Width * im.Channels }

// Check refuses images that a network of this input can't take.
func (im Images) Check(height, width, channels int) error {
	if im.Height != height || im.Width != width || im.Channels != channels {
		return fmt.Errorf("images: found %dx%d with %d channels, want %dx%d with %d", im.Height, im.Width, im.Channels, height, width, channels)
	}
	want := im.Count * im.Pixels()
	if im.Count < 0 || len(im.Bytes)+len(im.Floats) != want || (len(im.Bytes) > 0 && len(im.Floats) > 0) {
		return fmt.Errorf("images: found %d values, want %d for %d images", len(im.Bytes)+len(im.Floats), want, im.Count)
	}
	return nil
}

// CheckRows refuses rows that are not there.
func (im Images) CheckRows(rows []int) error {
	for _, r := range rows {
		if r < 0 || r >= im.Count {
			return fmt.Errorf("rows: found row %d, want 0 to %d", r, im.Count-1)
		}
	}
	return nil
}

// Fill copies the images of these rows to dst as float32 values 0 to 255.
func (im Images) Fill(dst []float32, rows []int) {
	n := im.Pixels()
	for i, row := range rows {
		out := dst[i*n : (i+1)*n]
		if len(im.Floats) > 0 {
			copy(out, im.Floats[row*n:(row+1)*n])
			continue
		}
		for k, v := range im.Bytes[row*n : (row+1)*n] {
			out[k] = float32(v)
		}
	}
}
