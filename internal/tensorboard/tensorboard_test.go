package tensorboard

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/internal/pyenv"
)

// The CRC-32C of 32 zero bytes is RFC 3720's; the rest is TensorBoard's to check.
func TestRecord(t *testing.T) {
	zeros := uint32(0x8a9136aa)
	if crc := masked(make([]byte, 32)); crc != zeros>>15+zeros<<17+0xa282ead8 {
		t.Errorf("found masked CRC %08x of 32 zeros", crc)
	}
	r := record([]byte("abc"))
	if len(r) != 8+4+3+4 || !bytes.Equal(r[:8], []byte{3, 0, 0, 0, 0, 0, 0, 0}) || string(r[12:15]) != "abc" {
		t.Errorf("found record %s", hex.EncodeToString(r))
	}
}

// TensorBoard's reader finds what was written, and forgets what a restart says no longer holds.
func TestReadByTensorBoard(t *testing.T) {
	python := pyenv.Python(t, "requirements.txt")
	folder := filepath.Join(t.TempDir(), "runs", "a")
	at := time.Unix(1_700_000_000, 500_000_000)
	write := func(restart int64, steps ...int64) {
		t.Helper()
		w, err := Create(folder)
		if err == nil && restart > 0 {
			err = w.Restart(at, restart)
		}
		for _, s := range steps {
			if err == nil {
				err = w.Scalars(at, s, Scalar{"loss/train", float64(s) / 4}, Scalar{"rate", 1e-9})
			}
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(0, 1, 2, 3)
	write(3, 3, 4, 1<<40)
	out, err := exec.Command(python, "read.py", folder).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, err.(*exec.ExitError).Stderr)
	}
	var found map[string][][3]float64
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	seconds := 1_700_000_000.5
	want := [][3]float64{{1, 0.25, seconds}, {2, 0.5, seconds}, {3, 0.75, seconds}, {4, 1, seconds}, {1 << 40, 1 << 38, seconds}}
	if !reflect.DeepEqual(found["loss/train"], want) || len(found) != 2 || len(found["rate"]) != 5 || found["rate"][0][1] != float64(float32(1e-9)) {
		t.Errorf("found %v, want %v", found, want)
	}
	files, _ := os.ReadDir(folder)
	if len(files) != 2 {
		t.Errorf("found %d files, want 2", len(files))
	}
}

func TestCreateFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(filepath.Join(file, "runs")); err == nil {
		t.Error("found no error for a folder in a file")
	}
}
