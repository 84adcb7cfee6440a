package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// outsiders may name the program's flags and commands: what is for people to type.
var outsiders = map[string]string{
	"internal/peers/shell.go":  "it starts the program as from the shell",
	"internal/results/runs.go": "the page shows its runs as commands that anybody may type",
	"plugins/serve.go":         "a plugin that is started by hand says how fkzoo is told of it",
}

// commandLine reads the flags and commands off the program's source.
func commandLine(t *testing.T) (flags, commands map[string]bool) {
	t.Helper()
	flags, commands = map[string]bool{}, map[string]bool{"help": true}
	set := token.NewFileSet()
	walk(t, func(name string) {
		if !strings.HasPrefix(name, "cmd/") || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return
		}
		f, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			kind := libraryType(lit.Type)
			switch {
			case strings.HasSuffix(kind, "Flag") && kind != "Flag":
				addName(flags, lit)
			case kind == "Command":
				addName(commands, lit)
				for _, e := range lit.Elts { // commands below it, whose type is left out
					if list, ok := e.(*ast.CompositeLit); ok && libraryType(list.Type) == "Command" {
						addName(commands, list)
					}
				}
			}
			return true
		})
	})
	return flags, commands
}

// libraryType gives the name of a type of the flags' library, or of a list's elements.
func libraryType(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ArrayType:
		return libraryType(e.Elt)
	case *ast.StarExpr:
		return libraryType(e.X)
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok && x.Name == "cli" {
			return e.Sel.Name
		}
	}
	return ""
}

// addName adds the Name of a composite literal, or those of a list's elements.
func addName(to map[string]bool, lit *ast.CompositeLit) {
	for _, e := range lit.Elts {
		switch e := e.(type) {
		case *ast.CompositeLit:
			if e.Type == nil {
				addName(to, e)
			}
		case *ast.KeyValueExpr:
			key, _ := e.Key.(*ast.Ident)
			value, _ := e.Value.(*ast.BasicLit)
			if key == nil || key.Name != "Name" || value == nil {
				continue
			}
			if name, err := strconv.Unquote(value.Value); err == nil {
				to[name] = true
			}
		}
	}
}

// Libraries name no flag and no command: their callers may have none, and the command line adds its own advice.
func TestNoCommandLineInLibraries(t *testing.T) {
	flags, commands := commandLine(t)
	for _, name := range []string{"force", "backend", "set", "json"} {
		if !flags[name] {
			t.Errorf("found no flag --%s in cmd, want it: %v", name, slices.Sorted(maps.Keys(flags)))
		}
	}
	for _, name := range []string{"train", "plugin", "install", "verify"} {
		if !commands[name] {
			t.Errorf("found no command %s in cmd, want it: %v", name, slices.Sorted(maps.Keys(commands)))
		}
	}
	word := regexp.MustCompile(`(?:^|[^\w-])--([a-z][a-z-]*)|(?:^|[^\w-])fkzoo ([a-z]+)`)
	set := token.NewFileSet()
	literals := 0
	walk(t, func(name string) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "cmd/") || isOutsider(name) {
			return
		}
		f, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			literals++
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range word.FindAllStringSubmatch(text, -1) {
				found := "--" + m[1]
				if m[2] != "" {
					found = "fkzoo " + m[2]
				}
				if flags[m[1]] || commands[m[2]] {
					t.Errorf("%s: names %q in %q, want words that don't depend on the command line", set.Position(lit.Pos()), found, text)
				}
			}
			return true
		})
	})
	if literals < 1000 {
		t.Errorf("found %d strings, want the whole repository's", literals)
	}
}

func isOutsider(name string) bool {
	for o := range outsiders {
		if name == o || strings.HasPrefix(name, o+"/") {
			return true
		}
	}
	return false
}
