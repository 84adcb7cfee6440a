package atomicfile

import (
	"errors"
	"os"
	"testing"
)

// A link to an open file whose name is gone, as a redirected output may be, must not make a file called «a (deleted)».
func TestNamelessFile(t *testing.T) {
	t.Chdir(t.TempDir())
	f, err := os.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Remove("a"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(procName(f.Fd()), "link"); err != nil {
		t.Fatal(err)
	}
	if err := Write("link", true, put("x")); !errors.As(err, new(*PlaceError)) {
		t.Errorf("error is %v, want a *PlaceError", err)
	}
	if n := names(t, "."); len(n) != 1 {
		t.Errorf("folder holds %v, want the link alone", n)
	}
}
