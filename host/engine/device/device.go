// Package device is the seam of the engine: what its front asks of that which
// runs a plan. The front has the loop, the order of rows, labels, random
// positions, slices and the divergence watch; a [Device] goes forward and
// backward, keeps images and state wherever it computes, and updates.
//
// Everything that passes is a plain value in host memory: float32 in row-major
// order, images NHWC. Devices that share a batch meet between
// [Training.Gradients] and [Training.Apply]: each has summed its slices then, by
// the filled cells of the batch as a whole.
//
// # What dropout drops
//
// Every device drops the same values, whatever its slices and layouts: which ones is
// a hash of [Slice].Seed, of the dropout layer's number, from 1 among those that the
// answer depends on, in the plan's order, and of the value's place. In whole numbers
// of 32 bits
//
//	mix(x):    x ^= x>>16; x *= 0x7feb352d; x ^= x>>15; x *= 0x846ca68b; x ^= x>>16
//	fold(n):   s = mix(n); for each word of Seed: s = mix(s*0x9e3779b9 + word)
//
// with the constants of Chris Wellons' lowbias32, and of 64 bits
//
//	start    = fold(layer)<<32 + fold(layer ^ 0x9e3779b9)
//	hash(p)  = (x ^ x>>32) * 0xd6e8feb86659fd93, x = start + p*0x9e3779b97f4a7c15
//	limit    = round(rate * 2^53) << 11
//
// with splitmix64's increment and a multiplier of Pelle Evensen's rrmxmx. Of the
// values [rows, ..., c] of the batch, rows counted from its first, and not the
// slice's, value k of the c at place q of the others has, where c is even, h = c/2,
// the position p = q*h + k mod h: it stays if hash(p) >= limit, or for k >= h if
// hash(p)<<24 >= limit. Where c is odd p = q*c + k, and it stays if hash(p) >= limit.
// What stays is divided by 1 - rate, where the layer rescales.
//
// The package knows no device, and nothing of data, epochs or files.
package device

import (
	"errors"
	"fmt"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// ErrUnsupported is what errors wrap where a plan asks for something that a
// device can't do.
var ErrUnsupported = errors.New("not supported by this fkzoo")

// ErrClosed is returned for what was asked of a network or a training after its Close.
var ErrClosed = errors.New("the network is closed")

// MemoryError tells that a device's memory doesn't hold what so many images at once need. Fewer need less.
type MemoryError struct {
	Rows        int
	Want, Found uint64 // bytes
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("found %.1f GB of free memory, want %.1f GB for %d images at once", float64(e.Found)/1e9, float64(e.Want)/1e9, e.Rows)
}

// Lost is the error of a step that took the state with it: nothing but Close may
// follow.
type Lost struct{ Err error }

func (l *Lost) Error() string { return l.Err.Error() }

// Unwrap gives what went wrong.
func (l *Lost) Unwrap() error { return l.Err }

// Device runs plans. It may be used from several goroutines.
type Device interface {
	// Check refuses a plan that can't be trained here, in milliseconds; where a
	// recipe or layer is the reason, the error wraps ErrUnsupported.
	Check(plan *blueprint.Plan) error
	// SliceRows is how many rows of the recipe's batch are best taken at once. It
	// follows from the plan and the kind of device, never from the machine: a
	// training that is continued elsewhere gives the same bytes. Of a network with
	// batch statistics it is the batch.
	SliceRows(plan *blueprint.Plan) int
	// Keep puts images where trainings take them from.
	Keep(images Images) (Kept, error)
	// Train opens a training. Its state is not set yet: Write each tensor, and
	// SetProgress.
	Train(job Job) (Training, error)
	// Load puts weights on the device, in the order of Params. The slices must
	// not be changed until the network is closed.
	Load(plan *blueprint.Plan, weights [][]float32) (Network, error)
}

// Kept are images on the device that gave them. Trainings may share them.
type Kept interface{ Close() }

// Job is what a training is made for.
type Job struct {
	Plan    *blueprint.Plan
	Layout  *Layout // of the plan
	Rows    int     // of a full slice; none has more
	Uneven  bool    // some slices have fewer
	MaxLoss float64 // see Progress; 0: only what isn't finite has diverged

	// Images and Labels are what slices take rows of; nil where they bring pixels
	// and labels themselves. A row of Labels is the columns' targets, in units of
	// the network's answer, then 1 for each that is filled, else 0.
	Images   Kept
	Labels   []float32 // [rows, 2*columns]
	Mirrored bool      // some images are turned, see Slice.Flips
}

// Slice is a run of a batch's rows, or all of them.
type Slice struct {
	Seed  [2]uint32 // of the step's random numbers
	First int       // the first row's place in the batch
	Rows  int       // at least 1
	Cells int       // filled in the whole batch: the loss is their mean

	// The rows: of the job's images and labels, and 1 for each image that is
	// mirrored left to right, else 0.
	Index, Label []int32
	Flips        []uint8
	// Or the rows themselves: pixels of 0 to 255 [rows, height, width, channels],
	// and labels as in Job.
	Pixels, Labels []float32
}

// Progress is what a training's state knows of its epoch.
type Progress struct {
	LossSum, Cells float64 // the loss so far: its sum over filled cells, and their number
	Step           int     // the next step, from 1
	// Diverged is the first step behind which LossSum was not finite, or more than
	// the job's MaxLoss for each cell; 0: none. Step then is not known.
	Diverged int
}

// Training is a plan's state on a device, and what changes it. Calls may return
// before the device is done; Read, Progress and Answer wait. It must not be used
// from several goroutines at once.
type Training interface {
	// Compile does beforehand what the first step, in slices or not, and the first
	// answer to so many images (0: none) would else take longer for than others.
	Compile(sliced bool, answers int) error
	// Gradients goes forward and backward on a slice, and adds to the epoch's loss
	// and to the sums of the parameters' gradients. Running statistics of a network
	// that has them stay as they are: it takes its batches by Step.
	Gradients(s Slice) error
	// Apply updates the state by the sums, ends the step, and begins new sums.
	Apply(settings *Settings) error
	// Step is both for a batch that is one slice.
	Step(s Slice, settings *Settings) error

	// Write and Read set and give the layout's tensor number i.
	Write(i int, values []float32) error
	Read(i int, values []float32) error
	// SetProgress begins an epoch, or goes on with one. A Mark is forgotten.
	SetProgress(p Progress) error
	Progress() (Progress, error)
	// Mark remembers the progress behind the steps asked for so far, in place of
	// what it remembered; Diverged tells what that knew of Progress.Diverged. Neither
	// waits for a step asked for since. Without a Mark, Diverged is 0.
	Mark()
	Diverged() (step int, err error)

	// Answer is Network.Answer with the weights as they are now: averaged where the
	// layout has averages.
	Answer(pixels []float32, rows int) ([]float32, error)
	Close()
}

// Network is a plan with its weights on a device. It may be used from several
// goroutines at once.
type Network interface {
	// Answer gives the answers [rows, columns] for images [rows, height, width,
	// channels] of pixels from 0 to 255. Each number of rows may cost a
	// compilation, once.
	Answer(pixels []float32, rows int) ([]float32, error)
	// Close waits for the calls under way; those to come get ErrClosed.
	Close()
}
