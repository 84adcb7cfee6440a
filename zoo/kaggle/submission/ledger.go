package submission

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/internal/plainfile"
)

// LedgerVersion is the version of ledgers that this package writes.
const LedgerVersion = 1

// maxLedger is how many bytes a ledger may have: some thousand submissions in
// one history.
const maxLedger = 64 << 20

// A Ledger says how a submission came to be. It lies beside it, under the same
// name with .json, and has the ledgers of the submissions it was averaged from
// within.
type Ledger struct {
	Version int        `json:"ledger"`
	Fkzoo   string     `json:"fkzoo"`
	Created string     `json:"created"` // RFC 3339
	Made    string     `json:"made"`    // how: Submitted, Averaged
	File    File       `json:"file"`    // the submission
	Rows    int        `json:"rows"`
	Clipped int        `json:"clipped"` // values that lay outside their image
	Options Options    `json:"options"`
	Models  []Model    `json:"models,omitempty"`
	Test    *File      `json:"test,omitempty"`
	Lookup  *File      `json:"lookup,omitempty"`
	Leak    *Leak      `json:"leak,omitempty"` // nil: not looked for
	Inputs  []Input    `json:"inputs,omitempty"`
	Apart   []Distance `json:"distances,omitempty"` // of the inputs
}

// How a submission was made.
const (
	Submitted = "submit"
	Averaged  = "average"
)

// A File is a file that was read or written.
type File struct {
	Path   string `json:"path"`   // from the ledger's folder, with slashes
	SHA256 string `json:"sha256"` // "" of what is no single file
	// Content is the checksum of what test data holds, however it is packed.
	Content string `json:"content,omitempty"`
	Rows    int    `json:"rows,omitempty"` // images, or rows of a lookup table
}

// Options are how it was made.
type Options struct {
	Backend     string    `json:"backend,omitempty"`
	Batch       int       `json:"batch,omitempty"`
	FlipAverage bool      `json:"flip_average,omitempty"`
	Weights     []float64 `json:"weights,omitempty"`
	Median      bool      `json:"median,omitempty"`
}

// A Model is one whose answers a submission is made of.
type Model struct {
	File
	Digest       string   `json:"digest"`
	Architecture string   `json:"architecture"`
	Data         string   `json:"data,omitempty"`          // what it was trained on
	DataChecksum string   `json:"data_checksum,omitempty"` // of the content
	Members      []Member `json:"members"`
}

// A Member is one network of a model.
type Member struct {
	Name    string  `json:"name"`
	Columns int     `json:"columns"`
	Weight  float64 `json:"weight"`
	Epochs  int     `json:"epochs"`
	// Validation is the error on the rows held out in training, in pixels, of
	// the weights that the model has; nil where none were.
	Validation *float64 `json:"validation_rmse_pixels,omitempty"`
}

// An Input is a submission that was averaged.
type Input struct {
	File
	Ledger *Ledger `json:"ledger,omitempty"` // its own history, where it was known
	// Changed says that the file no longer was what its ledger says when it was
	// averaged.
	Changed bool `json:"changed,omitempty"`
}

// LedgerPath is where a submission's ledger lies: .json in place of .csv, or
// behind any other name.
func LedgerPath(submission string) string {
	if ext := filepath.Ext(submission); strings.EqualFold(ext, ".csv") {
		return strings.TrimSuffix(submission, ext) + ".json"
	}
	return submission + ".json"
}

// Checksum is the SHA-256 of a file's bytes, hex.
func Checksum(path string) (string, error) {
	f, _, err := plainfile.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// Note makes the entry of a file for the ledger of a submission at beside.
func Note(path, beside string) (File, error) {
	sum, err := Checksum(path)
	return File{Path: from(path, filepath.Dir(beside)), SHA256: sum}, err
}

// NoteData is [Note] of test data, which may be a folder or come from elsewhere: then
// there is no file to take a checksum of, and what it holds has to say which it was.
func NoteData(name, beside string) (File, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return File{Path: name}, nil
	case info.IsDir():
		return File{Path: from(name, filepath.Dir(beside))}, nil
	}
	return Note(name, beside)
}

