// Package trainlog writes down how a training goes on, for programs to read: a
// JSON object a line, or TensorBoard's event files. It must not know how models
// are trained.
package trainlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/internal/plainfile"
	"github.com/fkzoo/fkzoo/internal/tensorboard"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// JSON writes a line for each event. It is a [train.Watcher]. A line that can't be
// written is no reason to end a training: the first is told to warn.
type JSON struct {
	file   *os.File
	name   string
	warn   func(text string)
	failed bool
}

// OpenJSON opens a log. One that exists is refused with [atomicfile.ErrExists]
// unless it is to be gone on with (resumed; it must be a log, and a last line that
// a crash has cut short is taken away) or replaced (force). A device, or a pipe
// that somebody reads, is written to as it is.
func OpenJSON(path string, resumed, force bool, warn func(text string)) (*JSON, error) {
	flags := os.O_RDWR | os.O_CREATE | os.O_EXCL
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && force:
		flags = os.O_RDWR | os.O_CREATE | os.O_TRUNC // also where a link leads to nothing yet
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s: is a folder, want a file's name", path)
	case info.Mode()&fs.ModeSocket != 0:
		return nil, &plainfile.Error{Path: path, Mode: info.Mode()}
	case info.Mode()&fs.ModeNamedPipe != 0:
		flags = os.O_WRONLY | syscall.O_NONBLOCK // or opening would wait for a reader
	case !info.Mode().IsRegular():
		flags = os.O_WRONLY
	case resumed:
		flags = os.O_RDWR
	case force:
		flags = os.O_RDWR | os.O_TRUNC
	default:
		return nil, fmt.Errorf("%s: %w", path, atomicfile.ErrExists)
	}
	f, err := os.OpenFile(path, flags, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s: %w", path, atomicfile.ErrExists)
	}
	if flags&syscall.O_NONBLOCK != 0 && errors.Is(err, syscall.ENXIO) {
		return nil, fmt.Errorf("%s: found a pipe that nobody reads, want its reader to be started first, or an ordinary file", path)
	}
	if err != nil {
		return nil, err
	}
	if flags == os.O_RDWR {
		if err := toEnd(f); err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return &JSON{file: f, name: path, warn: warn}, nil
}

// toEnd goes behind a log's last whole line, and cuts off what follows.
func toEnd(f *os.File) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return err
	}
	first := make([]byte, min(size, 1<<16))
	if _, err := f.ReadAt(first, 0); err != nil {
		return err
	}
	line, _, whole := bytes.Cut(first, []byte("\n"))
	var event struct {
		Event string `json:"event"`
	}
	if whole && (json.Unmarshal(line, &event) != nil || event.Event == "") || !whole && !bytes.HasPrefix(first, []byte(`{"event":`)) {
		return errors.New("found something else than the log of a training, want one to go on with")
	}
	end := size
	for block := make([]byte, 1<<16); end > 0; {
		from := max(end-int64(len(block)), 0)
		part := block[:end-from]
		if _, err := f.ReadAt(part, from); err != nil {
			return err
		}
		if at := bytes.LastIndexByte(part, '\n'); at >= 0 {
			end = from + int64(at) + 1
			break
		}
		end = from
	}
	if err := f.Truncate(end); err != nil {
		return err
	}
	_, err = f.Seek(end, io.SeekStart)
	return err
}

// Close ends the log.
func (l *JSON) Close() error { return l.file.Close() }

// write writes one line, in one call.
func (l *JSON) write(event string, fields any) {
	if l.failed {
		return
	}
	head, err := json.Marshal(struct {
		Event string    `json:"event"`
		Time  time.Time `json:"time"`
	}{event, time.Now().UTC()})
	var rest bytes.Buffer
	if err == nil {
		e := json.NewEncoder(&rest)
		e.SetEscapeHTML(false)
		err = e.Encode(fields)
	}
	if err == nil {
		line := rest.Bytes()
		if len(line) > len("{}\n") {
			head[len(head)-1] = ','
			line = append(head, line[1:]...)
		} else {
			line = append(head, '\n')
		}
		_, err = l.file.Write(line)
	}
	if err != nil {
		l.failed = true
		l.warn(fmt.Sprintf("log %s: %v; the training goes on without it", l.name, err))
	}
}

