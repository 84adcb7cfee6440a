package plugins

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/stats"
)

// firstConnection is how long a plugin waits for its host to connect.
const firstConnection = time.Minute

// lifeline ends a plugin when its host is gone: when the last connection has
// ended, or none came within [firstConnection]. A host that is killed can tell
// nobody, but its connections end on every system.
type lifeline struct {
	end func()

	mu    sync.Mutex
	open  int
	timer *time.Timer
}

func newLifeline(end func()) *lifeline {
	return &lifeline{end: end, timer: time.AfterFunc(firstConnection, end)}
}

// HandleConn counts connections; gRPC calls it after the TLS handshake, so
// only the host's own count.
func (l *lifeline) HandleConn(_ context.Context, s stats.ConnStats) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s.(type) {
	case *stats.ConnBegin:
		l.open++
		l.timer.Stop()
	case *stats.ConnEnd:
		if l.open--; l.open == 0 {
			l.end()
		}
	}
}

// TagConn, TagRPC and HandleRPC complete [stats.Handler].
func (l *lifeline) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// TagRPC does nothing.
func (l *lifeline) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC does nothing.
func (l *lifeline) HandleRPC(context.Context, stats.RPCStats) {}