// from is a path as seen from a folder, or as it is where that can't be said.
func from(path, folder string) string {
	abs, err := filepath.Abs(path)
	if err == nil {
		if folder, err = filepath.Abs(folder); err == nil {
			if rel, err := filepath.Rel(folder, abs); err == nil {
				return filepath.ToSlash(rel)
			}
		}
	}
	return filepath.ToSlash(path)
}

// resolve is the other way.
func (f *File) resolve(folder string) string {
	path := filepath.FromSlash(f.Path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}

// WriteWith writes a submission at path and its ledger beside it, atomically
// each. The ledger's File and Rows are set here. Without force neither file may
// exist. The ledger gets its name first, so that no submission is without one.
func (s *Submission) WriteWith(l *Ledger, path string, force bool) error {
	return atomicfile.Write(path, force, func(csv io.Writer) error {
		h := sha256.New()
		if err := s.write(io.MultiWriter(csv, h)); err != nil {
			return err
		}
		l.Version, l.Rows = LedgerVersion, s.Len()
		l.File = File{Path: filepath.Base(path), SHA256: fmt.Sprintf("%x", h.Sum(nil))}
		return atomicfile.Write(LedgerPath(path), force, func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(l)
		})
	})
}

// ErrNoLedger is for a submission without a ledger beside it.
var ErrNoLedger = errors.New("found no ledger beside it")

// ReadLedger reads the ledger beside a submission. Where there is none, the
// error wraps ErrNoLedger.
func ReadLedger(submission string) (*Ledger, error) {
	path := LedgerPath(submission)
	f, _, err := plainfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w, want %s", submission, ErrNoLedger, path)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxLedger+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	l, err := parseLedger(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

func parseLedger(text []byte) (*Ledger, error) {
	if len(text) > maxLedger {
		return nil, fmt.Errorf("found more than %d bytes, want at most that of a ledger", maxLedger)
	}
	l := &Ledger{}
	if err := json.Unmarshal(bytes.TrimPrefix(text, bom), l); err != nil {
		return nil, fmt.Errorf("found no ledger of a submission: %w", err)
	}
	return l, l.check()
}

// check refuses what this version can't read, here and in the inputs' ledgers.
func (l *Ledger) check() error {
	switch {
	case l.Version == 0:
		return errors.New("found no ledger of a submission: no version under \"ledger\"")
	case l.Version > LedgerVersion:
		return fmt.Errorf("found a ledger of version %d, want at most %d: a newer fkzoo reads it", l.Version, LedgerVersion)
	case l.Made != Submitted && l.Made != Averaged:
		return fmt.Errorf("found a submission made by %s, want %s or %s", quote(l.Made), Submitted, Averaged)
	}
	for i := range l.Inputs {
		if in := l.Inputs[i].Ledger; in != nil {
			if err := in.check(); err != nil {
				return fmt.Errorf("input %d: %w", i+1, err)
			}
		}
	}
	return nil
}

// NoteInput makes the entry of an averaged submission: with its history, where
// it has a ledger. A ledger that can't be read is passed over: it may be another
// program's JSON. The note, "" where there is none, says so.
func NoteInput(path, beside string) (in Input, note string, err error) {
	if in.File, err = Note(path, beside); err != nil {
		return in, "", err
	}
	l, err := ReadLedger(path)
	switch {
	case errors.Is(err, ErrNoLedger):
	case err != nil:
		note = err.Error() + "; the history of " + path + " is left out"
	default:
		in.Ledger = l
		if in.Changed = l.File.SHA256 != in.SHA256; in.Changed {
			note = path + ": changed since its ledger was written"
		}
	}
	return in, note, nil
}

// A State is what a file is now, against what a ledger says of it.
type State string

// States of a file.
const (
	Unchanged State = "unchanged"
	Changed   State = "changed since"
	Missing   State = "not there any more"
	NoFile    State = "not a single file"
)

// StateOf looks at a file that the ledger of a submission names.
func StateOf(f *File, submission string) State {
	if f.SHA256 == "" && f.Content != "" {
		return NoFile
	}
	sum, err := Checksum(f.resolve(filepath.Dir(submission)))
	switch {
	case err != nil:
		return Missing
	case sum != f.SHA256:
		return Changed
	}
	return Unchanged
}
