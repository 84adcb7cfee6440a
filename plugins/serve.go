package plugins

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fkzoo/fkzoo/specs/protocol"
	"github.com/fkzoo/fkzoo/specs/protocol/wire"
)

// maxRequest limits a question in bytes; the largest part of one is the
// patterns of filled cells.
const maxRequest = 64 << 20

// Serve answers the host's questions about these architectures until the host
// ends, and then ends the program. Started by hand it says what it offers; an
// architecture that no host would take is reported on standard error, and the
// exit code is 1.
func Serve(architectures ...Architecture) {
	if err := check(architectures); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
	if os.Getenv(protocol.CookieKey) != protocol.CookieValue {
		fmt.Fprint(os.Stderr, introduction(filepath.Base(os.Args[0]), architectures))
		os.Exit(1)
	}
	life := newLifeline(func() { os.Exit(0) })
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			MagicCookieKey:   protocol.CookieKey,
			MagicCookieValue: protocol.CookieValue,
		},
		VersionedPlugins: map[int]plugin.PluginSet{
			protocol.Version: {protocol.ServiceName: &service{server: &server{offered: architectures}}},
		},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, grpc.StatsHandler(life), grpc.MaxRecvMsgSize(maxRequest))...)
		},
		Logger: hclog.NewNullLogger(),
	})
}

// introduction is for somebody who starts a plugin by hand.
func introduction(program string, architectures []Architecture) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s is a plugin: fkzoo starts it when it is needed. It offers:\n", program)
	for _, a := range architectures {
		fmt.Fprintf(&text, "  %-16s %s\n", a.Name, a.Summary)
	}
	fmt.Fprintf(&text, "To use it: fkzoo plugin install PATH/%s\n", program)
	return text.String()
}

// service tells go-plugin how to serve.
type service struct {
	plugin.NetRPCUnsupportedPlugin
	server *server
}

func (s *service) GRPCServer(_ *plugin.GRPCBroker, g *grpc.Server) error {
	wire.RegisterPluginServer(g, s.server)
	return nil
}

func (s *service) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a plugin only answers")
}

// server answers the two questions.
type server struct {
	wire.UnimplementedPluginServer
	offered []Architecture
}

func (s *server) List(context.Context, *wire.ListRequest) (*wire.ListResponse, error) {
	return &wire.ListResponse{Architectures: offer(s.offered)}, nil
}

func (s *server) Blueprint(_ context.Context, request *wire.BlueprintRequest) (*wire.BlueprintResponse, error) {
	for _, a := range s.offered {
		if a.Name != request.GetArchitecture() {
			continue
		}
		data, err := protocol.FromWire(request.GetData())
		if err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
		d, err := a.Document(request.GetSettings(), data)
		if err != nil {
			code := codes.InvalidArgument
			if p := (*panicked)(nil); errors.As(err, &p) {
				code = codes.Internal
			}
			return nil, status.Error(code, err.Error())
		}
		text, err := d.JSON()
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		return &wire.BlueprintResponse{Document: text}, nil
	}
	return nil, status.Errorf(codes.NotFound, "architecture %q is not offered", request.GetArchitecture())
}
