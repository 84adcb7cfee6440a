package kaggle

import (
	"time"

	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// SubmitFiles are the files that a submission is made of and goes to.
type SubmitFiles struct {
	Output, Test, Lookup string
	Models               []string // in the order of the models
}

// Ledger says how the submission came to be. The models are all that the ensemble
// was opened with.
func (s *Submitted) Ledger(models []*model.Model, files SubmitFiles, fkzoo string) (*submission.Ledger, error) {
	o := s.options
	l := &submission.Ledger{
		Fkzoo: fkzoo, Created: now(), Made: submission.Submitted, Clipped: s.Clipped,
		Options: submission.Options{Backend: o.Backend.Name(), Batch: s.Batch, FlipAverage: o.FlipAverage, Weights: o.Weights}, Leak: s.Leak,
	}
	for k, m := range models {
		f, err := submission.Note(files.Models[k], files.Output)
		if err != nil {
			return nil, err
		}
		entry := submission.Model{
			File: f, Digest: m.Digest, Architecture: m.Document.Name,
			Data: m.Provenance.Data.Source, DataChecksum: m.Provenance.Data.Checksum,
		}
		for i := range m.Document.Members {
			member := &m.Document.Members[i]
			of := submission.Member{Name: member.Name, Columns: len(member.Columns), Weight: member.MeanWeight()}
			of.Epochs, of.Validation = validation(m, i)
			entry.Members = append(entry.Members, of)
		}
		l.Models = append(l.Models, entry)
	}
	for _, f := range []struct {
		to      **submission.File
		path    string
		content string
		rows    int
		note    func(path, beside string) (submission.File, error)
	}{{&l.Test, files.Test, s.Checksum, s.Images, submission.NoteData}, {&l.Lookup, files.Lookup, "", s.Len(), submission.Note}} {
		entry, err := f.note(f.path, files.Output)
		if err != nil {
			return nil, err
		}
		entry.Content, entry.Rows = f.content, f.rows
		*f.to = &entry
	}
	return l, nil
}

// validation gives the epochs that a member was trained, and the error of the
// weights that stayed on the rows held out, in pixels; nil: not known.
func validation(m *model.Model, member int) (epochs int, rmse *float64) {
	if member >= len(m.History) {
		return 0, nil
	}
	h := &m.History[member]
	if h.HeldOut.Loss > 0 {
		rmse = &h.HeldOut.RMSEPixels
	}
	return len(h.TrainLoss), rmse
}

// AverageOptions are how submissions are averaged.
type AverageOptions struct {
	Weights []float64 // nil: all the same
	Median  bool
}

// Averaged is what [Average] made.
type Averaged struct {
	*submission.Submission
	Distances []submission.Distance // of each pair
	Ledger    *submission.Ledger
	Notes     []string // what people should know of the inputs
}

// Average reads submissions and gives each row their mean or median, for a
// file at output, with a ledger that has theirs within.
func Average(paths []string, output string, o AverageOptions, fkzoo string) (*Averaged, error) {
	var list []*submission.Submission
	out := &Averaged{}
	l := &submission.Ledger{
		Fkzoo: fkzoo, Created: now(), Made: submission.Averaged,
		Options: submission.Options{Weights: o.Weights, Median: o.Median},
	}
	for _, path := range paths {
		s, err := submission.Read(path)
		if err != nil {
			return nil, err
		}
		input, note, err := submission.NoteInput(path, output)
		if err != nil {
			return nil, err
		}
		if note != "" {
			out.Notes = append(out.Notes, note)
		}
		list, l.Inputs = append(list, s), append(l.Inputs, input)
	}
	var err error
	if out.Submission, err = submission.Average(list, o.Weights, o.Median); err != nil {
		return nil, err
	}
	if out.Distances, err = submission.Distances(list); err != nil {
		return nil, err
	}
	l.Apart = out.Distances
	out.Ledger = l
	return out, nil
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }
