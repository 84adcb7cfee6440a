package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// One value of each opcode that makes one; the comments are Python's.
func TestValues(t *testing.T) {
	tests := map[string]struct {
		data string
		kind Kind
		show string
	}{
		"None":                   {"N.", None, "None"},
		"True, protocol 2":       {"\x80\x02\x88.", Bool, "True"},
		"False, protocol 0":      {"I00\n.", Bool, "False"},
		"int, text":              {"I-17\n.", Int, "-17"},
		"int, 1 byte":            {"K\xff.", Int, "255"},
		"int, 2 bytes":           {"M\xff\xff.", Int, "65535"},
		"int, 4 bytes":           {"J\xfe\xff\xff\xff.", Int, "-2"},
		"long, text":             {"L123L\n.", Int, "123"},
		"long of no bytes: 0":    {"\x8a\x00.", Int, "0"},
		"long of 1 byte":         {"\x8a\x01\x80.", Int, "-128"},
		"long of 9 bytes: 2^64":  {"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.", Long, "18446744073709551616"},
		"long of 8 bytes: -2^63": {"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.", Long, "-9223372036854775808"},
		"long, 4-byte length":    {"\x8b\x02\x00\x00\x00\x00\x80.", Int, "-32768"},
		"long beyond 56 bits":    {"L99999999999999999999L\n.", Long, "long integer"},
		"float, text":            {"F1e-3\n.", Float, "0.001"},
		"float, out of range":    {"F1e999\n.", Float, "+Inf"},
		"float":                  {"G\x3f\xf8\x00\x00\x00\x00\x00\x00.", Float, "1.5"},
		"str of Python 2":        {`S'a\'b\\\x41\n\101'` + "\n.", Bytes, `"a'b\\A\nA"`},
		"str in double quotes":   {"S\"it's\"\r\n.", Bytes, `"it's"`},
		"str, 4-byte length":     {"T\x02\x00\x00\x00ab.", Bytes, `"ab"`},
		"str that is Latin-1":    {"U\x01\xe9.", Bytes, `"é"`},
		"unicode, text":          {`V\u00e9\U0001f600x` + "\n.", Text, `"é😀x"`},
		"unicode":                {"X\x02\x00\x00\x00\xc3\xa9.", Text, `"é"`},
		"unicode, 1-byte length": {"\x8c\x01a.", Text, `"a"`},
		"unicode, 8-byte length": {"\x8d\x01\x00\x00\x00\x00\x00\x00\x00a.", Text, `"a"`},
		"bytes":                  {"B\x01\x00\x00\x00a.", Bytes, `"a"`},
		"bytes, 1-byte length":   {"C\x01a.", Bytes, `"a"`},
		"bytes, 8-byte length":   {"\x8e\x01\x00\x00\x00\x00\x00\x00\x00a.", Bytes, `"a"`},
		"bytearray":              {"\x96\x01\x00\x00\x00\x00\x00\x00\x00a.", Bytes, `"a"`},
		"tuples":                 {").", Tuple, "a tuple of 0"},
		"tuple of marked":        {"(NNNNt.", Tuple, "a tuple of 4"},
		"tuple of 3":             {"NNN\x87.", Tuple, "a tuple of 3"},
		"list, protocol 0":       {"(NNl.", List, "a list of 2"},
		"list":                   {"](NNeNa.", List, "a list of 3"},
		"dict, protocol 0":       {"(K\x01NK\x02Nd.", Dict, "a dict of 2"},
		"dict":                   {"}K\x01Ns(K\x02NK\x03Nu.", Dict, "a dict of 3"},
		"set":                    {"\x8f(K\x01K\x02\x90.", Set, "a set of 2"},
		"frozenset":              {"(K\x01\x91.", Set, "a set of 1"},
		"global":                 {"cos\nsystem\n.", Global, "os.system"},
		"global of the stack":    {"\x8c\x02os\x8c\x06system\x93.", Global, "os.system"},
		"call":                   {"cos\nsystem\n(S'x'\ntR.", Object, "os.system object"},
		"instance of protocol 0": {"(ios\nsystem\n.", Object, "os.system object"},
		"instance of protocol 1": {"(cos\nsystem\nNo.", Object, "os.system object"},
		"new object":             {"cos\nsystem\n)\x81}b.", Object, "os.system object"},
		"new object, keywords":   {"cos\nsystem\n)}\x92.", Object, "os.system object"},
		"persistent, text":       {"Pid\n.", Persistent, "persistent object"},
		"persistent":             {"K\x01Q.", Persistent, "persistent object"},
		"memo":                   {"K\x05p7\n0g7\n.", Int, "5"},
		"memo, 1 byte":           {"K\x05q\x070h\x07.", Int, "5"},
		"memo, 4 bytes":          {"K\x05r\xff\xff\xff\xff0j\xff\xff\xff\xff.", Int, "5"},
		"memoize":                {"K\x05\x94K\x06\x940h\x00.", Int, "5"},
		"dup and pop":            {"K\x05200N.", None, "None"},
		"pop of marks":           {"K\x05(NN1(0.", Int, "5"},
		"frame":                  {"\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N.", None, "None"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g, err := Read([]byte(tt.data))
			if err != nil {
				t.Fatal(err)
			}
			if g.Root.Kind() != tt.kind || g.Show(g.Root) != tt.show || g.Length != int64(len(tt.data)) {
				t.Errorf("found %s %s of %d bytes, want %s %s", g.Root.Kind(), g.Show(g.Root), g.Length, tt.kind, tt.show)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	tests := map[string]struct {
		data string
		kind error
		at   int64
	}{
		"nothing":                     {"", ErrTruncated, 0},
		"no end":                      {"N", ErrTruncated, 1},
		"length beyond the end":       {"NB\xff\xff\xff\x7fabc", ErrTruncated, 1},
		"8-byte length":               {"\x8e\xff\xff\xff\xff\xff\xff\xff\xffa", ErrTruncated, 0},
		"length cut short":            {"B\x01", ErrTruncated, 0},
		"argument cut short":          {"J\x01", ErrTruncated, 0},
		"line cut short":              {"I12", ErrTruncated, 0},
		"second line cut short":       {"cos\nsys", ErrTruncated, 0},
		"frame beyond the end":        {"\x95\xff\x00\x00\x00\x00\x00\x00\x00N.", ErrTruncated, 0},
		"long cut short":              {"\x8a\x05abc", ErrTruncated, 0},
		"long of a negative length":   {"\x8b\xff\xff\xff\xff.", ErrValue, 0},
		"unknown opcode":              {"N\xff", ErrOpcode, 1},
		"zeros without end":           {"\x00\x00\x00", ErrOpcode, 0},
		"newer protocol":              {"\x80\x06N.", ErrUnsupported, 0},
		"extension registry":          {"\x82\x01.", ErrUnsupported, 0},
		"extension registry, 4 bytes": {"\x84\x01\x00\x00\x00.", ErrUnsupported, 0},
		"buffer outside":              {"\x97.", ErrUnsupported, 0},
		"read-only buffer":            {"N\x98.", ErrUnsupported, 1},
		"stop with nothing":           {".", ErrStack, 0},
		"pop with nothing":            {"0.", ErrStack, 0},
		"dup with nothing":            {"2.", ErrStack, 0},
		"tuple of too few":            {"N\x86.", ErrStack, 1},
		"tuple across a mark":         {"N(N\x86.", ErrStack, 3},
		"no mark":                     {"Nt.", ErrStack, 1},
		"states without end":          {"cm\nf\n)R" + strings.Repeat("Nb", 100) + ".", ErrUnsupported, 40},
		"append to nothing":           {"Na.", ErrStack, 1},
		"append across a mark":        {"](Na.", ErrStack, 3},
		"appends to nothing":          {"(Ne.", ErrStack, 2},
		"odd dict":                    {"(Nd.", ErrStack, 2},
		"memo never put":              {"h\x01.", ErrMemo, 0},
		"memo never put, text":        {"g12\n.", ErrMemo, 0},
		"put of nothing":              {"q\x01.", ErrStack, 0},
		"memo number":                 {"Np-1\n.", ErrValue, 1},
		"int":                         {"Ix\n.", ErrValue, 0},
		"int without digits":          {"L\n.", ErrValue, 0},
		"float":                       {"Fx\n.", ErrValue, 0},
		"str without quotes":          {"Sabc\n.", ErrValue, 0},
		"str of one quote":            {"S'\n.", ErrValue, 0},
		"append to a tuple":           {")Na.", ErrType, 2},
		"setitem of a list":           {"]NNs.", ErrType, 3},
		"add to a list":               {"](N\x90.", ErrType, 3},
		"call of a number":            {"K\x01)R.", ErrType, 3},
		"call without a tuple":        {"cos\nsystem\nNR.", ErrType, 12},
		"state of a list":             {"]}b.", ErrType, 2},
		"global of numbers":           {"NN\x93.", ErrType, 2},
		"instance without a class":    {"(o.", ErrStack, 1},
		"global with a long name":     {"c" + strings.Repeat("x", 5000) + "\ny\n.", ErrValue, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Read([]byte(tt.data))
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, tt.kind) || e.Offset != tt.at {
				t.Errorf("found %v, want %v at byte %d", err, tt.kind, tt.at)
			}
		})
	}
}

// Objects keep what they would have been made of.
func TestObject(t *testing.T) {
	g, err := Read([]byte("cmy\nList\n(K\x01tR](K\x02eb}K\x03K\x04sbK\x05a(K\x06K\x07eK\x08K\x09s."))
	if err != nil {
		t.Fatal(err)
	}
	o := g.Root
	var all []string
	for x := range g.States(o) {
		all = append(all, "state "+g.Show(x))
	}
	for x := range g.Items(o) {
		all = append(all, "item "+g.Show(x))
	}
	for k, v := range g.Pairs(o) {
		all = append(all, "pair "+g.Show(k)+" "+g.Show(v))
	}
	want := []string{"state a list of 1", "state a dict of 1", "item 5", "item 6", "item 7", "pair 8 9"}
	if !slices.Equal(all, want) || g.Show(g.Index(g.Args(o), 0)) != "1" {
		t.Errorf("found %q and the arguments %s, want %q and 1", all, g.Show(g.Args(o)), want)
	}
	if u := g.Globals(); len(u) != 1 || u[0] != (GlobalUse{"my", "List", 1, 1}) {
		t.Errorf("found the globals %v", u)
	}
}

// read reads a pickle and tells how much memory the graph takes for each of its bytes.
func read(t *testing.T, data []byte) (*Graph, float64) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	g, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	return g, float64(after.TotalAlloc-before.TotalAlloc) / float64(len(data))
}

