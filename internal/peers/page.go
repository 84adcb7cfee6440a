package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/internal/regions"
)

// writePage puts what the record says into the page.
func (a *arena) writePage() error {
	old, err := os.ReadFile(a.page)
	if err != nil {
		return err
	}
	kept, err := a.record()
	if err != nil {
		return err
	}
	text, err := regions.Fill(string(old), "peers", page{kept}.regions())
	if err != nil {
		return fmt.Errorf("%s: %w", a.page, err)
	}
	return atomicfile.Write(a.page, true, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

// page is what the tables are made of.
type page struct{ kept map[string]*result }

func (p page) regions() map[string]string {
	return map[string]string{
		"ratios": p.ratios(), "training": p.races(training, trainers), "memory": p.memory(), "answers": p.races(batches, answerers),
		"one": p.races(single, answerers), "older": p.races(older, heldBack), "layers": p.layers(), "growth": p.growth(), "made": p.made(),
	}
}

// ratios are fkzoo's figures beside what each is measured by.
func (p page) ratios() string {
	t := newTable("what", "fkzoo", "beside it", "its figure", "fkzoo is")
	fast := func(what, contest string, of func(*result) *entry, show func(e *entry) string) {
		r := p.kept[contest]
		ours, theirs := r.of("go"), of(r)
		if r != nil && ours == nil {
			ours = r.of("fkzoo-shell")
		}
		if ours == nil || theirs == nil {
			return
		}
		t.add(what, show(ours), rivalNamed(theirs.Rival).shows, show(theirs), fmt.Sprintf("%.2f times as fast", ours.over(theirs)))
	}
	one := func(rival string) func(*result) *entry { return func(r *result) *entry { return r.of(rival) } }
	for _, n := range networks {
		what := fmt.Sprintf("training %s, batch %d", n.name, n.batch)
		fast(what, training+n.name, (*result).torch, (*entry).images)
		fast(what, training+n.name, one("cpu"), (*entry).images)
	}
	for _, n := range networks {
		fast(fmt.Sprintf("training %s, batch %d, AVX2 alone", n.name, n.batch), older+n.name, (*result).torch, (*entry).images)
	}
	for _, n := range networks {
		fast("answers, batch 64: "+n.name, batches+n.name, one("onnxruntime"), (*entry).images)
	}
	for _, n := range networks {
		fast("one image: "+n.name, single+n.name, one("onnxruntime"), (*entry).milliseconds)
	}
	fast("one image from the shell, a process for each: net11, 80 MB", shell, one("onnxruntime-shell"), (*entry).milliseconds)
	for _, n := range networks {
		r := p.kept[training+n.name]
		if ours, least := r.of("go"), r.leanest(); ours != nil && least != nil && ours.Peak > 0 {
			t.add(fmt.Sprintf("memory of training %s, batch %d", n.name, n.batch), ours.memory(), rivalNamed(least.Rival).shows, least.memory(),
				fmt.Sprintf("%.2f times as much", float64(ours.Peak)/float64(least.Peak)))
		}
	}
	return t.String()
}

// leanest is the way of PyTorch's that needs the least memory.
func (r *result) leanest() *entry {
	all := slices.DeleteFunc(r.torches(), func(e *entry) bool { return e.Peak == 0 })
	if len(all) == 0 {
		return nil
	}
	return slices.MinFunc(all, func(a, b *entry) int { return int(a.Peak - b.Peak) })
}

func (e *entry) images() string { return number(e.rate()) + " images/s" }

func (e *entry) milliseconds() string { return number(1e3*float64(e.Batch)/e.rate()) + " ms" }

func (e *entry) memory() string {
	if e.Peak == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f MB", float64(e.Peak)/1e6)
}

// number has about three digits.
func number(v float64) string {
	switch {
	case v >= 99.95:
		return fmt.Sprintf("%.0f", v)
	case v >= 9.995:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// races has a row for each network of a kind of contest, and a column for each rival.
func (p page) races(kind string, names []string) string {
	return p.perRival(kind, names, func(e *entry) string { return number(e.rate()) })
}

func (p page) memory() string {
	return p.perRival(training, trainers, (*entry).memory)
}

func (p page) perRival(kind string, names []string, show func(*entry) string) string {
	head := []string{"network", "batch"}
	for _, name := range names {
		head = append(head, rivalNamed(name).shows)
	}
	t := newTable(head...)
	for _, n := range networks {
		r := p.kept[kind+n.name]
		if r == nil {
			continue
		}
		line := []string{n.name, fmt.Sprint(r.Entries[0].Batch)}
		for _, name := range names {
			text := ""
			if e := r.of(name); e != nil {
				text = show(e)
			}
			line = append(line, text)
		}
		t.add(line...)
	}
	return t.String()
}

func (p page) layers() string {
	t := newTable("network", "layer", "shape", "forward", "of the peak", "input's gradient", "of the peak", "filters' gradient", "of the peak")
	r := p.kept[layers]
	if r == nil {
		return ""
	}
	images := map[string]int{}
	for _, c := range r.Layers {
		line := []string{c.Network, c.Layer, c.Shape}
		for _, d := range []rate{c.Forward, c.Input, c.Filter} {
			if d.GFLOPS == 0 {
				line = append(line, "", "")
				continue
			}
			line = append(line, fmt.Sprintf("%.0f", d.GFLOPS), fmt.Sprintf("%.2f", d.Share))
		}
		t.add(line...)
		images[c.Network] = c.Images
	}
	var at []string
	for _, n := range layerNetworks {
		at = append(at, fmt.Sprintf("%d images at once of %s", images[n], n))
	}
	return t.String() + fmt.Sprintf("\nGFLOP/s of %d threads, kernels %s, %s.\n", r.Made.Threads, r.Kernels, strings.Join(at, ", "))
}

// growth has a table for each axis.
func (p page) growth() string {
	var out strings.Builder
	for _, a := range axes {
		train, answer := p.kept[growthOf(a.name, true)], p.kept[growthOf(a.name, false)]
		if train == nil || answer == nil {
			continue
		}
		t := newTable(a.head, "GFLOP an image", "training, images/s", "ms an image", "ms a GFLOP", "answers, images/s", "ms an image", "ms a GFLOP", "memory of training")
		for i, w := range a.works {
			if i >= len(train.Entries) || i >= len(answer.Entries) {
				break
			}
			of, and := &train.Entries[i], &answer.Entries[i]
			line := []string{w.label(a.name), fmt.Sprintf("%.3f", float64(of.FLOPs)/1e9)}
			for _, e := range []*entry{of, and} {
				if len(e.Rates) == 0 {
					line = append(line, "", "", "")
					continue
				}
				ms := 1e3 / e.rate()
				line = append(line, number(e.rate()), number(ms), number(ms/(float64(e.FLOPs)/1e9)))
			}
			t.add(append(line, of.memory())...)
		}
		if out.Len() > 0 {
			out.WriteString("\n")
		}
		out.WriteString(t.String())
	}
	return out.String()
}

// label is where a work stands on its axis.
func (w work) label(axis string) string {
	switch axis {
	case "size":
		return fmt.Sprintf("%dx%d", w.size, w.size)
	case "width":
		return w.network
	}
	return fmt.Sprint(w.batch)
}

// made says by what, where and how all of it came out, and what is missing.
func (p page) made() string {
	var how, versions, missing, none []string
	add := func(list *[]string, s string) {
		if !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	idle := -1.0 // not known
	for _, c := range contests {
		r := p.kept[c.name]
		if r == nil {
			none = append(none, "`"+c.name+"`")
			continue
		}
		m := r.Made
		add(&how, fmt.Sprintf("fkzoo %s on %s, %s: %d threads, %d rounds, pieces of %g s", m.Fkzoo, m.Machine, m.Date, m.Threads, m.Rounds, m.Piece))
		for _, e := range r.Entries {
			if v := rivalNamed(e.Rival); e.Missing != "" {
				add(&missing, fmt.Sprintf("- %s: `%s` lacks it: %s", v.shows, c.name, strings.Join(strings.Fields(strings.ReplaceAll(e.Missing, "|", "/")), " ")))
			} else if v.packages != "" && e.Version != "" {
				name, _, _ := strings.Cut(v.shows, ",")
				add(&versions, name+" "+e.Version)
			}
			if m.Rounds > 1 {
				idle = max(idle, e.Idle/float64(m.Rounds-1))
			}
		}
	}
	var out strings.Builder
	for _, line := range how {
		fmt.Fprintf(&out, "- %s\n", line)
	}
	if len(versions) > 0 {
		fmt.Fprintf(&out, "\nPeers: %s.\n", strings.Join(versions, ", "))
	}
	if idle >= 0 {
		fmt.Fprintf(&out, "\nWhile others worked, no rival used more than %.2f s of processor time a round.\n", idle)
	}
	if len(missing) > 0 {
		fmt.Fprintf(&out, "\nMissing:\n\n%s\n", strings.Join(missing, "\n"))
	}
	if len(none) > 0 {
		fmt.Fprintf(&out, "\nNot measured yet: %s.\n", strings.Join(none, ", "))
	}
	return out.String()
}

// mdTable is one of Markdown's, nothing where it has no rows.
type mdTable struct{ lines []string }

func newTable(head ...string) *mdTable {
	t := new(mdTable)
	t.add(head...)
	t.add(slices.Repeat([]string{"---"}, len(head))...)
	return t
}

func (t *mdTable) add(cells ...string) {
	t.lines = append(t.lines, "| "+strings.Join(cells, " | ")+" |\n")
}

func (t *mdTable) String() string {
	if len(t.lines) == 2 {
		return ""
	}
	return strings.Join(t.lines, "")
}
