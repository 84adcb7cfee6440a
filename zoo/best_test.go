package zoo

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
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// often keeps the best, and the last at members' ends alone.
var often = Every{Epochs: 1000}

// rising falls and then rises in its validation loss.
const rising = `"rate": {"kind": "linear", "from": 0.02, "to": 0.25}, "epochs": 8, "batch": 6`

// NAME.best.fkz is the training after its best epoch; going on from it gives
// what the training gave.
func TestBestFile(t *testing.T) {
	set := faces(30, every, 7)
	for _, c := range []struct {
		name    string
		members []network
	}{
		{"one", []network{{"net", every, linear, recipe(rising), ""}}},
		{"stopped early", []network{{"net", every, linear, recipe(rising + `, "stop": {"patience": 2}`), ""}}},
		{"averages", []network{{"net", every, dropout, recipe(rising + `, "optimizer": {"kind": "adam"}, "average": {"decay": 0.5}`), ""}}},
		{"two", []network{{"eyes", eyes, linear, recipe(rising), ""}, {"nose", nose, dropout, recipe(rising), ""}}},
		{"two, calibrated", []network{{"eyes", eyes, linear, recipe(rising + `, "calibrate": true`), ""}, {"nose", nose, dropout, recipe(rising + `, "calibrate": true`), ""}}},
		{"three, one stopped early, averages", []network{
			{"eyes", eyes, linear, recipe(rising + `, "stop": {"patience": 2}`), ""}, {"nose", nose, linear, recipe(`"rate": {"kind": "linear", "from": 0.02, "to": 0.1}, "epochs": 8, "batch": 6, "average": {"decay": 0.1}`), ""},
			{"all", every, linear, recipe(rising), ""},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, document(t, c.members...), set)
			o.Every = often
			w := &watch{}
			o.Watch = w
			whole := mustTrain(t, o)
			best := mustLoad(t, BestPath(o.Output))
			last := len(c.members) - 1
			h := whole.History[last]
			if s := best.State; s == nil || s.Member != last || s.Epoch != h.BestEpoch || s.Step != 0 || best.History[last].BestEpoch != h.BestEpoch {
				t.Fatalf("found state %+v, want member %d after its best epoch, %d", s, last, h.BestEpoch)
			}
			for i, h := range whole.History { // each member alone, with the weights of its best epoch
				if h.BestEpoch == len(h.TrainLoss) {
					t.Fatalf("found member %s best after its last epoch: the test tests nothing", h.Member)
				}
				one := &Model{Document: best.Document.Clone(), Weights: best.Weights, Provenance: best.Provenance}
				one.Document.Members = one.Document.Members[i : i+1]
				e, _, err := Evaluate(t.Context(), []*Model{one}, set, PredictOptions{Backend: goBackend(t)})
				if err != nil {
					t.Fatal(err)
				}
				if !near(e.HeldOut.Loss, slices.Min(h.ValidationLoss), 1e-6) {
					t.Errorf("%s: found loss %g on the rows held out, want the best epoch's, %g", h.Member, e.HeldOut.Loss, slices.Min(h.ValidationLoss))
				}
				if found := best.History[i].HeldOut.Loss; i < last && found != slices.Min(h.ValidationLoss) {
					t.Errorf("%s: found loss %g noted, want the best epoch's, %g", h.Member, found, slices.Min(h.ValidationLoss))
				}
			}
			if !slices.ContainsFunc(w.kept, func(k CheckpointKept) bool { return k.Best && k.Epoch == h.BestEpoch && k.Path == BestPath(o.Output) }) {
				t.Errorf("found checkpoints %+v told of, want the best", w.kept)
			}
			part := o
			part.Output, part.ResumePath, part.Watch = filepath.Join(t.TempDir(), "m.fkz"), BestPath(o.Output), &watch{}
			part.Resume = best
			sameModel(t, "resumed from the best", mustTrain(t, part), whole)
		})
	}
	o := options(t, one(t, linear, rising), set)
	mustTrain(t, o)
	if _, err := os.Stat(BestPath(o.Output)); err == nil {
		t.Error("found a checkpoint of the best where none was to be kept")
	}
	o = options(t, one(t, linear, rising+`, "validation": 0`), set)
	o.Every = often
	mustTrain(t, o)
	if _, err := os.Stat(BestPath(o.Output)); err == nil {
		t.Error("found a checkpoint of the best where no rows are held out")
	}
}

