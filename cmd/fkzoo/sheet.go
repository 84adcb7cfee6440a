package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// checkSheet refuses a --sheet that can't be written, before any work is done.
func checkSheet(c *cli.Context, inputs ...string) error {
	path := c.String("sheet")
	if path != "" && !strings.HasSuffix(path, ".png") {
		return usagef("sheet %s: want a name that ends in .png", path)
	}
	return checkFree(path, c.Bool("force"), inputs...)
}
