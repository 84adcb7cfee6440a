package dataset

import "context"

// Read reads a data set, in whichever of these forms it is:
//
//   - Kaggle's training.csv or test.csv, or the zip with it. The columns may stand
//     in any order. Image has the pixels, whole numbers 0 to 255 with blanks
//     between; their number must be a square, the image's size. ImageId, where it
//     is, names the rows. Every other column is a coordinate, and an empty cell
//     there is a NaN in Points. Quoted fields, CRLF, a byte-order mark and blank
//     lines at the end are accepted;
//   - a CSV that names picture files, see [ReadSized];
//   - a folder with pictures, and with such a CSV or .pts files, see [ReadSized].
//
// Pictures become images of 96 x 96.
//
// The first fault in the file's order is the error: a *RowError for a line, else
// one that wraps ErrEmpty, ErrFormat, ErrLimit, what the system says, or the
// context's error.
func Read(ctx context.Context, path string) (*Set, error) { return read(ctx, path, 0, 0) }

// ReadSized is [Read] with images of h x w: those of Kaggle's files are resized,
// pictures are read at this size at once. Points are in pixels of the resized
// images, and Scales leads back.
//
// A CSV that names picture files has a column image, file, filename, file_name,
// path or name (in any case; or a first column without a name) with paths inside
// the CSV's own folder, or inside one of the folders in that. Columns that end in
// _x and _y are coordinates, in pixels of the picture as it is looked at; others
// are passed over. 68 points in the iBUG order become Kaggle's 15, see
// [Landmarks]: columns 0 to 135 (x and y in turn), or an x and a y for each
// number, 0 to 67 or 1 to 68, as in x_0 and y_0 or point_1_x and point_1_y.
//
// Of a folder the CSV in it is read. Where there is none, the .pts files in it and
// the folders below, of 68 points each, belong to the pictures called like them;
// pictures without one have empty cells. Without either, all its pictures are
// read, without points.
func ReadSized(ctx context.Context, path string, h, w int) (*Set, error) {
	if err := checkSize(h, w); err != nil {
		return nil, err
	}
	s, err := read(ctx, path, h, w)
	if err != nil {
		return nil, err
	}
	return s.Resized(h, w), nil
}

// natural is the size of images from pictures where none is asked for.
const natural = 96

func read(ctx context.Context, path string, h, w int) (*Set, error) {
	if h == 0 {
		h, w = natural, natural
	}
	a, text, err := find(ctx, path)
	if err != nil {
		return nil, err
	}
	var s *Set
	if a != nil {
		s, err = a.read(ctx, h, w)
	} else {
		s, err = readKaggle(ctx, text)
	}
	if err == nil {
		s.Source = path
	}
	return s, err
}
