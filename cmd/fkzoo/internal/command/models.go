package command

import (
	"strings"
)

// IsModel tells whether an argument names a model file.
func IsModel(path string) bool { return strings.HasSuffix(path, ".fkz") }
