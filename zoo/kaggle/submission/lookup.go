package submission

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Lookup is the competition's IdLookupTable: which feature of which image
// each row of a submission gives.
type Lookup struct {
	Source   string
	IDs      []int64  // the rows', in the table's order
	Images   []string // ImageIds, in the order in which they first appear
	Features []string // in the order in which they first appear

	at      map[string]int32
	feature []uint16 // of each row, a position in Features
	from    []int32  // where each image's rows begin, in rows; one more for the end

	// A table in which an image's rows stand apart has these too; the
	// competition's has not, and for each image its rows are a stretch of the table.
	image []int32 // of each row, a position in Images
	rows  []int32 // sorted by image, then in the table's order
}

// maxFeatures is how many features a table may have.
const maxFeatures = math.MaxUint16

// ReadLookup reads a lookup table: RowId, ImageId, FeatureName, found by their
// names; other columns, Location among them, are passed over. The first fault
// is a *Fault.
func ReadLookup(path string) (*Lookup, error) {
	t, err := openTable(path)
	if err != nil {
		return nil, err
	}
	defer t.close()
	l, err := readLookup(t)
	if err != nil {
		return nil, named(err, path)
	}
	l.Source = path
	return l, nil
}

// named puts a file's path to a fault.
func named(err error, path string) error {
	if f, ok := err.(*Fault); ok {
		f.File = path
	}
	return err
}

// strict makes the first fault the table's error.
func (t *table) strict() {
	t.report = func(f Fault) bool {
		if t.err == nil {
			t.err = &f
		}
		return false
	}
}

// columns finds columns by their names; those of letters alone differ in size
// only as people write them: RowId, rowid.
func (t *table) columns(names ...string) []int {
	var out []int
	for _, name := range names {
		at := slices.IndexFunc(t.names, func(n string) bool { return strings.EqualFold(n, name) })
		if at >= 0 && slices.ContainsFunc(t.names[at+1:], func(n string) bool { return strings.EqualFold(n, name) }) {
			t.fault(0, fmt.Sprintf("found the column %s twice, want it once", name))
		}
		out = append(out, at)
	}
	return out
}

func readLookup(t *table) (*Lookup, error) {
	t.strict()
	if !t.head() {
		return nil, t.err
	}
	wanted := []string{"RowId", "ImageId", "FeatureName"}
	at := t.columns(wanted...)
	for i, c := range at {
		if c < 0 {
			t.fault(0, fmt.Sprintf("found no column %s in the header %s, want %s", wanted[i], quote(strings.Join(t.names, ",")), strings.Join(wanted, ",")))
		}
	}
	if t.err != nil {
		return nil, t.err
	}
	// The competition's own table has four names and, where Location would be empty, rows of three fields.
	t.least = slices.Max(at) + 1
	l := &Lookup{at: map[string]int32{}}
	features, rows := map[string]int32{}, ids{}
	for t.next() {
		id, ok := t.id(at[0])
		if !ok || !rows.add(t, id) {
			break
		}
		image, ok := intern(t, at[1], l.at, &l.Images)
		if !ok {
			break
		}
		feature, ok := intern(t, at[2], features, &l.Features)
		if !ok {
			break
		}
		if feature > maxFeatures {
			t.fault(0, fmt.Sprintf("found more than %d features, want at most that", maxFeatures))
			break
		}
		l.put(image, len(rows.list)-1)
		l.feature = append(room(t, l.feature), uint16(feature))
	}
	if t.err == nil && t.rows == 0 {
		t.fault(0, "found no row below the header, want some")
	}
	if t.err != nil {
		return nil, t.err
	}
	l.IDs, l.from = rows.list, append(l.from, int32(len(rows.list)))
	if l.image != nil {
		l.sort()
	}
	return l, nil
}

// put notes whose a row is. The rows of an image that comes again don't lie
// together: then each row's image is kept.
func (l *Lookup) put(image int32, row int) {
	switch {
	case l.image != nil:
		l.image = append(l.image, image)
	case int(image) == len(l.from): // a new one
		l.from = append(l.from, int32(row))
	case int(image) < len(l.from)-1:
		for i, from := range l.from {
			to := row
			if i+1 < len(l.from) {
				to = int(l.from[i+1])
			}
			l.image = append(l.image, slices.Repeat([]int32{int32(i)}, to-int(from))...)
		}
		l.image = append(l.image, image)
	}
}

// intern gives a name's number, a new one to a new name.
func intern(t *table, field int, numbers map[string]int32, names *[]string) (int32, bool) {
	name := strings.TrimSpace(t.record[field])
	if n, ok := numbers[name]; ok {
		return n, true
	}
	if name == "" || !utf8.ValidString(name) {
		t.fault(0, fmt.Sprintf("found %s as %s, want a name in UTF-8", quote(name), t.names[field]))
		return 0, false
	}
	n := int32(len(*names))
	name = strings.Clone(name)
	numbers[name] = n
	*names = append(*names, name)
	return n, true
}

// sort makes rows and from, by counting.
func (l *Lookup) sort() {
	l.from = make([]int32, len(l.Images)+1)
	for _, i := range l.image {
		l.from[i+1]++
	}
	for i := range l.Images {
		l.from[i+1] += l.from[i]
	}
	next := slices.Clone(l.from)
	l.rows = make([]int32, len(l.IDs))
	for r, i := range l.image {
		l.rows[next[i]] = int32(r)
		next[i]++
	}
}

// Len is the number of rows.
func (l *Lookup) Len() int { return len(l.IDs) }

// Image is the position of an ImageId in Images, or -1.
func (l *Lookup) Image(id string) int {
	if i, ok := l.at[id]; ok {
		return int(i)
	}
	return -1
}

// Asked is how many rows ask for image i.
func (l *Lookup) Asked(i int) int { return int(l.from[i+1] - l.from[i]) }

// Rows are the rows that ask for image i: positions in IDs, in the table's order.
func (l *Lookup) Rows(i int) iter.Seq[int] {
	return func(yield func(row int) bool) {
		for at := l.from[i]; at < l.from[i+1]; at++ {
			row := int(at)
			if l.rows != nil {
				row = int(l.rows[at])
			}
			if !yield(row) {
				return
			}
		}
	}
}

// Feature is which feature a row asks for: a position in Features.
func (l *Lookup) Feature(row int) int { return int(l.feature[row]) }

// ImageOf is which image a row is of: a position in Images.
func (l *Lookup) ImageOf(row int) int {
	if l.image != nil {
		return int(l.image[row])
	}
	image, starts := slices.BinarySearch(l.from, int32(row))
	if !starts {
		image--
	}
	return image
}
