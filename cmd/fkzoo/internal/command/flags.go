package command

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/host/engine/backend"
)

// DataFlag names the data to train on or to compare with.
var DataFlag = &cli.StringFlag{
	Name: "data", Usage: "training data: Kaggle's CSV, plain or zipped; a folder of pictures, or a CSV that names them; demo[:FACES[:SEED]] for drawn faces; or - for what comes in on the standard input",
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
