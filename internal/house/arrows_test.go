package house

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// A room has one verb. Its packages lie in the folder of its name.
type room struct {
	name     string
	packages []row
}

// A row says which of the module's packages one may import, tests left out. Behind a folder, /... stands for all that
// lies in it, too.
type row struct{ folder, imports string }

// rooms are all there are, the lower ones first: arrows go up this list, so that no two rooms depend on each other. An
// arrow that nothing needs fails, and so does a package without a row. docs/layout.md draws the picture.
var rooms = []room{
	{"internal", []row{
		{"internal/bench", ""},
		{"internal/cputime", ""},
		{"internal/crc32", ""},
		{"internal/ctxio", ""},
		{"internal/gate", ""},
		{"internal/house", ""},
		{"internal/hugepage", ""},
		{"internal/parallel", ""},
		{"internal/peakmemory", ""},
		{"internal/plainfile", ""},
		{"internal/machine", ""},
		{"internal/regions", ""},
		{"internal/pyenv", ""},
		{"internal/tensorboard", ""},
		{"internal/userdir", ""},
		{"internal/weights", ""},
		{"internal/atomicfile", "internal/plainfile"},
	}},
	{"specs", []row{
		{"specs/protocol/internal/generate", ""},
		{"specs/protocol/wire", ""},
		{"specs/readers/python", ""},
		{"specs/record", ""},
		{"specs/blueprint", "specs/record"},
		{"specs/blueprint/internal/generate", "specs/blueprint"},
		{"specs/protocol", "specs/blueprint specs/protocol/wire"},
	}},
	{"format", []row{
		{"format/fault", ""},
		{"format/legacy/ndarray", ""},
		{"format/legacy/pickle", ""},
		{"format/legacy/python", "format/legacy/ndarray format/legacy/pickle"},
		{"format/scan", "format/fault"},
		{"format/tensor", "format/fault"},
		{"format/legacy/lasagne", "format/legacy/ndarray format/legacy/pickle format/legacy/python"},
		{"format/npy", "format/fault format/tensor"},
		{"format/onnx", "format/tensor"},
		{"format/safetensors", "format/fault format/tensor"},
		{"format/value", "format/fault format/scan"},
		{"format/header", "format/fault format/scan format/tensor format/value"},
		{"format/legacy", "format/legacy/lasagne format/legacy/ndarray format/legacy/pickle format/legacy/python"},
		{"format/sign", "format/fault format/header format/value internal/atomicfile internal/plainfile"},
		{"format", "format/fault format/header format/scan format/sign format/tensor format/value " +
			"internal/atomicfile internal/crc32 internal/hugepage internal/plainfile"},
		{"format/diff", "format format/fault format/tensor specs/record"},
	}},
	{"host", []row{
		{"host/fault", ""},
		{"host/file", "host/fault internal/atomicfile internal/plainfile specs/protocol"},
		{"host/cache", "host/fault host/file"},
		{"host/process", "host/fault host/file specs/blueprint specs/protocol specs/protocol/wire"},
		{"host/trust", "host/fault host/file specs/protocol"},
		{"host", "host/cache host/fault host/file host/process host/trust internal/userdir specs/blueprint " +
			"specs/protocol"},
	}},
	{"host/engine", []row{
		{"host/engine/augment", ""},
		{"host/engine/backend/quiet", ""},
		{"host/engine/device", "specs/blueprint"},
		{"host/engine/enginetest", "specs/blueprint"},
		{"host/engine/gomlx/kernel", ""},
		{"host/engine/gomlx/random", ""},
		{"host/engine/backend/wheel", "internal/ctxio internal/plainfile"},
		{"host/engine/backend", "" +
			"host/engine/backend/quiet host/engine/backend/wheel host/engine/native/kernel internal/atomicfile " +
			"internal/ctxio internal/plainfile internal/userdir"},
		{"host/engine/backend/backendtest", "host/engine/backend"},
		{"host/engine/gomlx/formula", "host/engine/device specs/blueprint"},
		{"host/engine/gomlx", "" +
			"host/engine/device host/engine/gomlx/formula host/engine/gomlx/kernel host/engine/gomlx/random specs/blueprint"},
		{"host/engine/gomlx/gomlxtest", "host/engine/backend host/engine/backend/backendtest host/engine/gomlx/kernel"},
		{"host/engine/native/internal/asmgen", "internal/atomicfile"},
		{"host/engine/native/internal/guard", ""},
		{"host/engine/native/internal/pytorch", ""},
		{"host/engine/native/kernel", ""},
		{"host/engine/native/work", ""},
		{"host/engine/native/peak", "host/engine/native/kernel host/engine/native/work"},
		{"host/engine/native/conv/winograd", "host/engine/native/kernel host/engine/native/work"},
		{"host/engine/native/conv", "host/engine/native/conv/winograd host/engine/native/kernel host/engine/native/work"},
		{"host/engine/native/dense", "host/engine/native/kernel host/engine/native/work"},
		{"host/engine/native/layer", "host/engine/native/dense host/engine/native/kernel host/engine/native/work"},
		{"host/engine/native/program", "host/engine/native/work"},
		{"host/engine/native/update", "host/engine/native/kernel host/engine/native/layer host/engine/native/work"},
		{"host/engine/native", "" +
			"host/engine/device host/engine/native/conv host/engine/native/dense host/engine/native/kernel " +
			"host/engine/native/layer host/engine/native/program host/engine/native/update host/engine/native/work " +
			"internal/machine specs/blueprint"},
		{"host/engine", "" +
			"host/engine/augment host/engine/backend host/engine/device host/engine/gomlx host/engine/native " +
			"host/engine/native/kernel host/engine/native/peak specs/blueprint"},
	}},
	{"plugins", []row{
		{"plugins", "specs/blueprint specs/protocol specs/protocol/wire"},
		{"plugins/...", "plugins plugins/report specs/blueprint"},
	}},
	{"zoo/request", []row{{"zoo/request", ""}}},
	{"zoo/draw", []row{
		{"zoo/draw/look", ""},
		{"zoo/draw/chart", "internal/atomicfile zoo/draw/look"},
		{"zoo/draw", "internal/atomicfile zoo/draw/look"},
	}},
	{"zoo/dataset", []row{
		{"zoo/dataset", "internal/atomicfile internal/parallel specs/blueprint"},
		{"zoo/dataset/input", "internal/ctxio zoo/dataset"},
		{"zoo/dataset/mirror", "specs/blueprint zoo/dataset"},
		{"zoo/dataset/demo/num", ""},
		{"zoo/dataset/demo/film", "zoo/dataset/demo/num"},
		{"zoo/dataset/demo/person", "zoo/dataset/demo/film zoo/dataset/demo/num"},
		{"zoo/dataset/demo", "zoo/dataset zoo/dataset/demo/film zoo/dataset/demo/num zoo/dataset/demo/person zoo/dataset/input"},
		{"zoo/dataset/twins", "zoo/dataset"},
		{"zoo/dataset/twins/twinstest", "zoo/dataset zoo/dataset/demo"},
		{"zoo/dataset/check", "specs/blueprint zoo/dataset zoo/dataset/mirror zoo/dataset/twins"},
		{"zoo/dataset/picture", "internal/parallel zoo/dataset zoo/dataset/input"},
		{"zoo/dataset/table", "format/fault format/npy format/tensor zoo/dataset zoo/dataset/input"},
		{"zoo/dataset/album", "specs/blueprint zoo/dataset zoo/dataset/input zoo/dataset/picture"},
		{"zoo/dataset/source", "zoo/dataset zoo/dataset/album zoo/dataset/demo zoo/dataset/input zoo/dataset/picture " +
			"zoo/dataset/table"},
	}},
	{"zoo/model", []row{
		{"zoo/model/ready", ""},
		{"zoo/model", "format host/engine specs/blueprint specs/record zoo/dataset zoo/model/ready zoo/request"},
	}},
	{"zoo/internal", []row{
		{"zoo/internal/zootest", "" +
			"host/engine host/engine/backend host/engine/backend/backendtest specs/blueprint zoo/dataset " +
			"zoo/model"},
	}},
	{"zoo/bench", []row{{"zoo/bench", "host/engine host/engine/backend internal/peakmemory specs/blueprint zoo/request"}}},
	{"zoo/answer", []row{
		{"zoo/answer", "host/engine host/engine/backend internal/gate internal/weights specs/blueprint zoo/dataset zoo/model zoo/request"},
		{"zoo/answer/answertest", "zoo/answer zoo/dataset zoo/internal/zootest zoo/model"},
	}},
	{"zoo/photo", []row{
		{"zoo/photo/files", "zoo/dataset/demo zoo/dataset/input zoo/dataset/picture zoo/request"},
		{"zoo/photo/film", "internal/atomicfile"},
		{"zoo/photo", "host/engine host/engine/backend internal/gate specs/blueprint zoo/answer zoo/dataset zoo/model"},
	}},
	{"zoo/measure", []row{{"zoo/measure", "host/engine specs/blueprint zoo/answer zoo/dataset zoo/model"}}},
	{"zoo/train", []row{
		{"zoo/train/recipe", "specs/blueprint specs/record zoo/dataset zoo/dataset/mirror zoo/request"},
		{"zoo/train/calibration", "host/engine/backend specs/blueprint zoo/answer zoo/dataset zoo/model"},
		{"zoo/train", "host host/engine host/engine/backend internal/atomicfile internal/cputime specs/blueprint " +
			"specs/record zoo/answer zoo/dataset zoo/measure zoo/model zoo/request zoo/train/calibration zoo/train/recipe"},
		{"zoo/train/trainlog", "" +
			"internal/atomicfile internal/plainfile internal/tensorboard specs/blueprint zoo/model zoo/train"},
		{"zoo/train/traintest", "host/engine specs/blueprint zoo/dataset zoo/internal/zootest zoo/model zoo/train"},
	}},
	{"zoo/figure", []row{
		{"zoo/figure", "" +
			"internal/plainfile specs/blueprint zoo/answer zoo/dataset zoo/dataset/check zoo/draw " +
			"zoo/draw/chart zoo/measure zoo/model zoo/train"},
	}},
	{"zoo/kaggle", []row{
		{"zoo/kaggle/submission", "internal/atomicfile internal/plainfile internal/weights"},
		{"zoo/kaggle", "" +
			"specs/blueprint zoo/answer zoo/dataset zoo/dataset/twins zoo/kaggle/submission zoo/measure " +
			"zoo/model"},
	}},
	{"zoo/export", []row{
		{"zoo/export", "format/npy format/onnx format/safetensors format/tensor host/engine internal/atomicfile " +
			"specs/blueprint zoo/answer zoo/model"},
	}},
	{"zoo/convert", []row{
		{"zoo/convert/fit", "format/legacy format/legacy/lasagne specs/blueprint"},
		{"zoo/convert/receipt", "zoo/model"},
		{"zoo/convert/layers", "" +
			"format/legacy/lasagne format/legacy/ndarray host/engine specs/blueprint zoo/convert/receipt " +
			"zoo/model"},
		{"zoo/convert/recipe", "format/legacy specs/blueprint zoo/convert/receipt zoo/model"},
		{"zoo/convert", "format/legacy format/legacy/lasagne format/legacy/ndarray format/legacy/pickle format/npy " +
			"format/safetensors format/tensor host host/engine specs/blueprint zoo/convert/fit " +
			"zoo/convert/layers zoo/convert/receipt zoo/convert/recipe zoo/export zoo/model"},
	}},
	{"zoo/internal/opened", []row{{"zoo/internal/opened", "host host/engine/backend internal/gate zoo/answer zoo/model"}}},
	{"zoo", []row{
		{"zoo", "host host/engine/backend specs/blueprint zoo/answer zoo/bench zoo/dataset zoo/dataset/picture zoo/dataset/source zoo/internal/opened zoo/measure zoo/model zoo/model/ready zoo/photo zoo/photo/files zoo/photo/film zoo/request zoo/train zoo/train/recipe"},
	}},
	{"internal/results", []row{{"internal/results", "host/engine/backend internal/atomicfile internal/machine internal/regions specs/blueprint zoo/..."}}},
	{"internal/faces", []row{{"internal/faces", "internal/atomicfile internal/regions specs/blueprint zoo/..."}}},
	{"internal/peers", []row{
		{"internal/peers", "" +
			"format/npy format/tensor host/engine host/engine/backend internal/atomicfile internal/cputime internal/machine internal/peakmemory internal/pyenv " +
			"internal/regions specs/blueprint zoo zoo/export zoo/model"},
	}},
	{"cmd", []row{
		{"cmd/fkzoo/internal/terminal", ""},
		{"cmd/fkzoo/internal/command", "cmd/fkzoo/internal/terminal format host host/engine host/engine/backend internal/atomicfile internal/machine zoo zoo/convert zoo/dataset zoo/dataset/demo zoo/dataset/source zoo/draw/chart zoo/model/ready zoo/request zoo/train"},
		{"cmd/fkzoo/internal/contest", "cmd/fkzoo/internal/command internal/weights zoo/kaggle/submission"},
		{"cmd/fkzoo/internal/damage", "format"},
		{"cmd/fkzoo/internal/receipt", "cmd/fkzoo/internal/terminal format/legacy zoo/model"},
		{"cmd/fkzoo/internal/signature", "format"},
		{"cmd/fkzoo/internal/average", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/contest cmd/fkzoo/internal/terminal zoo/kaggle " +
			"zoo/kaggle/submission"},
		{"cmd/fkzoo/internal/bench", "cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal host/engine/backend zoo zoo/bench"},
		{"cmd/fkzoo/internal/backend", "cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal host/engine/backend"},
		{"cmd/fkzoo/internal/convert", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/receipt cmd/fkzoo/internal/terminal " +
			"internal/plainfile zoo/convert"},
		{"cmd/fkzoo/internal/data/check", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal zoo zoo/answer zoo/dataset " +
			"zoo/dataset/check zoo/dataset/mirror zoo/figure zoo/measure zoo/model"},
		{"cmd/fkzoo/internal/data/export", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal internal/atomicfile specs/blueprint zoo zoo/dataset " +
			"zoo/dataset/demo zoo/photo"},
		{"cmd/fkzoo/internal/data", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/data/check cmd/fkzoo/internal/data/export " +
			"cmd/fkzoo/internal/terminal"},
		{"cmd/fkzoo/internal/diff", "cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal format format/diff zoo/model"},
		{"cmd/fkzoo/internal/estimate", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/contest cmd/fkzoo/internal/terminal zoo/kaggle " +
			"zoo/kaggle/submission zoo/model"},
		{"cmd/fkzoo/internal/evaluate", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal zoo zoo/dataset zoo/figure zoo/measure " +
			"zoo/model"},
		{"cmd/fkzoo/internal/export", "cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal zoo/export zoo/model"},
		{"cmd/fkzoo/internal/info", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/receipt cmd/fkzoo/internal/signature " +
			"cmd/fkzoo/internal/terminal host specs/blueprint zoo zoo/model"},
		{"cmd/fkzoo/internal/list", "cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal host"},
		{"cmd/fkzoo/internal/merge", "cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal zoo/model"},
		{"cmd/fkzoo/internal/plot", "cmd/fkzoo/internal/command zoo/figure"},
		{"cmd/fkzoo/internal/plugin", "cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal"},
		{"cmd/fkzoo/internal/predict", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal internal/atomicfile zoo zoo/answer " +
			"zoo/dataset zoo/draw zoo/figure zoo/photo zoo/photo/files zoo/photo/film"},
		{"cmd/fkzoo/internal/results", "cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal zoo/measure zoo/model"},
		{"cmd/fkzoo/internal/salvage", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/damage cmd/fkzoo/internal/terminal format"},
		{"cmd/fkzoo/internal/score", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/contest cmd/fkzoo/internal/terminal " +
			"zoo/kaggle/submission"},
		{"cmd/fkzoo/internal/sign", "cmd/fkzoo/internal/command cmd/fkzoo/internal/signature format format/sign zoo/model"},
		{"cmd/fkzoo/internal/submission", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/contest cmd/fkzoo/internal/terminal " +
			"zoo/kaggle/submission"},
		{"cmd/fkzoo/internal/submit", "cmd/fkzoo/internal/command cmd/fkzoo/internal/contest cmd/fkzoo/internal/terminal internal/weights zoo/answer zoo/dataset zoo/kaggle zoo/kaggle/submission zoo/model"},
		{"cmd/fkzoo/internal/train", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/terminal specs/blueprint zoo zoo/figure zoo/model zoo/request " +
			"zoo/train zoo/train/trainlog"},
		{"cmd/fkzoo/internal/verify", "" +
			"cmd/fkzoo/internal/command cmd/fkzoo/internal/damage cmd/fkzoo/internal/signature " +
			"cmd/fkzoo/internal/terminal format format/sign zoo/model"},
		{"cmd/fkzoo", "cmd/fkzoo/internal/..."},
	}},
}

// covers tells whether a pattern of the table means a folder.
func covers(pattern, folder string) bool {
	all, many := strings.CutSuffix(pattern, "/...")
	return folder == all || many && strings.HasPrefix(folder, all+"/")
}

// place is a folder's row: the one of its name, or else one that covers it; nil: none.
func place(folder string) (found *row) {
	for n := range rooms {
		for i := range rooms[n].packages {
			p := &rooms[n].packages[i]
			if p.folder == folder {
				return p
			}
			if found == nil && covers(p.folder, folder) {
				found = p
			}
		}
	}
	return found
}

// forTests tells whether a package is there for tests alone: by a name as that of net/http/httptest.
func forTests(folder string) bool {
	of, ok := strings.CutSuffix(path.Base(folder), "test")
	return ok && slices.Contains(strings.Split(path.Dir(folder), "/"), of)
}

// Every package imports what its row says, and nothing else.
func TestArrows(t *testing.T) {
	used := map[string]bool{} // rows, and rows with an arrow
	for _, s := range sources(t) {
		from := place(s.folder)
		if from == nil {
			t.Errorf("%s: found no row for %s in internal/house/arrows_test.go, want one", s.path, s.folder)
			continue
		}
		used[from.folder] = true
		for _, i := range s.file.Imports {
			target, ours := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), module)
			if !ours || s.test { // tests may look over their own wall: into plugins, for a toy one
				continue
			}
			if forTests(target) && !forTests(s.folder) {
				t.Errorf("%s: imports %s, which is for tests", s.path, target)
			}
			allowed := false
			for _, arrow := range strings.Fields(from.imports) {
				if covers(arrow, target) {
					allowed = true
					used[from.folder+" "+arrow] = true
				}
			}
			if !allowed {
				t.Errorf("%s: imports %s, but %s may import only %q", s.path, target, from.folder, from.imports)
			}
		}
	}
	for _, r := range rooms {
		for _, p := range r.packages {
			if !used[p.folder] {
				t.Errorf("room %s: found a row for %s, which has no Go files: take it out", r.name, p.folder)
			}
			for _, arrow := range strings.Fields(p.imports) {
				if !used[p.folder+" "+arrow] {
					t.Errorf("room %s: %s needs no arrow to %s any more: take it out", r.name, p.folder, arrow)
				}
			}
		}
	}
}

