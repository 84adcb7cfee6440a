package submission

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// FuzzSubmission: no text may panic; what is read without a fault passes the
// check of its form, and is the same when written and read again.
func FuzzSubmission(f *testing.F) {
	for _, s := range []string{
		"RowId,Location\n1,0\n2,1.5\n", "\xef\xbb\xbfRowId,Location\r\n1,96\r\n", "\"RowId\",\"Location\"\n\"7\",\"1e1\"\n",
		"RowId,Location\n1,0\n\n2,0\r\n2,\"\n", "RowId,Location\r1,0\r",
	} {
		f.Add([]byte(s))
	}
	path := filepath.Join(f.TempDir(), "s.csv")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := Check(path, math.Inf(1), nil)
		if err != nil {
			t.Fatalf("Check: %v", err)
		}
		s, err := Read(path)
		if (err == nil) != r.OK {
			t.Fatalf("Read: %v, Check: %+v", err, r)
		}
		if err != nil {
			return
		}
		if s.Len() == 0 || s.Len() != len(s.Values) || s.Len() != r.Rows {
			t.Fatalf("found %d ids and %d values, of Check %d rows", s.Len(), len(s.Values), r.Rows)
		}
		var b bytes.Buffer
		if err := s.write(&b); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		again, err := Read(path)
		if len(b.Bytes()) < maxLine && err != nil || err == nil && !slices.Equal(again.IDs, s.IDs) {
			// A number may be written with over 64 digits, which is no coordinate.
			if slices.ContainsFunc(s.Values, func(v float64) bool { return math.Abs(v) > 1e30 }) {
				return
			}
			t.Fatalf("written and read again: %v", err)
		}
	})
}

// FuzzLookup: no text may panic, and the rows of all images are all the rows.
func FuzzLookup(f *testing.F) {
	f.Add([]byte(lookupText))
	f.Add([]byte("\xef\xbb\xbfimageid,ROWID,FeatureName\r\nb,2,x\r\na,1,x\r\nb,3,y\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := readLookup(newTable(bytes.NewReader(text)))
		if err != nil {
			return
		}
		var rows []int
		for i, name := range l.Images {
			if l.Image(name) != i {
				t.Fatalf("found image %q at %d, want %d", name, l.Image(name), i)
			}
			before := len(rows)
			for r := range l.Rows(i) {
				if rows = append(rows, r); l.ImageOf(r) != i || l.Feature(r) >= len(l.Features) {
					t.Fatalf("row %d is of image %d", r, l.ImageOf(r))
				}
			}
			if own := rows[before:]; len(own) != l.Asked(i) || !slices.IsSorted(own) {
				t.Fatalf("found rows %v of image %d, want %d in the table's order", own, i, l.Asked(i))
			}
		}
		slices.Sort(rows)
		for i, r := range rows {
			if r != i {
				t.Fatalf("found row %d, want %d", r, i)
			}
		}
		if len(rows) != l.Len() || l.Len() == 0 {
			t.Fatalf("found %d rows by image, want %d", len(rows), l.Len())
		}
	})
}

// FuzzSolution: no text may panic, and what is read has a finite truth for all
// that counts.
func FuzzSolution(f *testing.F) {
	f.Add([]byte("RowId,Location,Usage\n1,2,Public\n2,3.5,Private\n3,,Ignored\n"))
	f.Add([]byte("Usage,Id,Extra,Location\r\npublic,1,x,2\r\n"))
	f.Add([]byte("RowId,Location\n1,2\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := readSolution(newTable(bytes.NewReader(text)))
		if err != nil {
			return
		}
		if len(s.IDs) == 0 || len(s.Values) != len(s.IDs) || s.Usage != nil && len(s.Usage) != len(s.IDs) {
			t.Fatalf("found %+v", s)
		}
		score, err := s.Compare(&Submission{IDs: s.IDs, Values: s.Values}, nil)
		if err == nil && (score.All != 0 || score.Rows.All+score.Rows.Ignored != len(s.IDs)) {
			t.Fatalf("found the score %+v of the solution itself", score)
		}
	})
}

// FuzzLedger: no text may panic, and a ledger is the same when written and read
// again.
func FuzzLedger(f *testing.F) {
	f.Add([]byte(`{"ledger":1,"made":"submit","file":{"path":"a.csv","sha256":"00"},"rows":3}`))
	f.Add([]byte(`{"ledger":1,"made":"average","inputs":[{"path":"b.csv","sha256":"","ledger":{"ledger":1,"made":"submit"}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := parseLedger(text)
		if err != nil {
			return
		}
		once, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseLedger(once)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := json.Marshal(again); err != nil || !reflect.DeepEqual(once, twice) {
			t.Fatalf("found %s when read again, want %s", twice, once)
		}
	})
}
