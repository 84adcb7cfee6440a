//go:build linux && cgo && (amd64 || arm64)

package engine

import "github.com/gomlx/go-xla/pjrt"

// deviceBuffers is the number of XLA's buffers that have not been freed.
func deviceBuffers() int64 { return pjrt.BuffersAlive() }
