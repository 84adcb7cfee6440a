package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/internal/regions"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// measured is a run with what was measured of it.
type measured struct {
	run
	*record
}

// page is what the tables are made of.
type page struct {
	found   []measured // in the order of runs
	missing []run
	layouts map[string]*zoo.Architecture // the report's networks
}

// writePage measures the models that are there, keeps that beside the page, and writes its tables and pictures.
func (p *places) writePage(ctx context.Context) error {
	old, err := os.ReadFile(p.page)
	if err != nil {
		return err
	}
	unmeasured := p.measure(ctx)
	all, err := p.gather(ctx)
	if err != nil {
		return err
	}
	pictures, err := p.pictures(all, string(old))
	if err != nil {
		return err
	}
	text, err := regions.Fill(string(old), "results", all.tables(p.shown(pictures)))
	if err != nil {
		return fmt.Errorf("%s: %w", p.page, err)
	}
	if err := p.draw(pictures); err != nil {
		return err
	}
	for _, r := range all.missing {
		fmt.Fprintf(p.err, "results: %s is not trained yet\n", r.name)
	}
	err = atomicfile.Write(p.page, true, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
	return errors.Join(unmeasured, err)
}

// measure answers with the models that are there, and whose records aren't, the rows that they have held out. One that
// can't be measured doesn't keep the others from it.
func (p *places) measure(ctx context.Context) error {
	var failed []error
	var left []run
	for _, r := range runs {
		switch new, err := p.unrecorded(ctx, r); {
		case err != nil:
			failed = append(failed, err)
		case new:
			left = append(left, r)
		}
	}
	if len(left) == 0 {
		return errors.Join(failed...)
	}
	set, err := p.zoo.Read(ctx, zoo.DataRequest{Names: []string{p.data}})
	if err != nil {
		return errors.Join(append(failed, err)...)
	}
	for _, r := range left {
		if err := p.measureRun(ctx, r, set); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", r.name, err))
		}
	}
	return errors.Join(failed...)
}

// unrecorded tells whether a run's models are there, and its record isn't of them.
func (p *places) unrecorded(ctx context.Context, r run) (bool, error) {
	kept, err := p.recorded(ctx, r)
	if err != nil {
		return false, err
	}
	same := kept != nil
	for i, name := range r.models() {
		of, _ := named(name)
		m, err := p.of(ctx, of, p.model(name), model.Describe)
		if m == nil || err != nil {
			return false, err
		}
		same = same && kept.Models[i].Result.Digest == m.Digest
	}
	return !same, nil
}

// measureRun writes the run's record.
func (p *places) measureRun(ctx context.Context, r run, set *dataset.Set) error {
	var models []*model.Model
	out := &record{NoFlips: r.noFlips, NoShift: r.noShift}
	for _, name := range r.models() {
		of, _ := named(name)
		m, err := p.of(ctx, of, p.model(name), model.Load)
		if err != nil {
			return err
		}
		if m == nil {
			return fmt.Errorf("%s: went away", p.model(name))
		}
		one, err := recordOf(of, m)
		if err != nil {
			return err
		}
		if r.noShift {
			uncalibrated := *m
			uncalibrated.Document = model.Uncalibrated(m.Document)
			m = &uncalibrated
		}
		models, out.Models = append(models, m), append(out.Models, *one)
	}
	flips := answer.FlipAverage(models) && !r.noFlips
	with, err := p.zoo.EnsembleOf(ctx, models, zoo.ModelsRequest{FlipAverage: &flips})
	if err != nil {
		return err
	}
	defer with.Close()
	if out.Score, err = measure.HeldOutScore(ctx, with, set, nil); err != nil {
		return err
	}
	return p.keep(r.name, out)
}

