package native

import (
	"fmt"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/internal/machine"
)

// free is how much memory there is; replaced in tests.
var free = machine.Memory

// room refuses what the machine's memory doesn't hold: else the system would end the whole program, and everything in it.
func room(doing string, rows int, want uint64) error {
	const always = 64 << 20 // what is free is an estimate
	if found := free(); found > 0 && want > max(found, always) {
		return fmt.Errorf("%s: %w", doing, &device.MemoryError{Rows: rows, Want: want, Found: found})
	}
	return nil
}
