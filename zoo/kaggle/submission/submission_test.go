package submission

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// put writes a file of the test's own folder.
func put(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const lookupText = "RowId,ImageId,FeatureName,Location\n1,1,nose_tip_x,\n2,1,nose_tip_y,\n3,2,nose_tip_x,\n"

func TestCheck(t *testing.T) {
	lookup, err := ReadLookup(put(t, "lookup.csv", lookupText))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		lookup     *Lookup
		want       []string // the faults; none: a good file
	}{
		{"good", "RowId,Location\n1,0\n2,1.5\n3,96\n", lookup, nil},
		{"whole numbers, no line end at the end", "RowId,Location\n1,0\n2,0\n3,0", lookup, nil},
		{"another order", "RowId,Location\n3,0\n1,0\n2,0\n", lookup, nil},
		{"CRLF", "RowId,Location\r\n1,0\r\n2,0\r\n3,0\r\n", lookup, nil},
		{"byte-order mark", "\xef\xbb\xbfRowId,Location\n1,0\n2,0\n3,0\n", lookup, nil},
		{"quotes", "\"RowId\",\"Location\"\n\"1\",\"0\"\n2,0\n3,0\n", lookup, nil},
		{"exponent", "RowId,Location\n1,1e1\n2,+3\n3,.5\n", lookup, nil},
		{"blank lines at the end", "RowId,Location\n1,0\n2,0\n3,0\n\n\n", lookup, nil},
		{"form alone", "RowId,Location\n7,0\n", nil, nil},

		{"missing", "RowId,Location\n1,0\n3,0\n", lookup, []string{"row 2: missing, want nose_tip_y of image 1"}},
		{"extra", "RowId,Location\n1,0\n2,0\n3,0\n4,0\n", lookup, []string{"row 4: found a row that the lookup table doesn't ask for, want it left out"}},
		{"twice", "RowId,Location\n1,0\n2,0\n2,0\n3,0\n", lookup, []string{"line 4, row 2: found the row twice, first in line 3, want it once"}},
		{"no number", "RowId,Location\n1,0\n2,abc\n3,0\n", lookup, []string{`line 3, row 2: found "abc" as Location, want a number`}},
		{"nothing", "RowId,Location\n1,0\n2,\n3,0\n", lookup, []string{"line 3, row 2: found no Location, want a number"}},
		{"not a number", "RowId,Location\n1,NaN\n2,inf\n3,0x1p3\n", lookup, []string{
			`line 2, row 1: found "NaN" as Location, want a number`, `line 3, row 2: found "inf" as Location, want a number`, `line 4, row 3: found "0x1p3" as Location, want a number`}},
		{"too large for a number", "RowId,Location\n1,1e999\n2,0\n3,0\n", lookup, []string{`line 2, row 1: found "1e999" as Location, want a number`}},
		{"decimal comma", "RowId,Location\n1,\"3,5\"\n2,0\n3,0\n", lookup, []string{`line 2, row 1: found "3,5" as Location, want a number`}},
		{"out of range", "RowId,Location\n1,-0.1\n2,96.001\n3,0\n", lookup, []string{
			`line 2, row 1: found "-0.1" as Location, want 0 to 96, inside the image`, `line 3, row 2: found "96.001" as Location, want 0 to 96, inside the image`}},
		{"row without an id", "RowId,Location\n1,0\nx,0\n2,0\n3,0\n", lookup, []string{`line 3: found "x" as RowId, want a whole number`}},
		{"fields", "RowId,Location\n1,0\n2\n2,0\n3,0,0\n3,1\n", lookup, []string{"line 3: found 1 fields, want 2 as in the header", "line 5: found 3 fields, want 2 as in the header"}},
		{"empty line", "RowId,Location\n1,0\n\n2,0\n3,0\n", lookup, []string{"line 3: found an empty line, want a row"}},
		{"header", "Row,Location\n1,0\n", lookup, []string{`line 1: found the header "Row,Location", want RowId,Location`}},
		{"header's order", "Location,RowId\n0,1\n", lookup, []string{`line 1: found the header "Location,RowId", want RowId,Location`}},
		{"semicolons", "RowId;Location\n1;0\n", lookup, []string{`line 1: found the header "RowId;Location", want RowId,Location`}},
		{"no header", "1,0\n2,0\n3,0\n", lookup, []string{`line 1: found the header "1,0", want RowId,Location`}},
		{"no rows", "RowId,Location\n", lookup, []string{"line 1: found no row below the header, want some"}},
		{"empty", "", lookup, []string{"found an empty file, want a header and rows"}},
		{"empty lines", "\n\n", lookup, []string{"found only empty lines, want a header and rows"}},
		{"mixed", "RowId,Location\n1,0\r\n2,0\n3,0\r\n", lookup, []string{"line 2: found a line that ends in CRLF after those that end in LF: mixed line ends, want LF throughout"}},
		{"mixed the other way", "RowId,Location\r\n1,0\r\n2,0\n3,0\r\n", lookup, []string{"line 3: found a line that ends in LF after those that end in CRLF: mixed line ends, want LF throughout"}},
		{"old Macintosh", "RowId,Location\r1,0\r2,0\r3,0\r", lookup, []string{"line 1: found a carriage return (CR) alone, want lines that end in LF", `line 1: found 5 fields`}},
		{"UTF-16", "\xff\xfeR\x00o\x00w\x00", lookup, []string{"found UTF-16 text, want a CSV in UTF-8"}},
		{"UTF-16 without a mark", "R\x00o\x00w\x00", lookup, []string{"found a binary file, or UTF-16 text, want a CSV in UTF-8"}},
		{"zip", "PK\x03\x04....", lookup, []string{"found a zip, want a CSV in UTF-8"}},
		{"Latin 1", "RowId,Location\n1,0\n2,\xb0\n3,0\n", lookup, []string{`line 3, row 2: found "\xb0" as Location, want a number`}},
		{"quote out of place", "RowId,Location\n1,0\n2,0\"\n2,0\n3,0\n", lookup, []string{`line 3: found a quote out of place, want fields as 1,2 or "1","2"`}},
		{"quote without an end", "RowId,Location\n1,0\n2,0\n3,0\n4,\"0\n", nil, []string{`line 5: found a quote out of place`}},
		{"field over two lines", "RowId,Location\n1,0\n\"2\n\",0\n2,0\n3,0\n", lookup, []string{"line 3: found a quoted field over several lines, want each within its line"}},
		{"a line without end", "RowId,Location\n1," + strings.Repeat("0", maxLine) + "\n", nil, []string{"line 2: found more than 65536 bytes, want at most that in a line"}},
		{"a quote without end, long", "RowId,Location\n1,\"" + strings.Repeat("0\n", maxRow), nil, []string{"line 2: found no row in 1048576 bytes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantFaults(t, c.text, c.lookup, c.want, c.name == "old Macintosh")
		})
	}
}

