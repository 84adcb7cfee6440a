package native

import (
	"errors"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
)

// What doesn't fit into memory is refused before any of it is taken.
func TestRoom(t *testing.T) {
	was := free
	defer func() { free = was }()
	d := New(kernel.Sets()[0], 1)
	defer d.Close()
	plan := enginetest.Plan(t, enginetest.Document(96, 96, "raw", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), "a_x")
	wants := func(what string, err error, rows int, says string) {
		t.Helper()
		e, ok := errors.AsType[*device.MemoryError](err)
		if !ok || e.Rows != rows || e.Want <= e.Found || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: found %v, want a memory error of %d rows that says %q", what, err, rows, says)
		}
	}
	free = func() uint64 { return 100 << 20 }
	for _, rows := range []int{100, 1 << 20, 1 << 40} {
		_, err := d.Train(device.Job{Plan: plan, Layout: device.NewLayout(plan), Rows: rows})
		if rows == 100 {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		wants("training", err, rows, "training: found 0.1 GB of free memory, want ")
	}
	free = func() uint64 { return 0 } // not told
	if _, err := d.Train(device.Job{Plan: plan, Layout: device.NewLayout(plan), Rows: 4}); err != nil {
		t.Error(err)
	}
}
