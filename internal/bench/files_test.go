// Package bench compares what fkzoo does with what other programs do, in one run, alternating. It knows the rooms'
// names and packages of other languages; nothing imports it.
package bench

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/internal/cputime"
	"github.com/fkzoo/fkzoo/internal/pyenv"
)

// Tensors that are read alone: one of 0.6 MB, and the largest, 74 MB.
const (
	one     = "all/conv3_3/weights"
	largest = "all/hidden4/weights"
)

// net11 gives random values in the shapes of net11's parameters: 19,944,222 of them in 24 tensors.
func net11(b *testing.B) []format.Tensor {
	b.Helper()
	rnd := rand.New(rand.NewPCG(1, 1))
	var list []format.Tensor
	total := 0
	add := func(name string, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = rnd.Float32() - 0.5
		}
		x, err := format.NewTensor(name, format.Float32, shape, values)
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, x)
		total += n
	}
	in := 1
	for block, maps := range []int{32, 64, 128} {
		for layer := range 3 {
			name := fmt.Sprintf("all/conv%d_%d/", block+1, layer+1)
			add(name+"weights", 3, 3, in, maps)
			add(name+"bias", maps)
			in = maps
		}
	}
	in = 12 * 12 * 128
	for i, units := range []int{1000, 1000, 30} {
		name := [...]string{"all/hidden4/", "all/hidden5/", "all/output/"}[i]
		add(name+"weights", in, units)
		add(name+"bias", units)
		in = units
	}
	if total != 19_944_222 {
		b.Fatalf("net11 has %d parameters here, want 19,944,222", total)
	}
	return list
}

// peer is the process that does the same with Python's packages.
type peer struct {
	in  io.Writer
	out *bufio.Reader
}

// startPeer starts one of this folder's scripts.
func startPeer(b *testing.B, script string) *peer {
	b.Helper()
	cmd := exec.Command(pyenv.Python(b, "requirements.txt"), script)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	return &peer{in, bufio.NewReader(out)}
}

func (p *peer) do(what, path string, times int) (seconds [2]float64, err error) {
	if _, err := fmt.Fprintf(p.in, "%s\t%s\t%d\n", what, path, times); err != nil {
		return seconds, err
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return seconds, fmt.Errorf("%s: %w", what, err)
	}
	var answer [3]float64
	if err := json.Unmarshal(line, &answer); err != nil {
		return seconds, err
	}
	if answer[2] == 0 {
		return seconds, fmt.Errorf("%s: found nothing in %s", what, path)
	}
	return [2]float64(answer[:2]), nil
}

// timed gives wall and processor seconds of one time.
func timed(times int, do func() error) (seconds [2]float64, err error) {
	runtime.GC()
	cpu, wall := cputime.Used(), time.Now()
	for range times {
		if err := do(); err != nil {
			return seconds, err
		}
	}
	n := float64(times)
	return [2]float64{time.Since(wall).Seconds() / n, (cputime.Used() - cpu).Seconds() / n}, nil
}

// way is one of the ways to do a thing.
type way struct {
	name string
	run  func() ([2]float64, error)
	all  [2][]float64 // wall and processor seconds of each round
}

// BenchmarkFiles opens, reads, checks and saves net11's 80 MB as .fkz, and as safetensors, npz and pickle in Python. All
// is in the page cache; every round does each thing once in every way. The table has medians over the rounds, 20 or as
// many as FKZOO_ROUNDS says; the ratio is to the first way of each group but .fkz's own.
func BenchmarkFiles(b *testing.B) {
	rounds := 20
	if s := os.Getenv("FKZOO_ROUNDS"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil || rounds < 1 {
			b.Fatalf("FKZOO_ROUNDS: found %q, want a number of rounds", s)
		}
	}
	groups := groups(b)
	for b.Loop() {
		for range rounds {
			for _, group := range groups {
				for i := range group.ways {
					w := &group.ways[i]
					seconds, err := w.run()
					if err != nil {
						b.Fatalf("%s, %s: %v", group.name, w.name, err)
					}
					for k := range seconds {
						w.all[k] = append(w.all[k], seconds[k])
					}
				}
			}
		}
	}
	var table strings.Builder
	fmt.Fprintf(&table, "net11, 80 MB, medians of %d alternating rounds; milliseconds\n%-24s %-28s %10s %10s %8s %8s\n",
		rounds, "", "", "wall", "processor", "ratio", "of proc.")
	for _, group := range groups {
		yardstick := &group.ways[group.yardstick]
		for i := range group.ways {
			w := &group.ways[i]
			fmt.Fprintf(&table, "%-24s %-28s %10.2f %10.2f %8.2f %8.2f\n", group.name, w.name, 1e3*median(w.all[0]), 1e3*median(w.all[1]),
				median(w.all[0])/median(yardstick.all[0]), median(w.all[1])/median(yardstick.all[1]))
			b.ReportMetric(1e3*median(w.all[0]), strings.ReplaceAll(group.name+"/"+w.name, " ", "-")+"-ms")
		}
	}
	fmt.Println("\n" + table.String()) // the benchmark's log would cut it
}

