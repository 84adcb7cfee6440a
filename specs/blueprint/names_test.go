package blueprint

import (
	"strings"
	"testing"
)

// One rule for names: a document's and those of which a start is made.
func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"a":                     true,
		"net11":                 true,
		"9lives_v1.2":           true,
		strings.Repeat("a", 64): true,
		"":                      false,
		"tiny-":                 false,
		"tiny.":                 false,
		"-net":                  false,
		"Net11":                 false,
		"net\n":                 false,
		strings.Repeat("a", 65): false,
	} {
		if ValidName(name) != good {
			t.Errorf("ValidName(%q) = %v, want %v", name, !good, good)
		}
		for _, start := range []string{name, "plugin/" + name, name + "/net"} {
			if startFrom.MatchString(start) != good {
				t.Errorf("start_from %q is taken: %v, want %v", start, !good, good)
			}
		}
	}
}
