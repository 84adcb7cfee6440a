//go:build !linux

package host

func withoutDeathSignal() {}
