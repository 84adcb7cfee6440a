package house

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// papersOfTheHouse are for those who change it: what they name is looked up.
var papersOfTheHouse = []string{"docs/layout.md", "CONTRIBUTING.md"}

// Every package has a line in the table of rooms of docs/layout.md, or its parent's tells of it; and each line's package is
// there.
func TestLayoutHasEveryPackage(t *testing.T) {
	_, table, found := strings.Cut(read(t, "docs/layout.md"), "\n| --- | --- | --- |\n")
	table, _, closed := strings.Cut(table, "\n\n")
	if !found || !closed {
		t.Fatal("docs/layout.md: found no table of rooms")
	}
	packages := map[string]bool{}
	for _, s := range sources(t) {
		packages[s.folder] = true
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	rows := map[string]string{} // a package's line
	for line := range strings.Lines(table) {
		first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		for _, m := range quoted.FindAllStringSubmatch(first, -1) {
			if rows[m[1]] = line; !packages[m[1]] {
				t.Errorf("docs/layout.md: has a line for %s, which is no package", m[1])
			}
		}
	}
	for folder := range packages {
		parent := folder
		for parent != "." && rows[parent] == "" {
			parent = path.Dir(parent)
		}
		told := parent == folder || parent == "plugins" || strings.HasPrefix(folder, "cmd/") || strings.Contains(folder, "/internal/generate")
		if !told && !strings.Contains(rows[parent], "`"+path.Base(folder)+"`") {
			t.Errorf("docs/layout.md: has no line for %s, nor does that of %s name it", folder, parent)
		}
	}
}

// Folders, files, functions, types, tests and benchmarks that the papers name are there.
func TestNamesInThePapers(t *testing.T) {
	named := regexp.MustCompile("`((?:cmd|zoo|host|format|plugins|specs|internal)(?:/[a-z0-9_]+(?:\\.go)?)*)((?:\\.[A-Z]\\w*)*)`")
	check := regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*`)
	var tests strings.Builder
	walk(t, func(name string) {
		if strings.HasSuffix(name, "_test.go") {
			tests.WriteString(read(t, name))
		}
	})
	paths, checks := 0, 0
	for _, paper := range papersOfTheHouse {
		text := read(t, paper)
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			paths++
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s: names %s: %v", paper, m[1], err)
				continue
			}
			if m[2] != "" && !declares(t, m[1], strings.Split(m[2][1:], ".")) {
				t.Errorf("%s: names %s%s, which the package lacks", paper, m[1], m[2])
			}
		}
		for _, name := range check.FindAllString(text, -1) {
			checks++
			if !strings.Contains(tests.String(), "\nfunc "+name+"(") {
				t.Errorf("%s: names %s, which no test file has", paper, name)
			}
		}
	}
	if paths < 80 || checks < 30 {
		t.Errorf("found %d paths and %d tests named in the papers, want more", paths, checks)
	}
}

// declares tells whether a package has a function or type of that name, or a type with that method.
func declares(t *testing.T, folder string, names []string) bool {
	t.Helper()
	forms := []string{`func ` + names[0] + `\b`, `type ` + names[0] + `\b`}
	if len(names) == 2 {
		forms = []string{`func \(\w* ?\*?` + names[0] + `\) ` + names[1] + `\b`}
	}
	declared := regexp.MustCompile(`(?m)^(?:` + strings.Join(forms, "|") + `)`)
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && declared.Match(text)
	})
}
