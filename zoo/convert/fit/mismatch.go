package fit

import (
	"fmt"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy"
)

// MismatchError is that a file's arrays aren't those of the architecture. Its
// text has both lists side by side.
type MismatchError struct {
	Reason string
	Rows   [][2]string // what the file has, what the architecture wants
}

func (e *MismatchError) Error() string {
	wide := len("found")
	for _, r := range e.Rows {
		wide = max(wide, len(r[0]))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  %-*s  %s", e.Reason, wide, "found", "wanted")
	for _, r := range e.Rows {
		fmt.Fprintf(&b, "\n  %-*s  %s", wide, r[0], r[1])
	}
	return b.String()
}

// Mismatch is an error with both lists side by side, what belongs together in one row.
func (p *Pairs) Mismatch(reason string, args ...any) error {
	list, want := p.list, p.want
	e := &MismatchError{Reason: fmt.Sprintf(reason, args...)}
	for _, pair := range align(len(list), len(want), func(i, k int) int { return alike(list[i], want[k]) }) {
		row := [2]string{"-", "-"}
		if i := pair[0]; i >= 0 {
			row[0] = strings.TrimSpace(fmt.Sprintf("%.60s %v", list[i].Layer, list[i].Array.Shape))
		}
		if k := pair[1]; k >= 0 {
			row[1] = fmt.Sprintf("%s %s %v", want[k].node.Layer.Name, want[k].param, want[k].shape)
		}
		e.Rows = append(e.Rows, row)
	}
	return e
}

// alike says how much an array looks like a wanted one; 0: not at all.
func alike(p legacy.ListedParam, w wanted) int {
	const axes, sizes, layer = 2, 1, 100 // a name says more than all shapes together
	out := 0
	if len(p.Array.Shape) == len(w.shape) {
		out = axes
		for i, n := range w.shape {
			if p.Array.Shape[i] == n {
				out += sizes
			} else if i >= 2 { // filters of another height or width
				out = 0
				break
			}
		}
	}
	if name, _, _ := strings.Cut(p.Layer, "."); name != "" && name == w.node.Layer.Name {
		out += layer
	}
	return out
}

// maxAligned limits the pairs that align looks at.
const maxAligned = 1 << 22

// align pairs the entries of two lists, both in their order, so that the sum of
// how alike the pairs are is largest. An entry without a partner is paired with -1.
func align(n, m int, alike func(i, k int) int) [][2]int {
	var out [][2]int
	if n*m > maxAligned {
		for i := range max(n, m) {
			pair := [2]int{i, i}
			if i >= n {
				pair[0] = -1
			}
			if i >= m {
				pair[1] = -1
			}
			out = append(out, pair)
		}
		return out
	}
	best := make([]int, (n+1)*(m+1)) // of what is left behind i and k
	at := func(i, k int) int { return i*(m+1) + k }
	for i := n - 1; i >= 0; i-- {
		for k := m - 1; k >= 0; k-- {
			v := max(best[at(i+1, k)], best[at(i, k+1)])
			if a := alike(i, k); a > 0 {
				v = max(v, a+best[at(i+1, k+1)])
			}
			best[at(i, k)] = v
		}
	}
	for i, k := 0, 0; i < n || k < m; {
		switch {
		case i < n && k < m && alike(i, k) > 0 && best[at(i, k)] == alike(i, k)+best[at(i+1, k+1)]:
			out = append(out, [2]int{i, k})
			i, k = i+1, k+1
		case k == m || i < n && best[at(i, k)] == best[at(i+1, k)]:
			out = append(out, [2]int{i, -1})
			i++
		default:
			out = append(out, [2]int{-1, k})
			k++
		}
	}
	return out
}
