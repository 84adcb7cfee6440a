package bench

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
	"github.com/fkzoo/fkzoo/zoo/kaggle"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// competition writes test.zip with so many images, and a table that asks for all
// of Kaggle's columns of each. Images come again after 500, farther than deflate
// looks back.
func competition(b *testing.B, dir string, images int) (test, lookup string) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var rows [][]byte
	for range min(images, 500) {
		var row []byte
		v := 128
		for p := range 96 * 96 {
			if p > 0 {
				row = append(row, ' ')
			}
			v = min(max(v+r.IntN(9)-4, 0), 255)
			row = fmt.Append(row, v)
		}
		rows = append(rows, append(row, '\n'))
	}
	test, lookup = filepath.Join(dir, fmt.Sprintf("test-%d.zip", images)), filepath.Join(dir, fmt.Sprintf("lookup-%d.csv", images))
	write := func(path string, fill func(w *bufio.Writer) error) {
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		w := bufio.NewWriter(f)
		if err := fill(w); err != nil {
			b.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
	write(test, func(to *bufio.Writer) error {
		z := zip.NewWriter(to)
		z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
		w, err := z.Create("test.csv")
		if err != nil {
			return err
		}
		fmt.Fprintln(w, "ImageId,Image")
		for i := range images {
			fmt.Fprintf(w, "%d,%s", i+1, rows[i%len(rows)])
		}
		return z.Close()
	})
	write(lookup, func(w *bufio.Writer) error {
		fmt.Fprintln(w, "RowId,ImageId,FeatureName,Location")
		for i := range images {
			for c, name := range blueprint.KaggleColumns {
				fmt.Fprintf(w, "%d,%d,%s,\n", i*len(blueprint.KaggleColumns)+c+1, i+1, name)
			}
		}
		return nil
	})
	return test, lookup
}

// untrained saves a model with weights as they are drawn.
func untrained(b *testing.B, path string, text []byte) {
	b.Helper()
	d, err := blueprint.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	if d, err = d.Resolve(blueprint.KaggleColumns); err != nil {
		b.Fatal(err)
	}
	plan, err := blueprint.NewPlan(d, 0, nil)
	if err != nil {
		b.Fatal(err)
	}
	m := &model.Model{Document: d, Weights: engine.Arrays{}}
	for name, a := range engine.InitialWeights(plan, 1) {
		m.Weights[name] = a
	}
	if err := m.Save(path, false); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSubmitAgainstEngine alternates all that «fkzoo submit» does for the
// competition's 1,783 images with net11, from the files to the submission and
// its ledger, with the engine's answers to the same images on the same backend in
// the same batches: times-engine is the median ratio. The engine's network is
// compiled already, its weights and the images are in memory; submit reads,
// checks and uploads the model, compiles it, and reads test.zip.
func BenchmarkSubmitAgainstEngine(b *testing.B) {
	const images = 1783
	dir := b.TempDir()
	test, lookup := competition(b, dir, images)
	text, err := os.ReadFile("../../host/engine/testdata/bench/net11.json")
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, "net11.fkz")
	untrained(b, path, text)
	set, err := source.Read(context.Background(), test, source.Options{})
	if err != nil {
		b.Fatal(err)
	}
	backendtest.EachBench(b, func(b *testing.B, on *backend.Backend) {
		m, err := model.Load(path)
		if err != nil {
			b.Fatal(err)
		}
		plan, err := blueprint.NewPlan(m.Document, 0, nil)
		if err != nil {
			b.Fatal(err)
		}
		p, err := engine.NewPredictor(on, plan, m.Weights)
		if err != nil {
			b.Fatal(err)
		}
		defer p.Close()
		im := engine.Images{Count: set.Len(), Height: 96, Width: 96, Channels: 1, Bytes: set.Bytes}
		answer := func(rows []int) {
			if _, err := p.Predict(context.Background(), im, rows, nil); err != nil {
				b.Fatal(err)
			}
		}
		first := make([]int, engine.PredictBatch)
		for i := range first {
			first[i] = i
		}
		answer(first) // compiles
		var ratios, rates []float64
		for b.Loop() {
			start := time.Now()
			answer(nil)
			alone := time.Since(start)
			start = time.Now()
			submit(b, on, path, test, lookup, filepath.Join(dir, "submission.csv"))
			all := time.Since(start)
			ratios = append(ratios, all.Seconds()/alone.Seconds())
			rates = append(rates, images/all.Seconds())
		}
		slices.Sort(ratios)
		slices.Sort(rates)
		b.ReportMetric(ratios[len(ratios)/2], "times-engine")
		b.ReportMetric(rates[len(rates)/2], "images/s")
	})
}

// submit is what the command does.
func submit(b *testing.B, on *backend.Backend, file, test, table, output string) {
	lookup, err := submission.ReadLookup(table)
	if err != nil {
		b.Fatal(err)
	}
	m, err := model.Load(file)
	if err != nil {
		b.Fatal(err)
	}
	e, err := answer.Open(context.Background(), []*model.Model{m}, answer.Options{Backend: on})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	faces, err := source.Open(context.Background(), test, source.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	s, err := kaggle.Submit(context.Background(), e, faces, lookup, kaggle.Options{})
	if err != nil {
		b.Fatal(err)
	}
	l, err := s.Ledger([]*model.Model{m}, kaggle.SubmitFiles{Output: output, Test: test, Lookup: table, Models: []string{file}}, "bench")
	if err != nil {
		b.Fatal(err)
	}
	if err := s.WriteWith(l, output, true); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSubmitMemory runs the command with 5,000 and with 50,000 images of
// 96x96, which are 46 and 461 MB of pixels, with a small network on the go
// backend: the most memory that each process had.
func BenchmarkSubmitMemory(b *testing.B) {
	dir := b.TempDir()
	fkzoo := filepath.Join(dir, "fkzoo")
	if out, err := exec.Command("go", "build", "-o", fkzoo, "../../cmd/fkzoo").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	model := filepath.Join(dir, "m.fkz")
	untrained(b, model, []byte(`{"blueprint": 1, "name": "small", "input": {"height": 96, "width": 96, "channels": 1}, "members": [
		{"name": "all", "columns": ["*"], "layers": [{"name": "flat", "kind": "flatten"}, {"name": "out", "kind": "dense", "units": "columns"}],
		 "recipe": {"loss": {"kind": "mse"}, "optimizer": {"kind": "sgd"}, "rate": 0.01, "epochs": 1, "batch": 64, "validation": 0.2}}]}`))
	for _, images := range []int{5_000, 50_000} {
		test, lookup := competition(b, dir, images)
		b.Run(fmt.Sprint(images), func(b *testing.B) {
			var most float64
			for b.Loop() {
				c := exec.Command(fkzoo, "submit", model, "--test", test, "--lookup", lookup, "-o", filepath.Join(dir, "s.csv"), "--force", "--backend", "go")
				if out, err := c.CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
				most = max(most, peakMemory(c.ProcessState))
			}
			b.ReportMetric(most/1e6, "MB-peak")
			b.ReportMetric(float64(images)*float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
