package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/draw"
)

// picture is drawn where there is something to draw.
type picture struct {
	region, file, text string // where it stands, its name, what it is for those who don't see it
	write              func(path string) error
	stays              bool // as it is, if it is there
}

// draw writes the pictures beside the page, and gives the text that shows each, by region.
func (p *places) draw(all *page) (map[string]string, error) {
	folder := strings.TrimSuffix(p.page, ".md")
	ofReport, err := p.reportCurves(all)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, one := range []picture{
		all.compactCurves(), ofReport, all.rowsPicture(), all.columnsPicture(),
	} {
		path := filepath.Join(folder, one.file)
		shown := fmt.Sprintf("![%s](%s/%s)", one.text, filepath.Base(folder), one.file)
		if _, err := os.Stat(path); err == nil && one.stays {
			out[one.region] = shown
			continue
		}
		if one.write == nil {
			if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
				return nil, err
			}
			continue
		}
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return nil, err
		}
		if err := one.write(path); err != nil {
			return nil, err
		}
		out[one.region] = shown
	}
	return out, nil
}

// compactCurves are the validation losses of the networks, one for each kind.
func (p *page) compactCurves() picture {
	out := picture{region: networks, file: "networks.svg", text: "Validation loss by epoch"}
	c := draw.Curves{Title: "Validation loss, seed 1"}
	for _, m := range p.in(networks) {
		if len(m.Models) == 1 && m.Models[0].Result.Seed == 1 {
			for _, one := range m.Models[0].Curves {
				c.Runs = append(c.Runs, draw.Run{Name: m.name, Validation: one.Validation})
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
	c := draw.Curves{Title: "The report's networks: validation loss, here and as it logged them"}
	for _, m := range all.in(report) {
		for _, one := range m.Models[0].Curves {
			c.Runs = append(c.Runs, draw.Run{Name: strings.TrimSpace("fkzoo's " + m.name + " " + one.Member), Validation: one.Validation})
		}
	}
	if c.Runs == nil {
		return out, nil
	}
	paths, err := filepath.Glob(filepath.Join(p.curves, "*.csv"))
	if err != nil {
		return out, err
	}
	out.stays = len(paths) == 0 // without the report's half
	for _, path := range paths {
		own, err := zoo.ReadCurves([]string{path})
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
	var points []zoo.RowsPoint
	face := 0.0
	for _, m := range p.in(rows) {
		points = append(points, zoo.RowsPoint{Network: m.Models[0].Result.Architecture, Rows: m.Models[0].Result.TrainRows, RMSEPixels: m.Score.RMSEPixels})
		face = m.Score.MeanFace
	}
	if len(points) > 1 {
		out.write = func(path string) error { return zoo.RowsCurves(points, face).Write(path, true) }
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
		return zoo.ColumnBars(fmt.Sprintf("%s, %d rows held out in training", best.name, best.Score.Rows), best.Score).Write(path, true)
	}
	return out
}
