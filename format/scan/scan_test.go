package scan_test

import (
	"bytes"
	"testing"

	"github.com/fkzoo/fkzoo/format/scan"
	"github.com/fkzoo/fkzoo/format/value"
)

// FuzzScan walks anything as one value: what the scanner accepts, the decoder reads, and it is in its one form.
func FuzzScan(f *testing.F) {
	for _, v := range []any{nil, true, -1, int64(1) << 40, 0.5, "text", []byte{1}, []any{1, []any{}}, map[string]any{"a": 1, "b": map[string]any{}}} {
		raw, err := value.Encode(v, "")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add(bytes.Repeat([]byte{0x91}, 1000))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &scan.Cursor{B: data}
		if err := c.Skip(1); err != nil {
			return
		}
		v, err := value.Decode(data[:c.Pos])
		if err != nil {
			t.Fatalf("accepted, but: %v", err)
		}
		if raw, err := value.Encode(v, ""); err != nil || !bytes.Equal(raw, data[:c.Pos]) {
			t.Fatalf("%x comes back as %x (%v)", data[:c.Pos], raw, err)
		}
	})
}
