package host

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func TestDefaults(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the folders are those of Linux")
	}
	t.Setenv("HOME", "/home/ann")
	t.Setenv(EnvPath, "/a"+string(os.PathListSeparator)+string(os.PathListSeparator)+"/b")
	t.Setenv(EnvDev, "/dev/plugins")
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("XDG_CACHE_HOME", "/cache")
	t.Setenv("XDG_DATA_HOME", "not/absolute")
	o, err := Defaults()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want := Options{
		Path: []string{"/a", "/b"}, Dev: "/dev/plugins", Beside: filepath.Dir(self),
		User: "/home/ann/.local/share/fkzoo/plugins", Config: "/home/ann/.config/fkzoo", Cache: "/cache/fkzoo",
	}
	if !reflect.DeepEqual(o, want) {
		t.Errorf("Defaults gave\n%+v, want\n%+v", o, want)
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	folders := []string{"/dev/plugins", "/a", "/b", filepath.Dir(self), "/home/ann/.local/share/fkzoo/plugins"}
	if got := h.folders(); !reflect.DeepEqual(got, folders) {
		t.Errorf("searched: %v, want %v", got, folders)
	}
}

// Where there is no home there are no folders of the user's; a folder said
// wrongly is an error.
func TestDefaultsWithoutHome(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the folders are those of Linux")
	}
	for _, name := range []string{"HOME", EnvPath, EnvDev, "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"} {
		t.Setenv(name, "")
	}
	o, err := Defaults()
	if err != nil || o.User != "" || o.Config != "" || o.Cache != "" || o.Beside == "" {
		t.Errorf("Defaults gave %+v, %v", o, err)
	}
	t.Setenv("XDG_CACHE_HOME", "/cache")
	if o, err := Defaults(); err != nil || o.Cache != "/cache/fkzoo" || o.Config != "" {
		t.Errorf("with a cache: %+v, %v", o, err)
	}
	t.Setenv("XDG_CONFIG_HOME", "not/absolute")
	if _, err := Defaults(); err == nil || !strings.Contains(err.Error(), "the user's configuration folder: ") {
		t.Errorf("with a relative folder: %v, want an error", err)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"net1", "net10", "net11", "specialists", "compact-s"}
	for name, want := range map[string]string{
		"net12": "net10", "nte11": "net11", "specialist": "specialists", "compacts": "compact-s", "resnet": "", "": "",
	} {
		if got := nearest(name, names); got != want {
			t.Errorf("nearest to %q: %q, want %q", name, got, want)
		}
	}
}
