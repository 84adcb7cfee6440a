package host

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
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/protocol"
	"github.com/fkzoo/fkzoo/specs/protocol/wire"
)

// slot is the place of one plugin's process; its lock is held while the
// process starts.
type slot struct {
	mu      sync.Mutex
	process *process
}

// process is a running plugin.
type process struct {
	found
	plugin PluginInfo

	o       Options
	program *program
	client  *plugin.Client
	asks    wire.PluginClient
}

// process gives the plugin's running process, and starts it if there is none.
func (h *Host) process(ctx context.Context, p found) (*process, error) {
	return h.processTrusting(ctx, p, func(sum string) (Trust, error) { return h.trust(p, sum) })
}

func (h *Host) processTrusting(ctx context.Context, p found, trust func(sum string) (Trust, error)) (*process, error) {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil, p.fail(ErrStart, nil, "the host is closed")
	}
	s := h.running[p.name]
	if s == nil {
		s = &slot{}
		h.running[p.name] = s
	}
	if h.sockets == nil {
		sockets, err := newSocketFolder()
		if err != nil {
			h.mu.Unlock()
			return nil, p.fail(ErrStart, err, "can't be started: %v", err)
		}
		h.sockets = sockets
	}
	sockets := h.sockets.path
	h.mu.Unlock()

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil && s.process.path == p.path && s.process.lives() {
		return s.process, nil
	}
	if s.process != nil {
		s.process.stop()
		s.process = nil
	}
	h.mu.Lock()
	closed := h.closed
	h.mu.Unlock()
	if closed { // meanwhile: Close has emptied this slot, or will after us
		return nil, p.fail(ErrStart, nil, "the host is closed")
	}
	var why Trust
	file, sum, err := h.privateCopy(p, func(sum string) (err error) {
		why, err = trust(sum)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer file.Close()
	started := &process{
		found: p, plugin: PluginInfo{Name: p.name, Path: p.path, SHA256: sum, Trust: why},
		o: h.o, program: newProgram(fileName(p.name), file),
	}
	if err := started.start(ctx, sockets); err != nil {
		return nil, err
	}
	s.process = started
	return started, nil
}

// start starts the program and connects to it.
func (p *process) start(ctx context.Context, sockets string) error {
	tlsConfig, certificate, err := hostIdentity()
	if err != nil {
		return p.fail(ErrStart, err, "%v", err)
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
		StartTimeout:     p.o.Start + time.Second, // ours comes first
		SyncStdout:       io.Discard,
		SyncStderr:       p.program.stderr,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(p.o.MaxAnswer)),
			grpc.WithMaxHeaderListSize(64 << 10),
			grpc.WithIdleTimeout(0), // the plugin ends when its connection does
		},
		SkipHostEnv:      true,
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: sockets},
	})
	// Ending the process ends everything that go-plugin may be waiting for.
	limited, cancel := context.WithTimeout(ctx, p.o.Start)
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

