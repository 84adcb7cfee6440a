package machine

import (
	"runtime"
	"strings"
	"testing"
)

func TestProcessor(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"x86", "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9454 48-Core Processor\nstepping\t: 1\n", "AMD EPYC 9454 48-Core Processor"},
		{"wide", "model name\t: Intel(R) Xeon(R) CPU           E5-2670 0 @ 2.60GHz  \n", "Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz"},
		{"arm", "processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\n", ""},
		{"cut", "model name", ""},
		{"none", "", ""},
		{"long", "model name: " + strings.Repeat("x", 200), strings.Repeat("x", 80)},
	} {
		if got := processorName(c.text); got != c.want {
			t.Errorf("%s: found %q, want %q", c.name, got, c.want)
		}
	}
	if got := Name(); !strings.HasPrefix(got, runtime.GOOS+"/"+runtime.GOARCH+", ") || !strings.HasSuffix(got, " cores") {
		t.Errorf("found %q", got)
	}
}

func TestMemory(t *testing.T) {
	if got := Memory(); runtime.GOOS == "linux" && (got < 1<<20 || got > 1<<50) {
		t.Errorf("found %d bytes", got)
	}
}
