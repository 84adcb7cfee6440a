//go:build !unix

package format

import (
	"errors"
	"os"
)

// mapFile is not to be had here: tensors are read into memory instead.
func mapFile(*os.File, int64) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapFile([]byte) error { return nil }
