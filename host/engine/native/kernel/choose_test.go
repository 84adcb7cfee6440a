package kernel

import (
	"strings"
	"testing"
)

// A set is chosen by name or by what the machine can; what it lacks is an error that says what it has.
func TestChoose(t *testing.T) {
	fastest := Sets()[0]
	if s, err := Choose(""); err != nil || s != fastest {
		t.Errorf("no name: found %v (%v), want %s", s, err, fastest.Name)
	}
	can := map[string]bool{}
	for _, want := range Sets() {
		can[want.Name] = true
		t.Setenv(Variable, want.Name)
		if s, err := FromEnvironment(); err != nil || s != want {
			t.Errorf("%s: found %v (%v)", want.Name, s, err)
		}
	}
	for _, name := range append(names, "AVX512", "sse") {
		if can[name] {
			continue
		}
		t.Setenv(Variable, name)
		_, err := FromEnvironment()
		if err == nil || !strings.Contains(err.Error(), Variable) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "plain") {
			t.Errorf("%s: found %v, want an error that names it, %s and what this machine can do", name, err, Variable)
		}
	}
}

// Peak does about as many multiply-adds as asked for.
func TestPeak(t *testing.T) {
	for _, set := range Sets() {
		if n := set.Peak(1 << 20); n < 1<<19 || n > 1<<20 {
			t.Errorf("%s: found %d multiply-adds, want about %d", set.Name, n, 1<<20)
		}
	}
}
