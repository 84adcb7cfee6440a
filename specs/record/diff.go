package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Path is a place in a tree: a string for each name, an int for each place in a list.
type Path []any

// String is the path as in history[0].loss; a name that is no plain word is quoted.
func (p Path) String() string {
	var out strings.Builder
	for _, step := range p {
		name, ok := step.(string)
		switch {
		case !ok:
			fmt.Fprintf(&out, "[%d]", step)
		case name == "" || strings.ContainsFunc(name, notPlain):
			fmt.Fprintf(&out, "[%q]", name)
		default:
			if out.Len() > 0 {
				out.WriteByte('.')
			}
			out.WriteString(name)
		}
	}
	return out.String()
}

func notPlain(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
}

// Dotted is the path as in history.0.loss.
func (p Path) Dotted() string {
	var out []string
	for _, step := range p {
		out = append(out, fmt.Sprint(step))
	}
	return strings.Join(out, ".")
}

// Begins tells whether a path begins with these steps.
func (p Path) Begins(steps ...any) bool {
	return len(p) >= len(steps) && slices.Equal(p[:len(steps)], steps)
}

// Difference is a value that two trees don't have in common.
type Difference struct {
	Path     Path
	A, B     any  // nil too where there is none
	InA, InB bool // whether there is one
}

// Diff says in what two trees differ, in the order of their names and lists.
// What one of them lacks is one difference, with all below it. 1 and 1.0 differ,
// and a NaN is itself.
func Diff(a, b any) []Difference { return diff(nil, nil, a, b) }

func diff(all []Difference, at Path, a, b any) []Difference {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			names := maps.Clone(x)
			maps.Copy(names, y)
			for _, name := range slices.Sorted(maps.Keys(names)) {
				v, inA := x[name]
				w, inB := y[name]
				all = oneOrBoth(all, below(at, name), v, w, inA, inB)
			}
			return all
		}
	case []any:
		if y, ok := b.([]any); ok {
			for i := range max(len(x), len(y)) {
				var v, w any
				if i < len(x) {
					v = x[i]
				}
				if i < len(y) {
					w = y[i]
				}
				all = oneOrBoth(all, below(at, i), v, w, i < len(x), i < len(y))
			}
			return all
		}
	}
	if same(a, b) {
		return all
	}
	return append(all, Difference{at, a, b, true, true})
}

func oneOrBoth(all []Difference, at Path, a, b any, inA, inB bool) []Difference {
	if inA && inB {
		return diff(all, at, a, b)
	}
	return append(all, Difference{at, a, b, inA, inB})
}

func below(at Path, step any) Path { return append(slices.Clip(at), step) }

// same compares what isn't two maps or two lists.
func same(a, b any) bool {
	switch x := a.(type) {
	case float64:
		y, ok := b.(float64)
		return ok && (math.Float64bits(x) == math.Float64bits(y) || x != x && y != y)
	case []byte:
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y)
	case nil, bool, int64, uint64, json.Number, string:
		return a == b
	}
	return false
}

// Leaves are differences taken apart: where one tree has a map or list and the
// other hasn't, each value in it by itself, sorted by dotted path.
func Leaves(all []Difference) []Difference {
	var out []Difference
	for _, d := range all {
		if d.InA && d.InB && leaf(d.A) && leaf(d.B) {
			out = append(out, d)
			continue
		}
		if d.InA {
			out = each(out, d.Path, d.A, func(at Path, v any) Difference { return Difference{Path: at, A: v, InA: true} })
		}
		if d.InB {
			out = each(out, d.Path, d.B, func(at Path, v any) Difference { return Difference{Path: at, B: v, InB: true} })
		}
	}
	slices.SortStableFunc(out, func(a, b Difference) int { return cmp.Compare(a.Path.Dotted(), b.Path.Dotted()) })
	return out
}

// leaf tells whether nothing lies below a value.
func leaf(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return true
}

func each(out []Difference, at Path, v any, difference func(Path, any) Difference) []Difference {
	if leaf(v) {
		return append(out, difference(at, v))
	}
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			out = each(out, below(at, name), x, difference)
		}
	case []any:
		for i, x := range v {
			out = each(out, below(at, i), x, difference)
		}
	}
	return out
}
