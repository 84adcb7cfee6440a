// Package process runs a plugin's program: starts it, asks it, stops it, and says what went wrong.
//
// It must not know whether the program may be run, where it came from, nor what its answers are for.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fkzoo/fkzoo/host/fault"
	"github.com/fkzoo/fkzoo/host/file"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/protocol"
	"github.com/fkzoo/fkzoo/specs/protocol/wire"
)

// Process is a running plugin.
type Process struct {
	file.File

	limits  Limits
	program *program
	client  *plugin.Client
	asks    wire.PluginClient
}

// Limits are how long a plugin may take, and how much it may say.
type Limits struct {
	Start     time.Duration // to start
	List      time.Duration // to say what it offers
	Blueprint time.Duration // to give one blueprint
	MaxAnswer int           // bytes of one answer
}

// Start starts a plugin's program, an open private copy, and
// connects to it by a socket in a folder. Stop it.
func Start(ctx context.Context, plugin file.File, program *os.File, sockets string, limits Limits) (*Process, error) {
	p := &Process{File: plugin, limits: limits, program: newProgram(file.Base(plugin.Name), program)}
	if err := p.start(ctx, sockets); err != nil {
		return nil, err
	}
	return p, nil
}

// start starts the program and connects to it.
func (p *Process) start(ctx context.Context, sockets string) error {
	tlsConfig, certificate, err := hostIdentity()
	if err != nil {
		return p.Fail(fault.ErrStart, err, "%v", err)
	}
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			MagicCookieKey:   protocol.CookieKey,
			MagicCookieValue: protocol.CookieValue,
		},
		VersionedPlugins: map[int]plugin.PluginSet{protocol.Version: {protocol.ServiceName: &service{}}},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			p.program.env = append(append(environment(), "PLUGIN_CLIENT_CERT="+certificate), cmd.Env...)
			return p.program, nil
		},
		TLSConfig:        tlsConfig,
		StartTimeout:     p.limits.Start + time.Second, // ours comes first
		SyncStdout:       io.Discard,
		SyncStderr:       p.program.stderr,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(p.limits.MaxAnswer)),
			grpc.WithMaxHeaderListSize(64 << 10),
			grpc.WithIdleTimeout(0), // the plugin ends when its connection does
		},
		SkipHostEnv:      true,
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: sockets},
	})
	// Ending the process ends everything that go-plugin may be waiting for.
	limited, cancel := context.WithTimeout(ctx, p.limits.Start)
	defer cancel()
	stop := context.AfterFunc(limited, p.program.end)
	err = p.connect()
	if !stop() && err == nil {
		err = limited.Err() // ended just after it was connected
	}
	if err != nil {
		_ = p.program.Kill(ctx) // there is nobody to be polite to
		p.client.Kill()
		return p.startFailure(ctx, limited, err)
	}
	return nil
}

func (p *Process) connect() error {
	protocolClient, err := p.client.Client()
	if err != nil {
		return err
	}
	raw, err := protocolClient.Dispense(protocol.ServiceName)
	if err != nil {
		return err
	}
	asks, ok := raw.(wire.PluginClient)
	if !ok {
		return fmt.Errorf("found a client of type %T", raw)
	}
	p.asks = asks
	return protocolClient.Ping()
}

// service tells go-plugin how to ask.
type service struct {
	plugin.NetRPCUnsupportedPlugin
}

func (*service) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("a host only asks")
}

func (*service) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return wire.NewPluginClient(c), nil
}

// PassedOn are the environment variables that a plugin gets from the host: what
// an interpreter or the system's own libraries can't do without. Everything
// else, secrets among it, stays here.
var PassedOn = []string{"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP"}

