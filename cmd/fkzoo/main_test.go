package main

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fkzoo/fkzoo/zoo/export"
)

// binDir holds the real programs, built as `make` builds them: fkzoo with the
// plugins' checksums linked in.
var binDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "fkzoo-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binDir = dir
		if err := buildAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

func buildAll(dir string) error {
	mains, err := filepath.Glob("../../plugins/*/main.go")
	if err != nil || len(mains) == 0 {
		return fmt.Errorf("plugins: found none: %v", err)
	}
	var sums []string
	for _, path := range mains {
		name := filepath.Base(filepath.Dir(path))
		file := filepath.Join(dir, "fkzoo-plugin-"+name)
		if err := goBuild(file, "./"+filepath.Dir(path)); err != nil {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		sums = append(sums, fmt.Sprintf("%s=%x", name, sha256.Sum256(data)))
	}
	if err := goBuild(filepath.Join(dir, "crash", "fkzoo-plugin-crash"), "./testdata/crash"); err != nil {
		return err
	}
	return goBuild(filepath.Join(dir, "fkzoo"), ".", "-ldflags", "-X github.com/fkzoo/fkzoo/host.shipped="+strings.Join(sums, ",")+" -X main.version=v0.0.0-test")
}

func goBuild(output, dir string, flags ...string) error {
	args := append(append([]string{"build", "-o", output}, flags...), dir)
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// TestScripts runs the scripts of testdata/script against the real binary. Each
// has a home folder of its own; networks run on the Go backend.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("testdata/script: found no script: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			if err := os.MkdirAll(home, 0o755); err != nil {
				return err
			}
			for _, v := range [][2]string{
				{"HOME", home}, {"XDG_CACHE_HOME", ""}, {"XDG_CONFIG_HOME", ""}, {"XDG_DATA_HOME", ""},
				{"FKZOO_BACKEND", "go"}, {"BIN", binDir}, {"DATA", os.Getenv("FKZOO_TESTDATA")},
			} {
				env.Setenv(v[0], v[1])
			}
			env.Setenv("PATH", binDir+string(os.PathListSeparator)+env.Getenv("PATH"))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "data" { // the real data is at hand
				return os.Getenv("FKZOO_TESTDATA") != "", nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":      exitCode,
			"json":      checkJSON,
			"interrupt": interrupt,
			"sameRMSE":  sameRMSE,
			"flip":      flipByte,
			"truth":     writeTruth,
			"csv":       checkCSV,
			"picture":   writePicture,
			"scaled":    checkScaled,
			"faces":     writeFaces,
			"leak":      leakFaces,
			"submitted": checkSubmitted,
		},
	})
}

// TestRealData is passed over where the real data isn't at hand, so that it is
// noticed: the script data.txtar then is too.
func TestRealData(t *testing.T) {
	folder := os.Getenv("FKZOO_TESTDATA")
	if folder == "" {
		t.Skip("FKZOO_TESTDATA not set")
	}
	for _, name := range []string{"data/training.zip", "data/test.zip", "legacy/probe-images.npy"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
}

// exitCode: code N CMD ARGS... wants the exit code N.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N CMD ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	found := 0
	if exit, ok := err.(*exec.ExitError); ok {
		found = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if found != want {
		ts.Fatalf("found exit code %d, want %d", found, want)
	}
}

// checkJSON: json FILE PATH PATTERN looks a value up in a JSON file, as in
// 0.name, and compares its text with a regular expression.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH PATTERN")
	}
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	for _, key := range strings.Split(args[1], ".") {
		switch x := v.(type) {
		case map[string]any:
			found, ok := x[key]
			if !ok {
				ts.Fatalf("%s: no field %q", args[1], key)
			}
			v = found
		case []any:
			if key == "len" {
				v = float64(len(x))
				continue
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(x) {
				ts.Fatalf("%s: found %d elements, want number %s", args[1], len(x), key)
			}
			v = x[i]
		default:
			ts.Fatalf("%s: %q is not an object or a list", args[1], key)
		}
	}
	text := fmt.Sprint(v)
	if f, ok := v.(float64); ok {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	ok, err := regexp.MatchString("^(?:"+args[2]+")$", text)
	ts.Check(err)
	if ok == neg {
		ts.Fatalf("%s: found %s, want %s", args[1], text, args[2])
	}
}

// interrupt: interrupt PATTERN CMD ARGS... starts a command, sends it SIGINT
// once its output matches, and wants it to fail.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: interrupt PATTERN CMD ARGS...")
	}
	pattern := regexp.MustCompile(args[0])
	out, err := os.Create(ts.MkAbs("interrupted.out"))
	ts.Check(err)
	defer out.Close()
	cmd := exec.Command(filepath.Join(binDir, args[1]), args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "FKZOO_BACKEND=go", "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=", "XDG_DATA_HOME=")
	cmd.Stdout, cmd.Stderr = out, out
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		text := ts.ReadFile("interrupted.out")
		if pattern.MatchString(text) {
			break
		}
		select {
		case err := <-ended:
			ts.Fatalf("ended before its output matched %s: %v\n%s", pattern, err, text)
		case <-time.After(5 * time.Millisecond):
		}
	}
	ts.Check(cmd.Process.Signal(os.Interrupt))
	if err := <-ended; cmd.ProcessState.ExitCode() != exitFailure {
		ts.Fatalf("found %v, want exit code %d\n%s", err, exitFailure, ts.ReadFile("interrupted.out"))
	}
}

// flipByte: flip FILE flips a bit in the middle of a file.
func flipByte(ts *testscript.TestScript, neg bool, args []string) {
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	data[len(data)/2] ^= 1
	ts.Check(os.WriteFile(path, data, 0o644))
}

