//go:build cgo && linux

package backend

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/gomlx/go-xla/pjrt"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// probeVariable holds the question when this executable runs as the child that tries a library.
const probeVariable = "FKZOO_BACKEND_PROBE"

type question struct {
	Kind    Kind   `json:"kind"`
	Library string `json:"library"`
}

// report is one line from the child: a stage that begins, or the end.
type report struct {
	Stage  string  `json:"stage,omitempty"`
	Error  string  `json:"error,omitempty"`
	Answer *answer `json:"answer,omitempty"`
}

// probeTimeout is far above what a cold start needs: loading 270 MB from a slow disk, or waking a GPU.
var probeTimeout = 2 * time.Minute

// probeChild runs this executable once more and has it load the library and compute something with it.
// Whatever happens to the child, the result is an answer or an error that says at which stage what went wrong.
func probeChild(ctx context.Context, k Kind, library string) (answer, error) {
	ask, err := json.Marshal(question{k, library})
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, probeTimeout, fmt.Errorf("no end after %v", probeTimeout))
	defer cancel()
	r, w, err := os.Pipe()
	if err != nil {
		return answer{}, err
	}
	defer r.Close()
	var noise head
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), probeVariable+"="+string(ask), "XLA_FLAGS="+xlaFlags, "GOTRACEBACK=none", "GOMLX_NO_AUTO_INSTALL=1")
	cmd.Stdout, cmd.Stderr = &noise, &noise
	cmd.ExtraFiles = []*os.File{w}
	cmd.WaitDelay = time.Second
	// The signal is tied to the thread that forks, so that thread is kept until the child has ended.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		w.Close()
		return answer{}, fmt.Errorf("start the trial: %w", err)
	}
	w.Close()
	reports := make(chan report, 1)
	go func() {
		var last report
		for lines := bufio.NewScanner(r); lines.Scan(); {
			next := report{}
			if json.Unmarshal(lines.Bytes(), &next) != nil {
				continue
			}
			if next.Stage == "" {
				next.Stage = last.Stage
			}
			last = next
		}
		reports <- last
	}()
	err = cmd.Wait()
	// A grandchild could hold the pipe open; the child is gone, so what it wrote is there.
	_ = r.SetReadDeadline(time.Now().Add(time.Second))
	last := <-reports
	switch {
	case last.Answer != nil:
		return *last.Answer, nil
	case last.Error != "":
		return answer{}, fmt.Errorf("%s: %s", last.Stage, last.Error)
	case ctx.Err() != nil:
		return answer{}, fmt.Errorf("%s: %w", last.Stage, context.Cause(ctx))
	}
	if last.Stage == "" {
		last.Stage = "start"
	}
	return answer{}, fmt.Errorf("%s: the process that tried it ended with %s", last.Stage, death(err, noise.String()))
}

var (
	signalLine = regexp.MustCompile(`SIG[A-Z]+: [a-z ]+`)
	// logLine is what XLA's logging puts before each message.
	logLine = regexp.MustCompile(`^([IWEF])\d{4} [\d:.]+ +\d+ [^ ]+\] `)
)

// death says in one line how a child ended that could no longer say it itself: the last fatal message of what it
// printed, else the signal, else the last line.
func death(err error, noise string) string {
	how := "exit status 0"
	if err != nil {
		how = err.Error()
	}
	var fatal, last string
	for line := range strings.Lines(noise) {
		line = strings.TrimSpace(line)
		prefix := logLine.FindStringSubmatch(line)
		switch {
		case prefix != nil && prefix[1] == "F":
			fatal = line[len(prefix[0]):]
		case prefix == nil && line != "" && !strings.Contains(line, "absl::InitializeLog"):
			last = line
		}
	}
	if fatal != "" {
		return how + ": " + fatal
	}
	if s := signalLine.FindString(noise); s != "" {
		return strings.TrimSpace(s)
	}
	if last != "" {
		return how + ": " + last
	}
	return how
}

// head keeps the beginning of what a child prints and drops the rest.
type head struct{ bytes.Buffer }

func (t *head) Write(p []byte) (int, error) {
	if room := 64<<10 - t.Len(); room > 0 {
		t.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// answerProbe ends the process if it was started as the child of probeChild. It runs in this package's init, so that
// no program that can open a backend can forget to call it.
func answerProbe() {
	ask, ok := os.LookupEnv(probeVariable)
	if !ok {
		return
	}
	out := json.NewEncoder(os.NewFile(3, "report"))
	say := func(r report) { _ = out.Encode(r) }
	var q question
	if err := json.Unmarshal([]byte(ask), &q); err != nil {
		say(report{Stage: "start", Error: probeVariable + ": " + err.Error()})
		os.Exit(1)
	}
	os.Unsetenv(probeVariable)
	a, err := try(q, func(stage string) { say(report{Stage: stage}) })
	if err != nil {
		say(report{Error: strings.Join(strings.Fields(err.Error()), " ")})
		os.Exit(1)
	}
	say(report{Answer: &a})
	os.Exit(0)
}

// try loads the library and lets it multiply two matrices, sum and round: small whole numbers, exact in every precision.
func try(q question, stage func(string)) (_ answer, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	stage("load")
	b, err := openXLA(q.Kind, Info{Library: q.Library})
	if err != nil {
		return answer{}, err
	}
	path, err := loadable(q.Kind, q.Library)
	if err != nil {
		return answer{}, err
	}
	plugin, err := pjrt.GetPlugin(path)
	if err != nil {
		return answer{}, err
	}
	major, minor := plugin.Version()
	stage("compute")
	const n = 8
	x := make([][]float32, n)
	for i := range x {
		x[i] = make([]float32, n)
		for j := range x[i] {
			x[i][j] = float32((i*3 + j*5) % 7)
		}
	}
	out, err := graph.CallOnce(b.Compute(), func(x *graph.Node) *graph.Node {
		return graph.Dot(x, graph.Transpose(x, 0, 1)).Product()
	}, x)
	if err != nil {
		return answer{}, err
	}
	found := tensors.MustCopyFlatData[float32](out)
	for i := range n {
		for j := range n {
			var want float32
			for l := range n {
				want += x[i][l] * x[j][l]
			}
			if found[i*n+j] != want {
				return answer{}, fmt.Errorf("x·xᵀ at row %d, column %d: found %v, want %v", i, j, found[i*n+j], want)
			}
		}
	}
	if b.Compute().NumDevices() < 1 {
		return answer{}, errors.New("found no device, want at least one")
	}
	return answer{
		Version: fmt.Sprintf("XLA, PJRT API %d.%d", major, minor),
		Device:  b.Compute().DeviceDescription(0),
	}, nil
}
