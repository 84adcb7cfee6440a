package figure

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/internal/plainfile"
	"github.com/fkzoo/fkzoo/zoo/draw/chart"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// most epochs that a file of curves may have, over all that it tells of.
const maxCurveEpochs = 1 << 22

// ReadCurves reads the learning curves of models (.fkz), of tables (.csv with
// the columns epoch, train_loss and valid_loss; others are passed over), and of
// logs (.jsonl), to be drawn in one picture. A run is named by its file where
// there are several, and by its member where its file has several.
func ReadCurves(paths []string) (*chart.Curves, error) {
	out := &chart.Curves{Title: "learning curves"}
	for _, path := range paths {
		var runs []chart.Run
		var err error
		switch strings.ToLower(filepath.Ext(path)) {
		case ".csv":
			runs, err = readFile(path, readCurveTable)
		case ".jsonl":
			runs, err = readFile(path, readCurveLog)
		default:
			var m *model.Model
			if m, err = model.Describe(path); err == nil {
				if runs = CurvesOf(m).Runs; !slices.ContainsFunc(runs, func(r chart.Run) bool { return len(r.Train) > 0 }) {
					err = fmt.Errorf("%s: found a model without a history, want one that was trained for an epoch or more, or converted from a file that has its history", path)
				}
				if len(paths) == 1 {
					out.Title = m.Document.Name
				}
			}
		}
		if err != nil {
			return nil, err
		}
		for _, r := range runs {
			if len(paths) > 1 {
				r.Name = strings.TrimSpace(path + " " + r.Name)
			}
			out.Runs = append(out.Runs, r)
		}
	}
	return out, nil
}

// CurvesOf are a model's learning curves, one for each member.
func CurvesOf(m *model.Model) *chart.Curves {
	out := &chart.Curves{Title: m.Document.Name}
	for _, h := range m.History {
		run := chart.Run{Train: h.TrainLoss, Validation: h.ValidationLoss}
		if len(m.History) > 1 {
			run.Name = h.Member
		}
		out.Runs = append(out.Runs, run)
	}
	return out
}

func readFile(path string, read func(io.Reader) ([]chart.Run, error)) ([]chart.Run, error) {
	f, _, err := plainfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	runs, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return runs, nil
}

// readCurveTable reads a CSV with a header; an empty cell leaves a gap.
func readCurveTable(r io.Reader) ([]chart.Run, error) {
	in := bufio.NewReader(r)
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(3)
	}
	rows := csv.NewReader(in)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("found nothing, want a table of curves")
	}
	if err != nil {
		return nil, err
	}
	var at [3]int
	names := [3]string{"epoch", "train_loss", "valid_loss"}
	for i, name := range names {
		at[i] = slices.Index(header, name)
	}
	if at[0] < 0 || at[1] < 0 && at[2] < 0 {
		return nil, fmt.Errorf("found the columns %.200q, want epoch, train_loss and valid_loss", header)
	}
	var run chart.Run
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := rows.FieldPos(0)
		epoch, err := strconv.Atoi(row[at[0]])
		if err != nil || epoch < 0 || len(run.Epochs) > 0 && epoch <= run.Epochs[len(run.Epochs)-1] {
			return nil, fmt.Errorf("line %d, column epoch: found %.40q, want whole numbers that increase", line, row[at[0]])
		}
		if len(run.Epochs) == maxCurveEpochs {
			return nil, fmt.Errorf("line %d: found more than %d epochs", line, maxCurveEpochs)
		}
		run.Epochs = append(run.Epochs, epoch)
		for i, to := range []*[]float64{1: &run.Train, 2: &run.Validation} {
			if to == nil || at[i] < 0 {
				continue
			}
			v := math.NaN()
			if text := row[at[i]]; text != "" {
				if v, err = strconv.ParseFloat(text, 64); err != nil {
					return nil, fmt.Errorf("line %d, column %s: found %.40q, want a number", line, names[i], text)
				}
			}
			*to = append(*to, v)
		}
	}
	return []chart.Run{run}, nil
}

// readCurveLog reads a training's log: of an epoch that is told twice the
// later line counts. A last line that is cut short is passed over.
func readCurveLog(r io.Reader) ([]chart.Run, error) {
	type epoch struct{ train, valid float64 }
	var order []string
	members := map[string]map[int]epoch{}
	total := 0
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	var wrong error
	for n := 1; lines.Scan(); n++ {
		if wrong != nil {
			return nil, wrong
		}
		var e struct {
			Event  string   `json:"event"`
			Member string   `json:"member"`
			Epoch  int      `json:"epoch"`
			Train  *float64 `json:"train_loss"`
			Valid  *float64 `json:"validation_loss"`
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			wrong = fmt.Errorf("line %d: found no JSON object, want a training's log: %w", n, err)
			continue
		}
		if e.Event != "epoch" || e.Epoch < 1 {
			continue
		}
		if members[e.Member] == nil {
			members[e.Member] = map[int]epoch{}
			order = append(order, e.Member)
		}
		if total++; total > maxCurveEpochs {
			return nil, fmt.Errorf("line %d: found more than %d epochs", n, maxCurveEpochs)
		}
		value := func(v *float64) float64 {
			if v == nil {
				return math.NaN()
			}
			return *v
		}
		members[e.Member][e.Epoch] = epoch{value(e.Train), value(e.Valid)}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(order) == 0 {
		return nil, errors.Join(errors.New("found no epoch, want a training's log"), wrong)
	}
	var out []chart.Run
	for _, name := range order {
		run := chart.Run{}
		if len(order) > 1 {
			run.Name = name
		}
		epochs := members[name]
		for e := range epochs {
			run.Epochs = append(run.Epochs, e)
		}
		slices.Sort(run.Epochs)
		for _, e := range run.Epochs {
			run.Train, run.Validation = append(run.Train, epochs[e].train), append(run.Validation, epochs[e].valid)
		}
		out = append(out, run)
	}
	return out, nil
}