func median(list []float64) float64 {
	s := slices.Sorted(slices.Values(list))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

type group struct {
	name      string
	yardstick int // the way that ratios are to
	ways      []way
}

// files are net11's in one folder, as each software writes them.
type files struct {
	dir     string
	meta    format.Meta
	tensors []format.Tensor
	whole   []byte // the .fkz
	python  *peer
}

func (f *files) path(name string) string { return filepath.Join(f.dir, name) }

func groups(b *testing.B) []group {
	f := &files{dir: b.TempDir(), tensors: net11(b), meta: format.Meta{Blueprint: map[string]any{"name": "net11"}}}
	fkz, safetensors := f.path("net11.fkz"), f.path("net11.safetensors")
	if err := format.Write(fkz, f.meta, f.tensors, format.Options{}); err != nil {
		b.Fatal(err)
	}
	if err := writeSafetensors(safetensors, f.tensors); err != nil {
		b.Fatal(err)
	}
	var err error
	if f.whole, err = os.ReadFile(fkz); err != nil {
		b.Fatal(err)
	}
	f.python = startPeer(b, "peer.py")
	// Each file as its own software writes it: how it was written decides how its pages lie in memory.
	for _, step := range [][2]string{{"hold", safetensors}, {"save safetensors", safetensors}, {"save npz", f.path("net11.npz")}, {"save pickle", f.path("net11.pickle")}} {
		if _, err := f.python.do(step[0], step[1], 1); err != nil {
			b.Fatal(err)
		}
	}
	// A thing whose one time is short is done often in a round.
	return slices.Concat(f.short(100), f.reading(1), f.saving(1))
}

// ours and theirs are ways to do a thing so many times: in Go, and by the peer.
func (f *files) ours(times int, name string, do func() error) way {
	return way{name: name, run: func() ([2]float64, error) { return timed(times, do) }}
}

func (f *files) theirs(times int, name, what, file string) way {
	return way{name: name, run: func() ([2]float64, error) { return f.python.do(what, f.path(file), times) }}
}

// opened opens the .fkz, each time, for what is done with it.
func (f *files) opened(do func(f *format.File) error) func() error {
	return func() error {
		file, err := format.Open(f.path("net11.fkz"))
		if err != nil {
			return err
		}
		defer file.Close()
		return do(file)
	}
}

func (f *files) short(n int) []group {
	buffer := make([]byte, 3*3*128*128*4)
	return []group{
		{"open", 1, []way{
			f.ours(n, "fkz", f.opened(func(*format.File) error { return nil })),
			f.theirs(n, "safetensors", "open safetensors", "net11.safetensors"),
			f.theirs(n, "npz", "open npz", "net11.npz"),
		}},
		{"read one tensor, 0.6 MB", 3, []way{
			f.ours(n, "fkz, view, CRC checked", f.opened(func(f *format.File) error { _, err := f.Tensor(one); return err })),
			f.ours(n, "fkz, copy, CRC checked", f.opened(func(f *format.File) error { _, err := f.Copy(one); return err })),
			f.ours(n, "fkz, into a buffer, checked", f.opened(func(f *format.File) error { return f.CopyInto(buffer, one) })),
			f.theirs(n, "safetensors", "one safetensors", "net11.safetensors"),
			f.theirs(n, "npz, CRC checked", "one npz", "net11.npz"),
		}},
	}
}

func (f *files) reading(n int) []group {
	return []group{
		{"read the largest, 74 MB", 2, []way{
			f.ours(n, "fkz, view, CRC checked", f.opened(func(f *format.File) error { _, err := f.Tensor(largest); return err })),
			f.ours(n, "fkz, copy, CRC checked", f.opened(func(f *format.File) error { _, err := f.Copy(largest); return err })),
			f.theirs(n, "safetensors", "largest safetensors", "net11.safetensors"),
			f.theirs(n, "npz, CRC checked", "largest npz", "net11.npz"),
		}},
		{"load all", 2, []way{
			f.ours(n, "fkz, views, CRC checked", f.opened(func(f *format.File) error {
				for _, t := range f.Infos() {
					if _, err := f.Tensor(t.Name); err != nil {
						return err
					}
				}
				return nil
			})),
			f.ours(n, "fkz, copies, CRC checked", func() error { _, _, err := format.Load(f.path("net11.fkz")); return err }),
			f.theirs(n, "safetensors, unchecked", "load safetensors", "net11.safetensors"),
			f.theirs(n, "npz, CRC checked", "load npz", "net11.npz"),
			f.theirs(n, "pickle, unchecked", "load pickle", "net11.pickle"),
		}},
		{"verify", 1, []way{
			f.ours(n, "fkz, every byte", f.opened(func(f *format.File) error { return f.Verify() })),
			f.theirs(n, "SHA-256 of the file", "hash", "net11.fkz"),
		}},
	}
}

func (f *files) saving(n int) []group {
	return []group{
		{"save, synced", 1, []way{
			f.ours(n, "fkz", func() error { return format.Write(f.path("save.fkz"), f.meta, f.tensors, format.Options{Force: true}) }),
			f.ours(n, "the same bytes", func() error { return writeBytes(f.path("save.bytes"), f.whole, "") }),
			f.ours(n, "the same, its folder synced", func() error { return writeBytes(f.path("save.bytes"), f.whole, f.dir) }),
			f.theirs(n, "safetensors", "save safetensors", "save.safetensors"),
			f.theirs(n, "npz", "save npz", "save.npz"),
			f.theirs(n, "pickle", "save pickle", "save.pickle"),
		}},
	}
}

// writeBytes writes a file, syncs it and gives it its name: the least that saving costs. With a folder to sync the name
// lasts too, as in fkzoo's own.
func writeBytes(path string, data []byte, folder string) error {
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil || folder == "" {
		return err
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// writeSafetensors writes what the peer reads: a length, a header in JSON, the data.
func writeSafetensors(path string, tensors []format.Tensor) error {
	header, pos := map[string]any{}, 0
	var data bytes.Buffer
	for _, x := range tensors {
		header[x.Name] = map[string]any{"dtype": "F32", "shape": x.Shape, "data_offsets": []int{pos, pos + len(x.Data)}}
		pos += len(x.Data)
		data.Write(x.Data)
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	return os.WriteFile(path, append(append(file, text...), data.Bytes()...), 0o600)
}
