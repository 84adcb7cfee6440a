package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BenchmarkTrainMemory trains net6 for an epoch in batches of 128 on the go
// backend, on the real data where FKZOO_TESTDATA is set, else on as many drawn
// faces: the most memory that the process had.
func BenchmarkTrainMemory(b *testing.B) {
	dir := b.TempDir()
	for program, folder := range map[string]string{"fkzoo": "../../cmd/fkzoo", "fkzoo-plugin-baseline": "../../plugins/baseline"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, program), folder).CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	data := "demo:2140"
	if folder := os.Getenv("FKZOO_TESTDATA"); folder != "" {
		data = filepath.Join(folder, "data", "training.zip")
	}
	var most float64
	for b.Loop() {
		c := exec.Command(filepath.Join(dir, "fkzoo"), "train", "net6", "--data", data, "--epochs", "1", "--batch", "128", "--backend", "go",
			"-o", filepath.Join(dir, "m.fkz"), "--force")
		c.Env = append(os.Environ(), "FKZOO_DEV_PLUGINS="+dir, "HOME="+dir, "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=", "XDG_DATA_HOME=")
		if out, err := c.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		most = max(most, peakMemory(c.ProcessState))
	}
	b.ReportMetric(most/1e6, "MB-peak")
}
