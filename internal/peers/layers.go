package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo"
)

// layerNetworks are those whose convolutions are measured.
var layerNetworks = []string{"net11", "compact-m"}

// The engine's benchmark of convolutions.
const (
	layerBenchmark = "BenchmarkLayers"
	layerPackage   = "./host/engine/native/conv"
)

// layerResult is a line of the benchmark's.
type layerResult struct {
	rate
	images int
}

// layers runs the engine's benchmark, and puts what it says of a shape beside every convolution that has it.
func (a *arena) layers(ctx context.Context, _ contest) (*result, error) {
	on, err := backend.Open(ctx, "go")
	if err != nil {
		return nil, err
	}
	defer on.Close()
	out := &result{Made: a.made(), Kernels: on.Kernels()}
	threads := min(2, runtime.NumCPU()) // the benchmark has no more
	out.Made.Threads = threads
	pattern := fmt.Sprintf("^%s$/^%s$/^(%s)$/.*/.*/^threads=%d$", layerBenchmark, out.Kernels, strings.Join(layerNetworks, "|"), threads)
	errs := new(tail)
	c := exec.CommandContext(ctx, goCommand(), "test", "-run=^$", "-bench="+pattern, "-benchtime="+a.piece.String(), "-timeout=60m", layerPackage)
	c.Stderr = errs
	a.say("%s: %s", layers, strings.Join(c.Args, " "))
	text, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s%s", err, errs.last(), lastLine(text))
	}
	found, err := readLayers(string(text))
	if err != nil {
		return nil, err
	}
	for _, name := range layerNetworks {
		about, err := a.zoo.Describe(ctx, zoo.DescribeRequest{Architecture: name})
		if err != nil {
			return nil, err
		}
		rows, err := convolutions(name, about.Plans[0], found)
		if err != nil {
			return nil, err
		}
		out.Layers = append(out.Layers, rows...)
	}
	return out, nil
}

func goCommand() string {
	if name := os.Getenv("GO"); name != "" {
		return name
	}
	return "go"
}

func lastLine(text []byte) string {
	t := new(tail)
	_, _ = t.Write(bytes.TrimSpace(text))
	return t.last()
}

// readLayers takes the lines of the benchmark apart, by network/layer/direction:
// BenchmarkLayers/avx512/net11/conv1_1/forward/threads=2-2  20  0 ns/op  101 GFLOP/s  8.000 images  0.31 of-peak  327 peak-GFLOP/s.
func readLayers(text string) (map[string]layerResult, error) {
	out := map[string]layerResult{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], layerBenchmark+"/") {
			continue
		}
		name := strings.Split(fields[0], "/")
		if len(name) != 6 {
			return nil, fmt.Errorf("%s: found the name %q, want set, network, layer, direction and threads in it", layerBenchmark, fields[0])
		}
		values := map[string]float64{}
		for i := 2; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: found %q, want a number before %s", fields[0], fields[i], fields[i+1])
			}
			values[fields[i+1]] = v
		}
		r := layerResult{rate{values["GFLOP/s"], values["of-peak"]}, int(values["images"])}
		if r.GFLOPS <= 0 || r.Share <= 0 || r.images < 1 {
			return nil, fmt.Errorf("%s: found %v, want GFLOP/s, of-peak and images", fields[0], values)
		}
		out[strings.Join(name[2:5], "/")] = r
	}
	return out, nil
}

// convolutions are a network's, in its order. The benchmark has those of equal shape once, under one of their names.
func convolutions(network string, plan *blueprint.Plan, found map[string]layerResult) (rows []convolution, err error) {
	shape := func(n *blueprint.Node) string {
		k, s := n.Values.Pair("kernel"), n.Values.Pair("stride")
		text := fmt.Sprintf("%dx%d, %d to %d, %dx%d", n.In[0][0], n.In[0][1], n.In[0][2], n.Out[2], k[0], k[1])
		if s != [2]int{1, 1} {
			text += fmt.Sprintf(", stride %d", s[0])
		}
		return text
	}
	named := map[string]string{} // the benchmark's name by shape
	var nodes []*blueprint.Node
	for i := range plan.Nodes {
		n := &plan.Nodes[i]
		if n.Kind.Name != "conv2d" {
			continue
		}
		nodes = append(nodes, n)
		if _, ok := found[network+"/"+n.Layer.Name+"/forward"]; ok {
			named[shape(n)] = n.Layer.Name
		}
	}
	for _, n := range nodes {
		row := convolution{Network: network, Layer: n.Layer.Name, Shape: shape(n)}
		for direction, to := range map[string]*rate{"forward": &row.Forward, "input": &row.Input, "filter": &row.Filter} {
			r, ok := found[network+"/"+named[row.Shape]+"/"+direction]
			if !ok {
				return nil, fmt.Errorf("%s has nothing of %s, layer %s, %s: %s, direction %s: want its shape among the benchmark's", layerBenchmark, network, row.Layer, row.Shape, named[row.Shape], direction)
			}
			*to, row.Images = r.rate, r.images
		}
		if n.Inputs[0] < 0 {
			row.Input = rate{} // nobody asks for the image's gradient
		}
		rows = append(rows, row)
	}
	return rows, nil
}
