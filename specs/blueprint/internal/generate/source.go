package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// source is a Go package's declarations with their comments.
type source struct {
	types map[string]*ast.StructType
	lists map[string]*ast.CompositeLit // variables that are a list of strings
	line  map[int]string               // comments at a line's end, by the line's position in the set
	set   *token.FileSet
}

func parseSource(folder string) (*source, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	s := &source{types: map[string]*ast.StructType{}, lists: map[string]*ast.CompositeLit{}, line: map[int]string{}, set: token.NewFileSet()}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.set, path, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		s.collect(f)
	}
	if len(s.types) == 0 {
		return nil, fmt.Errorf("%s: found no types, want the package blueprint", folder)
	}
	return s, nil
}

func (s *source) collect(f *ast.File) {
	for _, c := range f.Comments {
		s.line[s.lineOf(c.Pos())] = strings.TrimSpace(c.Text())
	}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range g.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if t, ok := spec.Type.(*ast.StructType); ok {
					s.types[spec.Name.Name] = t
				}
			case *ast.ValueSpec:
				if len(spec.Values) == 1 {
					if l, ok := spec.Values[0].(*ast.CompositeLit); ok {
						s.lists[spec.Names[0].Name] = l
					}
				}
			}
		}
	}
}

// lineOf identifies a line among all files: the position of its start.
func (s *source) lineOf(p token.Pos) int {
	f := s.set.File(p)
	return int(f.LineStart(f.Line(p)))
}

// list is a table of a list's strings and the comments behind them.
func (s *source) list(name string) (string, error) {
	l, ok := s.lists[name]
	if !ok {
		return "", errors.New("no such list")
	}
	var out strings.Builder
	out.WriteString("| name | meaning |\n| --- | --- |\n")
	for _, e := range l.Elts {
		literal, ok := e.(*ast.BasicLit)
		if !ok {
			return "", fmt.Errorf("found an entry that is not a string")
		}
		value, err := strconv.Unquote(literal.Value)
		if err != nil {
			return "", err
		}
		comment := s.line[s.lineOf(literal.Pos())]
		if comment == "" {
			comment = "all " + value
		}
		fmt.Fprintf(&out, "| `%s` | %s |\n", value, plain(comment))
	}
	return out.String(), nil
}

// fields is a table of a struct's JSON fields.
func (s *source) fields(name string) (string, error) {
	t, ok := s.types[name]
	if !ok {
		return "", errors.New("no such type")
	}
	var out strings.Builder
	out.WriteString("| field | takes | meaning |\n| --- | --- | --- |\n")
	for _, f := range t.Fields.List {
		if f.Tag == nil {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			return "", err
		}
		field, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		if field == "-" {
			continue
		}
		what := "required"
		if options != "" {
			what = "optional"
		}
		meaning := strings.ReplaceAll(plain(strings.TrimSpace(f.Comment.Text())), "nil", "missing")
		fmt.Fprintf(&out, "| `%s` | %s, %s | %s |\n", field, s.typeName(f.Type), what, meaning)
	}
	return out.String(), nil
}

// typeName is a Go type in the words of the guide.
func (s *source) typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return s.typeName(e.X)
	case *ast.ArrayType:
		return "array of " + strings.Replace(s.typeName(e.Elt), "text", "texts", 1)
	case *ast.Ident:
		switch e.Name {
		case "string":
			return "text"
		case "int", "int64", "uint64":
			return "whole number"
		case "float64":
			return "number"
		case "bool":
			return "`true` or `false`"
		case "MirrorAxis":
			return "number or `\"auto\"`"
		case "Pairs":
			return "array of pairs of whole numbers"
		}
		return fmt.Sprintf("[%s](#%s)", strings.ToLower(e.Name), strings.ToLower(e.Name))
	}
	return "?"
}