// Files that cost Python its stack, or all memory, cost little here. What is
// counted is all that was ever allocated, not what is alive.
func TestHostile(t *testing.T) {
	const n = 1_000_000
	repeat := func(before, text, after string) []byte {
		return []byte(before + strings.Repeat(text, n) + after)
	}
	var sparse, memoized bytes.Buffer
	sparse.WriteByte('N')
	for i := range uint32(n / 10) {
		sparse.WriteByte('r')
		_ = binary.Write(&sparse, binary.LittleEndian, i*40_000)
	}
	sparse.WriteByte('.')
	memoized.WriteString("]\x94")
	for range n / 10 { // each list holds the one before twice: 2^100,000 leaves
		memoized.WriteString("2\x86\x94")
	}
	memoized.WriteByte('.')
	tests := map[string]struct {
		data []byte
		most float64 // bytes allocated for each byte of the file
	}{
		"a million lists in one another":  {[]byte(strings.Repeat("]", n) + strings.Repeat("a", n-1) + "."), 24},
		"a million tuples in one another": {repeat("N", "\x85", "."), 24},
		"a million dicts in one another":  {[]byte(strings.Repeat("}N", n-1) + "}" + strings.Repeat("s", n-1) + "."), 24},
		"a million calls in one another":  {repeat("cm\nf\n", ")R", "."), 30},
		"a million empty lists":           {repeat("(", "]", "l."), 30},
		"a million marks":                 {repeat("N", "(", strings.Repeat("1", n)+"."), 24},
		"a million of a list":             {repeat("]", "2", "."), 24},
		"a list that holds itself":        {repeat("]\x94", "h\x00a", "."), 24},
		"tuples that double":              {memoized.Bytes(), 24},
		"memo far apart":                  {sparse.Bytes(), 40},
		"memo over and over":              {repeat("N", "\x94", "."), 24},
		"globals":                         {repeat("N", "ca\nb\n0", "."), 24},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g, ratio := read(t, tt.data)
			if ratio > tt.most {
				t.Errorf("found %.1f bytes of memory for each of the file, want at most %g", ratio, tt.most)
			}
			g.Show(g.Root)
		})
	}
}

