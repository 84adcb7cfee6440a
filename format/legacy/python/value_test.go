package python

import "testing"

// Bytes as the Latin-1 text as which protocol 2 has those of Python 3.
func TestFromUTF8(t *testing.T) {
	all := make([]byte, 256)
	var text []rune
	for i := range all {
		all[i] = byte(i)
		text = append(text, rune(i))
	}
	if got, err := fromUTF8([]byte(string(text))); err != nil || string(got) != string(all) {
		t.Errorf("found %v, %v, want every byte", got, err)
	}
	for _, bad := range []string{"Ā", "€", "a\xc3", "\x80", "\xc3a", "\xc3\xc3\x80", "\xc2\x80\x80", "\xc0\x80", "\xff", "\xf0\x9f\x98\x80"} {
		if got, err := fromUTF8([]byte(bad)); err == nil {
			t.Errorf("%q: found %q, want an error", bad, got)
		}
	}
}
