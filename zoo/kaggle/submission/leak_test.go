package submission

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLeaked(t *testing.T) {
	leak := func(images ...string) *Ledger { return &Ledger{Leak: &Leak{Images: images}} }
	of := func(changed bool, inputs ...*Ledger) *Ledger {
		l := &Ledger{}
		for _, in := range inputs {
			l.Inputs = append(l.Inputs, Input{Ledger: in, Changed: changed})
		}
		return l
	}
	for _, c := range []struct {
		name   string
		ledger *Ledger
		want   string
		all    bool
	}{
		{"not looked for", &Ledger{}, "", false},
		{"none", leak(), "", true},
		{"some, by number", leak("10", "9"), "9 10", true},
		{"an average", of(false, leak("1", "2"), leak("2", "3")), "1 2 3", true},
		{"averages of averages", of(false, leak("4"), of(false, leak("3"), &Ledger{})), "3 4", false},
		{"an input without a ledger", of(false, leak("1"), nil), "1", false},
		{"an input that was changed", of(true, leak("1")), "", false},
	} {
		images, all := c.ledger.Leaked()
		if got := strings.Join(images, " "); got != c.want || all != c.all {
			t.Errorf("%s: found %q, %t, want %q, %t", c.name, got, all, c.want, c.all)
		}
	}
}

func TestCompareOthers(t *testing.T) {
	lookup, err := ReadLookup(put(t, "l.csv", "RowId,ImageId,FeatureName\n1,a,x\n2,b,x\n3,b,y\n4,c,x\n"))
	if err != nil {
		t.Fatal(err)
	}
	ids := []int64{1, 2, 3, 4}
	s := &Submission{IDs: ids, Values: []float64{1, 2, 3, 4}}
	plain := &Solution{IDs: ids, Values: make([]float64, 4)}
	used := &Solution{IDs: ids, Values: make([]float64, 4), Usage: []Usage{Public, Public, Private, Private}}
	for _, c := range []struct {
		name            string
		solution        *Solution
		but             []string
		all             float64
		public, private int
	}{
		{"without usage", plain, []string{"b"}, 2.9154759474226504, 0, 0},
		{"with usage", used, []string{"b"}, 2.9154759474226504, 1, 1},
		{"an image that isn't asked for", used, []string{"b", "z"}, 2.9154759474226504, 1, 1},
	} {
		got, err := c.solution.CompareOthers(s, lookup, c.but)
		if err != nil || got.All != c.all || got.Rows.All != 2 || got.Rows.Public != c.public || got.Rows.Private != c.private || (got.Private != nil) != (c.private > 0) {
			t.Errorf("%s: found %+v and error %v", c.name, got, err)
		}
	}
	if got, err := plain.CompareOthers(s, lookup, []string{"a", "b", "c"}); got != nil || err != nil {
		t.Errorf("none left: found %+v and error %v", got, err)
	}
	if plain.Usage != nil || !slices.Equal(used.Usage, []Usage{Public, Public, Private, Private}) {
		t.Error("the solution has changed")
	}
}

// A ledger may name anything: what is no file isn't waited for.
func TestLedgerOfNoFile(t *testing.T) {
	at := filepath.Join(t.TempDir(), "s.csv")
	for _, path := range []string{"/dev/zero", "/dev", "none"} {
		if got := StateOf(&File{Path: path}, at); got != Missing {
			t.Errorf("%s: found %s, want %s", path, got, Missing)
		}
	}
}
