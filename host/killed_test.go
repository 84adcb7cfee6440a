package host

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/host/file"
)

// hostUnderTest is the name under which the test binary is a host that starts
// plugins and then only waits to be killed.
const hostUnderTest = "fkzoo-host-under-test"

// beHost takes its folders from the first argument, starts the plugins named
// in the others, one of them in the middle of a question, and waits.
func beHost() {
	var folders [3]string
	o := Options{Shipped: map[string]string{}}
	if err := json.Unmarshal([]byte(os.Args[1]), &folders); err != nil {
		panic(err)
	}
	o.Beside, o.Config, o.Cache = folders[0], folders[1], folders[2]
	for _, name := range os.Args[2:] {
		o.Shipped[name] = binarySum()
	}
	h, err := New(o)
	if err != nil {
		panic(err)
	}
	if os.Getenv("FKZOO_TEST_NO_DEATH_SIGNAL") != "" {
		withoutDeathSignal()
	}
	for _, name := range os.Args[2:] {
		p := file.File{Name: name, Path: filepath.Join(o.Beside, file.Base(name))}
		running, err := h.start(context.Background(), p)
		if err != nil {
			panic(err)
		}
		if strings.HasPrefix(name, "hang") {
			go func() { _, _ = running.List(context.Background()) }()
		}
		if name == "slow" {
			go func() { _, _, _ = running.Blueprint(context.Background(), "net", nil, DataSummary{}) }()
		}
	}
	fmt.Println("ready", h.sockets.Path)
	time.Sleep(time.Hour)
}

// startHost starts a host with those plugins and waits for it to be ready.
func startHost(t *testing.T, o Options, env string, names ...string) (*exec.Cmd, string) {
	t.Helper()
	text, err := json.Marshal([3]string{o.Beside, o.Config, o.Cache})
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Args = append([]string{hostUnderTest, string(text)}, names...)
	cmd.Env = append(os.Environ(), env)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	sockets, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ready {
		t.Fatalf("the host said %q, %v", line, err)
	}
	return cmd, sockets
}
