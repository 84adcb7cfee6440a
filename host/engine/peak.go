package engine

import (
	"context"
	"time"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/peak"
)

// Peak measures for so long what multiply-adds alone reach on the processors that
// the backend computes with, all its threads, whatever kernels it has chosen: the
// best short run's operations a second, a multiplication and an addition as two.
// It is 0 where the backend computes on a device of its own, which isn't measured.
func Peak(ctx context.Context, b *backend.Backend, long time.Duration) float64 {
	if !b.OnHost() {
		return 0
	}
	return peak.Measure(ctx, kernel.Sets()[0], b.NumThreads(), long)
}
