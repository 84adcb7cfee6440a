package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/zoo/bench"
)

// stand names what the test's own program does in place of fkzoo, and started a file that it then makes.
const stand, started = "FKZOO_TEST_STAND", "FKZOO_TEST_STARTED"

func TestMain(m *testing.M) {
	switch os.Getenv(stand) {
	case "":
		os.Exit(m.Run())
	case "wait":
		_ = os.WriteFile(os.Getenv(started), []byte(strings.Join(os.Args[1:], " ")), 0o600)
		time.Sleep(time.Hour)
	case "fail":
		fmt.Fprint(os.Stderr, "backend go: the engine\nfkzoo: a warning\nfkzoo: found no memory\nmore helps\n")
		os.Exit(1)
	case "none":
		fmt.Println("[]")
	case "text":
		fmt.Println("fast")
	case "good":
		fmt.Println(`[{"architecture": "net1", "batch": 3, "milliseconds": {"median": 2, "p99": 4}}]`)
	}
}

var tried = one{"net1", "go", bench.Request{Task: bench.Train, Batch: 3, Duration: 1500 * time.Millisecond}}

// What a case's process may answer.
func TestRun(t *testing.T) {
	for _, c := range []struct{ does, err, reason string }{
		{"good", "", ""},
		{"fail", "exit status 1", "found no memory"},
		{"none", "its output: found 0 results, want 1", "its output: found 0 results, want 1"},
		{"text", "its output: invalid character", "its output: invalid character"},
	} {
		t.Setenv(stand, c.does)
		r, said, err := tried.run(t.Context(), os.Args[0], nil)
		if c.err == "" {
			if err != nil || r.Batch != 3 || r.Milliseconds.P99 != 4 {
				t.Errorf("%s: found %+v, %v", c.does, r, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.err) || !strings.HasPrefix(reason(said, err), c.reason) {
			t.Errorf("%s: found %v, because of %q, want %q, %q", c.does, err, reason(said, err), c.err, c.reason)
		}
	}
}

// The end of the context is that of the case's process, which was given the case alone.
func TestRunEnds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "started")
	t.Setenv(stand, "wait")
	t.Setenv(started, file)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, _, err := tried.run(ctx, os.Args[0], []string{"hidden=4"})
		ended <- err
	}()
	const want = "bench --json --backend go --task train --seconds 1.5 --batch 3 --set hidden=4 -- net1"
	for {
		if text, err := os.ReadFile(file); err == nil && len(text) > 0 {
			if string(text) != want {
				t.Errorf("found the arguments %q, want %q", text, want)
			}
			break
		}
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("found no error, want the process ended")
	}
}

// A case without a batch of its own leaves it to the recipe.
func TestArguments(t *testing.T) {
	o := tried
	o.Batch = 0
	if args := o.arguments(nil); slices.Contains(args, "--batch") || o.String() != "net1, go, train" || tried.String() != "net1, go, train, batch 3" {
		t.Errorf("found %q, %s, %s", args, o, tried)
	}
}

func TestFigure(t *testing.T) {
	for v, want := range map[float64]string{16799.2: "16799", 100: "100", 62.24: "62.2", 7.451: "7.45", 0.1974: "0.197", 0.000123: "0.000123"} {
		if got := figure(v); got != want {
			t.Errorf("%g: found %s, want %s", v, got, want)
		}
	}
}