// The table itself keeps the order.
func TestArrowsGoOneWay(t *testing.T) {
	for _, c := range []struct {
		rooms []room
		fault string
	}{
		{rooms, ""},
		{[]room{{"a", []row{{"a", "a/x b"}, {"a/x", ""}}}, {"b", []row{{"b", ""}}}}, "a: an arrow to b, which lies below it in the table"},
		{[]room{{"a", []row{{"a/...", "c/..."}}}, {"b", []row{{"b", "a"}}}, {"c", []row{{"c", "a"}}}}, "a/...: an arrow to c, which lies below it in the table"},
		{[]room{{"a", []row{{"a", "b"}}}}, "a: an arrow to b, which has no row"},
		{[]room{{"a", []row{{"b", ""}}}}, "b: a row in room a"},
		{[]room{{"a", []row{{"a", ""}, {"a", ""}}}}, "a: two rows"},
	} {
		if found := faultOf(c.rooms); found != c.fault {
			t.Errorf("found the fault %q, want %q", found, c.fault)
		}
	}
}

// faultOf says what is wrong with a table: rows that lie in another room, arrows to none or to a room below; "": nothing.
func faultOf(table []room) string {
	seen := map[string]bool{}
	for n, r := range table {
		for _, p := range r.packages {
			if !covers(r.name+"/...", strings.TrimSuffix(p.folder, "/...")) {
				return p.folder + ": a row in room " + r.name
			}
			if seen[p.folder] {
				return p.folder + ": two rows"
			}
			seen[p.folder] = true
			for _, arrow := range strings.Fields(p.imports) {
				known := false
				for m, other := range table {
					for _, target := range other.packages {
						switch hit := covers(arrow, strings.TrimSuffix(target.folder, "/...")) || covers(target.folder, arrow); {
						case hit && m > n:
							return p.folder + ": an arrow to " + target.folder + ", which lies below it in the table"
						case hit:
							known = true
						}
					}
				}
				if !known {
					return p.folder + ": an arrow to " + arrow + ", which has no row"
				}
			}
		}
	}
	return ""
}
