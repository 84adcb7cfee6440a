package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/internal/cputime"
	"github.com/fkzoo/fkzoo/internal/peakmemory"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// childMode is the argument with which the program starts itself as a rival: child BACKEND TASK.
const childMode = "child"

// said is a line of a rival's. The first says that it is ready, the last, when its input has ended, what memory it had.
type said struct {
	Version string  `json:"version,omitempty"`
	Steps   int     `json:"steps,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Idle    float64 `json:"idle,omitempty"` // seconds of processor time since the last line
	Peak    int64   `json:"peak,omitempty"` // bytes; 0: not known
}

// child is fkzoo as a rival: it builds what the task describes, and then does steps until as many seconds have passed as a
// line of its input says, as python/peers.py does for its peers.
func child(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("%s: found %d arguments, want a backend and a task", childMode, len(args))
	}
	text, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	var t task
	if err := json.Unmarshal(text, &t); err != nil {
		return fmt.Errorf("%s: %w", args[1], err)
	}
	on, err := backend.Open(context.Background(), args[0])
	if err != nil {
		return err
	}
	defer on.Close()
	step, end, err := t.steps(on)
	if err != nil {
		return err
	}
	defer end()
	if err := step(); err != nil { // compiles
		return err
	}
	return serve(step, t.stepBatches(), said{Version: on.Info().Version}, in, out)
}

// batchesAtOnce are those of an epoch: with one alone the end of each would be waited for, which training doesn't.
const batchesAtOnce = 2

func (t *task) stepBatches() int {
	if t.Train {
		return batchesAtOnce
	}
	return 1
}

// steps gives what does a few batches of training, or answers one.
func (t *task) steps(on *backend.Backend) (step func() error, end func(), err error) {
	d, err := blueprint.Parse(t.Document)
	if err != nil {
		return nil, nil, err
	}
	plan, err := blueprint.NewPlan(d, 0, nil)
	if err != nil {
		return nil, nil, err
	}
	e := t.examples(t.Batch * t.stepBatches())
	ctx := context.Background()
	if !t.Train {
		p, err := engine.NewPredictor(on, plan, engine.InitialWeights(plan, 1))
		if err != nil {
			return nil, nil, err
		}
		return func() error {
			_, err := p.PredictIn(ctx, t.Batch, e.Images, nil, nil)
			return err
		}, p.Close, nil
	}
	data, err := engine.Upload(on, e)
	if err != nil {
		return nil, nil, err
	}
	rows := make([]int, e.Count)
	for i := range rows {
		rows[i] = i
	}
	trainer, err := engine.NewTrainer(data, engine.Config{Plan: plan, Rows: rows, Epochs: 1 << 20, Seed: 1})
	if err != nil {
		data.Close()
		return nil, nil, err
	}
	return func() error {
		_, err := trainer.Epoch(ctx, nil)
		return err
	}, func() { trainer.Close(); data.Close() }, nil
}

// examples are noise: what images show costs nothing.
func (t *task) examples(count int) engine.Examples {
	r := rand.New(rand.NewPCG(1, 2))
	h, w, c := t.Input[0], t.Input[1], t.Input[2]
	e := engine.Examples{
		Images:  engine.Images{Count: count, Height: h, Width: w, Channels: c, Bytes: make([]uint8, count*h*w*c)},
		Columns: blueprint.KaggleColumns, Points: make([]float32, count*len(blueprint.KaggleColumns)),
	}
	for i := range e.Bytes {
		e.Bytes[i] = uint8(r.Uint32())
	}
	for i := range e.Points {
		e.Points[i] = float32(float64(w) * r.Float64())
	}
	return e
}

// serve answers the lines of the input. A step is so many batches.
func serve(step func() error, batches int, ready said, in io.Reader, out io.Writer) error {
	say := json.NewEncoder(out)
	if err := say.Encode(ready); err != nil {
		return err
	}
	before := cputime.Used()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		idle := cputime.Used() - before
		seconds, err := strconv.ParseFloat(lines.Text(), 64)
		if err != nil {
			return fmt.Errorf("input: found %.40q, want seconds", lines.Text())
		}
		steps, start := 0, time.Now()
		for steps == 0 || time.Since(start).Seconds() < seconds {
			if err := step(); err != nil {
				return err
			}
			steps++
		}
		took := time.Since(start).Seconds()
		before = cputime.Used()
		if err := say.Encode(said{Steps: steps * batches, Seconds: took, Idle: idle.Seconds()}); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return say.Encode(said{Peak: peakmemory.Bytes()})
}