func seeds(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../testdata/*.pickle")
	if err != nil || len(paths) == 0 {
		t.Fatalf("found no pickle: %v", err)
	}
	out := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(path)] = data
	}
	return out
}

// A file cut anywhere is an error, and none that is whole is.
func TestTruncated(t *testing.T) {
	for name, data := range seeds(t) {
		if _, err := Read(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.HasPrefix(name, "plain.") { // of each protocol
			continue
		}
		for n := range data {
			_, err := Read(data[:n])
			var e *Error
			if !errors.As(err, &e) || e.Offset > int64(n) {
				t.Fatalf("%s cut to %d bytes: found %v, want an error with a place", name, n, err)
			}
			if !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrValue) {
				t.Fatalf("%s cut to %d bytes: found %v, want %v", name, n, err, ErrTruncated)
			}
		}
	}
}

// FuzzRead: no bytes may panic, and all of what is read can be looked at in
// time that the file's size allows.
func FuzzRead(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
	}
	for _, text := range []string{"N.", "](NNeNa.", "cos\nsystem\n(S'x'\ntR.", "(ios\nsystem\n.", "\x80\x05\x96\x01\x00\x00\x00\x00\x00\x00\x00a.", "Pid\n.", "\x8b\x02\x00\x00\x00\x00\x80."} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := Read(data)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("found the error %v, want one with a place", err)
			}
			return
		}
		look(g)
	})
}

// look visits every value once.
func look(g *Graph) int {
	seen := map[Ref]bool{}
	todo := []Ref{g.Root}
	visit := func(r Ref) {
		if !seen[r] {
			seen[r] = true
			todo = append(todo, r)
		}
	}
	for len(todo) > 0 {
		r := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		g.Show(r)
		g.Text(r)
		g.Bytes(r)
		g.Encoded(r)
		g.Int(r)
		g.Float(r)
		g.Index(r, 0)
		visit(g.Callee(r))
		visit(g.Args(r))
		for x := range g.Items(r) {
			visit(x)
		}
		for k, v := range g.Pairs(r) {
			visit(k)
			visit(v)
		}
		for x := range g.States(r) {
			visit(x)
		}
	}
	return len(seen)
}
