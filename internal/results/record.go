package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/figure"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// A record is what the page says of a run. It is kept beside the page, so that this can be written anew, and added to,
// where the models are not: they take hours and stay out of the repository.
type record struct {
	Models  []trained      `json:"models"`
	NoFlips bool           `json:"no_flips,omitempty"`
	NoShift bool           `json:"no_shift,omitempty"`
	Score   *measure.Score `json:"score"` // of all together, on the rows that they have held out
}

// trained is one model of a record.
type trained struct {
	Command   []string        `json:"command"`   // fkzoo's arguments, without those that say where files lie
	Blueprint string          `json:"blueprint"` // what was trained: its [checksum]
	Fkzoo     string          `json:"fkzoo"`
	Machine   string          `json:"machine"`
	Rows      int             `json:"rows"` // of the data
	Checksum  string          `json:"checksum"`
	Result    *measure.Result `json:"result"`
	Curves    []curve         `json:"curves"`
}

// curve is the validation loss of one member, by epoch.
type curve struct {
	Member     string    `json:"member,omitempty"` // where there are several
	Validation []float64 `json:"validation"`
}

func (p *places) record(name string) string {
	return filepath.Join(strings.TrimSuffix(p.page, ".md"), "runs", name+".json")
}

// recorded reads a run's record; nil: there is none, or it isn't of what the run would train now.
func (p *places) recorded(ctx context.Context, r run) (*record, error) {
	path := p.record(r.name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out record
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("%s: %w; without it, its models are measured anew", path, err)
	}
	if out.Score == nil || len(out.Score.Columns) == 0 || slices.ContainsFunc(out.Models, func(m trained) bool { return m.Result == nil || m.Result.Digest == "" }) {
		return nil, fmt.Errorf("%s: found no result of a model, or no score of all, want both; without it, its models are measured anew", path)
	}
	names := r.models()
	if len(out.Models) != len(names) || out.NoFlips != r.noFlips || out.NoShift != r.noShift {
		return nil, nil
	}
	for i, name := range names {
		of, _ := named(name)
		want, err := p.blueprint(ctx, of)
		if err != nil {
			return nil, err
		}
		if m := out.Models[i]; !slices.Equal(m.Command, of.arguments()) || m.Blueprint != want {
			return nil, nil
		}
	}
	return &out, nil
}

func (p *places) keep(name string, r *record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	path := p.record(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return atomicfile.Write(path, true, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// blueprint is the checksum of what a run trains, as its plugin describes it now.
func (p *places) blueprint(ctx context.Context, r run) (string, error) {
	if sum, ok := p.blueprints[r.args]; ok {
		return sum, nil
	}
	asked, err := r.request()
	if err != nil {
		return "", err
	}
	about, err := p.zoo.Describe(ctx, zoo.DescribeRequest{Architecture: asked.Architecture, Settings: settings(asked)})
	if err != nil {
		return "", err
	}
	sum, err := checksum(about.Document)
	if err != nil {
		return "", fmt.Errorf("%s: %w", r.args, err)
	}
	if p.blueprints == nil {
		p.blueprints = map[string]string{}
	}
	p.blueprints[r.args] = sum
	return sum, nil
}

// checksum is SHA-256, in hex, over a blueprint's input and members: over all but texts, and what training fills in from
// the data, the mirror's axis and the answers' shift.
func checksum(document *blueprint.Document) (string, error) {
	text, err := document.JSON()
	if err != nil {
		return "", err
	}
	var d struct {
		Input   any              `json:"input"`
		Members []map[string]any `json:"members"`
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return "", err
	}
	for _, m := range d.Members {
		if output, ok := m["output"].(map[string]any); ok {
			delete(output, "uncertainty")
			if delete(output, "shift"); len(output) == 0 {
				delete(m, "output") // as where the plugin says nothing of it
			}
		}
		recipe, _ := m["recipe"].(map[string]any)
		augment, _ := recipe["augment"].(map[string]any)
		if mirror, ok := augment["mirror"].(map[string]any); ok {
			delete(mirror, "axis")
		}
	}
	text, err = json.Marshal(d)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(text)), nil
}

// recordOf describes a model that a run made.
func recordOf(r run, m *model.Model) (*trained, error) {
	result, err := measure.ResultOf(m, r.name)
	if err != nil {
		return nil, err
	}
	sum, err := checksum(m.Document)
	if err != nil {
		return nil, err
	}
	out := &trained{
		Command: r.arguments(), Blueprint: sum, Fkzoo: m.Provenance.Fkzoo, Machine: m.Run.Machine,
		Rows: m.Provenance.Data.Rows, Checksum: m.Provenance.Data.Checksum, Result: result,
	}
	for _, c := range figure.CurvesOf(m).Runs {
		out.Curves = append(out.Curves, curve{c.Name, c.Validation})
	}
	return out, nil
}
