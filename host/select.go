package host

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Matching gives the architectures whose name, or plugin/name, matches one of the patterns, with wildcards as [path.Match]
// has them; without patterns all.
func Matching(all []Architecture, patterns []string) (found []Architecture, err error) {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return nil, fmt.Errorf("pattern %q: found a [ without its ], want a name with *, ? or [abc]", p)
		}
	}
	for _, a := range all {
		if len(patterns) == 0 || slices.ContainsFunc(patterns, a.matches) {
			found = append(found, a)
		}
	}
	return found, nil
}

func (a Architecture) matches(pattern string) bool {
	short, _ := path.Match(pattern, a.Name)
	full, _ := path.Match(pattern, a.FullName())
	return short || full
}

// Offered gives an architecture's document: with the default settings the remembered one, so that no plugin is started.
func (h *Host) Offered(ctx context.Context, a Architecture, settings map[string]string) (*blueprint.Document, error) {
	if len(settings) == 0 {
		return a.Document()
	}
	answer, err := h.Blueprint(ctx, a.FullName(), Request{Settings: settings})
	return answer.Document, err
}
