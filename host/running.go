package host

import (
	"context"
	"sync"

	"github.com/fkzoo/fkzoo/host/fault"
	"github.com/fkzoo/fkzoo/host/file"
	"github.com/fkzoo/fkzoo/host/process"
)

// running is a plugin's process and who it is.
type running struct {
	*process.Process
	plugin PluginInfo
}

// slot is the place of one plugin's process; its lock is held while the
// process starts.
type slot struct {
	mu      sync.Mutex
	running *running
}

// start gives the plugin's running process, and starts it if there is none.
func (h *Host) start(ctx context.Context, p file.File) (*running, error) {
	return h.startTrusting(ctx, p, func(sum string) (Trust, error) { return h.rules.Decide(p, sum) })
}

func (h *Host) startTrusting(ctx context.Context, p file.File, trust func(sum string) (Trust, error)) (*running, error) {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil, p.Fail(fault.ErrStart, nil, "the host is closed")
	}
	s := h.running[p.Name]
	if s == nil {
		s = &slot{}
		h.running[p.Name] = s
	}
	if h.sockets == nil {
		sockets, err := process.NewSockets()
		if err != nil {
			h.mu.Unlock()
			return nil, p.Fail(fault.ErrStart, err, "can't be started: %v", err)
		}
		h.sockets = sockets
	}
	sockets := h.sockets.Path
	h.mu.Unlock()

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil && s.running.Path == p.Path && s.running.Lives() {
		return s.running, nil
	}
	if s.running != nil {
		s.running.Stop()
		s.running = nil
	}
	h.mu.Lock()
	closed := h.closed
	h.mu.Unlock()
	if closed { // meanwhile: Close has emptied this slot, or will after us
		return nil, p.Fail(fault.ErrStart, nil, "the host is closed")
	}
	var why Trust
	program, sum, err := h.privateCopy(p, func(sum string) (err error) {
		why, err = trust(sum)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer program.Close()
	started, err := process.Start(ctx, p, program, sockets, process.Limits{
		Start: h.o.Start, List: h.o.List, Blueprint: h.o.Blueprint, MaxAnswer: h.o.MaxAnswer})
	if err != nil {
		return nil, err
	}
	s.running = &running{started, PluginInfo{Name: p.Name, Path: p.Path, SHA256: sum, Trust: why}}
	return s.running, nil
}
