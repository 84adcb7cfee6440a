package files

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// watchEvery is how often folders are looked at: a file whose size and time were the same the time before is whole.
const watchEvery = 500 * time.Millisecond

// stamp is what changes while a file is written.
type stamp struct {
	size int64
	time time.Time
}

// Watch calls fn with the name of each picture in the folders, those that are there first, and of each that appears or changes, until it
// returns an error or the context ends, which is none.
func Watch(ctx context.Context, folders []string, fn func(name string) error) error {
	for _, f := range folders {
		if info, err := os.Stat(f); err != nil {
			return err
		} else if !info.IsDir() {
			return fmt.Errorf("%s: found no folder, want one to watch", input.Shown(f))
		}
	}
	done, before := map[string]stamp{}, map[string]stamp{}
	for first := true; ; first = false {
		now := map[string]stamp{}
		for _, folder := range folders {
			names, _, _, err := picturesIn(ctx, folder)
			if ctx.Err() != nil {
				return nil
			}
			if _, gone := os.Stat(folder); err != nil && (first || gone != nil) {
				return err // else a file may have gone while the folder was read
			}
			for _, name := range names {
				if info, err := os.Stat(name); err == nil {
					now[name] = stamp{info.Size(), info.ModTime()}
				}
			}
			for _, name := range names {
				s, ok := now[name]
				if !ok || s == done[name] || !first && s != before[name] {
					continue
				}
				done[name] = s
				if err := fn(name); err != nil {
					if ctx.Err() != nil {
						return nil
					}
					return err
				}
			}
		}
		before = now
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchEvery):
		}
	}
}
