package train_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

func TestInterruptedBeforeTheFirstBatch(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set)
	_, err := train.Run(ended, o)
	zootest.WantError(t, "at once", err, train.ErrInterrupted, "before the first batch")
	if files, _ := os.ReadDir(filepath.Dir(o.Output)); len(files) > 0 {
		t.Errorf("found %v, want nothing written", files)
	}
	path := traintest.Interrupt(t, o, 2)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o.Resume, o.ResumePath = zootest.MustLoad(t, path), path
	_, err = train.Run(ended, o)
	zootest.WantError(t, "resumed and at once", err, train.ErrInterrupted, "the training so far is in "+path)
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the checkpoint was changed (%v)", err)
	}
}

func TestInterruptedBetween(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 1)
	d := zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"epochs": 2, "batch": 7`), ""), zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(`"epochs": 2, "batch": 7`), ""))
	o := traintest.Options(t, d, set)
	whole := traintest.MustTrain(t, o)
	for _, c := range []struct {
		after         int // epochs over all members
		member, epoch int // of the checkpoint
	}{{1, 0, 1}, {2, 1, 0}, {3, 1, 1}} {
		part := o
		part.Output = filepath.Join(t.TempDir(), "m.fkz")
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		part.Watch = &traintest.Watch{OnEpoch: func(train.EpochDone) {
			if n++; n == c.after {
				cancel()
			}
		}}
		_, err := train.Run(ctx, part)
		zootest.WantError(t, "interrupted", err, train.ErrInterrupted, "the training so far is in ")
		part.ResumePath = model.LastPath(part.Output)
		part.Resume, part.Watch = zootest.MustLoad(t, part.ResumePath), &traintest.Watch{}
		if s := part.Resume.State; s.Member != c.member || s.Epoch != c.epoch || s.Step != 0 {
			t.Errorf("after epoch %d: found member %d, epoch %d, step %d, want %d, %d, 0", c.after, s.Member, s.Epoch, s.Step, c.member, c.epoch)
		}
		traintest.SameModel(t, fmt.Sprintf("after epoch %d", c.after), traintest.MustTrain(t, part), whole)
	}
	// After the last epoch there is nothing left to interrupt.
	part := o
	part.Output = filepath.Join(t.TempDir(), "m.fkz")
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	part.Watch = &traintest.Watch{OnEpoch: func(train.EpochDone) {
		if n++; n == 4 {
			cancel()
		}
	}}
	m, err := train.Run(ctx, part)
	if err != nil {
		t.Fatal(err)
	}
	traintest.SameModel(t, "after the last epoch", m, whole)
}

func TestMemberDone(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 1)
	d := zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"epochs": 2, "batch": 7`), ""),
		zootest.Net("nose", zootest.Nose, zootest.Dropout, zootest.Recipe(`"epochs": 2, "batch": 7, "optimizer": {"kind": "adam"}, "average": {"decay": 0.5}`), ""))
	o := traintest.Options(t, d, set)
	whole := traintest.MustTrain(t, o)
	part := o
	part.Output, part.Every = filepath.Join(t.TempDir(), "m.fkz"), train.Every{Epochs: 100}
	kept := filepath.Join(t.TempDir(), "kept.fkz")
	part.Watch = &traintest.Watch{OnMember: func(m train.MemberStart) {
		if m.Index == 1 {
			if err := os.Link(model.LastPath(part.Output), kept); err != nil {
				t.Fatal(err)
			}
		}
	}}
	traintest.SameModel(t, "with checkpoints", traintest.MustTrain(t, part), whole)
	m := zootest.MustLoad(t, kept)
	if s := m.State; s.Member != 1 || s.Epoch != 0 || s.Step != 0 || len(m.History[0].TrainLoss) != 2 {
		t.Errorf("found state %+v and history %+v, want member 1 not begun", s, m.History)
	}
	part.Output, part.Resume, part.ResumePath, part.Watch = filepath.Join(t.TempDir(), "m.fkz"), m, kept, &traintest.Watch{}
	traintest.SameModel(t, "resumed", traintest.MustTrain(t, part), whole)

	part = o
	part.Document = zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"epochs": 2, "batch": 7`), ""),
		zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(`"rate": 10000, "epochs": 9, "batch": 1`), ""))
	part.Output, part.Every, part.Watch = filepath.Join(t.TempDir(), "m.fkz"), train.Every{Epochs: 100}, &traintest.Watch{}
	_, err := train.Run(t.Context(), part)
	zootest.WantError(t, "a second member that diverges", err, engine.ErrDiverged, "at its last checkpoint is in "+model.LastPath(part.Output))
}

func TestCheckpointTensors(t *testing.T) {
	for changes, want := range map[string][]string{
		`"batch": 6`: {"net/out/bias", "net/out/weights", "training/optimizer/velocity/net/out/bias", "training/optimizer/velocity/net/out/weights"},
		`"batch": 20, "stop": {"patience": 3}, "average": {"decay": 0.5}, "optimizer": {"kind": "adam"}`: {
			"best/net/out/bias", "best/net/out/weights", "net/out/bias", "net/out/weights",
			"training/net/out/bias", "training/net/out/weights",
			"training/optimizer/mean/net/out/bias", "training/optimizer/mean/net/out/weights",
			"training/optimizer/square/net/out/bias", "training/optimizer/square/net/out/weights",
		},
	} {
		f, err := format.Open(traintest.Interrupt(t, traintest.Options(t, zootest.One(t, zootest.Linear, changes), zootest.Faces(20, zootest.Every, 1)), 2))
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, x := range f.Infos() {
			found = append(found, x.Name)
		}
		_ = f.Close()
		if !slices.Equal(found, want) {
			t.Errorf("%s: found tensors %q, want %q", changes, found, want)
		}
	}
}

func TestEvery(t *testing.T) {
	for _, c := range []struct {
		name  string
		every train.Every
		want  []int // batches done at each
	}{
		{"never", train.Every{}, nil},
		{"2 epochs", train.Every{Epochs: 2}, []int{6, 12}},
		{"2 batches", train.Every{Batches: 2}, []int{2, 4, 6, 8, 10, 12, 14}},
		{"4 batches", train.Every{Batches: 4}, []int{4, 8, 12}},
		{"each moment", train.Every{Time: 1}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}},
	} {
		o := traintest.Options(t, zootest.One(t, zootest.Linear, `"epochs": 5, "batch": 8, "validation": 0`), zootest.Faces(20, zootest.Every, 1))
		o.Every = c.every
		var found []int
		look := func() { // after the moment for a checkpoint has passed
			if m, err := model.Load(model.LastPath(o.Output)); err == nil {
				if at := m.State.Epoch*3 + m.State.Step; len(found) == 0 || found[len(found)-1] != at {
					found = append(found, at)
				}
			}
		}
		o.Watch = &traintest.Watch{OnBatch: func(int) { look() }}
		traintest.MustTrain(t, o)
		if !slices.Equal(found, c.want) {
			t.Errorf("%s: found checkpoints after batches %v, want %v", c.name, found, c.want)
		}
	}
}

func TestOutput(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	new := func() train.Options { return traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set) }
	write := func(path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	o := new()
	write(o.Output)
	_, err := train.Run(t.Context(), o)
	zootest.WantError(t, "exists", err, format.ErrExists, "m.fkz: exists already")
	o.Force = true
	traintest.MustTrain(t, o)
	zootest.MustLoad(t, o.Output)

	o = new()
	write(model.LastPath(o.Output))
	_, err = train.Run(t.Context(), o)
	zootest.WantError(t, "a checkpoint exists", err, format.ErrExists, "the checkpoint of an earlier training")

	o = new()
	o.Output = filepath.Join(filepath.Dir(o.Output), "missing", "m.fkz")
	_, err = train.Run(t.Context(), o)
	zootest.WantError(t, "no folder", err, os.ErrNotExist, "missing")

	for _, folder := range []func(string) string{func(s string) string { return s }, model.LastPath} {
		o = new()
		o.Force = true
		if err := os.Mkdir(folder(o.Output), 0o777); err != nil {
			t.Fatal(err)
		}
		_, err = train.Run(t.Context(), o)
		zootest.WantError(t, "a folder", err, nil, "is a folder")
	}

	if runtime.GOOS != "windows" {
		o = new()
		if err := os.Symlink("nowhere", o.Output); err != nil {
			t.Fatal(err)
		}
		_, err = train.Run(t.Context(), o)
		zootest.WantError(t, "a symbolic link to nothing", err, format.ErrExists, "exists already")
	}
	if runtime.GOOS == "linux" { // where nobody can write, root neither
		o = new()
		o.Output = "/proc/m.fkz"
		_, err = train.Run(t.Context(), o)
		zootest.WantError(t, "a folder without writing", err, nil, "/proc/m.fkz: cannot write beside it")
	}
}

func TestBusy(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set)
	// What a killed training left behind doesn't count.
	if err := os.WriteFile(filepath.Join(filepath.Dir(o.Output), ".m.fkz.lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	second := o
	second.Force = true
	o.Watch = &traintest.Watch{OnBatch: func(n int) {
		if n == 2 {
			_, err := train.Run(t.Context(), second)
			zootest.WantError(t, "second", err, train.ErrBusy, "m.fkz: another training is writing it now")
		}
	}}
	want := traintest.MustTrain(t, o).Digest
	if got := traintest.MustTrain(t, second).Digest; got != want {
		t.Errorf("after the first: found digest %s, want %s", got, want)
	}
}

func TestCheckpointFails(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 1)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set)
	want := traintest.MustTrain(t, o).Digest
	o.Force, o.Every = true, train.Every{Batches: 1}
	w := &traintest.Watch{}
	w.OnBatch = func(n int) {
		switch n {
		case 3:
			_ = os.Remove(model.LastPath(o.Output))
			if err := os.Mkdir(model.LastPath(o.Output), 0o777); err != nil {
				t.Error(err)
			}
		case 8:
			_ = os.Remove(model.LastPath(o.Output))
		}
	}
	o.Watch = w
	if got := traintest.MustTrain(t, o).Digest; got != want {
		t.Errorf("found digest %s, want %s", got, want)
	}
	if !w.Noted("no checkpoint") || !w.Noted("; the training goes on") {
		t.Errorf("found notes %q", w.Notes)
	}
}

// moved is the model that an error says is elsewhere.
func moved(t *testing.T, name string, err error) *model.Model {
	t.Helper()
	var e *train.ElsewhereError
	if !errors.As(err, &e) || !strings.Contains(err.Error(), e.Path) {
		t.Fatalf("%s: error is %v, want an ElsewhereError that names the file", name, err)
	}
	m := zootest.MustLoad(t, e.Path)
	if e.Partial != (m.State != nil) {
		t.Errorf("%s: found partial %v", name, e.Partial)
	}
	return m
}

func TestElsewhere(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR")) // on Windows
	set := zootest.Faces(20, zootest.Every, 1)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set)
	want := traintest.MustTrain(t, o)

	// Somebody's file has taken the name: it stays, and the model is beside it.
	o = traintest.Options(t, o.Document, set)
	taken := o.Output
	o.Watch = &traintest.Watch{OnBatch: func(n int) {
		if n == 5 {
			if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
				t.Error(err)
			}
		}
	}}
	_, err := train.Run(t.Context(), o)
	traintest.SameModel(t, "name taken", moved(t, "name taken", err), want)
	zootest.WantError(t, "name taken", err, format.ErrExists, "the finished model is in "+strings.TrimSuffix(taken, ".fkz")+"-2.fkz")
	if b, _ := os.ReadFile(taken); string(b) != "precious" {
		t.Errorf("the other file holds %q", b)
	}

	// Nothing can be written any more: the last checkpoint stays, and is named.
	full := traintest.Options(t, o.Document, set)
	full.Force, full.Every = true, train.Every{Batches: 1}
	temporary := os.Getenv("TMPDIR")
	full.Watch = &traintest.Watch{OnBatch: func(n int) {
		if n == 5 {
			t.Setenv("TMPDIR", filepath.Join(temporary, "none"))
			t.Setenv("TMP", filepath.Join(temporary, "none"))
			if err := os.Mkdir(full.Output, 0o777); err != nil {
				t.Error(err)
			}
		}
	}}
	_, err = train.Run(t.Context(), full)
	zootest.WantError(t, "nowhere", err, nil, "nor can it be kept elsewhere")
	zootest.WantError(t, "nowhere", err, nil, "the training as it was at its last checkpoint is in "+model.LastPath(full.Output))
	t.Setenv("TMPDIR", temporary)
	t.Setenv("TMP", temporary)
	if err := os.Remove(full.Output); err != nil {
		t.Fatal(err)
	}
	full.Resume, full.ResumePath, full.Watch = zootest.MustLoad(t, model.LastPath(full.Output)), model.LastPath(full.Output), nil
	traintest.SameModel(t, "resumed after nowhere", traintest.MustTrain(t, full), want)
}

func TestElsewhereWithoutFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the lock's file is open")
	}
	t.Setenv("TMPDIR", t.TempDir())
	set := zootest.Faces(20, zootest.Every, 1)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"batch": 6`), set)
	want := traintest.MustTrain(t, o)
	gone := func(at int, then func()) train.Options {
		o := traintest.Options(t, o.Document, set)
		folder := filepath.Join(filepath.Dir(o.Output), "sub")
		if err := os.Mkdir(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		o.Output = filepath.Join(folder, "m.fkz")
		o.Watch = &traintest.Watch{OnBatch: func(n int) {
			if n == at {
				if err := os.RemoveAll(folder); err != nil {
					t.Error(err)
				}
				then()
			}
		}}
		return o
	}
	_, err := train.Run(t.Context(), gone(5, func() {}))
	traintest.SameModel(t, "no folder", moved(t, "no folder", err), want)

	ctx, cancel := context.WithCancel(t.Context())
	o = gone(5, cancel)
	_, err = train.Run(ctx, o)
	zootest.WantError(t, "interrupted without a folder", err, train.ErrInterrupted, "the training so far is in ")
	part := moved(t, "interrupted", err)
	o = traintest.Options(t, o.Document, set)
	o.Resume = part
	traintest.SameModel(t, "resumed", traintest.MustTrain(t, o), want)
}
