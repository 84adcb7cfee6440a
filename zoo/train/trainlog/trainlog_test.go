package trainlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
)

func start() train.Start {
	return train.Start{Document: &blueprint.Document{Name: "net", Members: []blueprint.Member{{Name: "a"}, {Name: "b"}}}, Output: "m.fkz"}
}

// tell tells a whole training, with nothing held out in its second epoch.
func tell(w train.Watcher, end error) {
	w.Start(start())
	w.Member(train.MemberStart{Name: "a", Members: 2, Epochs: 2, MeanFace: math.NaN()})
	w.Batch(1, 1)
	w.Epoch(train.EpochDone{Member: "a", Epoch: 1, Epochs: 2, TrainLoss: 0.5, ValidationLoss: 0.25, RMSEPixels: 24, Rate: 0.1, Best: true, Time: time.Second})
	w.Checkpoint(train.CheckpointKept{Path: "m.best.fkz", Best: true, Member: "a", Epoch: 1})
	w.Epoch(train.EpochDone{Member: "a", Epoch: 2, Epochs: 2, TrainLoss: 0.4, ValidationLoss: math.NaN(), RMSEPixels: math.NaN(), Rate: 0.1})
	w.Note("a <note>")
	w.Warn("a warning")
	w.End(train.End{Model: &model.Model{Digest: "abc"}, Path: "m.fkz", Err: end, Time: time.Minute})
}

func read(t *testing.T, path string) (all []map[string]any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var v map[string]any
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if at, ok := v["time"].(string); !ok {
			t.Errorf("%v: no time", v)
		} else if _, err := time.Parse(time.RFC3339Nano, at); err != nil {
			t.Error(err)
		}
		all = append(all, v)
	}
	return all
}

func TestJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	open := func(resumed, force bool) (*JSON, error) {
		return OpenJSON(path, resumed, force, func(text string) { t.Error(text) })
	}
	l, err := open(false, false)
	if err != nil {
		t.Fatal(err)
	}
	tell(l, nil)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	all := read(t, path)
	var events []string
	for _, v := range all {
		events = append(events, v["event"].(string))
	}
	if want := strings.Fields("start member epoch checkpoint epoch note warning end"); !slices.Equal(events, want) {
		t.Fatalf("found events %q, want %q", events, want)
	}
	for _, c := range []struct {
		line  int
		field string
		want  any
	}{
		{0, "architecture", "net"}, {0, "output", "m.fkz"}, {0, "resumed", nil}, {1, "mean_face_rmse_pixels", nil}, {1, "number", 1.0},
		{2, "train_loss", 0.5}, {2, "validation_loss", 0.25}, {2, "rmse_pixels", 24.0}, {2, "best", true}, {2, "seconds", 1.0},
		{3, "kind", "best"}, {4, "validation_loss", nil}, {5, "text", "a <note>"}, {6, "text", "a warning"},
		{7, "status", "finished"}, {7, "digest", "abc"}, {7, "seconds", 60.0},
	} {
		if found := all[c.line][c.field]; found != c.want {
			t.Errorf("line %d, %s: found %v, want %v", c.line+1, c.field, found, c.want)
		}
	}

	if _, err := open(false, false); !errors.Is(err, atomicfile.ErrExists) {
		t.Errorf("a log that exists: error is %v", err)
	}
	// Going on takes away what a crash has cut short, and nothing else.
	f, _ := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	_, _ = f.WriteString(`{"event":"epoch","ti`)
	_ = f.Close()
	if l, err = open(true, false); err != nil {
		t.Fatal(err)
	}
	l.End(train.End{Err: train.ErrInterrupted})
	_ = l.Close()
	if all = read(t, path); len(all) != 9 || all[8]["status"] != "interrupted" || all[8]["error"] != "interrupted" {
		t.Errorf("found %d lines, the last %v", len(all), all[len(all)-1])
	}
	if l, err = open(false, true); err != nil {
		t.Fatal(err)
	}
	l.End(train.End{Err: errors.New("broken")})
	_ = l.Close()
	if all = read(t, path); len(all) != 1 || all[0]["status"] != "failed" {
		t.Errorf("replaced: found %v", all)
	}
	if err := os.WriteFile(path, []byte("precious\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(true, false); err == nil || !strings.Contains(err.Error(), "want one to go on with") {
		t.Errorf("no log: error is %v", err)
	}
	if _, err := OpenJSON(t.TempDir(), false, true, nil); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: error is %v", err)
	}
}

// A full disk is told once.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no /dev/full")
	}
	warnings := 0
	l, err := OpenJSON("/dev/full", false, false, func(text string) {
		warnings++
		if !strings.Contains(text, "no space left") || !strings.Contains(text, "the training goes on") {
			t.Errorf("found warning %q", text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	tell(l, nil)
	if warnings != 1 {
		t.Errorf("found %d warnings, want 1", warnings)
	}
}

func TestTensorBoardFolders(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "runs")
	b, err := OpenTensorBoard(folder, func(text string) { t.Error(text) })
	if err != nil {
		t.Fatal(err)
	}
	tell(b, nil)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if files, _ := filepath.Glob(filepath.Join(folder, "a", "events.out.tfevents.*")); len(files) != 1 {
		t.Errorf("found %v, want a file for member a", files)
	} else if b, err := os.ReadFile(files[0]); err != nil || !bytes.Contains(b, []byte{2 << 3, 1, 7<<3 | 2, 2, 1 << 3, 1}) { // step 1, a session log: START
		t.Errorf("found no mark that earlier files of the folder no longer hold from epoch 1 on, error %v", err)
	}
	if all, _ := os.ReadDir(folder); len(all) != 1 {
		t.Errorf("found %v, want one folder", all)
	}
	// A folder that can't be written to any more costs no training.
	var told []string
	b, err = OpenTensorBoard(folder, func(text string) { told = append(told, text) })
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tell(b, nil)
	if len(told) != 1 || !strings.Contains(told[0], "the training goes on without it") {
		t.Errorf("found %q, want one warning", told)
	}
}
