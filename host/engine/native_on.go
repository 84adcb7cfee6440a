//go:build native

package engine

import (
	"sync"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/native"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
)

// insteadOfGo is the native device, in place of GoMLX's pure-Go backend. Its
// workers live as long as the program.
var insteadOfGo = sync.OnceValue(func() device.Device {
	set, err := kernel.FromEnvironment()
	if err != nil {
		panic(err)
	}
	return native.New(set, 0)
})
