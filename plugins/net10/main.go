// Command fkzoo-plugin-net10 offers the report's net10: net9 with three
// convolutions in each block.
package main

import (
	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/plugins/report"
)

func main() {
	layout := func(hidden int) report.Plan { return report.Deep(3, 3, hidden) }
	plugins.Serve(report.Architecture("net10", "nine padded convolutions, three hidden layers", 1000, layout, report.Flipped(report.Adjusted(3000))))
}