// Another training's best is not replaced, that of the one that goes on is.
func TestBestFileOfAnother(t *testing.T) {
	set := faces(30, every, 7)
	o := options(t, one(t, linear, rising), set)
	o.Every = often
	first := interrupt(t, o, 4*5+2)
	for _, c := range []struct {
		name string
		at   string // goes on from
		put  func(t *testing.T, path string)
		want string
	}{
		{"its own", LastPath(o.Output), func(t *testing.T, path string) {}, ""},
		{"from the best", BestPath(o.Output), func(t *testing.T, path string) {}, ""},
		{"none", LastPath(o.Output), func(t *testing.T, path string) { _ = os.Remove(path) }, ""},
		{"another's", LastPath(o.Output), func(t *testing.T, path string) {
			other := options(t, one(t, linear, rising), faces(30, every, 8))
			other.Every = often
			mustTrain(t, other)
			copyFile(t, BestPath(other.Output), path)
		}, "m.best.fkz: exists already"},
		{"no model", LastPath(o.Output), func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "m.best.fkz: exists already"},
	} {
		part := o
		part.Output = filepath.Join(t.TempDir(), "m.fkz")
		copyFile(t, first, LastPath(part.Output))
		copyFile(t, BestPath(o.Output), BestPath(part.Output))
		c.put(t, BestPath(part.Output))
		part.ResumePath = filepath.Join(filepath.Dir(part.Output), filepath.Base(c.at))
		part.Resume, part.Watch = mustLoad(t, part.ResumePath), &watch{}
		m, err := Train(t.Context(), part)
		if c.want != "" {
			wantError(t, c.name, err, format.ErrExists, c.want)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if best, err := Load(BestPath(part.Output)); c.name != "none" && (err != nil || best.State.Epoch != m.History[0].BestEpoch) {
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
	set := faces(30, every, 7)
	text := rising + `, "stop": {"patience": 50}, "average": {"decay": 0.5}`
	o := options(t, one(t, linear, text), set)
	o.Options = []string{"hidden=8"}
	path := interrupt(t, o, 4*3+2)
	larger := faces(40, every, 7)
	values := faces(30, every, 7)
	values.Points[0]++
	values.Checksum = values.Sum()
	for _, c := range []struct {
		name     string
		settings map[string]string
		data     *dataset.Set
		refused  string
		allowed  string // the error where changes are allowed; "": none
		check    func(m *Model) bool
	}{
		{"nothing", nil, set, "", "", nil},
		{"the same again", map[string]string{"recipe.epochs": "8", "recipe.seed": "3", "hidden": "8", "recipe.stop.patience": "50"}, set, "", "", nil},
		{"fewer epochs", map[string]string{"recipe.epochs": "6"}, set, "", "", func(m *Model) bool { return len(m.History[0].TrainLoss) == 6 }},
		{"epochs and batch", map[string]string{"recipe.epochs": "9", "recipe.batch": "3"}, set, "recipe.batch: found 3, want 6: a training", "", func(m *Model) bool {
			return len(m.History[0].TrainLoss) == 9
		}},
		{"batch", map[string]string{"recipe.batch": "3"}, set, "recipe.batch: found 3, want 6", "", func(m *Model) bool { return len(m.History[0].TrainLoss) == 8 }},
		{"rate", map[string]string{"recipe.rate": "0.01"}, set, "recipe.rate.from: found none, want 0.02", "", func(m *Model) bool {
			return m.History[0].Rate[7] == 0.01 && slices.Contains(m.Provenance.Options, "recipe.rate=0.01 (from epoch 4 of net)")
		}},
		{"fewer epochs than done", map[string]string{"recipe.epochs": "3"}, set, "found 3 epochs, want at least 4", "found 3 epochs, want at least 4", nil},
		{"fewer examples than done", map[string]string{"recipe.examples": "60"}, set, "found 2 epochs, want at least 4", "found 2 epochs, want at least 4", nil},
		{"split seed", map[string]string{"recipe.split_seed": "4"}, set, "recipe.split_seed: found 4, want none", "rows that it has learned from would be held out", nil},
		{"subset", map[string]string{"recipe.subset.share": "0.5"}, set, "recipe.subset.share: found 0.5, want none", "it has learned from other rows already", nil},
		{"seed", map[string]string{"recipe.seed": "4"}, set, "recipe.seed: found 4, want 3", "rows that it has learned from would be held out", nil},
		{"loss", map[string]string{"recipe.loss.kind": "mae"}, set, `recipe.loss.kind: found "mae", want "mse"`, "would not compare", nil},
		{"optimizer", map[string]string{"recipe.optimizer": "adam"}, set, `recipe.optimizer.kind: found "adam", want "sgd"`, "is of no use to another", nil},
		{"average", map[string]string{"recipe.average": "null"}, set, "recipe.average.decay: found none, want 0.5", "--start-from begins", nil},
		{"network", map[string]string{"hidden": "9"}, set, "setting hidden: found 9", "setting hidden: found 9", nil},
		{"no such field", map[string]string{"recipe.rates": "1"}, set, "rates, which no recipe has", "rates, which no recipe has", nil},
		{"more rows", nil, larger, "found 40 rows, want 30", "", func(m *Model) bool {
			return m.Provenance.Data.Rows == 40 && slices.Equal(m.Provenance.StartData, []string{set.Checksum, unknownData}) && len(m.History[0].TrainLoss) == 8 && m.History[0].BestEpoch > 3
		}},
		{"other values", nil, values, "as many rows and columns, other values", "", nil},
		{"a column less", nil, withColumns(set, eyes), "found no column nose_tip_x, found no column nose_tip_y", "nose_tip_x", nil},
	} {
		for _, allowed := range []bool{false, true} {
			p := options(t, nil, c.data)
			p.Resume, p.Settings, p.AllowChanges = mustLoad(t, path), c.settings, allowed
			m, err := Train(t.Context(), p)
			want := c.refused
			if allowed {
				want = c.allowed
			}
			switch {
			case want != "":
				wantError(t, fmt.Sprint(c.name, ", allowed ", allowed), err, nil, want)
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
	set := faces(30, every, 7)
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
			planned := func(epochs int) TrainOptions {
				o := options(t, one(t, dropout, fmt.Sprintf(`"rate": %s, "epochs": %d, "batch": 6, "optimizer": {"kind": "adam"}`, c.rate, epochs)), set)
				o.Every = often
				return o
			}
			whole := mustTrain(t, planned(map[bool]int{true: 5, false: 9}[c.notes == nil]))
			for _, finished := range []bool{false, true} {
				o := planned(5)
				w := &watch{}
				if finished { // its best goes on
					mustTrain(t, o)
					o.ResumePath = BestPath(o.Output)
				} else {
					o.ResumePath = interrupt(t, o, 4*2+1)
				}
				o.Resume, o.Settings, o.Watch, o.Force = mustLoad(t, o.ResumePath), c.settings, w, true
				if found := o.Resume.State.Epoch; finished && found < 3 {
					t.Fatalf("found epoch %d the best, want a late one: the test tests little", found)
				}
				m := mustTrain(t, o)
				if !finished && !slices.Equal(w.notes[:min(len(c.notes), len(w.notes))], c.notes) {
					t.Errorf("found notes %q, want %q", w.notes, c.notes)
				}
				if len(m.History[0].TrainLoss) != len(whole.History[0].TrainLoss) {
					t.Errorf("found %d epochs, want %d", len(m.History[0].TrainLoss), len(whole.History[0].TrainLoss))
				}
				if c.name == "constant" {
					sameModel(t, "with more epochs", m, whole)
				}
				if rate := m.History[0].Rate; c.name == "linear" && !finished && (rate[1] != 0.03 || rate[3] != 0.04*5/8 || rate[8] != 0) {
					t.Errorf("found rates %v, want those of 5 epochs, and from epoch 3 on those of 9", rate)
				}
			}
		})
	}
	// Members that are done stay as they are.
	d := document(t, network{"eyes", eyes, linear, recipe(`"epochs": 2, "batch": 7`), ""}, network{"nose", nose, linear, recipe(`"epochs": 2, "batch": 7`), ""})
	o := options(t, d, set)
	o.ResumePath = interrupt(t, o, 2*4+1)
	w := &watch{}
	o.Resume, o.Settings, o.Watch = mustLoad(t, o.ResumePath), map[string]string{"recipe.epochs": "4"}, w
	m := mustTrain(t, o)
	if a, b := len(m.History[0].TrainLoss), len(m.History[1].TrainLoss); a != 2 || b != 4 || !slices.Equal(w.notes, []string{"nose: goes on to epoch 4; planned were 2"}) {
		t.Errorf("found %d and %d epochs, notes %q, want 2 and 4", a, b, w.notes)
	}
}

// A training that went on with a change, and was interrupted again, still finds its other checkpoint its own.
func TestOwnAfterChange(t *testing.T) {
	set := faces(30, every, 7)
	o := options(t, one(t, linear, rising), set)
	o.Every = often
	o.ResumePath = interrupt(t, o, 4*3+2)
	for k, more := range []map[string]string{{"recipe.epochs": "20"}, {"recipe.rate": "1e-9"}, nil} {
		o.Resume, o.Settings, o.AllowChanges, o.Watch = mustLoad(t, o.ResumePath), more, true, &watch{}
		if k < 2 {
			interrupt(t, o, 1) // NAME.best.fkz stays as it was before the change
			continue
		}
		if m := mustTrain(t, o); len(m.History[0].TrainLoss) != 20 {
			t.Errorf("found %d epochs, want 20", len(m.History[0].TrainLoss))
		}
	}
}

// killedUnderTest is set where the test binary trains until it is killed.
const killedUnderTest = "FKZOO_TEST_KILLED"

// killedMembers are what is trained.
func killedMembers(name string) []network {
	if name == "one" {
		return []network{{"net", every, dropout, recipe(rising + `, "optimizer": {"kind": "adam"}, "average": {"decay": 0.8}, "augment": {"mirror": {}, "noise": 0.05}`), ""}}
	}
	return []network{
		{"eyes", eyes, dropout, recipe(rising + `, "stop": {"patience": 2}`), ""},
		{"nose", nose, linear, recipe(`"rate": 0.01, "epochs": 8, "batch": 6, "optimizer": {"kind": "sgd", "momentum": 0.9}`), ""},
		{"all", every, linear, recipe(rising), ""},
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
	o := options(t, document(t, killedMembers(args[1])...), faces(30, every, 7))
	o.Backend = backendtest.Open(t, args[0])
	o.Output, o.Every = args[2], Every{Batches: 3}
	o.Watch = &watch{onBatch: func(n int) {
		fmt.Println("batch", n)
		time.Sleep(2 * time.Millisecond) // so that most is done while someone may kill it
	}}
	if args[3] != "" {
		o.Document, o.Resume, o.ResumePath = nil, mustLoad(t, args[3]), args[3]
	}
	mustTrain(t, o)
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
				o := options(t, document(t, killedMembers(members)...), faces(30, every, 7))
				o.Backend = b
				whole := mustTrain(t, o)
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
				sameModel(t, members, mustLoad(t, output), whole)
				if m, err := Load(BestPath(output)); err != nil || m.State.Epoch != whole.History[len(whole.History)-1].BestEpoch {
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
	for _, path := range []string{LastPath(output), BestPath(output)} {
		if m, err := Load(path); err == nil {
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
	w := &watch{}
	tr := &training{TrainOptions: TrainOptions{Watch: w}}
	m := numbered(t, 1)
	full, denied := errors.New("no space left"), errors.New("permission denied")
	for range 3 {
		tr.cannotKeep("m.last.fkz", full)
		tr.cannotKeep("m.best.fkz", full)
	}
	tr.cannotKeep("m.last.fkz", denied)
	tr.tellKept(m, "m.last.fkz", false)
	tr.tellKept(m, "m.last.fkz", false)
	tr.cannotKeep("m.last.fkz", full)
	tr.cannotKeep("m.best.fkz", full)
	want := []string{
		"no checkpoint: no space left; the training goes on", "no checkpoint: no space left; the training goes on",
		"no checkpoint: permission denied; the training goes on", "m.last.fkz: is kept again", "no checkpoint: no space left; the training goes on",
	}
	if !slices.Equal(w.notes, want) {
		t.Errorf("found %q, want %q", w.notes, want)
	}
}
