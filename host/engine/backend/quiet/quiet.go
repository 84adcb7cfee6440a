// Package quiet keeps the log lines of GoMLX and go-xla from the user's
// terminal: what goes wrong comes back as an error. go-xla logs while it is
// initialized, so this is a package of its own, which imports the logger alone:
// Go initializes it first. It must not know anything else.
package quiet

import (
	"flag"
	"io"

	"k8s.io/klog/v2"
)

func init() {
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	_ = flags.Set("logtostderr", "false")
	_ = flags.Set("stderrthreshold", "FATAL")
	klog.SetOutput(io.Discard)
}
