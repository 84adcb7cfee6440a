package train_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

// often keeps the best, and the last at members' ends alone.
var often = train.Every{Epochs: 1000}

// NAME.best.fkz is the training after its best epoch; going on from it gives
// what the training gave.
func TestBestFile(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 7)
	for _, c := range []struct {
		name    string
		members []zootest.Network
	}{
		{"one", []zootest.Network{zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(traintest.Rising), "")}},
		{"stopped early", []zootest.Network{zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(traintest.Rising+`, "stop": {"patience": 2}`), "")}},
		{"averages", []zootest.Network{zootest.Net("net", zootest.Every, zootest.Dropout, zootest.Recipe(traintest.Rising+`, "optimizer": {"kind": "adam"}, "average": {"decay": 0.5}`), "")}},
		{"two", []zootest.Network{zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(traintest.Rising), ""), zootest.Net("nose", zootest.Nose, zootest.Dropout, zootest.Recipe(traintest.Rising), "")}},
		{"two, calibrated", []zootest.Network{zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(traintest.Rising+`, "calibrate": true`), ""), zootest.Net("nose", zootest.Nose, zootest.Dropout, zootest.Recipe(traintest.Rising+`, "calibrate": true`), "")}},
		{"three, one stopped early, averages", []zootest.Network{
			zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(traintest.Rising+`, "stop": {"patience": 2}`), ""), zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(`"rate": {"kind": "linear", "from": 0.02, "to": 0.1}, "epochs": 8, "batch": 6, "average": {"decay": 0.1}`), ""),
			zootest.Net("all", zootest.Every, zootest.Linear, zootest.Recipe(traintest.Rising), ""),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := traintest.Options(t, zootest.Document(t, c.members...), set)
			o.Every = often
			w := &traintest.Watch{}
			o.Watch = w
			whole := traintest.MustTrain(t, o)
			best := zootest.MustLoad(t, model.BestPath(o.Output))
			last := len(c.members) - 1
			h := whole.History[last]
			if s := best.State; s == nil || s.Member != last || s.Epoch != h.BestEpoch || s.Step != 0 || best.History[last].BestEpoch != h.BestEpoch {
				t.Fatalf("found state %+v, want member %d after its best epoch, %d", s, last, h.BestEpoch)
			}
			for i, h := range whole.History { // each member alone, with the weights of its best epoch
				if h.BestEpoch == len(h.TrainLoss) {
					t.Fatalf("found member %s best after its last epoch: the test tests nothing", h.Member)
				}
				one := &model.Model{Document: best.Document.Clone(), Weights: best.Weights, Provenance: best.Provenance}
				one.Document.Members = one.Document.Members[i : i+1]
				e, _, err := measure.Evaluate(t.Context(), answertest.Open(t, one), set, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !zootest.Near(e.HeldOut.Loss, slices.Min(h.ValidationLoss), 1e-6) {
					t.Errorf("%s: found loss %g on the rows held out, want the best epoch's, %g", h.Member, e.HeldOut.Loss, slices.Min(h.ValidationLoss))
				}
				if found := best.History[i].HeldOut.Loss; i < last && found != slices.Min(h.ValidationLoss) {
					t.Errorf("%s: found loss %g noted, want the best epoch's, %g", h.Member, found, slices.Min(h.ValidationLoss))
				}
			}
			if !slices.ContainsFunc(w.Kept, func(k train.CheckpointKept) bool {
				return k.Best && k.Epoch == h.BestEpoch && k.Path == model.BestPath(o.Output)
			}) {
				t.Errorf("found checkpoints %+v told of, want the best", w.Kept)
			}
			part := o
			part.Output, part.ResumePath, part.Watch = filepath.Join(t.TempDir(), "m.fkz"), model.BestPath(o.Output), &traintest.Watch{}
			part.Resume = best
			traintest.SameModel(t, "resumed from the best", traintest.MustTrain(t, part), whole)
		})
	}
	o := traintest.Options(t, zootest.One(t, zootest.Linear, traintest.Rising), set)
	traintest.MustTrain(t, o)
	if _, err := os.Stat(model.BestPath(o.Output)); err == nil {
		t.Error("found a checkpoint of the best where none was to be kept")
	}
	o = traintest.Options(t, zootest.One(t, zootest.Linear, traintest.Rising+`, "validation": 0`), set)
	o.Every = often
	traintest.MustTrain(t, o)
	if _, err := os.Stat(model.BestPath(o.Output)); err == nil {
		t.Error("found a checkpoint of the best where no rows are held out")
	}
}

