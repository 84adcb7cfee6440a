package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/draw/chart"
	"github.com/fkzoo/fkzoo/zoo/figure"
)

// picture is drawn where there is something to draw.
type picture struct {
	region, file, text string // where it stands, its name, what it is for those who don't see it
	write              func(path string) error
	stays              bool // as it is, where it is of these models
}

// pictures are those that the page shows now.
func (p *places) pictures(all *page, old string) ([]picture, error) {
	ofReport, err := p.reportCurves(all)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(p.picture(ofReport)); err != nil {
		ofReport.stays = false
	}
	if ofReport.stays && !strings.Contains(old, p.link(ofReport)) {
		return nil, fmt.Errorf("%s: found no curves of the report's, want them, as %s is of other models: set FKZOO_TESTDATA or -curves", p.curves, p.picture(ofReport))
	}
	return []picture{all.compactCurves(), ofReport, all.rowsPicture(), all.columnsPicture()}, nil
}

// picture is a picture's path.
func (p *places) picture(one picture) string {
	return filepath.Join(strings.TrimSuffix(p.page, ".md"), one.file)
}

// link is how the page shows it.
func (p *places) link(one picture) string {
	return fmt.Sprintf("![%s](%s/%s)", one.text, filepath.Base(filepath.Dir(p.picture(one))), one.file)
}

// shown are the links of the pictures that there are, by region.
func (p *places) shown(pictures []picture) map[string]string {
	out := map[string]string{}
	for _, one := range pictures {
		if one.write != nil {
			out[one.region] = p.link(one)
		}
	}
	return out
}

// draw writes the pictures beside the page, and removes those that no longer are.
func (p *places) draw(pictures []picture) error {
	for _, one := range pictures {
		path := p.picture(one)
		if one.write == nil {
			if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
				return err
			}
			continue
		}
		if one.stays {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := one.write(path); err != nil {
			return err
		}
	}
	return nil
}

// compactCurves are the validation losses of the networks, one for each kind.
func (p *page) compactCurves() picture {
	out := picture{region: networks, file: "networks.svg", text: "Validation loss by epoch"}
	c := chart.Curves{Title: "Validation loss, seed 1"}
	for _, m := range p.in(networks) {
		if len(m.Models) == 1 && m.Models[0].Result.Seed == 1 {
			for _, one := range m.Models[0].Curves {
				c.Runs = append(c.Runs, chart.Run{Name: m.name, Validation: one.Validation})
			}
		}
	}
	if c.Runs != nil {
		out.write = func(path string) error { return c.Write(path, true) }
	}
	return out
}

// reportCurves are those of the report's networks trained here, beside the report's own.
func (p *places) reportCurves(all *page) (picture, error) {
	out := picture{region: report, file: "report.svg", text: "Validation loss by epoch of the report's networks, here and in the report"}
	c := chart.Curves{Title: "The report's networks: loss here and in its logs"}
	var models []string // so that the page tells whether the picture is of other ones
	for _, m := range all.in(report) {
		models = append(models, fmt.Sprintf("%s %.8s", m.name, m.Models[0].Result.Digest))
		for _, one := range m.Models[0].Curves {
			c.Runs = append(c.Runs, chart.Run{Name: strings.TrimSpace("fkzoo's " + m.name + " " + one.Member), Validation: one.Validation})
		}
	}
	if c.Runs == nil {
		return out, nil
	}
	out.text += ": " + strings.Join(models, ", ")
	paths, err := filepath.Glob(filepath.Join(p.curves, "*.csv"))
	if err != nil {
		return out, err
	}
	out.stays = len(paths) == 0 // without the report's half
	for _, path := range paths {
		own, err := figure.ReadCurves([]string{path})
		if err != nil {
			return out, err
		}
		for _, r := range own.Runs {
			r.Name, r.Train = "the report's "+strings.TrimSuffix(filepath.Base(path), ".csv"), nil
			c.Runs = append(c.Runs, r)
		}
	}
	// Hundreds of epochs beside ten thousand.
	c.XAxis, c.XLog = "epoch", true
	for i := range c.Runs {
		r := &c.Runs[i]
		for k := range r.Validation {
			epoch := k + 1
			if r.Epochs != nil {
				epoch = r.Epochs[k]
			}
			r.X = append(r.X, float64(epoch))
		}
	}
	out.write = func(path string) error { return c.Write(path, true) }
	return out, nil
}

// rowsPicture is the error over how many rows were trained on.
func (p *page) rowsPicture() picture {
	out := picture{region: rows, file: "rows.svg", text: "Error by the number of rows trained on"}
	var points []figure.RowsPoint
	face := 0.0
	for _, m := range p.in(rows) {
		points = append(points, figure.RowsPoint{Network: m.Models[0].Result.Architecture, Rows: m.Models[0].Result.TrainRows, RMSEPixels: m.Score.RMSEPixels})
		face = m.Score.MeanFace
	}
	if len(points) > 1 {
		out.write = func(path string) error { return figure.RowsCurves(points, face).Write(path, true) }
	}
	return out
}

// columnsPicture is the error by column of the best of the models that are one file.
func (p *page) columnsPicture() picture {
	out := picture{region: "columns", file: "columns.svg", text: "Error by column"}
	single := slices.DeleteFunc(p.in(networks), func(m measured) bool { return m.of != nil })
	if len(single) == 0 {
		return out
	}
	best := slices.MinFunc(single, func(a, b measured) int { return cmp.Compare(a.Score.RMSEPixels, b.Score.RMSEPixels) })
	out.write = func(path string) error {
		return figure.ColumnBars(fmt.Sprintf("%s, %d rows held out in training", best.name, best.Score.Rows), best.Score).Write(path, true)
	}
	return out
}
