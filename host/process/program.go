package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin/runner"

	"github.com/fkzoo/fkzoo/host/fault"
)

// program is the process of a plugin, run for go-plugin's client: it starts
// it, keeps the first line and the last words it says, and can end it at any
// moment without waiting for anything.
type program struct {
	name string   // as the plugin's first argument
	file *os.File // the private copy
	env  []string

	stdout *firstLine
	stderr *lastWords
	done   chan struct{} // closed when the process has ended and is reaped

	mu      sync.Mutex
	process *os.Process // nil before the start and after the end
	pid     int
	killed  bool // by us, before it ended by itself
	state   *os.ProcessState
}

var _ runner.Runner = (*program)(nil)

func newProgram(name string, file *os.File) *program {
	return &program{name: name, file: file, stdout: &firstLine{}, stderr: &lastWords{drained: make(chan struct{})}, done: make(chan struct{})}
}

// Start starts the process from a thread that lives as long as the process:
// its death would be taken for the host's (see prepare).
func (p *program) Start(ctx context.Context) error {
	stdout, stdoutWriter, err := os.Pipe()
	if err != nil {
		return err
	}
	stderr, stderrWriter, err := os.Pipe()
	if err != nil {
		stdout.Close()
		stdoutWriter.Close()
		return err
	}
	p.stdout.pipe, p.stderr.pipe = stdout, stderr
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		cmd, err := p.launch(ctx, stdoutWriter, stderrWriter)
		stdoutWriter.Close()
		stderrWriter.Close()
		if err == nil {
			p.mu.Lock()
			p.process, p.pid = cmd.Process, cmd.Process.Pid
			if p.killed {
				killGroup(p.process)
			}
			p.mu.Unlock()
		}
		started <- err
		if err == nil {
			p.await(cmd)
		}
	}()
	if err := <-started; err != nil {
		stdout.Close()
		stderr.Close()
		return err
	}
	return nil
}

// launch starts the process. A copy that was just written may still be open
// for writing in a process that is being forked at this moment (ETXTBSY).
func (p *program) launch(ctx context.Context, stdout, stderr *os.File) (*exec.Cmd, error) {
	for wait := time.Millisecond; ; wait *= 2 {
		cmd := &exec.Cmd{Path: p.file.Name(), Args: []string{p.name}, Env: p.env, Stdout: stdout, Stderr: stderr}
		prepare(cmd, p.file)
		err := cmd.Start()
		if err == nil || !errors.Is(err, textBusy) || wait > time.Second || ctx.Err() != nil {
			return cmd, err
		}
		time.Sleep(wait)
	}
}

// await waits for the process to end, ends what it has left behind, and lets
// the pipes run dry.
func (p *program) await(cmd *exec.Cmd) {
	awaitExit(p.pid)
	p.mu.Lock()
	if !canAwaitExit {
		p.mu.Unlock()
		_ = cmd.Wait()
		p.mu.Lock()
	} else {
		killGroup(cmd.Process)
		_ = cmd.Wait()
	}
	p.process, p.state = nil, cmd.ProcessState
	p.mu.Unlock()
	// Somebody who holds the other end open must not keep the readers.
	limit := time.Now().Add(200 * time.Millisecond)
	_ = p.stdout.pipe.SetReadDeadline(limit)
	_ = p.stderr.pipe.SetReadDeadline(limit)
	close(p.done)
}

// end kills the process if it still runs.
func (p *program) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == nil {
		p.killed = true
	}
	if p.process != nil {
		killGroup(p.process)
	}
}

// exited tells whether the process ended by itself within a time, and how.
func (p *program) exited(within time.Duration) (how string, itself bool) {
	select {
	case <-p.done:
	case <-time.After(within):
		return "", false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.String(), !p.killed
}

// lastWords gives what the program last said, all of it if it has ended.
func (p *program) lastWords() string {
	select {
	case <-p.done:
		select {
		case <-p.stderr.drained:
		case <-time.After(time.Second):
		}
	default:
	}
	return p.stderr.text()
}

// Kill is called by go-plugin when the start failed or the end was not
// graceful. A process that has closed its output is about to end by itself,
// and how it ends is worth knowing.
func (p *program) Kill(context.Context) error {
	if p.stdout.ended() {
		p.exited(500 * time.Millisecond)
	}
	p.end()
	return nil
}

// Wait returns when the process has ended.
func (p *program) Wait(context.Context) error {
	<-p.done
	if !p.state.Success() {
		return errors.New(p.state.String())
	}
	return nil
}

// Stdout is where the handshake is read from.
func (p *program) Stdout() io.ReadCloser { return p.stdout }

// Stderr is drained by go-plugin.
func (p *program) Stderr() io.ReadCloser { return p.stderr }

// Name is the plugin's.
func (p *program) Name() string { return p.name }

// ID is the process's number, "" before it has one.
func (p *program) ID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pid == 0 {
		return ""
	}
	return strconv.Itoa(p.pid)
}

// Diagnose is left to the host, which knows more.
func (p *program) Diagnose(context.Context) string { return "" }

// PluginToHost leaves addresses as they are.
func (p *program) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin leaves addresses as they are.
func (p *program) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// textBusy is what a system says when a program is still being written.
const textBusy = syscall.ETXTBSY

// firstLine is standard output, of which the first line, up to 4 KiB, is kept.
type firstLine struct {
	pipe *os.File

	mu   sync.Mutex
	line []byte
	full bool
	eof  bool
}

func (f *firstLine) Read(b []byte) (int, error) {
	n, err := f.pipe.Read(b)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.eof = f.eof || err != nil
	if !f.full {
		line, _, more := bytes.Cut(b[:n], []byte("\n"))
		f.line = append(f.line, line...)
		if f.full = more || len(f.line) > 4096; len(f.line) > 4096 {
			f.line = f.line[:4096]
		}
	}
	return n, err
}

func (f *firstLine) Close() error { return f.pipe.Close() }

func (f *firstLine) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(f.line)
}

func (f *firstLine) ended() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.eof
}

// lastWords is standard error, of which the last bytes are kept. What the
// plugin writes through go-plugin later is written to it too.
type lastWords struct {
	pipe    *os.File
	drained chan struct{} // closed when the pipe has nothing more to give
	once    sync.Once

	mu   sync.Mutex
	tail []byte
}

const keptWords = 16 << 10

func (l *lastWords) Read(b []byte) (int, error) {
	n, err := l.pipe.Read(b)
	_, _ = l.Write(b[:n])
	if err != nil {
		l.once.Do(func() { close(l.drained) })
	}
	return n, err
}

func (l *lastWords) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(l.tail, b...)
	if extra := len(l.tail) - keptWords; extra > 0 {
		l.tail = append(l.tail[:0], l.tail[extra:]...)
	}
	return len(b), nil
}

func (l *lastWords) Close() error { return l.pipe.Close() }

// text gives the few lines that explain most: the last ones, without the
// stacks that a Go program shows when it panics.
func (l *lastWords) text() string {
	l.mu.Lock()
	said := strings.TrimSpace(string(l.tail))
	l.mu.Unlock()
	if said == "" {
		return ""
	}
	lines := strings.Split(said, "\n")
	if i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "goroutine ") }); i >= 0 {
		lines = strings.Split(strings.TrimSpace(strings.Join(lines[:i], "\n")), "\n")
	}
	lines = lines[max(0, len(lines)-6):]
	return strings.TrimSpace(fault.Plain(strings.Join(lines, "\n"), 1500))
}
