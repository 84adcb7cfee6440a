// Command fkzoo-plugin-net9 offers the report's net9: two padded 3x3
// convolutions in each block, three hidden layers.
package main

import (
	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/plugins/report"
)

func main() {
	layout := func(hidden int) report.Plan { return report.Deep(2, 3, hidden) }
	plugins.Serve(report.Architecture("net9", "six padded convolutions, three hidden layers", 1000, layout, report.Flipped(report.Adjusted(10_000))))
}
