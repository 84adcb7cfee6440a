// Package native is the device that runs plans on the processor, in pure Go with kernels in assembly: see the packages below it, conv,
// dense, layer and update, which it puts together.
//
// A plan becomes a program, once for each network: each layer's instructions, forward and in training backward. What is done with these,
// and where their values lie, is package program's. A step allocates nothing. Results depend on the plan and the processor's kind, not on
// how many threads there are.
//
// The package must not know what a batch is made of, nor when and for how long training goes on: that is the engine's; nor where a value
// lies in memory.
package native

import (
	"fmt"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Device runs plans with one set of kernels on one pool of workers, which all its networks share. It implements [device.Device].
type Device struct {
	set  *kernel.Set
	pool *work.Pool
}

// New gives a device with workers of its own, so many with the caller's; 0: one for each processor.
func New(set *kernel.Set, threads int) *Device { return &Device{set, work.New(threads)} }

// Close ends the workers. Nothing of the device may be in use.
func (d *Device) Close() { d.pool.Close() }

// Check refuses what can't be trained. The program is made for one image, without its memory.
func (d *Device) Check(plan *blueprint.Plan) error {
	if _, ok := rules[plan.Member.Recipe.Optimizer.Kind]; !ok {
		return fmt.Errorf("optimizer %s: %w", plan.Member.Recipe.Optimizer.Kind, device.ErrUnsupported)
	}
	_, err := build(d.set, 1, plan, true, 1)
	return err
}

// sliceBytes is the most memory that a slice's values may take.
const sliceBytes = 640 << 20

// SliceRows is how many rows of a batch are taken at once: all, unless their values take more memory than they may. Each slice goes over
// all weights once more.
func (d *Device) SliceRows(plan *blueprint.Plan) int {
	batch := plan.Member.Recipe.Batch
	if batchStatistics(plan) {
		return batch
	}
	for slices := 1; ; slices *= 2 {
		rows := (batch + slices - 1) / slices
		p, err := build(d.set, 1, plan, true, rows)
		if err != nil || rows == 1 || p.TensorBytes() <= sliceBytes { // an error is Train's to tell
			return rows
		}
	}
}

// kept are images in the host's memory, which are the caller's own.
type kept struct{ images device.Images }

// Keep takes images as they lie.
func (d *Device) Keep(images device.Images) (device.Kept, error) { return &kept{images}, nil }

// Close forgets the images.
func (k *kept) Close() { k.images = device.Images{} }
