package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Ctrl-C ends a command that waits for its standard input, whichever it is.
func TestInterruptedWhileWaiting(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals")
	}
	folder := t.TempDir()
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(binDir, "fkzoo"), args...)
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "HOME="+folder, "FKZOO_BACKEND=go", "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=", "XDG_DATA_HOME=")
		return cmd
	}
	if out, err := command("train", "net1", "--data", "demo:20:3", "--epochs", "1", "--set", "hidden=2", "-o", "m.fkz").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(folder, "lookup.csv"), []byte("RowId,ImageId,FeatureName,Location\n1,1,nose_tip_x,\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"predict m.fkz -", "data summary -", "data check -", "data check demo:20 --test -", "data export - -o e.csv", "train net1 --data - -o n.fkz",
		"evaluate m.fkz --data -", "submit m.fkz --test - --lookup lookup.csv -o s.csv", "submit m.fkz --data - --test demo:3 --lookup lookup.csv -o s.csv",
		"estimate m.fkz --data -",
	} {
		t.Run(args, func(t *testing.T) {
			cmd := command(strings.Fields(args)...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// More than a pipe holds, so that when it is written the command has begun to read, and then waits for more.
			if _, err := in.Write(bytes.Repeat([]byte(","), 1<<20)); err != nil {
				t.Errorf("standard input: %v", err)
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
			err = cmd.Wait()
			if cmd.ProcessState.ExitCode() != exitFailure || !strings.HasSuffix(stderr.String(), "fkzoo: interrupted\n") {
				t.Errorf("found %v, want exit code %d and the word\n%s", err, exitFailure, stderr.String())
			}
		})
	}
}