func (p *process) connect() error {
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

// passedOn are the environment variables that a plugin gets from the host: what
// an interpreter or the system's own libraries can't do without. Everything
// else, secrets among it, stays here.
var passedOn = []string{"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP"}

func environment() []string {
	var env []string
	for _, name := range passedOn {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// handshake is what a plugin's first line looks like.
var handshake = regexp.MustCompile(`^\s*(\d+)\|(\d+)\|[^|]*\|[^|]*(?:\|([^|]*))?`)

// startFailure says why the plugin could not be started. The process has ended.
func (p *process) startFailure(ctx, limited context.Context, err error) error {
	if ctx.Err() != nil {
		return p.fail(ErrStart, ctx.Err(), "not started: %v", context.Cause(ctx))
	}
	if p.program.ID() == "" {
		return p.notStarted(err)
	}
	how, itself := p.program.exited(time.Second)
	line := p.program.stdout.text()
	shook := handshake.FindStringSubmatch(line)
	var e *Error
	switch {
	case line != "" && shook == nil:
		e = p.fail(ErrHandshake, err, "found %q on its standard output, want nothing there before the handshake", plain(line, 120))
	case shook != nil && shook[1] != strconv.Itoa(plugin.CoreProtocolVersion):
		e = p.fail(ErrVersion, err, "found go-plugin's handshake in version %s, want %d", plain(shook[1], 20), plugin.CoreProtocolVersion)
	case shook != nil && shook[2] != strconv.Itoa(protocol.Version):
		e = p.fail(ErrVersion, err, "speaks version %s of the plugin protocol, want %d: %s", plain(shook[2], 20), protocol.Version, whatToRenew(shook[2]))
	case shook != nil && shook[3] != string(plugin.ProtocolGRPC):
		e = p.fail(ErrHandshake, err, "speaks %q, want %q", plain(shook[3], 40), plugin.ProtocolGRPC)
	case limited.Err() != nil:
		e = p.fail(ErrTimeout, err, "did not start within %v", p.o.Start)
	case itself:
		e = p.fail(ErrCrashed, err, "ended at start with %s", how)
	default:
		e = p.fail(ErrHandshake, err, "no connection: %s", plain(message(err), 500))
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
func (p *process) notStarted(err error) error {
	built := builtFor(p.path)
	switch {
	case built != "" && built != thisSystem && (errors.Is(err, syscall.ENOEXEC) || errors.Is(err, fs.ErrNotExist) || isBadProgram(err)):
		return p.fail(ErrStart, err, "can't be started: it is built for %s, want %s", built, thisSystem)
	case errors.Is(err, syscall.ENOEXEC) || isBadProgram(err):
		return p.fail(ErrStart, err, "can't be started: found no program for %s in it", thisSystem)
	case errors.Is(err, fs.ErrNotExist):
		return p.fail(ErrStart, err, "can't be started: the interpreter or loader that it needs is missing")
	}
	return p.fail(ErrStart, err, "can't be started: %v", err)
}

// lives tells whether the process can still be asked.
func (p *process) lives() bool {
	select {
	case <-p.program.done:
		return false
	default:
	}
	p.program.mu.Lock()
	defer p.program.mu.Unlock()
	return !p.program.killed
}

// patience is how long a plugin may take to end when it is asked to.
const patience = 500 * time.Millisecond

// stop ends the process: politely, then not.
func (p *process) stop() {
	timer := time.AfterFunc(patience, p.program.end)
	defer timer.Stop()
	p.client.Kill()
}

// list asks what the plugin offers and checks the answer.
func (p *process) list(ctx context.Context) ([]remembered, error) {
	limited, cancel := limit(ctx, p.o.List)
	defer cancel()
	answer, err := p.asks.List(limited, &wire.ListRequest{})
	if err != nil {
		return nil, p.callFailure(limited, err, "what it offers", p.o.List)
	}
	list, err := checkList(answer.GetArchitectures())
	if err != nil {
		return nil, p.fail(ErrAnswer, err, "asked what it offers: %v", err)
	}
	return list, nil
}

func checkList(answer []*wire.Architecture) ([]remembered, error) {
	if err := protocol.CheckOffer(answer); err != nil {
		return nil, err
	}
	var list []remembered
	for _, a := range answer {
		r := remembered{Name: a.GetName(), Summary: a.GetSummary()}
		for _, s := range a.GetSettings() {
			r.Settings = append(r.Settings, Setting{Name: s.GetName(), Default: s.GetDefault(), Help: s.GetHelp()})
		}
		list = append(list, r)
	}
	return list, nil
}

// blueprint asks for one blueprint and checks it against the columns asked
// for. The text is the document's own form of it.
func (p *process) blueprint(ctx context.Context, name string, r Request) (*blueprint.Document, []byte, error) {
	limited, cancel := limit(ctx, p.o.Blueprint)
	defer cancel()
	answer, err := p.asks.Blueprint(limited, &wire.BlueprintRequest{Architecture: name, Settings: r.Settings, Data: r.Data.Wire()})
	if err != nil {
		return nil, nil, p.callFailure(limited, err, "for the blueprint of "+name, p.o.Blueprint)
	}
	d, err := blueprint.Parse(answer.GetDocument())
	if err != nil {
		return nil, nil, p.bad(name, err)
	}
	if d.Name != name {
		return nil, nil, p.bad(name, fmt.Errorf("found a blueprint of %q, want one of %q", d.Name, name))
	}
	if err := protocol.CheckLine(d.Summary); err != nil {
		return nil, nil, p.bad(name, fmt.Errorf("summary: %w", err))
	}
	if err := d.Validate(r.Data.Columns); err != nil {
		return nil, nil, p.bad(name, err)
	}
	text, err := d.JSON()
	if err != nil {
		return nil, nil, p.bad(name, err)
	}
	return d, text, nil
}

// bad says that a blueprint is no good.
func (p *process) bad(architecture string, err error) error {
	return p.fail(ErrAnswer, err, "asked for the blueprint of %s: %s", architecture, plain(err.Error(), 1000))
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
func (p *process) callFailure(limited context.Context, err error, asked string, within time.Duration) error {
	switch cause := context.Cause(limited); cause {
	case nil:
	case errTooLate: // it is of no use any more
		p.program.end()
		e := p.fail(ErrTimeout, err, "asked %s: found no answer within %v", asked, within)
		e.Stderr = p.program.lastWords()
		return e
	default:
		return p.fail(ErrTimeout, cause, "asked %s: %v", asked, cause)
	}
	said := plain(message(err), 1000)
	switch status.Code(err) {
	case codes.InvalidArgument, codes.NotFound, codes.FailedPrecondition:
		return p.fail(ErrRefused, err, "asked %s: %s", asked, said)
	case codes.Unimplemented:
		return p.fail(ErrVersion, err, "asked %s: it does not know the question", asked)
	case codes.ResourceExhausted:
		if strings.Contains(said, "larger than max") {
			return p.fail(ErrTooLarge, err, "asked %s: its answer is too large, want at most %d bytes", asked, p.o.MaxAnswer)
		}
	case codes.Unavailable, codes.Canceled:
		if how, itself := p.program.exited(time.Second); itself {
			e := p.fail(ErrCrashed, err, "asked %s: it ended with %s", asked, how)
			e.Stderr = p.program.lastWords()
			return e
		}
	}
	return p.fail(ErrAnswer, err, "asked %s: %s", asked, said)
}

// message is an error's text without gRPC's wrapping.
func message(err error) string {
	if s, is := status.FromError(err); is {
		return s.Message()
	}
	return err.Error()
}