// sameRMSE: sameRMSE EVALUATION.json TRUTH.csv PREDICTED.csv computes the RMSE
// in float64 from two CSV files, and compares it with evaluate's.
func sameRMSE(ts *testscript.TestScript, neg bool, args []string) {
	var e struct {
		RMSE float64 `json:"rmse_pixels"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &e))
	truth, predicted := lines(ts.ReadFile(args[1])), lines(ts.ReadFile(args[2]))
	if len(truth) != len(predicted) {
		ts.Fatalf("found %d and %d lines, want the same", len(truth), len(predicted))
	}
	at := map[string]int{}
	for i, name := range predicted[0] {
		at[name] = i
	}
	var sum float64
	n := 0
	for r := 1; r < len(truth); r++ {
		for c, name := range truth[0] {
			if name == "Image" || truth[r][c] == "" {
				continue
			}
			a, err := strconv.ParseFloat(truth[r][c], 64)
			ts.Check(err)
			b, err := strconv.ParseFloat(predicted[r][at[name]], 64)
			ts.Check(err)
			sum += (a - b) * (a - b)
			n++
		}
	}
	if found := math.Sqrt(sum / float64(n)); math.Abs(found-e.RMSE) > 1e-5*found {
		ts.Fatalf("found %g from the predictions, want evaluate's %g", found, e.RMSE)
	}
}

func lines(text string) [][]string {
	var out [][]string
	for line := range strings.Lines(text) {
		out = append(out, strings.Split(strings.TrimRight(line, "\r\n"), ","))
	}
	return out
}

// writeTruth: truth ZIP OUT.csv writes the zip's first file without its last
// column, which must be Image.
func writeTruth(ts *testscript.TestScript, neg bool, args []string) {
	z, err := zip.OpenReader(args[0])
	ts.Check(err)
	defer z.Close()
	in, err := z.File[0].Open()
	ts.Check(err)
	defer in.Close()
	out, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	defer out.Close()
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, 1<<20)
	for first := true; scan.Scan(); first = false {
		line := scan.Text()
		at := strings.LastIndexByte(line, ',')
		if first && line[at+1:] != "Image" {
			ts.Fatalf("found %q as the last column, want Image", line[at+1:])
		}
		_, err := fmt.Fprintln(out, line[:at])
		ts.Check(err)
	}
	ts.Check(scan.Err())
}

// checkCSV: csv FILE ROWS COLUMNS wants a table of so many rows below its
// header, with a number in every column but the first.
func checkCSV(ts *testscript.TestScript, neg bool, args []string) {
	table := lines(ts.ReadFile(args[0]))
	if found := fmt.Sprint(len(table) - 1); found != args[1] {
		ts.Fatalf("%s: found %s rows, want %s", args[0], found, args[1])
	}
	for i, row := range table {
		if found := fmt.Sprint(len(row)); found != args[2] {
			ts.Fatalf("%s line %d: found %s columns, want %s", args[0], i+1, found, args[2])
		}
		for _, cell := range row[1:] {
			if _, err := strconv.ParseFloat(cell, 64); (err == nil) == (i == 0) {
				ts.Fatalf("%s line %d: found %q", args[0], i+1, cell)
			}
		}
	}
}

// writePicture: picture FILE WIDTH HEIGHT writes a picture of one grey.
func writePicture(ts *testscript.TestScript, neg bool, args []string) {
	w, err := strconv.Atoi(args[1])
	ts.Check(err)
	h, err := strconv.Atoi(args[2])
	ts.Check(err)
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = 128
	}
	out, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer out.Close()
	if filepath.Ext(args[0]) == ".png" {
		ts.Check(png.Encode(out, m))
	} else {
		ts.Check(jpeg.Encode(out, m, nil))
	}
}

// checkScaled: scaled FILE.csv A B X Y wants row B's coordinates to be row A's
// times X and Y.
func checkScaled(ts *testscript.TestScript, neg bool, args []string) {
	table := lines(ts.ReadFile(args[0]))
	row := func(name string) []string {
		for _, r := range table {
			if r[0] == name {
				return r
			}
		}
		ts.Fatalf("%s: found no row %s", args[0], name)
		return nil
	}
	a, b := row(args[1]), row(args[2])
	for c, name := range table[0] {
		if c == 0 {
			continue
		}
		factor := args[3]
		if strings.HasSuffix(name, "_y") {
			factor = args[4]
		}
		var v [3]float64
		for i, text := range []string{a[c], b[c], factor} {
			var err error
			v[i], err = strconv.ParseFloat(text, 64)
			ts.Check(err)
		}
		if math.Abs(v[0]*v[2]-v[1]) > 1e-4*math.Abs(v[1])+1e-6 {
			ts.Fatalf("%s: found %g in %s and %g in %s, want it times %s", name, v[0], args[1], v[1], args[2], factor)
		}
	}
}

// The script export.txtar writes each format, and converts those that give the model back.
func TestExportScript(t *testing.T) {
	text, err := os.ReadFile("testdata/script/export.txtar")
	if err != nil {
		t.Fatal(err)
	}
	script := strings.ToLower(string(text))
	for _, f := range export.Formats {
		file := "a" + f.Extensions[0]
		if !strings.Contains(script, "exec fkzoo export a.fkz -o "+file) {
			t.Errorf("found no export to %s, want one", file)
		}
		if f.Returns && !strings.Contains(script, "exec fkzoo convert "+file) {
			t.Errorf("found no conversion of %s, want one", file)
		}
	}
}
