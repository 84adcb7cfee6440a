package fit

import (
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// A list of each layer's arrays is one list of them all.
func TestListsOfLayers(t *testing.T) {
	one := &blueprint.Document{Name: "one", Members: []blueprint.Member{{Name: "all"}}}
	list := func(names ...string) (l legacy.ParamList) {
		for _, name := range names {
			l.Params = append(l.Params, legacy.ListedParam{Layer: name})
		}
		return l
	}
	parts, err := Divide(one, []legacy.ParamList{list("a", "b"), list("c"), list("d", "e")})
	if err != nil || len(parts) != 1 || len(parts[0]) != 5 || parts[0][2].Layer != "c" {
		t.Errorf("found %v, %v", parts, err)
	}
	named := list("a")
	named.Name = "net"
	if _, err := Divide(one, []legacy.ParamList{named, list("b")}); err == nil || !strings.Contains(err.Error(), "found 2 lists of parameters, want 1") {
		t.Errorf("found %v", err)
	}
}

// Lists that name their columns belong to the members that have these, in whichever order they come.
func TestListsOfColumns(t *testing.T) {
	d := &blueprint.Document{Name: "two", Members: []blueprint.Member{{Name: "left", Columns: []string{"a_x", "a_y"}}, {Name: "right", Columns: []string{"b_x"}}}}
	list := func(name string, columns ...string) legacy.ParamList {
		return legacy.ParamList{Columns: columns, Params: []legacy.ListedParam{{Layer: name}}}
	}
	left, right := list("left", "a_x", "a_y"), list("right", "b_x")
	for _, tt := range []struct {
		name  string
		lists []legacy.ParamList
		want  string // of the error
	}{
		{"in order", []legacy.ParamList{left, right}, ""},
		{"the other way round", []legacy.ParamList{right, left}, ""},
		{"without columns", []legacy.ParamList{list("left"), list("right")}, ""},
		{"columns in another order", []legacy.ParamList{list("left", "a_y", "a_x"), right}, "a_y,a_x  left: a_x,a_y"},
		{"twice", []legacy.ParamList{left, left}, "a_x,a_y  right: b_x"},
		{"one for all", []legacy.ParamList{left}, "found 1 lists of parameters, want 2"},
	} {
		parts, err := Divide(d, tt.lists)
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: found %v, want %q", tt.name, err, tt.want)
			}
		} else if err != nil || parts[0][0].Layer != "left" || parts[1][0].Layer != "right" {
			t.Errorf("%s: found %v, %v", tt.name, parts, err)
		}
	}
}

func TestAlign(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"", "", ""}, {"a", "", "a-"}, {"", "a", "-a"}, {"abc", "abc", "aa bb cc"}, {"ac", "abc", "aa -b cc"}, {"abxc", "abc", "aa bb x- cc"},
		{"xyz", "abc", "x- y- z- -a -b -c"}, {"ba", "ab", "b- aa -b"},
	} {
		var got []string
		for _, p := range align(len(tt.a), len(tt.b), func(i, k int) int {
			if tt.a[i] == tt.b[k] {
				return 1
			}
			return 0
		}) {
			a, b := "-", "-"
			if p[0] >= 0 {
				a = tt.a[p[0] : p[0]+1]
			}
			if p[1] >= 0 {
				b = tt.b[p[1] : p[1]+1]
			}
			got = append(got, a+b)
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%q and %q: found %q, want %q", tt.a, tt.b, text, tt.want)
		}
	}
	if got := align(1<<12, 1<<12, nil); len(got) != 1<<12 || got[7] != [2]int{7, 7} {
		t.Errorf("found %d pairs of lists that are too long, want each place with itself", len(got))
	}
}
