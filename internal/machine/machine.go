// Package machine names the machine for the record of what it makes.
package machine

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Name says what kind of machine this is: system and architecture, on Linux the processor's name where the system knows
// it, and the number of cores.
func Name() string {
	kind := runtime.GOOS + "/" + runtime.GOARCH
	if runtime.GOOS == "linux" {
		text, _ := os.ReadFile("/proc/cpuinfo")
		if name := processorName(string(text)); name != "" {
			kind += ", " + name
		}
	}
	return fmt.Sprintf("%s, %d cores", kind, runtime.NumCPU())
}

// processorName is the model's name in the text of /proc/cpuinfo, "" where there is none.
func processorName(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		name, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(name) == "model name" {
			const most = 80
			return fmt.Sprintf("%.*s", most, strings.Join(strings.Fields(value), " "))
		}
	}
	return ""
}
