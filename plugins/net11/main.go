// Command fkzoo-plugin-net11 offers the report's net11, its best single
// network: net10 with two hidden layers.
package main

import (
	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/plugins/report"
)

func main() {
	layout := func(hidden int) report.Plan { return report.Deep(3, 2, hidden) }
	plugins.Serve(report.Architecture("net11", "nine padded convolutions, two hidden layers: the report's best", 1000, layout, report.Flipped(report.Adjusted(10_000))))
}
