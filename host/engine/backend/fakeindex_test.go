package backend

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomlx/go-xla/installer"

	"github.com/fkzoo/fkzoo/host/engine/backend/wheel"
)

const fakeLibrary = "\x7fELF not really"

// makeWheel is a zip file with the entries name, content, name, content, …
func makeWheel(t testing.TB, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: entries[i], Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(entries[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// handler answers the request for a file; attempts count from 1.
type handler func(w http.ResponseWriter, r *http.Request, data []byte, attempt int)

// fakeIndex serves wheels as the package index does, and misbehaves on demand.
type fakeIndex struct {
	*httptest.Server
	lock   sync.Mutex
	files  map[string][]byte       // by file name
	serve  atomic.Pointer[handler] // in place of the right answer
	served atomic.Int32            // answers to requests for files
	info   map[string]*installer.PipPackageInfo
	asked  atomic.Int32
}

func newFakeIndex(t testing.TB) *fakeIndex {
	f := &fakeIndex{files: map[string][]byte{}, info: map[string]*installer.PipPackageInfo{}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		attempt := int(f.served.Add(1))
		f.lock.Lock()
		data := f.files[filepath.Base(r.URL.Path)]
		f.lock.Unlock()
		if serve := f.serve.Load(); serve != nil && *serve != nil {
			(*serve)(w, r, data, attempt)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}))
	t.Cleanup(f.Server.Close)
	return f
}

// add offers a wheel and returns what would be pinned for it.
func (f *fakeIndex) add(name string, data []byte, library string) wheel.Wheel {
	p := wheel.Package{Name: name, Version: "1.0", File: name + "-1.0.whl", SHA256: sum(data), Size: int64(len(data)), Licence: "MIT"}
	f.lock.Lock()
	f.files[p.File] = data
	f.lock.Unlock()
	info := &installer.PipPackageInfo{Releases: map[string][]installer.PipReleaseInfo{p.Version: {
		{Filename: "other.whl", URL: f.URL + "/other.whl"},
		{Filename: p.File, URL: "../../files/" + p.File, Digests: map[string]string{"sha256": p.SHA256}},
	}}}
	info.Info.ProjectURL = f.URL + "/project/" + name + "/"
	f.info[name] = info
	return wheel.Wheel{Package: p, Library: library}
}

// fakeStore is a store in folders of its own that installs from the index, and whose libraries work unless try says no.
func fakeStore(t testing.TB, index *fakeIndex, sets ...wheel.Set) *Store {
	if supported() != nil {
		t.Skip("XLA is not supported by this build")
	}
	s := NewStore(filepath.Join(t.TempDir(), "a folder", "data"), filepath.Join(t.TempDir(), "cache"))
	s.index = func(name string) (*installer.PipPackageInfo, error) {
		index.asked.Add(1)
		if info := index.info[name]; info != nil {
			return info, nil
		}
		return &installer.PipPackageInfo{}, nil
	}
	s.wheels = func(Kind) []wheel.Set { return sets }
	s.gpu = func() bool { return true }
	s.try = func(context.Context, Kind, string) (answer, error) { return answer{"fake 1.2", "device 0"}, nil }
	s.pause = time.Millisecond
	return s
}

// clean fails if an installation left anything but libraries, records and the lock.
func clean(t *testing.T, s *Store) {
	t.Helper()
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".partial") {
			t.Errorf("found %s left in the store", e.Name())
		}
	}
	parts, _ := filepath.Glob(filepath.Join(s.dir, ".wheels", "*.part"))
	for _, p := range parts {
		t.Errorf("found %s left in the store", p)
	}
}

// listed is what a store tells of a backend.
func listed(t *testing.T, s *Store, name string) Info {
	t.Helper()
	all := s.List(context.Background())
	i := slices.IndexFunc(all, func(info Info) bool { return info.Name == name })
	if i < 0 {
		t.Fatalf("found %d backends and no %s among them", len(all), name)
	}
	return all[i]
}
