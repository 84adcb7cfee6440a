// Command generate writes what follows from the package blueprint: the JSON
// Schema specs/blueprint.schema.json, and the tables of docs/blueprint.md,
// which come from the table of layer kinds and from the comments of the
// document's Go types. It must not know any of their contents. Run it by
// `go generate ./specs/blueprint`.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// The written files, from the repository's root.
const (
	schemaPath = "specs/blueprint.schema.json"
	guidePath  = "docs/blueprint.md"
	sourcePath = "specs/blueprint"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("found %d arguments, want the repository's root", len(args))
	}
	files, err := generate(args[0])
	if err != nil {
		return err
	}
	for path, text := range files {
		if err := os.WriteFile(filepath.Join(args[0], path), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate gives the files' texts by their paths from the repository's root.
func generate(root string) (map[string][]byte, error) {
	guide, err := os.ReadFile(filepath.Join(root, guidePath))
	if err != nil {
		return nil, err
	}
	src, err := parseSource(filepath.Join(root, sourcePath))
	if err != nil {
		return nil, err
	}
	filled, err := fill(string(guide), src.part)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", guidePath, err)
	}
	return map[string][]byte{schemaPath: blueprint.Schema(), guidePath: []byte(filled)}, nil
}