// number leaves out what JSON has no number for.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

type startLine struct {
	Architecture string           `json:"architecture"`
	Members      []string         `json:"members"`
	Output       string           `json:"output"`
	Resumed      string           `json:"resumed,omitempty"`
	EpochsDone   int              `json:"epochs_done"`
	Fkzoo        string           `json:"fkzoo"`
	Plugin       model.PluginFrom `json:"plugin"`
	Backend      string           `json:"backend"`
	Seed         uint64           `json:"seed"`
	Data         string           `json:"data"`
	DataChecksum string           `json:"data_checksum"`
	Rows         int              `json:"rows"`
	Options      []string         `json:"options,omitempty"`
	Machine      string           `json:"machine,omitempty"`
	Command      []string         `json:"command,omitempty"`
}

func (l *JSON) Start(s train.Start) {
	p := &s.Provenance
	line := startLine{
		Architecture: s.Document.Name, Members: []string{}, Output: s.Output, Resumed: s.Resumed, EpochsDone: s.Done,
		Fkzoo: p.Fkzoo, Plugin: p.Plugin, Backend: p.Backend, Seed: p.Seed,
		Data: p.Data.Source, DataChecksum: p.Data.Checksum, Rows: p.Data.Rows,
		Options: p.Options, Machine: s.Run.Machine, Command: s.Run.Command,
	}
	for _, m := range s.Document.Members {
		line.Members = append(line.Members, m.Name)
	}
	l.write("start", line)
}

func (l *JSON) Member(m train.MemberStart) {
	l.write("member", struct {
		Member      string          `json:"member"`
		Number      int             `json:"number"`
		Members     int             `json:"members"`
		Fold        *blueprint.Fold `json:"fold,omitempty"`
		Columns     int             `json:"columns"`
		Parameters  int64           `json:"parameters"`
		TrainRows   int             `json:"train_rows"`
		HeldOutRows int             `json:"held_out_rows"`
		MeanFace    *float64        `json:"mean_face_rmse_pixels,omitempty"`
		Batch       int             `json:"batch"`
		Epochs      int             `json:"epochs"`
		EpochsDone  int             `json:"epochs_done"`
	}{m.Name, m.Index + 1, m.Members, m.Fold, m.Columns, m.Parameters, m.TrainRows, m.ValidRows, number(m.MeanFace), m.Batch, m.Epochs, m.Done})
}

// Batch writes nothing: a line each would be more than anybody reads.
func (l *JSON) Batch(int, int) {}

func (l *JSON) Epoch(e train.EpochDone) {
	l.write("epoch", struct {
		Member         string   `json:"member"`
		Epoch          int      `json:"epoch"`
		Epochs         int      `json:"epochs"`
		TrainLoss      *float64 `json:"train_loss"`
		ValidationLoss *float64 `json:"validation_loss,omitempty"`
		RMSEPixels     *float64 `json:"rmse_pixels,omitempty"`
		Rate           float64  `json:"rate"`
		Best           bool     `json:"best"`
		Seconds        float64  `json:"seconds"`
	}{e.Member, e.Epoch, e.Epochs, number(e.TrainLoss), number(e.ValidationLoss), number(e.RMSEPixels), e.Rate, e.Best, e.Time.Seconds()})
}

func (l *JSON) Checkpoint(c train.CheckpointKept) {
	kind := "last"
	if c.Best {
		kind = "best"
	}
	l.write("checkpoint", struct {
		Kind   string `json:"kind"`
		Path   string `json:"path"`
		Member string `json:"member"`
		Epoch  int    `json:"epoch"`
		Batch  int    `json:"batch"`
	}{kind, c.Path, c.Member, c.Epoch, c.Step})
}

