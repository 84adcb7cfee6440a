package command

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/zoo/draw/chart"
)

// CheckFree refuses, before the work begins, a file that can't be written, its
// folder being missing or its name a device's, or must not be replaced: one that
// exists, without force, and one of the command's other files always.
func CheckFree(path string, force bool, others ...string) error {
	if path == "" {
		return nil
	}
	if folder := filepath.Dir(path); !isFolder(folder) {
		return Usagef("%s: found no folder %s", path, folder)
	}
	old, err := os.Stat(path)
	for _, other := range others {
		if err != nil && other != "" && filepath.Clean(other) == filepath.Clean(path) {
			return Usagef("%s: is given twice, want another file to write to", path)
		}
		if info, missing := os.Stat(other); err == nil && missing == nil && os.SameFile(old, info) {
			return Usagef("%s: is read by the command, want another file to write to", path)
		}
	}
	_, _, err = atomicfile.Place(path, force)
	if errors.As(err, new(*atomicfile.PlaceError)) {
		return UsageError(err)
	}
	return err
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// CheckSheet refuses a --sheet that can't be written, before any work is done.
func CheckSheet(c *cli.Context, inputs ...string) error {
	path := c.String("sheet")
	if path != "" && !strings.HasSuffix(path, ".png") {
		return Usagef("sheet %s: want a name that ends in .png", path)
	}
	return CheckFree(path, c.Bool("force"), inputs...)
}

// CheckCurves refuses a file that curves can't be written to, before a training begins.
func CheckCurves(path string, force bool, others ...string) error {
	if err := (&chart.Curves{}).CheckPath(path); err != nil {
		return UsageError(err)
	}
	return CheckFree(path, force, others...)
}
