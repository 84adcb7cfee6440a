package command

import (
	"strings"

	"github.com/fkzoo/fkzoo/zoo/model/ready"
)

// IsModelFile tells whether an argument names a model file.
func IsModelFile(path string) bool { return strings.HasSuffix(path, ".fkz") }

// IsModel tells whether an argument names a model file, or a model in the program.
func IsModel(path string) bool {
	return IsModelFile(path) || path == ready.Points || path == ready.Finder
}