type textLine struct {
	Text string `json:"text"`
}

func (l *JSON) Note(text string) { l.write("note", textLine{text}) }
func (l *JSON) Warn(text string) { l.write("warning", textLine{text}) }

func (l *JSON) End(e train.End) {
	line := struct {
		Status  string  `json:"status"` // finished, interrupted, failed
		Path    string  `json:"path,omitempty"`
		Digest  string  `json:"digest,omitempty"`
		Error   string  `json:"error,omitempty"`
		Seconds float64 `json:"seconds"`
	}{Status: "finished", Path: e.Path, Seconds: e.Time.Seconds()}
	switch {
	case errors.Is(e.Err, train.ErrInterrupted):
		line.Status = "interrupted"
	case e.Err != nil:
		line.Status = "failed"
	default:
		line.Digest = e.Model.Digest
	}
	if e.Err != nil {
		line.Error = e.Err.Error()
	}
	l.write("end", line)
}

// TensorBoard writes event files: loss/train, loss/validation, rmse_pixels, rate
// and seconds by epoch, for one member into a folder, for several into one each
// below it. It is a [train.Watcher].
type TensorBoard struct {
	folder  string
	warn    func(text string)
	writers []*tensorboard.Writer
	several bool
	failed  bool
}

// OpenTensorBoard makes the folder, so that a wrong one is known early.
func OpenTensorBoard(folder string, warn func(text string)) (*TensorBoard, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	probe, err := os.CreateTemp(folder, ".fkzoo-*.tmp")
	if err != nil {
		return nil, err
	}
	_ = probe.Close()
	return &TensorBoard{folder: folder, warn: warn}, os.Remove(probe.Name())
}

func (b *TensorBoard) check(err error) {
	if err != nil && !b.failed {
		b.failed = true
		b.warn(fmt.Sprintf("tensorboard %s: %v; the training goes on without it", b.folder, err))
	}
}

func (b *TensorBoard) Start(s train.Start) { b.several = len(s.Document.Members) > 1 }

func (b *TensorBoard) Member(m train.MemberStart) {
	if b.failed {
		return
	}
	folder := b.folder
	if b.several {
		folder = filepath.Join(folder, m.Name)
	}
	w, err := tensorboard.Create(folder)
	if err == nil {
		b.writers = append(b.writers, w)
		// Also from the first epoch: what a training that was killed before its
		// first checkpoint has left would be drawn into this one's curves.
		err = w.Restart(time.Now(), int64(m.Done)+1)
	}
	b.check(err)
}

func (b *TensorBoard) Epoch(e train.EpochDone) {
	if b.failed {
		return
	}
	var values []tensorboard.Scalar
	for _, v := range []tensorboard.Scalar{
		{Tag: "loss/train", Value: e.TrainLoss}, {Tag: "loss/validation", Value: e.ValidationLoss}, {Tag: "rmse_pixels", Value: e.RMSEPixels},
		{Tag: "rate", Value: e.Rate}, {Tag: "seconds", Value: e.Time.Seconds()},
	} {
		if number(v.Value) != nil {
			values = append(values, v)
		}
	}
	b.check(b.writers[len(b.writers)-1].Scalars(time.Now(), int64(e.Epoch), values...))
}

func (b *TensorBoard) Batch(int, int)                  {}
func (b *TensorBoard) Checkpoint(train.CheckpointKept) {}
func (b *TensorBoard) Note(string)                     {}
func (b *TensorBoard) Warn(string)                     {}
func (b *TensorBoard) End(train.End)                   {}

// Close ends the files.
func (b *TensorBoard) Close() error {
	var all error
	for _, w := range b.writers {
		all = errors.Join(all, w.Close())
	}
	return all
}
