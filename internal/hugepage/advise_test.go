package hugepage

import "testing"

// Memory of any size and place is what it was.
func TestAdvise(t *testing.T) {
	all := make([]byte, 3*least)
	for _, b := range [][]byte{nil, all[:0], all[:1], all[1 : least+1], all[7 : 2*least+5], all} {
		Advise(b)
	}
	for i, v := range all {
		if all[i] = byte(i); v != 0 {
			t.Fatalf("byte %d: found %d, want 0", i, v)
		}
	}
	if all[least] != byte(least%256) {
		t.Error("found something else than was written")
	}
}