// wantFaults checks a file: each fault found, or the first alone, begins as wanted,
// and reading stops at the first, unless it is one of completeness or range.
func wantFaults(t *testing.T, text string, lookup *Lookup, want []string, firstAlone bool) {
	t.Helper()
	path := put(t, "s.csv", text)
	r, err := Check(path, ImageSide, lookup)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range r.List {
		found = append(found, f.Where()+f.Reason)
	}
	if r.OK != (len(want) == 0) || r.Faults != len(found) {
		t.Errorf("found OK %t and %d faults", r.OK, r.Faults)
	}
	same := slices.EqualFunc(found, want, func(f, w string) bool { return strings.HasPrefix(f, w) })
	if firstAlone {
		same = len(found) > 0 && strings.HasPrefix(found[0], want[0])
	}
	if !same {
		t.Errorf("found the faults\n%s\nwant\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
	// Reading stops at the first, unless it is one of completeness or range.
	first := slices.IndexFunc(found, func(f string) bool {
		return !strings.Contains(f, "missing") && !strings.Contains(f, "doesn't ask") && !strings.Contains(f, "inside the image")
	})
	_, err = Read(path)
	if first < 0 {
		if err != nil {
			t.Errorf("Read: %v", err)
		}
		return
	}
	var fault *Fault
	if !errors.As(err, &fault) || fault.Where()+fault.Reason != found[first] || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("Read: found error %v, want %s", err, found[first])
	}
}

func TestCheckCountsWhatItDoesNotList(t *testing.T) {
	var text strings.Builder
	text.WriteString("RowId,Location\n")
	for range 250 {
		text.WriteString("1,0\n")
	}
	r, err := Check(put(t, "s.csv", text.String()), ImageSide, nil)
	if err != nil || r.Faults != 249 || len(r.List) != maxFaults || r.Rows != 1 {
		t.Errorf("found %d faults, %d listed, %d rows, error %v, want 249, %d, 1", r.Faults, len(r.List), r.Rows, err, maxFaults)
	}
}

// The competition's own files, as its competitors sent them.
func TestRealFiles(t *testing.T) {
	folder := os.Getenv("FKZOO_TESTDATA")
	if folder == "" {
		t.Skip("FKZOO_TESTDATA not set")
	}
	for _, c := range []struct {
		lookup, submissions string
		rows, images, files int
	}{
		{"kaggle/IdLookupTable.csv", "kaggle/*ubmission*.csv", 27124, 1783, 3},
		{"data/IdLookupTable.csv", "data/SampleSubmission.csv", 11792, 770, 1},
	} {
		lookup, err := ReadLookup(filepath.Join(folder, c.lookup))
		if err != nil {
			t.Fatal(err)
		}
		if lookup.Len() != c.rows || len(lookup.Images) != c.images || len(lookup.Features) != 30 {
			t.Errorf("%s: found %d rows of %d images and %d features, want %d, %d and 30", c.lookup, lookup.Len(), len(lookup.Images), len(lookup.Features), c.rows, c.images)
		}
		files, err := filepath.Glob(filepath.Join(folder, c.submissions))
		if err != nil || len(files) != c.files {
			t.Fatalf("%s: found %d files, want %d", c.submissions, len(files), c.files)
		}
		for _, path := range files {
			r, err := Check(path, ImageSide, lookup)
			if err != nil || !r.OK || r.Rows != c.rows {
				t.Errorf("%s: found %+v and error %v, want %d rows without a fault", path, r, err, c.rows)
			}
			// Written again it is the same, to the last byte where it has no more
			// than 10 decimals.
			s, err := Read(path)
			if err != nil {
				t.Fatal(err)
			}
			again := filepath.Join(t.TempDir(), "again.csv")
			if err := s.Write(again, false); err != nil {
				t.Fatal(err)
			}
			s2, err := Read(again)
			if err != nil || !slices.Equal(s.IDs, s2.IDs) {
				t.Fatalf("found other rows, or error %v", err)
			}
			for i := range s.Values {
				if math.Abs(s.Values[i]-s2.Values[i]) > 5e-11 {
					t.Fatalf("%s row %d: found %v when written and read again, want %v", path, s.IDs[i], s2.Values[i], s.Values[i])
				}
			}
		}
	}
}

func TestLookup(t *testing.T) {
	l, err := ReadLookup(put(t, "l.csv", "\xef\xbb\xbfImageId,rowid,FeatureName,Location,More\r\nb,5,y,,\r\na,3,x,,\r\nb,4,x,,\r\na,1,y,,\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(l.IDs, []int64{5, 3, 4, 1}) || !slices.Equal(l.Images, []string{"b", "a"}) || !slices.Equal(l.Features, []string{"y", "x"}) {
		t.Errorf("found %+v", l)
	}
	if l.Image("a") != 1 || l.Image("c") != -1 || !slices.Equal(slices.Collect(l.Rows(0)), []int{0, 2}) || !slices.Equal(slices.Collect(l.Rows(1)), []int{1, 3}) || l.Asked(1) != 2 || l.Feature(2) != 1 || l.ImageOf(3) != 1 {
		t.Errorf("found %+v", l)
	}
	// Where the images' rows lie together they are stretches of the table.
	if l, err = ReadLookup(put(t, "l.csv", "RowId,ImageId,FeatureName\n5,b,y\n6,b,x\n3,a,x\n1,c,x\n2,c,y\n")); err != nil {
		t.Fatal(err)
	}
	if l.image != nil || !slices.Equal(slices.Collect(l.Rows(0)), []int{0, 1}) || !slices.Equal(slices.Collect(l.Rows(2)), []int{3, 4}) || l.Asked(1) != 1 || l.ImageOf(1) != 0 || l.ImageOf(2) != 1 || l.ImageOf(4) != 2 {
		t.Errorf("found %+v", l)
	}
	// As the competition has it: no comma behind FeatureName.
	if l, err = ReadLookup(put(t, "l.csv", "RowId,ImageId,FeatureName,Location\r\n1,1,x\r\n2,1,y,\r\n3,2,x\r\n")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(l.IDs, []int64{1, 2, 3}) || !slices.Equal(l.Features, []string{"x", "y"}) || l.Asked(0) != 2 || l.Feature(2) != 0 {
		t.Errorf("found %+v", l)
	}
	var many strings.Builder
	many.WriteString("RowId,ImageId,FeatureName\n")
	for i := range maxFeatures + 2 {
		fmt.Fprintf(&many, "%d,1,f%d\n", i, i)
	}
	for _, c := range []struct{ name, text, want string }{
		{"too many features", many.String(), " line 65538: found more than 65535 features, want at most that"},
		{"no ImageId", "RowId,FeatureName\n1,x\n", ` line 1: found no column ImageId in the header "RowId,FeatureName"`},
		{"a column twice", "RowId,RowId,ImageId,FeatureName\n1,1,1,x\n", " line 1: found the column RowId twice"},
		{"a row twice", "RowId,ImageId,FeatureName\n1,1,x\n1,1,y\n", " line 3, row 1: found the row twice, first in line 2"},
		{"no name", "RowId,ImageId,FeatureName\n1,1,\n", ` line 2: found "" as FeatureName, want a name in UTF-8`},
		{"no image", "RowId,ImageId,FeatureName\n1, ,x\n", ` line 2: found "" as ImageId`},
		{"no UTF-8", "RowId,ImageId,FeatureName\n1,1,\xff\n", ` line 2: found "\xff" as FeatureName`},
		{"no id", "RowId,ImageId,FeatureName\n1.5,1,x\n", ` line 2: found "1.5" as RowId, want a whole number`},
		{"no rows", "RowId,ImageId,FeatureName\n", " line 1: found no row below the header"},
		{"empty", "", ": found an empty file"},
		{"fields", "RowId,ImageId,FeatureName\n1,1\n", " line 2: found 2 fields, want 3"},
		{"two fields of four", "RowId,ImageId,FeatureName,Location\n1,1,x\n2,1\n", " line 3: found 2 fields, want 4"},
		{"five fields of four", "RowId,ImageId,FeatureName,Location\n1,1,x\n2,1,y,,\n", " line 3: found 5 fields, want 4"},
		{"a needed field last", "RowId,ImageId,Location,FeatureName\n1,1,x\n", " line 2: found 3 fields, want 4"},
	} {
		path := put(t, "l.csv", c.text)
		if _, err := ReadLookup(path); err == nil || !strings.HasPrefix(err.Error(), path+c.want) {
			t.Errorf("%s: found error %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := ReadLookup(t.TempDir()); err == nil || !strings.Contains(err.Error(), "found a folder, want an ordinary file") {
		t.Errorf("a folder: found error %v", err)
	}
}

func TestWrite(t *testing.T) {
	s := &Submission{IDs: []int64{3, 1, 2, 4, 5}, Values: []float64{1, 0.1 + 0.2, 95.99999999999, math.Copysign(0, -1), 66.7915592194}}
	path := filepath.Join(t.TempDir(), "s.csv")
	if err := s.Write(path, false); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if want := "RowId,Location\n3,1\n1,0.3\n2,96\n4,0\n5,66.7915592194\n"; err != nil || string(text) != want {
		t.Errorf("found %q and error %v, want %q", text, err, want)
	}
}
