package format

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/format/header"
	"github.com/fkzoo/fkzoo/format/value"
)

var update = flag.Bool("update", false, "write testdata/errors.txt anew")

const vectorFolder = "../specs/testdata/fkz/v1"

type vector struct {
	File, About, Outcome, When, Digest string
	Canonical                          bool
	Meta                               map[string]json.RawMessage
	Tensors                            []struct {
		Name  string
		Type  DType
		Shape []int
		Data  string
		Extra json.RawMessage
	}
	Signatures []struct {
		Key  string
		Good bool
	}
}

// vectors reads the list and sees to it that it is the folder's.
func vectors(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(vectorFolder, "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, pattern := range []string{"*.fkz", "attacks/*.fkz"} {
		some, err := filepath.Glob(filepath.Join(vectorFolder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, some...)
	}
	if len(files) != len(list) || len(list) < 100 {
		t.Fatalf("%d files and %d entries in vectors.json, want as many, and at least 100", len(files), len(list))
	}
	for _, v := range list {
		if attack := strings.HasPrefix(v.File, "attacks/"); attack != (v.Outcome != "ok") {
			t.Errorf("%s: its outcome is %s, want bad files, and only those, in the folder attacks", v.File, v.Outcome)
		}
	}
	return list
}

// untag undoes how vectors.json writes what JSON cannot say.
func untag(t testing.TB, v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = untag(t, v[i])
		}
	case map[string]any:
		if s, ok := v["$bytes"].(string); ok {
			b, err := hex.DecodeString(s)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		switch v["$float"] {
		case "nan":
			return math.NaN()
		case "inf":
			return math.Inf(1)
		case "-inf":
			return math.Inf(-1)
		}
		for k := range v {
			v[k] = untag(t, v[k])
		}
	}
	return v
}

func fromJSON(t testing.TB, raw []byte) any {
	t.Helper()
	if raw == nil {
		return nil
	}
	v, err := FromJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	return untag(t, v)
}

// equal is reflect.DeepEqual but for NaN.
func equal(a, b any) bool {
	x, xerr := value.Encode(a, "")
	y, yerr := value.Encode(b, "")
	return xerr == nil && yerr == nil && bytes.Equal(x, y)
}

func TestGoodVectors(t *testing.T) {
	n := 0
	for _, v := range vectors(t) {
		if v.Outcome != "ok" {
			continue
		}
		n++
		t.Run(v.File, func(t *testing.T) {
			path := filepath.Join(vectorFolder, v.File)
			f := mustOpen(t, path)
			if err := f.Verify(); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%x", f.Digest()); got != v.Digest {
				t.Errorf("digest is %s, want %s", got, v.Digest)
			}
			meta, tensors, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			want := Meta{}
			for name, raw := range v.Meta {
				switch x := fromJSON(t, raw); name {
				case "blueprint":
					want.Blueprint = x
				case "history":
					want.History = x
				case "state":
					want.State = x
				case "provenance":
					want.Provenance = x
				case "run":
					want.Run = x
				default:
					if want.Extra == nil {
						want.Extra = map[string]any{}
					}
					want.Extra[name] = x
				}
			}
			for _, pair := range [][2]any{{meta.Blueprint, want.Blueprint}, {meta.History, want.History}, {meta.State, want.State},
				{meta.Provenance, want.Provenance}, {meta.Run, want.Run}, {meta.Extra, want.Extra}} {
				if !equal(pair[0], pair[1]) {
					t.Errorf("metadata is %.300v, want %.300v", pair[0], pair[1])
				}
			}
			if len(tensors) != len(v.Tensors) {
				t.Fatalf("%d tensors, want %d", len(tensors), len(v.Tensors))
			}
			for i, x := range v.Tensors {
				got := tensors[i]
				if got.Name != x.Name || got.Type != x.Type || !reflect.DeepEqual(got.Shape, x.Shape) || hex.EncodeToString(got.Data) != x.Data {
					t.Errorf("tensor %d is %v, want %v", i, got, x)
				}
				if extra := fromJSON(t, x.Extra); len(got.Extra) != len(extra.(map[string]any)) || len(got.Extra) > 0 && !equal(got.Extra, extra) {
					t.Errorf("tensor %d has the extra fields %v, want %v", i, got.Extra, extra)
				}
			}
			signatures, err := f.Signatures()
			if err != nil || len(signatures) != len(v.Signatures) {
				t.Fatalf("%d signatures (%v), want %d", len(signatures), err, len(v.Signatures))
			}
			for i, s := range signatures {
				if want := v.Signatures[i]; fmt.Sprintf("%x", []byte(s.Key)) != want.Key || s.Good != want.Good {
					t.Errorf("signature %d is by %x, good is %v, want %v", i, []byte(s.Key), s.Good, want)
				}
			}
			again := read(t, save(t, want, tensors))
			if same := bytes.Equal(again, read(t, path)); same != v.Canonical {
				t.Errorf("written again the same bytes: %v, want %v", same, v.Canonical)
			}
		})
	}
	if n == 0 {
		t.Error("no good vectors")
	}
}

// Files of version 1 stay as they are: each has the checksum it was released with.
func TestVectorsStay(t *testing.T) {
	sums := map[string]string{}
	for line := range strings.Lines(string(read(t, filepath.Join(vectorFolder, "SHA256SUMS")))) {
		sum, file, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			t.Fatalf("SHA256SUMS: %q", line)
		}
		sums[file] = sum
	}
	list := vectors(t)
	if len(sums) != len(list) || len(list) < 130 {
		t.Errorf("%d checksums of %d files, want as many, and at least 130", len(sums), len(list))
	}
	for _, v := range list {
		if got := fmt.Sprintf("%x", sha256.Sum256(read(t, filepath.Join(vectorFolder, v.File)))); got != sums[v.File] {
			t.Errorf("%s: its SHA-256 is %s, want %s: a released file must not change", v.File, got, sums[v.File])
		}
	}
	if readers[1] == nil || readers[Newest] == nil {
		t.Error("a version that was released has no reader")
	}
}

var outcomes = map[string]error{
	"not-fkz": ErrNotFkz, "version": ErrVersion, "cut-short": ErrTruncated, "trailing": ErrTrailing,
	"damaged": ErrDamaged, "header": ErrHeader, "index": ErrIndex, "limit": ErrLimit,
}

// examine opens a file, reads all of it in every way and verifies it. It gives the first error and where it came up.
func examine(path string, mapped bool) (string, error) {
	return examineFile(open(path, mapped))
}

// examineFile is examine of what was opened, with what opening it gave.
func examineFile(f *File, err error) (string, error) {
	if err != nil {
		return "open", err
	}
	defer f.Close()
	if _, err := f.Meta(); err != nil {
		return "meta", err
	}
	f.Digest()
	var viewErr, copyErr error
	for _, info := range f.Infos() {
		x, err := f.Tensor(info.Name)
		if err != nil && viewErr == nil {
			viewErr = err
		} else if err == nil && int64(len(x.Data)) != info.Length {
			return "tensor", fmt.Errorf("%s has %d bytes, want %d", info.Name, len(x.Data), info.Length)
		}
		if _, err := f.Copy(info.Name); err != nil && copyErr == nil {
			copyErr = err
		}
	}
	if fmt.Sprint(viewErr) != fmt.Sprint(copyErr) {
		return "tensor", fmt.Errorf("view and copy disagree: %v; %v", viewErr, copyErr)
	}
	err = f.Verify()
	if viewErr != nil && err == nil {
		return "tensor", fmt.Errorf("reading failed and Verify did not: %w", viewErr)
	}
	return "verify", err
}

// Each bad vector gives its error, in words that testdata/errors.txt keeps for people to judge.
func TestBadVectors(t *testing.T) {
	var got strings.Builder
	for _, v := range vectors(t) {
		if v.Outcome == "ok" {
			continue
		}
		path := filepath.Join(vectorFolder, v.File)
		for _, mapped := range []bool{true, false} {
			when, err := examine(path, mapped)
			if when != v.When || !errors.Is(err, outcomes[v.Outcome]) {
				t.Errorf("%s (%s): %s gave %v, want %q from %s", v.File, v.About, when, err, v.Outcome, v.When)
			}
			if mapped {
				fmt.Fprintf(&got, "%s\n", strings.ReplaceAll(fmt.Sprint(err), vectorFolder+"/", ""))
			}
		}
	}
	const golden = "testdata/errors.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if strconv.IntSize < 64 {
		return // an int's range shows in some of the words
	}
	a, b := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != strings.TrimSuffix(b[i], "\r") {
			t.Fatalf("line %d of the errors is not that of %s (go test -update writes it anew):\n%s", i+1, golden, strings.Join(a[min(i, len(a)):min(i+1, len(a))], ""))
		}
	}
}

// Files too large to keep: what they ask for must be refused before it costs anything.
func TestLargeAttacks(t *testing.T) {
	section := func(raw []byte) []byte {
		h := &header.Header{Fields: []header.Field{{Name: "blueprint", Raw: raw}}}
		for _, name := range header.Sections[1:] {
			h.Fields = append(h.Fields, header.Field{Name: name, Raw: []byte{0xc0}})
		}
		b, err := h.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	index := func(raw []byte) []byte {
		b := section([]byte{0xc0})
		return bytes.Replace(b, append([]byte("\xa5index"), 0x90), append([]byte("\xa5index"), raw...), 1)
	}
	cases := []struct {
		name string
		head []byte
		want error
	}{
		{"4,000,000 nested arrays", section(bytes.Repeat([]byte{0x91}, 4_000_000)), ErrLimit},
		{"40,000,000 nested arrays", section(bytes.Repeat([]byte{0x91}, 40_000_000)), ErrLimit},
		{"4,000,000 nested maps", section(bytes.Repeat([]byte{0x81, 0xa0}, 4_000_000)), ErrLimit},
		{"4,000,000 nested arrays in the index", index(bytes.Repeat([]byte{0x91}, 4_000_000)), ErrLimit},
		{"a million tensors", index(append([]byte{0xdd, 0, 0x0f, 0x42, 0x40}, bytes.Repeat([]byte{0x80}, 1_000_000)...)), ErrLimit},
		{"20,000,000 values", section(append([]byte{0xdd, 0x01, 0x31, 0x2d, 0x00}, bytes.Repeat([]byte{0xc0}, 20_000_000)...)), ErrLimit},
	}
	for _, c := range cases {
		path := filepath.Join(t.TempDir(), "a.fkz")
		if err := os.WriteFile(path, append(header.Prologue(c.head), c.head...), 0o600); err != nil {
			t.Fatal(err)
		}
		got := testing.AllocsPerRun(1, func() {
			if when, err := examine(path, true); when != "open" || !errors.Is(err, c.want) {
				t.Errorf("%s: %s gave %v, want %v", c.name, when, err, c.want)
			}
		})
		if got > 200 {
			t.Errorf("%s: %v allocations before it was refused", c.name, got)
		}
	}
}
