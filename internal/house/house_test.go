// Package house tests the repository as a whole: that imports go one way, that every package says what it is for, that
// papers name only what exists. It knows the rooms' names and nothing of what they do.
package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/fkzoo/fkzoo/"
)

type source struct {
	path, folder string
	file         *ast.File
	test         bool
}

// sources parses every Go file up to its imports.
func sources(t *testing.T) (list []source) {
	t.Helper()
	set := token.NewFileSet()
	walk(t, func(name string) {
		if !strings.HasSuffix(name, ".go") {
			return
		}
		f, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, source{name, path.Dir(name), f, strings.HasSuffix(name, "_test.go")})
	})
	if len(list) < 20 {
		t.Fatalf("found %d Go files, want the whole repository", len(list))
	}
	return list
}

// walk calls f with every file's path from the root, slashes between.
func walk(t *testing.T, f func(name string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") || rel == "bin" || rel == "demo" || rel == "results" {
				return fs.SkipDir
			}
			return nil
		}
		f(rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPackageComments(t *testing.T) {
	commented, named := map[string]bool{}, map[string]string{}
	for _, s := range sources(t) {
		if s.test && s.folder != "internal/house" {
			continue
		}
		named[s.folder] = s.file.Name.Name
		if s.file.Doc == nil {
			continue
		}
		commented[s.folder] = true
		text := s.file.Doc.Text()
		want := "Package " + s.file.Name.Name + " "
		if s.file.Name.Name == "main" {
			want = "Command "
		}
		if !strings.HasPrefix(text, want) {
			t.Errorf("%s: the package comment starts with %.20q, want %q", s.path, text, want)
		}
	}
	for folder, name := range named {
		if !commented[folder] {
			t.Errorf("%s: package %s has no comment, want one that says what it is for", folder, name)
		}
	}
}

// A fuzz target with nothing to start from finds nothing: each has committed files, or adds some itself.
func TestFuzzTargetsHaveACorpus(t *testing.T) {
	target := regexp.MustCompile(`(?m)^func (Fuzz\w+)`)
	targets := 0
	walk(t, func(name string) {
		if !strings.HasSuffix(name, "_test.go") {
			return
		}
		text := read(t, name)
		for _, at := range target.FindAllStringSubmatchIndex(text, -1) {
			targets++
			fuzz := text[at[2]:at[3]]
			body, _, _ := strings.Cut(text[at[1]:], "\n}\n")
			if strings.Contains(body, "f.Add(") {
				continue
			}
			folder := path.Join(path.Dir(name), "testdata", "fuzz", fuzz)
			if files, _ := os.ReadDir(filepath.Join(root, folder)); len(files) == 0 {
				t.Errorf("%s: %s has no corpus, want f.Add or files in %s", name, fuzz, folder)
			}
		}
	})
	if targets == 0 {
		t.Error("found no fuzz target, want some")
	}
}

// What papers point to is there: files that are linked, and make's targets.
func TestPapers(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)
	task := regexp.MustCompile("(?m)(?:`|^)make ([a-z]+(?:-[a-z]+)*)")
	targets := regexp.MustCompile(`(?m)^([a-z]+(?:-[a-z]+)*):`)
	var known []string
	for _, m := range targets.FindAllStringSubmatch(read(t, "Makefile"), -1) {
		known = append(known, m[1])
	}
	links, tasks := 0, 0
	walk(t, func(name string) {
		if !strings.HasSuffix(name, ".md") {
			return
		}
		text := read(t, name)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			if _, err := os.Stat(filepath.Join(root, path.Dir(name), m[1])); err != nil {
				t.Errorf("%s: links to %s: %v", name, m[1], err)
			}
		}
		for _, m := range task.FindAllStringSubmatch(text, -1) {
			tasks++
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s: names `make %s`, which the Makefile lacks", name, m[1])
			}
		}
	})
	if links == 0 || tasks == 0 {
		t.Errorf("found %d links and %d tasks in the papers, want some", links, tasks)
	}
}

// Commands and flags in the papers' examples are those of the program.
func TestCommandsOfThePapers(t *testing.T) {
	var source strings.Builder
	walk(t, func(name string) {
		if strings.HasPrefix(name, "cmd/") && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			source.WriteString(read(t, name))
		}
	})
	known := map[string]bool{"help": true}
	for _, m := range regexp.MustCompile(`Name: "([a-z-]+)"`).FindAllStringSubmatch(source.String(), -1) {
		known[m[1]] = true
	}
	block := regexp.MustCompile("(?s)\n```[a-z]*\n(.*?)\n```|`([^`\n]+)`")
	command := regexp.MustCompile(`(?m)(?:^|bin/| )fkzoo ([a-z]+)|(?:^|[\s\[])--([a-z-]+)`)
	found := 0
	for _, name := range []string{"README.md", "docs/guide.md", "docs/layout.md"} {
		for _, b := range block.FindAllStringSubmatch(read(t, name), -1) {
			text := b[1] + b[2]
			if strings.Contains(text, "package main") || strings.Contains(text, "──>") {
				continue
			}
			for _, m := range command.FindAllStringSubmatch(text, -1) {
				found++
				if !known[m[1]+m[2]] {
					t.Errorf("%s: %q has no such command or flag in cmd: %q", name, m[0], text)
				}
			}
		}
	}
	if found < 40 {
		t.Errorf("found %d commands and flags in the papers, want more", found)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
