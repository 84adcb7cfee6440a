// Command generate writes the Go code of plugin.proto into the folder wire.
//
// It compiles the .proto in process and hands the result to the protoc plugins
// that go.mod pins, so neither a protoc nor anything else has to be installed,
// and the same sources always give the same code. Run it by `go generate
// ./specs/protocol` (or `make generate`).
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// source is the name under which the file is known to protobuf's registry,
// which every program shares: a bare "plugin.proto" might meet another.
const source = "fkzoo/plugin/v1/plugin.proto"

// generators are tools of go.mod, run as `go tool NAME`.
var generators = []string{"protoc-gen-go", "protoc-gen-go-grpc"}

func main() {
	files, err := generate(context.Background(), ".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join("wire", name), text, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "generate:", err)
			os.Exit(1)
		}
	}
}

// generate compiles plugin.proto in folder and gives the generated files by
// name.
func generate(ctx context.Context, folder string) (map[string][]byte, error) {
	compiler := protocompile.Compiler{
		Resolver: &protocompile.SourceResolver{Accessor: func(name string) (io.ReadCloser, error) {
			if name != source {
				return nil, os.ErrNotExist
			}
			return os.Open(filepath.Join(folder, path.Base(source)))
		}},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(ctx, source)
	if err != nil {
		return nil, err
	}
	request, err := proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{source},
		Parameter:      proto.String("paths=source_relative"),
		ProtoFile:      []*descriptorpb.FileDescriptorProto{protoutil.ProtoFromFileDescriptor(compiled[0])},
	})
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, generator := range generators {
		var stdout, stderr bytes.Buffer
		cmd := exec.CommandContext(ctx, "go", "tool", generator)
		cmd.Dir = folder
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(request), &stdout, &stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", generator, err, stderr.String())
		}
		var response pluginpb.CodeGeneratorResponse
		if err := proto.Unmarshal(stdout.Bytes(), &response); err != nil {
			return nil, fmt.Errorf("%s: %w", generator, err)
		}
		if response.Error != nil {
			return nil, fmt.Errorf("%s: %s", generator, response.GetError())
		}
		for _, file := range response.GetFile() {
			files[path.Base(file.GetName())] = []byte(file.GetContent())
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no file was generated", source)
	}
	return files, nil
}
