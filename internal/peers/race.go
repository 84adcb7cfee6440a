package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/fkzoo/fkzoo/internal/machine"
)

// pause is between two rivals' pieces: the threads of one that has answered look for work for a while before they sleep.
const pause = 300 * time.Millisecond

// starter is an entrant under way.
type starter struct {
	entrant
	*rival
	run runner // nil: it isn't there, or not any more
	out *entry
}

// race has the entrants take turns. One that can't be had is left out, and the result says why.
func (a *arena) race(ctx context.Context, c contest) (*result, error) {
	field, err := a.field(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, s := range field {
			s.leave()
		}
	}()
	for round := range a.rounds {
		for i := range field {
			s := field[(i+round)%len(field)] // nobody is always the first
			if s.run == nil {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			time.Sleep(pause)
			did, err := s.run.piece(a.piece)
			if err != nil {
				a.lacks(c, s, err)
				continue
			}
			rate := float64(did.Steps*s.work.batch) / did.Seconds
			s.out.Rates = append(s.out.Rates, rate)
			if round > 0 {
				s.out.Idle += did.Idle
			}
			a.say("%s, round %d of %d: %s, %s: %.1f images/s", c.name, round+1, a.rounds, s.shows, s.work, rate)
		}
	}
	r := &result{Made: a.made()}
	for _, s := range field {
		s.last(a, c)
		r.Entries = append(r.Entries, *s.out)
	}
	return r, ctx.Err()
}

// field starts the entrants.
func (a *arena) field(ctx context.Context, c contest) (field []*starter, err error) {
	tasks := map[work]*prepared{}
	for _, e := range c.entrants {
		s := &starter{entrant: e, rival: rivalNamed(e.rival)}
		p := tasks[e.work]
		if p == nil {
			onnx := slices.ContainsFunc(c.entrants, func(e entrant) bool { return rivalNamed(e.rival).onnx })
			if p, err = a.prepare(ctx, e.work, c.isa, onnx); err != nil {
				break
			}
			tasks[e.work] = p
		}
		s.out = &entry{
			Rival: e.rival, Network: e.work.network, Batch: e.work.batch, Size: p.task.Input[0],
			Parameters: p.task.Parameters, FLOPs: p.plan.FLOPs(),
		}
		field = append(field, s)
		start := time.Now()
		run, fault := s.start(ctx, a, s.rival, p)
		if err = ctx.Err(); err != nil {
			break
		}
		if fault != nil {
			a.lacks(c, s, fault)
			continue
		}
		s.run, s.out.Version = run, run.version()
		a.say("%s: %s is ready for %s after %.1f s", c.name, s.shows, e.work, time.Since(start).Seconds())
	}
	if err != nil {
		for _, s := range field {
			s.leave()
		}
		return nil, err
	}
	return field, nil
}

// lacks notes why a rival isn't there.
func (a *arena) lacks(c contest, s *starter, why error) {
	err := fmt.Errorf("%s: %s is missing: %w", c.name, s.shows, why)
	a.say("%v", err)
	a.missing = append(a.missing, err)
	s.run, s.out.Missing, s.out.Rates = nil, why.Error(), nil
}

// last asks for the last words.
func (s *starter) last(a *arena, c contest) {
	if s.run == nil {
		return
	}
	words, err := s.run.end()
	s.run = nil
	if err != nil {
		a.lacks(c, s, err)
	}
	s.out.Peak = words.Peak
}

// leave ends an entrant whose words nobody wants any more.
func (s *starter) leave() {
	if p, ok := s.run.(*process); ok {
		p.cancel()
		p.in.Close()
		_ = p.cmd.Wait() // it was killed
	}
	s.run = nil
}

// made says by what and where a contest is held now.
func (a *arena) made() made {
	return made{
		Fkzoo: version, Machine: machine.Name(), Date: time.Now().UTC().Format(time.DateOnly),
		Threads: runtime.NumCPU(), Rounds: a.rounds, Piece: a.piece.Seconds(),
	}
}
