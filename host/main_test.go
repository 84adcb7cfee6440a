package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/fkzoo/fkzoo/host/file"
	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/protocol"
	"github.com/fkzoo/fkzoo/specs/protocol/wire"
)

// TestMain runs the tests, or, started as fkzoo-plugin-NAME, the plugin of that
// name from testPlugins, or, started as hostUnderTest, a host to be killed.
func TestMain(m *testing.M) {
	program := filepath.Base(os.Args[0])
	if name, is := file.PluginName(program); is {
		run, known := testPlugins[name]
		if !known {
			fmt.Fprintf(os.Stderr, "no test plugin is called %q\n", name)
			os.Exit(1)
		}
		run()
		return
	}
	if strings.TrimSuffix(program, ".exe") == hostUnderTest {
		beHost()
		return
	}
	folder, err := os.MkdirTemp("", "fkzoo-host-test-")
	if err != nil {
		panic(err)
	}
	sharedCache = folder
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// sharedCache saves copying the test binary for every test that doesn't look
// at the cache.
var sharedCache string

// tiny is a network of one layer that answers all columns.
func tiny(name, units string) *blueprint.Document {
	layer := blueprint.Layer{Name: "output", Kind: "dense", Settings: blueprint.Settings{"units": units}}
	return &blueprint.Document{
		Version: blueprint.Version, Name: name, Summary: "one layer",
		Input: blueprint.Input{Height: 96, Width: 96, Channels: 1},
		Members: []blueprint.Member{{
			Name: "net", Columns: []string{blueprint.AllColumns},
			Layers: []blueprint.Layer{{Name: "flat", Kind: "flatten"}, layer},
			Recipe: blueprint.Recipe{
				Loss:      blueprint.Loss{Kind: "mse"},
				Optimizer: blueprint.Optimizer{Kind: "sgd"},
				Rate:      blueprint.Constant(0.01),
				Epochs:    1, Batch: 16, Validation: 0.2,
			},
		}},
	}
}

// tinyParameters is the number of weights and biases of tiny for 30 columns.
const tinyParameters = 96*96*30 + 30

// offering is an architecture whose blueprint is tiny.
func offering(name string) plugins.Architecture {
	return plugins.Architecture{Name: name, Summary: "one layer", Blueprint: func(plugins.Request) (*blueprint.Document, error) {
		return tiny(name, "columns"), nil
	}}
}

// testPlugins are what the test binary does when it is started as a plugin.
var testPlugins = map[string]func(){
	"good": func() {
		hidden := offering("hidden")
		hidden.Settings = []plugins.Setting{{Name: "units", Default: "30", Help: "outputs"}}
		hidden.Blueprint = func(r plugins.Request) (*blueprint.Document, error) {
			units, err := r.Int("units")
			if err != nil {
				return nil, err
			}
			d := tiny("hidden", "columns")
			d.Members[0].Layers[1].Settings["units"] = float64(units)
			d.Source = fmt.Sprintf("rows with %s: %d of %d", r.Data.Columns[0], r.Data.RowsWith(r.Data.Columns[0]), r.Data.Rows)
			return d, nil
		}
		plugins.Serve(offering("tiny"), hidden)
	},
	"twin":  func() { plugins.Serve(offering("tiny"), offering("other")) },
	"good2": func() { plugins.Serve(offering("a"), offering("b")) },
	"good3": func() { plugins.Serve(offering("c")) },
	"twin2": func() { plugins.Serve(offering("d"), offering("e")) },
	"env":   func() { plugins.Serve(revealing()) },
	"slow": func() { // with the SDK, its process busy in a function when the host goes
		plugins.Serve(plugins.Architecture{Name: "net", Blueprint: func(plugins.Request) (*blueprint.Document, error) { return nil, sleep() }})
	},
	"prone": func() {
		plugins.Serve(plugins.Architecture{Name: "net", Blueprint: func(plugins.Request) (*blueprint.Document, error) { panic("no such layer") }})
	},

	"crash":  func() { fmt.Fprintln(os.Stderr, "cannot find the net\x1b[2J"); os.Exit(3) },
	"panic":  func() { panic("out of cheese") },
	"silent": func() { os.Exit(0) },
	"child": func() { // leaves a process behind that holds the pipes open
		self, err := os.Executable()
		if err != nil {
			panic(err)
		}
		cmd := &exec.Cmd{Path: self, Args: []string{file.Base("hang")}, Stdout: os.Stdout, Stderr: os.Stderr}
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		os.Exit(4)
	},
	"hang":   func() { time.Sleep(time.Hour) },
	"chatty": func() { fmt.Println("Welcome to chatty 1.0!"); plugins.Serve(offering("net")) },
	"flood": func() {
		for {
			fmt.Print(strings.Repeat("flood ", 10000))
		}
	},
	"future": func() { raw{versions: []int{7}}.serve() },
	"flexible": func() {
		raw{versions: []int{protocol.Version, 7}, list: offers("net"), document: tinyText("net")}.serve()
	},
	"netrpc": func() { fmt.Printf("1|%d|unix|/nowhere|netrpc|\n", protocol.Version); time.Sleep(time.Hour) },
	"core":   func() { fmt.Printf("2|%d|unix|/nowhere|grpc|\n", protocol.Version); time.Sleep(time.Hour) },
	"deaf":   func() { fmt.Printf("1|%d|unix|/nowhere|grpc|\n", protocol.Version); time.Sleep(time.Hour) },
	"open": func() { // offers its service without TLS
		os.Unsetenv("PLUGIN_CLIENT_CERT")
		raw{list: offers("net"), document: tinyText("net")}.serve()
	},

	"crashlist":      func() { raw{onList: dieLater}.serve() },
	"crashblueprint": func() { raw{list: offers("net"), onBlueprint: dieLater}.serve() },
	"hanglist":       func() { raw{onList: sleep}.serve() },
	"hangblueprint":  func() { raw{list: offers("net"), onBlueprint: sleep}.serve() },
	"stopped": func() {
		raw{list: offers("net"), onBlueprint: func() error { return stopSelf() }}.serve()
	},
	"stubborn": func() { // does not end when asked to
		signal.Ignore(os.Interrupt, syscall.SIGTERM)
		raw{list: offers("net"), document: tinyText("net")}.serve()
		time.Sleep(time.Hour)
	},

	"nothing":     func() { raw{}.serve() },
	"badname":     func() { raw{list: offers("net 1\x1b[31m")}.serve() },
	"twice":       func() { raw{list: offers("net", "net")}.serve() },
	"longsummary": func() { raw{list: []*wire.Architecture{{Name: "net", Summary: strings.Repeat("x", 501)}}}.serve() },
	"wrongname":   func() { raw{list: offers("net"), document: tinyText("other")}.serve() },
	"nojson":      func() { raw{list: offers("net"), document: []byte("net: yes\n")}.serve() },
	"badshape": func() {
		d := tiny("net", "columns")
		d.Members[0].Layers[1].Settings["units"] = 7.0
		text, _ := d.JSON()
		raw{list: offers("net"), document: text}.serve()
	},
	"newer": func() { raw{list: offers("net"), document: []byte(`{"blueprint": 99, "name": "net"}`)}.serve() },
	"large": func() { raw{list: offers("net"), document: make([]byte, protocol.MaxAnswer+1)}.serve() },
}

// revealing tells in its blueprint's source what the process can see.
func revealing() plugins.Architecture {
	return plugins.Architecture{Name: "env", Blueprint: func(plugins.Request) (*blueprint.Document, error) {
		d := tiny("env", "columns")
		typed, err := io.ReadAll(os.Stdin)
		d.Source = fmt.Sprintf("stdin %q %v\n%s", typed, err, strings.Join(os.Environ(), "\n"))
		return d, nil
	}}
}

func sleep() error { time.Sleep(time.Hour); return nil }

// dieLater ends the process in mid-call by a panic that nobody can catch.
func dieLater() error {
	go func() { panic("index out of range in the middle of it") }()
	return sleep()
}

func offers(names ...string) []*wire.Architecture {
	var all []*wire.Architecture
	for _, n := range names {
		all = append(all, &wire.Architecture{Name: n, Summary: "a network"})
	}
	return all
}

func tinyText(name string) []byte {
	text, err := tiny(name, "columns").JSON()
	if err != nil {
		panic(err)
	}
	return text
}

// raw is a plugin without the SDK, which would refuse to do what it does.
type raw struct {
	wire.UnimplementedPluginServer
	plugin.NetRPCUnsupportedPlugin

	versions    []int
	list        []*wire.Architecture
	document    []byte
	onList      func() error
	onBlueprint func() error
}

func (r raw) serve() {
	config := &plugin.ServeConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: protocol.CookieKey, MagicCookieValue: protocol.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{},
		GRPCServer:       plugin.DefaultGRPCServer,
		Logger:           hclog.NewNullLogger(),
	}
	if r.versions == nil {
		r.versions = []int{protocol.Version}
	}
	for _, v := range r.versions {
		config.VersionedPlugins[v] = plugin.PluginSet{protocol.ServiceName: r}
	}
	plugin.Serve(config)
}

