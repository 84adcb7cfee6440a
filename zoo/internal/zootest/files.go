package zootest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// WriteTest writes a set as Kaggle's test.csv; rows may be renamed.
func WriteTest(t testing.TB, set *dataset.Set, name func(row int) string) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("ImageId,Image\n")
	for r := range set.Len() {
		text.WriteString(name(r))
		for i, v := range set.Bytes[r*set.Pixels() : (r+1)*set.Pixels()] {
			fmt.Fprintf(&text, "%c%d", map[bool]byte{true: ',', false: ' '}[i == 0], v)
		}
		text.WriteString("\n")
	}
	return WriteText(t, "test.csv", text.String())
}

func WriteText(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