func environment() []string {
	var env []string
	for _, name := range PassedOn {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// handshake is what a plugin's first line looks like.
var handshake = regexp.MustCompile(`^\s*(\d+)\|(\d+)\|[^|]*\|[^|]*(?:\|([^|]*))?`)

// startFailure says why the plugin could not be started. The process has ended.
func (p *Process) startFailure(ctx, limited context.Context, err error) error {
	if ctx.Err() != nil {
		return p.Fail(fault.ErrStart, ctx.Err(), "not started: %v", context.Cause(ctx))
	}
	if p.program.ID() == "" {
		return p.notStarted(err)
	}
	how, itself := p.program.exited(time.Second)
	line := p.program.stdout.text()
	shook := handshake.FindStringSubmatch(line)
	var e *fault.Error
	switch {
	case line != "" && shook == nil:
		e = p.Fail(fault.ErrHandshake, err, "found %q on its standard output, want nothing there before the handshake", fault.Plain(line, 120))
	case shook != nil && shook[1] != strconv.Itoa(plugin.CoreProtocolVersion):
		e = p.Fail(fault.ErrVersion, err, "found go-plugin's handshake in version %s, want %d", fault.Plain(shook[1], 20), plugin.CoreProtocolVersion)
	case shook != nil && shook[2] != strconv.Itoa(protocol.Version):
		e = p.Fail(fault.ErrVersion, err, "speaks version %s of the plugin protocol, want %d: %s", fault.Plain(shook[2], 20), protocol.Version, whatToRenew(shook[2]))
	case shook != nil && shook[3] != string(plugin.ProtocolGRPC):
		e = p.Fail(fault.ErrHandshake, err, "speaks %q, want %q", fault.Plain(shook[3], 40), plugin.ProtocolGRPC)
	case limited.Err() != nil:
		e = p.Fail(fault.ErrTimeout, err, "did not start within %v", p.limits.Start)
	case itself:
		e = p.Fail(fault.ErrCrashed, err, "ended at start with %s", how)
	default:
		e = p.Fail(fault.ErrHandshake, err, "no connection: %s", fault.Plain(message(err), 500))
	}
	e.Stderr = p.program.lastWords()
	return e
}

func whatToRenew(version string) string {
	if v, err := strconv.Atoi(version); err == nil && v < protocol.Version {
		return "rebuild the plugin with this fkzoo's SDK"
	}
	return "a newer fkzoo runs it"
}

// notStarted says why the system did not start the program.
func (p *Process) notStarted(err error) error {
	built := builtFor(p.Path)
	switch {
	case built != "" && built != thisSystem && (errors.Is(err, syscall.ENOEXEC) || errors.Is(err, fs.ErrNotExist) || isBadProgram(err)):
		return p.Fail(fault.ErrStart, err, "can't be started: it is built for %s, want %s", built, thisSystem)
	case errors.Is(err, syscall.ENOEXEC) || isBadProgram(err):
		return p.Fail(fault.ErrStart, err, "can't be started: found no program for %s in it", thisSystem)
	case errors.Is(err, fs.ErrNotExist):
		return p.Fail(fault.ErrStart, err, "can't be started: the interpreter or loader that it needs is missing")
	}
	return p.Fail(fault.ErrStart, err, "can't be started: %v", err)
}

// Lives tells whether the process can still be asked.
func (p *Process) Lives() bool {
	select {
	case <-p.program.done:
		return false
	default:
	}
	p.program.mu.Lock()
	defer p.program.mu.Unlock()
	return !p.program.killed
}

// Kill ends the process at once. Done tells when it is gone.
func (p *Process) Kill() { p.program.end() }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.program.done }

// patience is how long a plugin may take to end when it is asked to.
const patience = 500 * time.Millisecond

// Stop ends the process: politely, then not.
func (p *Process) Stop() {
	timer := time.AfterFunc(patience, p.program.end)
	defer timer.Stop()
	p.client.Kill()
}

// List asks what the plugin offers and checks the answer.
func (p *Process) List(ctx context.Context) ([]*wire.Architecture, error) {
	limited, cancel := limit(ctx, p.limits.List)
	defer cancel()
	answer, err := p.asks.List(limited, &wire.ListRequest{})
	if err != nil {
		return nil, p.callFailure(limited, err, "what it offers", p.limits.List)
	}
	if err := protocol.CheckOffer(answer.GetArchitectures()); err != nil {
		return nil, p.Fail(fault.ErrAnswer, err, "asked what it offers: %v", err)
	}
	return answer.GetArchitectures(), nil
}

// Blueprint asks for one blueprint and checks it against the data's columns.
// The text is the document's own form of it.
func (p *Process) Blueprint(ctx context.Context, name string, settings map[string]string, data protocol.DataSummary) (*blueprint.Document, []byte, error) {
	limited, cancel := limit(ctx, p.limits.Blueprint)
	defer cancel()
	answer, err := p.asks.Blueprint(limited, &wire.BlueprintRequest{Architecture: name, Settings: settings, Data: data.Wire()})
	if err != nil {
		return nil, nil, p.callFailure(limited, err, "for the blueprint of "+name, p.limits.Blueprint)
	}
	d, err := blueprint.Parse(answer.GetDocument())
	if err != nil {
		return nil, nil, p.Bad(name, err)
	}
	if d.Name != name {
		return nil, nil, p.Bad(name, fmt.Errorf("found a blueprint of %q, want one of %q", d.Name, name))
	}
	if err := protocol.CheckLine(d.Summary); err != nil {
		return nil, nil, p.Bad(name, fmt.Errorf("summary: %w", err))
	}
	if err := d.Validate(data.Columns); err != nil {
		return nil, nil, p.Bad(name, err)
	}
	text, err := d.JSON()
	if err != nil {
		return nil, nil, p.Bad(name, err)
	}
	return d, text, nil
}

// Bad says that a blueprint is no good.
func (p *Process) Bad(architecture string, err error) error {
	return p.Fail(fault.ErrAnswer, err, "asked for the blueprint of %s: %s", architecture, fault.Plain(err.Error(), 1000))
}

var errTooLate = errors.New("too late")

// limit ends a question after a time, with errTooLate as the cause, or with
// ctx, with ctx's cause. It has no deadline that gRPC would pass on: a plugin
// that keeps one by itself could not be told from one that breaks off.
func limit(ctx context.Context, within time.Duration) (context.Context, func()) {
	limited, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	timer := time.AfterFunc(within, func() { cancel(errTooLate) })
	return limited, func() {
		stop()
		timer.Stop()
		cancel(nil)
	}
}

// callFailure says why a question got no answer.
func (p *Process) callFailure(limited context.Context, err error, asked string, within time.Duration) error {
	switch cause := context.Cause(limited); cause {
	case nil:
	case errTooLate: // it is of no use any more
		p.program.end()
		e := p.Fail(fault.ErrTimeout, err, "asked %s: found no answer within %v", asked, within)
		e.Stderr = p.program.lastWords()
		return e
	default:
		return p.Fail(fault.ErrTimeout, cause, "asked %s: %v", asked, cause)
	}
	said := fault.Plain(message(err), 1000)
	switch status.Code(err) {
	case codes.InvalidArgument, codes.NotFound, codes.FailedPrecondition:
		return p.Fail(fault.ErrRefused, err, "asked %s: %s", asked, said)
	case codes.Unimplemented:
		return p.Fail(fault.ErrVersion, err, "asked %s: it does not know the question", asked)
	case codes.ResourceExhausted:
		if strings.Contains(said, "larger than max") {
			return p.Fail(fault.ErrTooLarge, err, "asked %s: its answer is too large, want at most %d bytes", asked, p.limits.MaxAnswer)
		}
	case codes.Unavailable, codes.Canceled:
		if how, itself := p.program.exited(time.Second); itself {
			e := p.Fail(fault.ErrCrashed, err, "asked %s: it ended with %s", asked, how)
			e.Stderr = p.program.lastWords()
			return e
		}
	}
	return p.Fail(fault.ErrAnswer, err, "asked %s: %s", asked, said)
}

// message is an error's text without gRPC's wrapping.
func message(err error) string {
	if s, is := status.FromError(err); is {
		return s.Message()
	}
	return err.Error()
}