func (r raw) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	wire.RegisterPluginServer(s, r)
	return nil
}

func (raw) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

func (r raw) List(context.Context, *wire.ListRequest) (*wire.ListResponse, error) {
	if r.onList != nil {
		return nil, r.onList()
	}
	return &wire.ListResponse{Architectures: r.list}, nil
}

func (r raw) Blueprint(context.Context, *wire.BlueprintRequest) (*wire.BlueprintResponse, error) {
	if r.onBlueprint != nil {
		return nil, r.onBlueprint()
	}
	return &wire.BlueprintResponse{Document: r.document}, nil
}

// binarySum is the checksum of the test binary, and so of every test plugin.
var binarySum = sync.OnceValue(func() string {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	f, err := os.Open(self)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		panic(err)
	}
	return hex.EncodeToString(hash.Sum(nil))
})

// putPlugin puts the test binary into folder as the plugin of that name.
func putPlugin(t testing.TB, folder, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, file.Base(name))
	if os.Link(self, path) == nil {
		return path
	}
	return copyBinary(t, self, path)
}

func copyBinary(t testing.TB, from, to string) string {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// testOptions are for a folder of plugins that are all trusted.
func testOptions(t testing.TB, names ...string) Options {
	t.Helper()
	o := Options{Beside: t.TempDir(), User: filepath.Join(t.TempDir(), "plugins"), Config: t.TempDir(), Cache: sharedCache, Shipped: map[string]string{}}
	for _, name := range names {
		putPlugin(t, o.Beside, name)
		o.Shipped[name] = binarySum()
	}
	return o
}

func newHost(t testing.TB, o Options) *Host {
	t.Helper()
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}