// gather reads the records.
func (p *places) gather(ctx context.Context) (_ *page, err error) {
	out := &page{layouts: map[string]*zoo.Architecture{}}
	digests := map[string]string{} // of the models, by run
	data := ""                     // its checksum, the same for all
	for _, r := range runs {
		found, err := p.recorded(ctx, r)
		if err != nil {
			return nil, err
		}
		if r.of == nil && found != nil {
			digests[r.name] = found.Models[0].Result.Digest
		}
		if found != nil && slices.ContainsFunc(found.Models, func(m trained) bool { return digests[m.Result.File] != m.Result.Digest }) {
			found = nil // what it was measured with has been trained anew
		}
		if found == nil {
			out.missing = append(out.missing, r)
			continue
		}
		for _, m := range found.Models {
			if first := cmp.Or(data, m.Checksum); first != m.Checksum {
				return nil, fmt.Errorf("%s: is of data with the checksum %.12s, others are of %.12s: away with those of the other data", p.record(r.name), m.Checksum, first)
			}
			data = m.Checksum
		}
		out.found = append(out.found, measured{r, found})
	}
	for _, n := range reportedNetworks {
		if out.layouts[n.name], err = p.zoo.Describe(ctx, zoo.DescribeRequest{Architecture: n.name}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// in are the runs of one table.
func (p *page) in(table string) (out []measured) {
	for _, m := range p.found {
		if m.table == table {
			out = append(out, m)
		}
	}
	return out
}

func (p *page) named(name string) *measured {
	for i := range p.found {
		if p.found[i].name == name {
			return &p.found[i]
		}
	}
	return nil
}

// tables are the texts of the page's regions.
func (p *page) tables(pictures map[string]string) map[string]string {
	out := map[string]string{
		networks: p.networks(), choices: p.choices(), rows: p.rows(), report: p.report(), "columns": p.columns(), "commands": commands(), "made": p.made(),
	}
	for region, picture := range pictures {
		out[region] += "\n" + picture + "\n"
	}
	for region, text := range out {
		if missing := p.lacking(region); missing != "" {
			out[region] = text + "\nNot trained yet: " + missing + ".\n"
		}
	}
	return out
}

// lacking names the runs of a table that have no model.
func (p *page) lacking(table string) string {
	var out []string
	for _, r := range p.missing {
		if r.table == table {
			out = append(out, "`"+r.name+"`")
		}
	}
	return strings.Join(out, ", ")
}

func (p *page) networks() string {
	t := newTable("network", "parameters", "GFLOP an image", "epochs", "minutes", "processor minutes", "backend", "seed", "rows held out", "RMSE", "the mean face's")
	for _, m := range p.in(networks) {
		t.add(m.shows, thousands(m.parameters()), gflop(m.flops()), m.epochs(), m.minutes(), m.processor(), m.backends(), m.seeds(), fmt.Sprint(m.Score.Rows), pixels(m.Score.RMSEPixels), pixels(m.Score.MeanFace))
	}
	return t.String()
}

func (p *page) choices() string {
	whole := p.named(reference)
	if whole == nil {
		return ""
	}
	t := newTable("compact-s, seed 1", "RMSE", "more than with the whole recipe", "epochs", "processor minutes")
	t.add("**the whole recipe**", pixels(whole.Score.RMSEPixels), "", whole.epochs(), whole.processor())
	for _, m := range p.in(choices) {
		t.add(m.shows, pixels(m.Score.RMSEPixels), fmt.Sprintf("%+.3f", m.Score.RMSEPixels-whole.Score.RMSEPixels), m.epochs(), m.processor())
	}
	var seeds []string
	for _, m := range p.in(networks) {
		if m.shows == whole.shows && m.backend() == "" {
			seeds = append(seeds, fmt.Sprintf("%s with seed %s", pixels(m.Score.RMSEPixels), m.seeds()))
		}
	}
	return t.String() + "\nWhat chance does, with the same rows held out: " + strings.Join(seeds, ", ") + ".\n"
}

func (p *page) rows() string {
	t := newTable("rows", "trained on", "epochs", "RMSE", "processor minutes")
	for _, m := range p.in(rows) {
		t.add(m.shows, thousands(int64(m.Models[0].Result.TrainRows)), m.epochs(), pixels(m.Score.RMSEPixels), m.processor())
	}
	return t.String()
}

func (p *page) report() string {
	t := newTable("network", "by", "parameters", "GFLOP an image", "epochs", "training loss", "validation loss", "RMSE", "the mean face's", "processor minutes", "Kaggle's score")
	for _, n := range reportedNetworks {
		l := p.layouts[n.name]
		t.add(n.name, "the report: "+n.description, thousands(l.Parameters), gflop(l.FLOPs), n.epochs, n.train, n.validation, n.rmse(), "", "", n.kaggle)
		for _, m := range p.in(report) {
			if r := m.Models[0].Result; r.Architecture == n.name {
				t.add("", "fkzoo: "+m.shows, "", "", m.epochs(), loss(r.TrainLoss), loss(r.ValidationLoss), pixels(m.Score.RMSEPixels), pixels(m.Score.MeanFace), m.processor(), "")
			}
		}
	}
	return t.String()
}

// columnRuns are those whose errors are shown by column.
var columnRuns = []string{"compact-s-1", "compact-m-1", "compact-l-1", "compact-m-123", "net6-adam", "specialists-adam"}

func (p *page) columns() string {
	var shown []*measured
	head := []string{"column"}
	for _, name := range columnRuns {
		if m := p.named(name); m != nil {
			shown = append(shown, m)
			head = append(head, "`"+name+"`")
		}
	}
	if len(shown) == 0 {
		return ""
	}
	t := newTable(append(head, "the mean face's")...)
	for _, c := range shown[0].Score.Columns {
		line := []string{c.Name}
		for _, m := range shown {
			line = append(line, pixels(column(m.Score, c.Name)))
		}
		t.add(append(line, pixels(c.MeanFace))...)
	}
	return t.String()
}

// made says what the models were made by and where.
func (p *page) made() string {
	var versions, machines []string
	add := func(list *[]string, s string) {
		if s != "" && !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	var data string
	for _, m := range p.found {
		for _, model := range m.Models {
			add(&versions, model.Fkzoo)
			add(&machines, model.Machine)
			data = fmt.Sprintf("%s rows, checksum %.12s", thousands(int64(model.Rows)), model.Checksum)
		}
	}
	if data == "" {
		return ""
	}
	return fmt.Sprintf("Made with fkzoo %s on %s. The data: %s.\n", strings.Join(versions, ", "), strings.Join(machines, "; "), data)
}

func commands() string {
	t := newTable("run", "command")
	for _, r := range trainings() {
		t.add("`"+r.name+"`", "`"+r.typed()+"`")
	}
	return t.String()
}

// What follows is over all models of a row.

func (m *measured) parameters() (n int64) {
	for _, r := range m.Models {
		n += r.Result.Parameters
	}
	return n
}

// flops are of one answer, without that for the mirror image.
func (m *measured) flops() (n int64) {
	for _, r := range m.Models {
		n += r.Result.FLOPs
	}
	return n
}

func (m *measured) epochs() string {
	var out []string
	for _, r := range m.Models {
		for _, member := range r.Result.Members {
			if s := thousands(int64(member.Epochs)); !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return strings.Join(out, ", ")
}

func (m *measured) minutes() string {
	sum := 0.0
	for _, r := range m.Models {
		sum += r.Result.Minutes
	}
	return fmt.Sprintf("%.1f", sum)
}

func (m *measured) processor() string {
	sum := 0.0
	for _, r := range m.Models {
		if r.Result.Processor == 0 {
			return ""
		}
		sum += r.Result.Processor
	}
	return fmt.Sprintf("%.1f", sum)
}

func (m *measured) backends() string {
	return joined(m.Models, func(r *measure.Result) string { return r.Backend })
}
func (m *measured) seeds() string {
	return joined(m.Models, func(r *measure.Result) string { return fmt.Sprint(r.Seed) })
}

func joined(all []trained, of func(*measure.Result) string) string {
	var out []string
	for _, r := range all {
		if s := of(r.Result); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return strings.Join(out, ", ")
}

// column is the error in one column; NaN where it has none.
func column(s *measure.Score, name string) float64 {
	for _, c := range s.Columns {
		if c.Name == name && c.Cells > 0 {
			return c.RMSEPixels
		}
	}
	return math.NaN()
}

func pixels(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return fmt.Sprintf("%.3f", v)
}

func loss(v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%.5f", *v)
}

func gflop(n int64) string { return fmt.Sprintf("%.3f", float64(n)/1e9) }

// thousands writes a whole number with commas.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// table is one of Markdown's, nothing where it has no rows.
type table struct{ lines []string }

func newTable(head ...string) *table {
	t := new(table)
	t.add(head...)
	t.add(slices.Repeat([]string{"---"}, len(head))...)
	return t
}

func (t *table) add(cells ...string) {
	t.lines = append(t.lines, "| "+strings.Join(cells, " | ")+" |\n")
}

func (t *table) String() string {
	if len(t.lines) == 2 {
		return ""
	}
	return strings.Join(t.lines, "")
}
