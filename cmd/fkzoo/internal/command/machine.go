package command

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine is the record of what kind of machine this is: on Linux with the
// processor's name, where the system knows it.
func Machine() string {
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
