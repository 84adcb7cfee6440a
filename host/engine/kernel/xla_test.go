//go:build (linux && (amd64 || arm64) && cgo) || (darwin && arm64 && cgo)

package kernel

import (
	"os"
	"testing"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/go-xla/compute/xla"
)

// openXLA opens the CPU plugin that FKZOO_XLA_CPU names, if it does.
func openXLA(t testing.TB) compute.Backend {
	path := os.Getenv("FKZOO_XLA_CPU")
	if path == "" {
		t.Log("FKZOO_XLA_CPU not set: the go backend alone")
		return nil
	}
	t.Setenv("GOMLX_NO_AUTO_INSTALL", "1")
	b, err := compute.NewWithConfig("xla:" + path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
