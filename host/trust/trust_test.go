package trust

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/file"
)

func TestParseShipped(t *testing.T) {
	a, b := strings.Repeat("0a", 32), strings.Repeat("f1", 32)
	for _, test := range []struct {
		text string
		want map[string]string // nil: refused
	}{
		{"", map[string]string{}},
		{"net7=" + a, map[string]string{"net7": a}},
		{"net7=" + a + ",baseline=" + b, map[string]string{"net7": a, "baseline": b}},
		{"net7", nil},
		{"net7=", nil},
		{"=" + a, nil},
		{"net7=" + a[1:], nil},
		{"net7=" + strings.ToUpper(a), nil},
		{"net7=" + a + ",net7=" + b, nil},
	} {
		got, err := ParseShipped(test.text)
		if (err == nil) != (test.want != nil) || err == nil && !reflect.DeepEqual(got, test.want) {
			t.Errorf("ParseShipped(%q) = %v, %v; want %v", test.text, got, err, test.want)
		}
	}
}

// FuzzParseShipped: what the linker sets is taken whole or refused.
func FuzzParseShipped(f *testing.F) {
	f.Add("")
	f.Add("net7=" + fmt.Sprintf("%064x", 255))
	f.Add("net7=,=,")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseShipped(text)
		for name, sum := range all {
			if err == nil && !file.IsChecksum(sum) {
				t.Errorf("%q gave %q the checksum %q", text, name, sum)
			}
		}
	})
}
