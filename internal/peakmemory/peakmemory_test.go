package peakmemory

import "testing"

// Memory that was used counts, also when it isn't any more.
func TestBytes(t *testing.T) {
	before := Bytes()
	if before == 0 {
		t.Skip("the system doesn't say")
	}
	const more = 64 << 20
	held := make([]byte, before+more) // above what freed memory there may be
	for i := 0; i < len(held); i += 4096 {
		held[i] = 1
	}
	if after := Bytes(); after < before+more/2 {
		t.Errorf("found %d bytes, and %d before %d more were used", after, before, len(held))
	}
}
