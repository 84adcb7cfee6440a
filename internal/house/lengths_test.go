package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// How long things may be, in lines; tests count as files and functions, not as their package's lines. Generated code is
// left out.
const (
	longestPackage  = 2000
	longestFile     = 600
	longestFunction = 80
	medianPackage   = 250 // is above half of the packages
	longestFront    = 900 // of the zoo, which is rooms and hardly more than a door to them
)

// longPackages may be longer for good: one table of all that a document may say.
var longPackages = []string{"specs/blueprint"}

// tooLong is what is still over a limit. Nothing is added here, and what has become shorter is taken out.
var tooLong = []string{}

// length is a thing's name and lines.
type length struct {
	name  string
	lines int
}

// functions gives each function of a file that isn't within another, named by its folder and type.
func functions(set *token.FileSet, folder string, f *ast.File) (list []length) {
	add := func(name string, from, to token.Pos) {
		list = append(list, length{"function " + folder + " " + name, set.Position(to).Line - set.Position(from).Line + 1})
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			name := fn.Name.Name
			if fn.Recv != nil {
				name = receiver(fn.Recv.List[0].Type) + "." + name
			}
			add(name, fn.Type.Func, fn.End())
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool {
			fn, ok := n.(*ast.FuncLit)
			if ok {
				add(fmt.Sprintf("of %s line %d", path.Base(set.Position(fn.Pos()).Filename), set.Position(fn.Pos()).Line), fn.Pos(), fn.End())
			}
			return !ok
		})
	}
	return list
}

// receiver gives the name of a method's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}

// Packages, files and functions fit into a head.
func TestLengths(t *testing.T) {
	set := token.NewFileSet()
	packages := map[string]int{}
	over := map[string]bool{}
	count := 0
	check := func(l length, most int) {
		count++
		if l.lines <= most {
			return
		}
		over[l.name] = true
		if !slices.Contains(tooLong, l.name) {
			t.Errorf("%s: has %d lines, want at most %d", l.name, l.lines, most)
		}
	}
	walk(t, func(name string) {
		if !strings.HasSuffix(name, ".go") {
			return
		}
		f, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if ast.IsGenerated(f) {
			return
		}
		lines := set.File(f.FileStart).LineCount()
		if !strings.HasSuffix(name, "_test.go") {
			packages[path.Dir(name)] += lines
		}
		check(length{"file " + name, lines}, longestFile)
		for _, l := range functions(set, path.Dir(name), f) {
			check(l, longestFunction)
		}
	})
	checkShape(t, packages)
	for _, folder := range slices.Sorted(maps.Keys(packages)) {
		if !slices.Contains(longPackages, folder) {
			check(length{"package " + folder, packages[folder]}, longestPackage)
		}
	}
	if count < 1000 {
		t.Errorf("found %d packages, files and functions, want the whole repository's", count)
	}
	for _, name := range tooLong {
		if !over[name] {
			t.Errorf("%s: is not too long any more: take it out of the table", name)
		}
	}
}

// checkShape looks at the packages' lines as a whole: most are small, and the front leaves the work to its rooms.
func checkShape(t *testing.T, packages map[string]int) {
	t.Helper()
	all := slices.Sorted(maps.Values(packages))
	if median := all[len(all)/2]; median >= medianPackage {
		t.Errorf("the median package of %d has %d lines, want fewer than %d", len(all), median, medianPackage)
	}
	if lines, ok := packages["zoo"]; !ok || lines > longestFront {
		t.Errorf("package zoo: has %d lines, want at most %d", lines, longestFront)
	}
}
