// Package regions puts what a program has made into a page of Markdown that people write the rest of. It knows nothing of what that is.
package regions

import (
	"fmt"
	"regexp"
	"strings"
)

// Fill puts the texts into the page's regions by their names, each from «<!-- MARK: NAME -->» to «<!-- end -->». Each must be
// there once, and no others.
func Fill(text, mark string, texts map[string]string) (string, error) {
	region := regexp.MustCompile(`(?s)<!-- ` + regexp.QuoteMeta(mark) + `: ([a-z]+) -->\n.*?<!-- end -->`)
	seen := map[string]int{}
	out := region.ReplaceAllStringFunc(text, func(old string) string {
		name := region.FindStringSubmatch(old)[1]
		seen[name]++
		return "<!-- " + mark + ": " + name + " -->\n" + strings.TrimLeft(texts[name], "\n") + "<!-- end -->"
	})
	for name := range texts {
		if n := seen[name]; n != 1 {
			return "", fmt.Errorf("found %d regions «<!-- %s: %s -->», want one", n, mark, name)
		}
	}
	for name := range seen {
		if _, ok := texts[name]; !ok {
			return "", fmt.Errorf("found the region %s, which there is no table for", name)
		}
	}
	return out, nil
}
