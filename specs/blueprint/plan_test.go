package blueprint

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// The limits that docs/blueprint.md promises are those that hold.
func TestLimitsInTheGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/blueprint.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| what | at most |")
	for row, limits := range map[string][]int64{
		"text of a document":  {MaxBytes >> 20, int64(limits.Depth), int64(limits.Entries), int64(limits.Values)},
		"members":             {maxMembers},
		"columns of a member": {maxColumns, maxColumnName},
		"layers of a member":  {maxLayers, maxInputs},
		"values of an image, a layer's output or a parameter": {maxParameters},
		"parameters of a member":                              {maxParameters},
		"operations of a member, for one image":               {maxFLOPs},
		"epochs":                                              {maxEpochs},
		"batch":                                               {maxBatch},
	} {
		_, line, found := strings.Cut(table, "\n| "+row+" | ")
		line, _, _ = strings.Cut(line, "\n")
		if !found {
			t.Errorf("%s: no such row", row)
		}
		for _, n := range limits {
			if want := strconv.FormatInt(n, 10); !strings.Contains(strings.ReplaceAll(line, ",", ""), want) {
				t.Errorf("%s: found %q, want %s", row, line, want)
			}
		}
	}
}
