package command

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
)

// DataFlag names the data to train on or to compare with.
var DataFlag = &cli.StringFlag{
	Name: "data", Usage: "data with its points: " + DataHelp(),
}

// DataHelp is all that data may be.
func DataHelp() string {
	var all []string
	for _, f := range source.Formats() {
		all = append(all, f.Help)
	}
	return strings.Join(all, "; ") + "; or any file of these on the standard input (-)"
}

// BackendFlag chooses what a network runs on.
var BackendFlag = &cli.StringFlag{
	Name: "backend", Value: backend.Auto, EnvVars: []string{"FKZOO_BACKEND"},
	Usage: "what networks run on: " + strings.Join(backend.Names(), ", "),
	// Before any work is done for it. An empty variable is as none.
	Action: func(_ *cli.Context, name string) error {
		if name != "" && !slices.Contains(backend.Names(), name) {
			return Usagef("backend %q: %w; want one of %s", name, backend.ErrUnknown, strings.Join(backend.Names(), ", "))
		}
		return nil
	},
}

// FlipAverageFlag is what [Models] reads.
var FlipAverageFlag = &cli.BoolFlag{Name: "flip-average", Usage: "answer each image and its mirror image, and take the mean (default: as the models' blueprints say)"}
