// Command fkzoo-plugin-baseline offers the report's net1 to net6: one hidden
// layer, and the baseline of three convolutions in five recipes.
package main

import (
	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/plugins/report"
)

func main() {
	plugins.Serve(
		report.Architecture("net1", "one hidden layer on the pixels", 100, oneHidden, report.Recipe(1000)),
		report.Architecture("net2", "three convolutions, two hidden layers", 500, report.Baseline, report.Recipe(1000)),
		report.Architecture("net3", "net2 with mirrored faces", 500, report.Baseline, report.Flipped(report.Recipe(3000))),
		report.Architecture("net4", "net2 with a falling rate and a rising momentum", 500, report.Baseline, report.Adjusted(3000)),
		report.Architecture("net5", "net4 with mirrored faces", 500, report.Baseline, report.Flipped(report.Adjusted(3000))),
		report.Architecture("net6", "net5 with dropout: the report's baseline", 500, withDropout, report.Flipped(report.Adjusted(3000))),
	)
}

func oneHidden(units int) report.Plan { return report.Plan{Hidden: []int{units}} }

func withDropout(units int) report.Plan { return report.Baseline(units).WithDropout() }
