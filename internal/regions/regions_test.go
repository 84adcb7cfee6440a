package regions

import (
	"strings"
	"testing"
)

func TestFill(t *testing.T) {
	for _, mark := range []string{"results", "peers"} {
		of := func(text string) string { return strings.ReplaceAll(text, "MARK", mark) }
		text := of("a\n<!-- MARK: x -->\nold\n<!-- end -->\nb <!-- MARK: y -->\n<!-- end -->")
		got, err := Fill(text, mark, map[string]string{"x": "\nnew $1\n", "y": ""})
		if want := of("a\n<!-- MARK: x -->\nnew $1\n<!-- end -->\nb <!-- MARK: y -->\n<!-- end -->"); err != nil || got != want {
			t.Errorf("found %q (%v), want %q", got, err, want)
		}
		for _, c := range []struct{ text, want string }{
			{"", "found 0 regions"},
			{"<!-- MARK: x -->\n<!-- end --><!-- MARK: x -->\n<!-- end -->", "found 2 regions"},
			{"<!-- MARK: x -->\n<!-- end --><!-- MARK: z -->\n<!-- end -->", "found the region z"},
		} {
			if _, err := Fill(of(c.text), mark, map[string]string{"x": ""}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: found the error %v, want %s", c.text, err, c.want)
			}
		}
	}
}
