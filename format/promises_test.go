package format

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each promise of docs/fkz.md names tests, and they are there.
func TestPromises(t *testing.T) {
	there := map[string]bool{}
	for _, folder := range []string{".", "diff", "header", "scan", "sign", "tensor", "value", "../internal/atomicfile", "../specs/readers/python"} {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: found no tests (%v)", folder, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`).FindAllStringSubmatch(string(text), -1) {
				there[m[1]] = true
			}
		}
	}
	_, table, found := strings.Cut(string(read(t, "../docs/fkz.md")), "| promise | test |")
	table, _, _ = strings.Cut(table, "\n\n")
	promises := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || strings.Contains(cells[1], "---") {
			continue
		}
		promises++
		names := regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(cells[2], -1)
		if len(names) == 0 {
			t.Errorf("%s: names no test", cells[1])
		}
		for _, m := range names {
			if !there[m[1]] {
				t.Errorf("%s: there is no %s", strings.TrimSpace(cells[1]), m[1])
			}
		}
	}
	if !found || promises < 20 {
		t.Errorf("found %d promises, want at least 20", promises)
	}
}