// Another training's best is not replaced, that of the one that goes on is.
func TestBestFileOfAnother(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 7)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, traintest.Rising), set)
	o.Every = often
	first := traintest.Interrupt(t, o, 4*5+2)
	for _, c := range []struct {
		name string
		at   string // goes on from
		put  func(t *testing.T, path string)
		want string
	}{
		{"its own", model.LastPath(o.Output), func(t *testing.T, path string) {}, ""},
		{"from the best", model.BestPath(o.Output), func(t *testing.T, path string) {}, ""},
		{"none", model.LastPath(o.Output), func(t *testing.T, path string) { _ = os.Remove(path) }, ""},
		{"another's", model.LastPath(o.Output), func(t *testing.T, path string) {
			other := traintest.Options(t, zootest.One(t, zootest.Linear, traintest.Rising), zootest.Faces(30, zootest.Every, 8))
			other.Every = often
			traintest.MustTrain(t, other)
			copyFile(t, model.BestPath(other.Output), path)
		}, "m.best.fkz: exists already"},
		{"no model", model.LastPath(o.Output), func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "m.best.fkz: exists already"},
	} {
		part := o
		part.Output = filepath.Join(t.TempDir(), "m.fkz")
		copyFile(t, first, model.LastPath(part.Output))
		copyFile(t, model.BestPath(o.Output), model.BestPath(part.Output))
		c.put(t, model.BestPath(part.Output))
		part.ResumePath = filepath.Join(filepath.Dir(part.Output), filepath.Base(c.at))
		part.Resume, part.Watch = zootest.MustLoad(t, part.ResumePath), &traintest.Watch{}
		m, err := train.Run(t.Context(), part)
		if c.want != "" {
			zootest.WantError(t, c.name, err, format.ErrExists, c.want)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if best, err := model.Load(model.BestPath(part.Output)); c.name != "none" && (err != nil || best.State.Epoch != m.History[0].BestEpoch) {
			t.Errorf("%s: found best %+v (%v), want that of epoch %d", c.name, best, err, m.History[0].BestEpoch)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Going on with other data or another recipe is refused with the difference
// named; where that is allowed, what can be changed is, and is in the record.
func TestResumeChanges(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 7)
	text := traintest.Rising + `, "stop": {"patience": 50}, "average": {"decay": 0.5}`
	o := traintest.Options(t, zootest.One(t, zootest.Linear, text), set)
	o.Options = []string{"hidden=8"}
	path := traintest.Interrupt(t, o, 4*3+2)
	larger := zootest.Faces(40, zootest.Every, 7)
	values := zootest.Faces(30, zootest.Every, 7)
	values.Points[0]++
	values.Checksum = values.Sum()
	for _, c := range []struct {
		name     string
		settings map[string]string
		data     *dataset.Set
		refused  string
		allowed  string // the error where changes are allowed; "": none
		check    func(m *model.Model) bool
	}{
		{"nothing", nil, set, "", "", nil},
		{"the same again", map[string]string{"recipe.epochs": "8", "recipe.seed": "3", "hidden": "8", "recipe.stop.patience": "50"}, set, "", "", nil},
		{"fewer epochs", map[string]string{"recipe.epochs": "6"}, set, "", "", func(m *model.Model) bool { return len(m.History[0].TrainLoss) == 6 }},
		{"epochs and batch", map[string]string{"recipe.epochs": "9", "recipe.batch": "3"}, set, "recipe.batch: found 3, want 6: a training", "", func(m *model.Model) bool {
			return len(m.History[0].TrainLoss) == 9
		}},
		{"batch", map[string]string{"recipe.batch": "3"}, set, "recipe.batch: found 3, want 6", "", func(m *model.Model) bool { return len(m.History[0].TrainLoss) == 8 }},
		{"rate", map[string]string{"recipe.rate": "0.01"}, set, "recipe.rate.from: found none, want 0.02", "", func(m *model.Model) bool {
			return m.History[0].Rate[7] == 0.01 && slices.Contains(m.Provenance.Options, "recipe.rate=0.01 (from epoch 4 of net)")
		}},
		{"fewer epochs than done", map[string]string{"recipe.epochs": "3"}, set, "found 3 epochs, want at least 4", "found 3 epochs, want at least 4", nil},
		{"fewer examples than done", map[string]string{"recipe.examples": "60"}, set, "found 2 epochs, want at least 4", "found 2 epochs, want at least 4", nil},
		{"split seed", map[string]string{"recipe.split_seed": "4"}, set, "recipe.split_seed: found 4, want none", "rows that it has learned from would be held out", nil},
		{"subset", map[string]string{"recipe.subset.share": "0.5"}, set, "recipe.subset.share: found 0.5, want none", "it has learned from other rows already", nil},
		{"seed", map[string]string{"recipe.seed": "4"}, set, "recipe.seed: found 4, want 3", "rows that it has learned from would be held out", nil},
		{"loss", map[string]string{"recipe.loss.kind": "mae"}, set, `recipe.loss.kind: found "mae", want "mse"`, "would not compare", nil},
		{"optimizer", map[string]string{"recipe.optimizer": "adam"}, set, `recipe.optimizer.kind: found "adam", want "sgd"`, "is of no use to another", nil},
		{"average", map[string]string{"recipe.average": "null"}, set, "recipe.average.decay: found none, want 0.5", "the checkpoint was kept for a training that does so to its end", nil},
		{"an empty object", map[string]string{"recipe.augment.mirror": "{}"}, set, "recipe.augment.mirror: found {}, want none", "", func(m *model.Model) bool {
			return m.Document.Members[0].Recipe.Augment.Mirror != nil && slices.Contains(m.Provenance.Options, "recipe.augment.mirror={} (from epoch 4 of net)")
		}},
		{"network", map[string]string{"hidden": "9"}, set, "setting hidden: found 9", "setting hidden: found 9", nil},
		{"no such field", map[string]string{"recipe.rates": "1"}, set, "rates, which no recipe has", "rates, which no recipe has", nil},
		{"more rows", nil, larger, "found 40 rows, want 30", "", func(m *model.Model) bool {
			return m.Provenance.Data.Rows == 40 && slices.Equal(m.Provenance.StartData, []string{set.Checksum, ""}) && len(m.History[0].TrainLoss) == 8 && m.History[0].BestEpoch > 3
		}},
		{"other values", nil, values, "as many rows and columns, other values", "", nil},
		{"a column less", nil, zootest.WithColumns(set, zootest.Eyes), "found no column nose_tip_x, found no column nose_tip_y", "nose_tip_x", nil},
	} {
		for _, allowed := range []bool{false, true} {
			p := traintest.Options(t, nil, c.data)
			p.Resume, p.Settings, p.AllowChanges = zootest.MustLoad(t, path), c.settings, allowed
			m, err := train.Run(t.Context(), p)
			want := c.refused
			if allowed {
				want = c.allowed
			}
			switch {
			case want != "":
				zootest.WantError(t, fmt.Sprint(c.name, ", allowed ", allowed), err, nil, want)
			case err != nil:
				t.Errorf("%s, allowed %v: %v", c.name, allowed, err)
			case c.check != nil && allowed && !c.check(m):
				t.Errorf("%s: found history %+v, provenance %+v", c.name, m.History[0], m.Provenance)
			}
		}
	}
}

// Going on longer than planned needs no permission: where no schedule runs over
// all epochs it is as if so many had been planned, else what changes is said.
func TestMoreEpochs(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 7)
	for _, c := range []struct {
		name, rate string
		settings   map[string]string
		notes      []string
	}{
		{"constant", `0.01`, map[string]string{"recipe.epochs": "9"}, []string{"net: goes on to epoch 9; planned were 5"}},
		{"in examples", `0.01`, map[string]string{"recipe.examples": "271"}, []string{"net: goes on to epoch 9; planned were 5"}},
		{"as planned", `0.01`, map[string]string{"recipe.epochs": "5"}, nil},
		{"as planned, in examples", `0.01`, map[string]string{"recipe.examples": "150"}, nil},
		{"linear", `{"kind": "linear", "from": 0.04, "to": 0.0}`, map[string]string{"recipe.epochs": "9"}, []string{
			"net: goes on to epoch 9; planned were 5",
			"net: recipe.rate runs over all epochs, and goes on as if 9 had been planned: 0.03 in epoch 3, in place of 0.02",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			planned := func(epochs int) train.Options {
				o := traintest.Options(t, zootest.One(t, zootest.Dropout, fmt.Sprintf(`"rate": %s, "epochs": %d, "batch": 6, "optimizer": {"kind": "adam"}`, c.rate, epochs)), set)
				o.Every = often
				return o
			}
			whole := traintest.MustTrain(t, planned(map[bool]int{true: 5, false: 9}[c.notes == nil]))
			for _, finished := range []bool{false, true} {
				o := planned(5)
				w := &traintest.Watch{}
				if finished { // its best goes on
					traintest.MustTrain(t, o)
					o.ResumePath = model.BestPath(o.Output)
				} else {
					o.ResumePath = traintest.Interrupt(t, o, 4*2+1)
				}
				o.Resume, o.Settings, o.Watch, o.Force = zootest.MustLoad(t, o.ResumePath), c.settings, w, true
				if found := o.Resume.State.Epoch; finished && found < 3 {
					t.Fatalf("found epoch %d the best, want a late one: the test tests little", found)
				}
				m := traintest.MustTrain(t, o)
				if !finished && !slices.Equal(w.Notes[:min(len(c.notes), len(w.Notes))], c.notes) {
					t.Errorf("found notes %q, want %q", w.Notes, c.notes)
				}
				if len(m.History[0].TrainLoss) != len(whole.History[0].TrainLoss) {
					t.Errorf("found %d epochs, want %d", len(m.History[0].TrainLoss), len(whole.History[0].TrainLoss))
				}
				if c.name == "constant" {
					traintest.SameModel(t, "with more epochs", m, whole)
				}
				if rate := m.History[0].Rate; c.name == "linear" && !finished && (rate[1] != 0.03 || rate[3] != 0.04*5/8 || rate[8] != 0) {
					t.Errorf("found rates %v, want those of 5 epochs, and from epoch 3 on those of 9", rate)
				}
			}
		})
	}
	// Members that are done stay as they are.
	d := zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"epochs": 2, "batch": 7`), ""), zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(`"epochs": 2, "batch": 7`), ""))
	o := traintest.Options(t, d, set)
	o.ResumePath = traintest.Interrupt(t, o, 2*4+1)
	w := &traintest.Watch{}
	o.Resume, o.Settings, o.Watch = zootest.MustLoad(t, o.ResumePath), map[string]string{"recipe.epochs": "4"}, w
	m := traintest.MustTrain(t, o)
	if a, b := len(m.History[0].TrainLoss), len(m.History[1].TrainLoss); a != 2 || b != 4 || !slices.Equal(w.Notes, []string{"nose: goes on to epoch 4; planned were 2"}) {
		t.Errorf("found %d and %d epochs, notes %q, want 2 and 4", a, b, w.Notes)
	}
}

// A training that went on with a change, and was interrupted again, still finds its other checkpoint its own.
func TestOwnAfterChange(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 7)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, traintest.Rising), set)
	o.Every = often
	o.ResumePath = traintest.Interrupt(t, o, 4*3+2)
	for k, more := range []map[string]string{{"recipe.epochs": "20"}, {"recipe.rate": "1e-9"}, nil} {
		o.Resume, o.Settings, o.AllowChanges, o.Watch = zootest.MustLoad(t, o.ResumePath), more, true, &traintest.Watch{}
		if k < 2 {
			traintest.Interrupt(t, o, 1) // NAME.best.fkz stays as it was before the change
			continue
		}
		if m := traintest.MustTrain(t, o); len(m.History[0].TrainLoss) != 20 {
			t.Errorf("found %d epochs, want 20", len(m.History[0].TrainLoss))
		}
	}
}

// killedUnderTest is set where the test binary trains until it is killed.
const killedUnderTest = "FKZOO_TEST_KILLED"

// killedMembers are what is trained.
func killedMembers(name string) []zootest.Network {
	if name == "one" {
		return []zootest.Network{zootest.Net("net", zootest.Every, zootest.Dropout, zootest.Recipe(traintest.Rising+`, "optimizer": {"kind": "adam"}, "average": {"decay": 0.8}, "augment": {"mirror": {}, "noise": 0.05}`), "")}
	}
	return []zootest.Network{
		zootest.Net("eyes", zootest.Eyes, zootest.Dropout, zootest.Recipe(traintest.Rising+`, "stop": {"patience": 2}`), ""),
		zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(`"rate": 0.01, "epochs": 8, "batch": 6, "optimizer": {"kind": "sgd", "momentum": 0.9}`), ""),
		zootest.Net("all", zootest.Every, zootest.Linear, zootest.Recipe(traintest.Rising), ""),
	}
}

// TestBeKilled is the program that TestKilled kills. It goes on from the newest
// checkpoint that there is.
func TestBeKilled(t *testing.T) {
	text := os.Getenv(killedUnderTest)
	if text == "" {
		t.Skip("is started by TestKilled alone")
	}
	var args [4]string // backend, members, output, checkpoint
	if err := json.Unmarshal([]byte(text), &args); err != nil {
		t.Fatal(err)
	}
	o := traintest.Options(t, zootest.Document(t, killedMembers(args[1])...), zootest.Faces(30, zootest.Every, 7))
	o.Backend = backendtest.Open(t, args[0])
	o.Output, o.Every = args[2], train.Every{Batches: 3}
	o.Watch = &traintest.Watch{OnBatch: func(n int) {
		fmt.Println("batch", n)
		time.Sleep(2 * time.Millisecond) // so that most is done while someone may kill it
	}}
	if args[3] != "" {
		o.Document, o.Resume, o.ResumePath = nil, zootest.MustLoad(t, args[3]), args[3]
	}
	traintest.MustTrain(t, o)
}

// A training that is killed at random moments, and goes on from its last or its
// best checkpoint, gives what an uninterrupted one gives.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	for _, backend := range []string{"go", "cpu"} {
		t.Run(backend, func(t *testing.T) {
			b := backendtest.Open(t, backend)
			for _, members := range []string{"one", "three"} {
				o := traintest.Options(t, zootest.Document(t, killedMembers(members)...), zootest.Faces(30, zootest.Every, 7))
				o.Backend = b
				whole := traintest.MustTrain(t, o)
				random := rand.New(rand.NewPCG(1, uint64(len(members))))
				output := filepath.Join(t.TempDir(), "m.fkz")
				kills, from := 0, map[string]int{}
				for run := 0; ; run++ {
					if run > 200 {
						t.Fatalf("%s: not done after %d runs", members, run)
					}
					checkpoint := newestOf(t, output, random)
					from[filepath.Base(checkpoint)]++
					if _, err := os.Stat(output); err == nil {
						break
					}
					if trainAndKill(t, [4]string{backend, members, output, checkpoint}, 1+random.IntN(9*len(killedMembers(members)))) {
						kills++
					}
				}
				t.Logf("%s: killed %d times, went on from %v", members, kills, from)
				if kills < 2 {
					t.Errorf("%s: killed %d times, want some more: the test tests little", members, kills)
				}
				traintest.SameModel(t, members, zootest.MustLoad(t, output), whole)
				if m, err := model.Load(model.BestPath(output)); err != nil || m.State.Epoch != whole.History[len(whole.History)-1].BestEpoch {
					t.Errorf("%s: the best: found %+v (%v)", members, m, err)
				}
			}
		})
	}
}

// newestOf picks a checkpoint to go on from: mostly the last, now and then the best.
func newestOf(t *testing.T, output string, random *rand.Rand) string {
	t.Helper()
	var there []string
	for _, path := range []string{model.LastPath(output), model.BestPath(output)} {
		if m, err := model.Load(path); err == nil {
			if m.State == nil {
				t.Errorf("%s: found no state", path)
			}
			there = append(there, path)
		} else if _, serr := os.Stat(path); serr == nil {
			t.Errorf("a checkpoint of a killed training: %v", err)
		}
	}
	if len(there) == 0 {
		return ""
	}
	if random.IntN(4) > 0 {
		return there[0]
	}
	return there[len(there)-1]
}

// trainAndKill starts the training and kills it after some batches and a moment
// more; it tells whether it was killed before it had ended.
func trainAndKill(t *testing.T, args [4]string, batches int) bool {
	t.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestBeKilled$", "-test.v")
	cmd.Env = append(os.Environ(), killedUnderTest+"="+string(text), "TMPDIR="+t.TempDir()) // it can't clean up
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	lines := bufio.NewScanner(out)
	for n := 0; n < batches && lines.Scan(); {
		said = append(said, lines.Text())
		if strings.HasPrefix(lines.Text(), "batch") {
			n++
		}
	}
	time.Sleep(time.Duration(rand.IntN(4000)) * time.Microsecond)
	_ = cmd.Process.Kill()
	for lines.Scan() {
		said = append(said, lines.Text())
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState.Exited() {
		t.Fatalf("the training: %v\n%s", err, strings.Join(said, "\n"))
	}
	return !cmd.ProcessState.Exited()
}

// A checkpoint that can't be written is told once for as long as the reason is
// the same, and that it is written again is told, too.
func TestCannotKeepIsToldOnce(t *testing.T) {
	w := &traintest.Watch{}
	tr := train.NewTraining(w)
	m := zootest.Numbered(t, 1)
	full, denied := errors.New("no space left"), errors.New("permission denied")
	for range 3 {
		tr.CannotKeep("m.last.fkz", full)
		tr.CannotKeep("m.best.fkz", full)
	}
	tr.CannotKeep("m.last.fkz", denied)
	tr.TellKept(m, "m.last.fkz", false)
	tr.TellKept(m, "m.last.fkz", false)
	tr.CannotKeep("m.last.fkz", full)
	tr.CannotKeep("m.best.fkz", full)
	want := []string{
		"no checkpoint: no space left; the training goes on", "no checkpoint: no space left; the training goes on",
		"no checkpoint: permission denied; the training goes on", "m.last.fkz: is kept again", "no checkpoint: no space left; the training goes on",
	}
	if !slices.Equal(w.Notes, want) {
		t.Errorf("found %q, want %q", w.Notes, want)
	}
}
