// Command fkzoo-plugin-crash is a plugin for the scripts: its process is killed
// when a network is to be trained.
package main

import (
	"os"
	"time"

	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/plugins/report"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func main() {
	layout := func(hidden int) report.Plan { return report.Deep(2, 3, hidden) }
	doomed := report.Architecture("doomed", "ends before it answers", 10, layout, report.Flipped(report.Adjusted(10_000)))
	answer := doomed.Blueprint
	doomed.Blueprint = func(r plugins.Request) (*blueprint.Document, error) {
		if r.Data.Rows == 0 { // it is only listed
			return answer(r)
		}
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
		time.Sleep(time.Minute)
		return nil, nil
	}
	plugins.Serve(doomed)
}
