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
	set   *token.FileSet
}

func parseSource(folder string) (*source, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	s := &source{types: map[string]*ast.StructType{}, set: token.NewFileSet()}
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
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range g.Specs {
			if spec, ok := spec.(*ast.TypeSpec); ok {
				if t, ok := spec.Type.(*ast.StructType); ok {
					s.types[spec.Name.Name] = t
				}
			}
		}
	}
}

// fields is a table of a struct's JSON fields: by the comments behind them, or,
// where they are the settings of kinds, by the table of these.
func (s *source) fields(name string) (string, error) {
	t, ok := s.types[name]
	if !ok {
		return "", errors.New("no such type")
	}
	rows := kindsOf[name]
	var out strings.Builder
	if rows == nil {
		out.WriteString("| field | takes | meaning |\n| --- | --- | --- |\n")
	} else {
		out.WriteString("| field | of | takes | default | meaning |\n| --- | --- | --- | --- | --- |\n")
	}
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
		if rows != nil {
			if field == "kind" {
				fmt.Fprintf(&out, "| `kind` | all | text | required | %s |\n", meaning)
			} else {
				out.WriteString(settings(rows, field))
			}
			continue
		}
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
