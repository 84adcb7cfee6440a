package zoo_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// held gives what it has once it is let.
type held struct {
	*gated
	io.Reader
	asked bool
}

func (h *held) Read(p []byte) (int, error) {
	if !h.asked {
		h.asked = true
		_ = h.Begin(nil, nil)
	}
	return h.Reader.Read(p)
}

// warned is a watcher that holds who warns of the plugins.
type warned struct {
	zoo.Silent
	*gated
}

func (w warned) Warn(about zoo.Warning) {
	if strings.Contains(about.Text, "run unchecked") {
		_ = w.Begin(nil, nil)
	}
}

// A request that was taken is done to its end, whatever it needs that isn't open yet, and though the zoo is closed meanwhile.
func TestCloseWaitsForAllOfARequest(t *testing.T) {
	first := zoo.Open(zoo.Options{Backend: "go"})
	defer first.Close()
	path := small(t, first)
	set, err := first.Read(t.Context(), data("demo:12"))
	if err != nil {
		t.Fatal(err)
	}
	var faces bytes.Buffer
	if err := set.WriteCSV(t.Context(), &faces); err != nil {
		t.Fatal(err)
	}
	models := zoo.ModelsRequest{Models: []string{path}}
	slow := func(g *gated) zoo.DataRequest {
		return zoo.DataRequest{Names: []string{"faces"}, Readers: map[string]io.Reader{"faces": &held{gated: g, Reader: bytes.NewReader(faces.Bytes())}}}
	}
	for name, ask := range map[string]func(z *zoo.Zoo, g *gated) error{
		"predict": func(z *zoo.Zoo, g *gated) error {
			return z.Predict(t.Context(), zoo.PredictRequest{ModelsRequest: models, Images: data("demo:3")}, g)
		},
		"evaluate": func(z *zoo.Zoo, g *gated) error {
			_, err := z.Evaluate(t.Context(), zoo.EvaluateRequest{ModelsRequest: models, Data: slow(g)})
			return err
		},
		"train": func(z *zoo.Zoo, g *gated) error {
			_, err := z.Train(t.Context(), zoo.TrainRequest{Data: slow(g), Request: train.Request{
				Architecture: "net1", Settings: []string{"hidden=2"}, Epochs: 1, Output: path, Force: true,
			}}, nil)
			return err
		},
		"list": func(z *zoo.Zoo, g *gated) error {
			_, failed, err := z.List(t.Context(), "net1")
			return errors.Join(append(failed, err)...)
		},
		"describe": func(z *zoo.Zoo, g *gated) error {
			_, err := z.Describe(t.Context(), zoo.DescribeRequest{Architecture: "net1", Settings: []string{"hidden=2"}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gated{make(chan struct{}), make(chan struct{})}
			o := zoo.Options{Backend: "go"}
			if name == "list" || name == "describe" {
				o.Watch = warned{gated: g}
			}
			z := zoo.Open(o)
			answered, closed := make(chan error, 1), make(chan error, 1)
			go func() { answered <- ask(z, g) }()
			<-g.begun
			go func() { closed <- z.Close() }()
			for {
				if _, err := z.Plugins(); errors.Is(err, zoo.ErrClosed) {
					break
				}
			}
			close(g.go_)
			if err := <-answered; err != nil {
				t.Errorf("the request under way: %v", err)
			}
			if err := <-closed; err != nil {
				t.Errorf("the zoo: %v", err)
			}
		})
	}
}

// Models that a request brings stay open for it.
func TestOpenModelsStay(t *testing.T) {
	z := zoo.Open(zoo.Options{Backend: "go"})
	defer z.Close()
	e, err := z.Ensemble(t.Context(), zoo.ModelsRequest{Models: []string{small(t, z)}})
	if err != nil {
		t.Fatal(err)
	}
	g := &gated{make(chan struct{}), make(chan struct{})}
	answered, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		answered <- z.Predict(t.Context(), zoo.PredictRequest{ModelsRequest: zoo.ModelsRequest{Open: e}, Images: data("demo:3")}, g)
	}()
	<-g.begun
	go func() { closed <- e.Close() }()
	for e.Warm(t.Context(), 1) == nil {
	}
	close(g.go_)
	if err := <-answered; err != nil {
		t.Errorf("the request under way: %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
