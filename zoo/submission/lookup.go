package submission

import (
	"fmt"
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

	image, feature []int32 // of each row, positions in Images and Features
	at             map[string]int32
	rows           []int32 // sorted by image, then in the table's order
	from           []int32 // where in rows each image's begin; one more for the end
}

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
		l.image, l.feature = append(l.image, image), append(l.feature, feature)
	}
	if t.err == nil && t.rows == 0 {
		t.fault(0, "found no row below the header, want some")
	}
	if t.err != nil {
		return nil, t.err
	}
	l.IDs = rows.list
	l.sort()
	return l, nil
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

// Rows are the rows that ask for image i: positions in IDs, in the table's
// order. They are a view.
func (l *Lookup) Rows(i int) []int32 { return l.rows[l.from[i]:l.from[i+1]] }

// Feature is which feature a row asks for: a position in Features.
func (l *Lookup) Feature(row int) int { return int(l.feature[row]) }

// ImageOf is which image a row is of: a position in Images.
func (l *Lookup) ImageOf(row int) int { return int(l.image[row]) }
