//go:build !native

package engine

import "github.com/fkzoo/fkzoo/host/engine/device"

// insteadOfGo is a device that computes in place of GoMLX's pure-Go backend: only
// a program built with the tag native has one, to be tried.
func insteadOfGo() device.Device { return nil }
