package model_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// savingUnderTest is set where the test binary keeps checkpoints until it is killed.
const savingUnderTest = "FKZOO_TEST_SAVING"

// TestBeKilledSaving is the program that TestKilledSaving kills: it writes one
// checkpoint over the other, the number of each in its history and in all of its
// weights, and says before and after each which it is.
func TestBeKilledSaving(t *testing.T) {
	path := os.Getenv(savingUnderTest)
	if path == "" {
		t.Skip("is started by TestKilledSaving alone")
	}
	for n := 1; ; n++ {
		fmt.Println("saving", n)
		m := zootest.Numbered(t, n)
		if err := m.Save(path, true); err != nil {
			t.Fatal(err)
		}
		fmt.Println("saved", n)
	}
}

// A checkpoint that is being written when the process is killed is the old one or
// the new one, whole.
func TestKilledSaving(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	if runtime.GOOS == "windows" {
		t.Skip("there a file may still be open for a moment after its process has ended")
	}
	path := filepath.Join(t.TempDir(), "m.last.fkz")
	random := rand.New(rand.NewPCG(1, 2))
	saves, during, before := 0, 0, 0
	for range 60 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestBeKilledSaving$", "-test.v")
		cmd.Env = append(os.Environ(), savingUnderTest+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		begun, done := 0, 0
		lines := bufio.NewScanner(out)
		said := func() bool {
			more := lines.Scan()
			if number, ok := strings.CutPrefix(lines.Text(), "saving "); ok && more {
				begun, _ = strconv.Atoi(number)
			}
			if number, ok := strings.CutPrefix(lines.Text(), "saved "); ok && more {
				done, _ = strconv.Atoi(number)
			}
			return more
		}
		for last := 2 + random.IntN(20); begun < last && said(); {
		}
		time.Sleep(time.Duration(random.IntN(1500)) * time.Microsecond)
		_ = cmd.Process.Kill()
		for said() {
		}
		if err := cmd.Wait(); err != nil && cmd.ProcessState.Exited() {
			t.Fatalf("it ended by itself: %v", err)
		}
		m, err := model.Load(path)
		if err != nil {
			t.Fatalf("killed in save %d, after %d were done: %v", begun, done, err)
		}
		n := m.State.Epoch
		if n != done && n != begun || begun-done > 1 || m.Digest != digestOf(t, zootest.Numbered(t, n)) {
			t.Fatalf("killed in save %d, after %d were done: found number %d with digest %s", begun, done, n, m.Digest)
		}
		saves += begun
		if begun > done {
			during++
			if n == done {
				before++
			}
		}
	}
	t.Logf("%d saves; killed %d times during one, which was not there yet %d times", saves, during, before)
	if saves < 200 || during < 10 {
		t.Errorf("found %d saves, killed %d times during one, want more: the test tests little", saves, during)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > during {
		t.Errorf("found %d files left, want at most one of each save that was cut short", len(left))
	}
}

// digestOf is what the model's file has.
func digestOf(t *testing.T, m *model.Model) string {
	t.Helper()
	if err := m.Save(filepath.Join(t.TempDir(), "m.fkz"), false); err != nil {
		t.Fatal(err)
	}
	return m.Digest
}
