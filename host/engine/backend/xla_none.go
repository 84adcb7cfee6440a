//go:build !(cgo && linux)

package backend

import (
	"context"
	"errors"
	"runtime"
)

func supported() error {
	if runtime.GOOS != "linux" {
		return errors.New("XLA is offered on Linux alone, this is " + runtime.GOOS)
	}
	return errors.New("the program was built without cgo (CGO_ENABLED=0)")
}

func openXLA(Kind, Info) (*Backend, error) { return nil, supported() }

func findNVIDIA(string) error { return supported() }

func probeChild(context.Context, Kind, string) (answer, error) { return answer{}, supported() }
