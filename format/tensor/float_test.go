package tensor

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

// All values of the small floats are those of NumPy and ml_dtypes: testdata/floats.py.
func TestFloat(t *testing.T) {
	text, err := os.ReadFile("testdata/floats.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var name, want string
		var n uint64
		if _, err := fmt.Sscan(line, &name, &n, &want); err != nil {
			t.Fatal(err)
		}
		var all []byte
		for bits := range n {
			f := Float(DType(name), bits)
			u := math.Float64bits(f)
			if math.IsNaN(f) {
				u = 0x7ff8000000000000
			}
			all = binary.LittleEndian.AppendUint64(all, u)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(all)); got != want {
			t.Errorf("%s: the SHA-256 of its values is %s, want %s", name, got, want)
		}
	}
	if Float(Float32, 0xc0000000) != -2 || Float(Float64, math.Float64bits(0.1)) != 0.1 || !math.IsNaN(Float(Int8, 0)) {
		t.Error("float32, float64 or int8 is wrong")
	}
}
