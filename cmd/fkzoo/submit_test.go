package main

import (
	"archive/zip"
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// writeFaces: faces FILE N writes a test.csv of so many grey images of 96x96.
func writeFaces(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	out, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, "ImageId,Image")
	r := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		fmt.Fprintf(w, "%d,%d", i+1, r.IntN(256))
		for range 96*96 - 1 {
			fmt.Fprintf(w, " %d", r.IntN(256))
		}
		fmt.Fprintln(w)
	}
	ts.Check(w.Flush())
	ts.Check(out.Close())
}

// leakFaces: leak TRAIN.csv TEST.csv ROW writes training data that has the image in
// a row of a test.csv, from 1, and another.
func leakFaces(ts *testscript.TestScript, neg bool, args []string) {
	row, err := strconv.Atoi(args[2])
	ts.Check(err)
	_, pixels, _ := strings.Cut(strings.Split(ts.ReadFile(args[1]), "\n")[row], ",")
	other := strings.Repeat("0 ", 48*96) + strings.TrimSpace(strings.Repeat("255 ", 48*96))
	text := "nose_tip_x,nose_tip_y,Image\n40,50," + pixels + "\n41,52," + other + "\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// checkSubmitted: submitted SUBMISSION.csv LOOKUP.csv POINTS.csv wants the table's
// rows in its order, with predict's points, put inside the image.
func checkSubmitted(ts *testscript.TestScript, neg bool, args []string) {
	if err := sameAsPredicted(ts.ReadFile(args[0]), ts.ReadFile(args[1]), ts.ReadFile(args[2])); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

func sameAsPredicted(submission, lookup, points string) error {
	predicted := map[string]string{} // by image and feature
	var names []string
	for i, row := range lines(points) {
		if i == 0 {
			names = row
			continue
		}
		for c, v := range row {
			predicted[row[0]+" "+names[c]] = v
		}
	}
	got, asked := lines(submission), lines(lookup)
	if len(got) != len(asked) {
		return fmt.Errorf("found %d lines, want %d", len(got), len(asked))
	}
	for i := 1; i < len(got); i++ {
		if got[i][0] != asked[i][0] {
			return fmt.Errorf("line %d: found row %s, want %s", i+1, got[i][0], asked[i][0])
		}
		want, err := strconv.ParseFloat(predicted[asked[i][1]+" "+asked[i][2]], 64)
		if err != nil {
			return fmt.Errorf("line %d: %v", i+1, err)
		}
		want = min(max(want, 0), 96)
		if v, err := strconv.ParseFloat(got[i][1], 64); err != nil || v-want > 1e-4 || want-v > 1e-4 {
			return fmt.Errorf("line %d: found %s, want %g", i+1, got[i][1], want)
		}
	}
	return nil
}

// The competition's own table asks for 27,124 values of 1,783 images; its images
// may not be passed on, so that those of another data set stand in for them.
func TestSubmitToRealTable(t *testing.T) {
	folder := os.Getenv("FKZOO_TESTDATA")
	if folder == "" {
		t.Skip("FKZOO_TESTDATA not set")
	}
	z, err := zip.OpenReader(filepath.Join(folder, "data/test.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	in, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	var pixels []string
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		_, image, _ := strings.Cut(scan.Text(), ",")
		pixels = append(pixels, image)
	}
	if err := scan.Err(); err != nil || len(pixels) != 771 {
		t.Fatalf("found %d lines and error %v, want 771", len(pixels), err)
	}
	var text strings.Builder
	text.WriteString("ImageId,Image\n")
	for i := range 1783 {
		fmt.Fprintf(&text, "%d,%s\n", i+1, pixels[1+i%770])
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "test.csv"), []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	lookup := filepath.Join(folder, "kaggle/IdLookupTable.csv")
	for _, args := range [][]string{
		{"train", "net1", "--data", "demo:50", "--epochs", "1", "--set", "hidden=8", "-o", "m.fkz"},
		{"submit", "m.fkz", "--test", "test.csv", "--lookup", lookup, "-o", "s.csv"},
		{"submission", "check", "s.csv", "--lookup", lookup},
		{"predict", "m.fkz", "test.csv", "-o", "points.csv"},
	} {
		cmd := exec.Command(filepath.Join(binDir, "fkzoo"), args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=", "XDG_DATA_HOME=", "FKZOO_BACKEND=go")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("fkzoo %s: %v\n%s", args[0], err, out)
		}
	}
	var files []string
	for _, path := range []string{filepath.Join(dir, "s.csv"), lookup, filepath.Join(dir, "points.csv")} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, string(b))
	}
	if err := sameAsPredicted(files[0], files[1], files[2]); err != nil {
		t.Error(err)
	}
	if n := strings.Count(files[0], "\n"); n != 27125 {
		t.Errorf("found %d lines, want 27125", n)
	}
}
