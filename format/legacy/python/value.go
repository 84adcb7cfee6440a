package legacy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy/pickle"
)

// ref is a value of the pickle.
type ref = pickle.Ref

// file is a pickle under examination. What is worked out once is remembered, so
// that a value to which a file refers a million times costs its work once.
type file struct {
	*pickle.Graph
	fields map[ref]map[string]ref // of dicts: the values of its text keys
	arrays map[ref]arrayOrError
	left   int64 // see spend
}

// minWork is what even the smallest file may spend.
const minWork = 1 << 16

// ErrReferences is that a file refers to the same things so often that what it says is far larger than it.
var ErrReferences = errors.New("found more references to the same values than a file of this size has")

// spend counts what a file can name again and again at the cost of a byte or two. What a real file says takes more bytes
// than it has entries, so that the file's own size is the limit.
func (f *file) spend(n int) error {
	if f.left -= int64(n); f.left < 0 {
		return ErrReferences
	}
	return nil
}

type arrayOrError struct {
	array *Array
	err   error
}

// dict gives the values of a dict's text keys; the last one of each stands.
func (f *file) dict(d ref) map[string]ref {
	if m, ok := f.fields[d]; ok {
		return m
	}
	m := map[string]ref{}
	for k, v := range f.Pairs(d) {
		if f.Size(k) <= maxName {
			if name, ok := f.Text(k); ok {
				m[name] = v
			}
		}
	}
	f.fields[d] = m
	return m
}

// maxName limits the names that are looked at, bytes.
const maxName = 1024

// attr gives an object's attribute, or a dict's value; ok: it has one.
func (f *file) attr(of ref, name string) (v ref, ok bool) {
	if of.Kind() == pickle.Dict {
		v, ok = f.dict(of)[name]
		return v, ok
	}
	for state := range f.States(of) {
		switch state.Kind() {
		case pickle.Dict:
			if x, has := f.dict(state)[name]; has {
				v, ok = x, true
			}
		case pickle.Tuple: // of a class with __slots__: its dict and its slots
			for i := range 2 {
				if x, has := f.dict(f.Index(state, i))[name]; has {
					v, ok = x, true
				}
			}
		}
	}
	return v, ok
}

// has tells whether an object has all of these attributes.
func (f *file) has(of ref, names ...string) bool {
	for _, name := range names {
		if _, ok := f.attr(of, name); !ok {
			return false
		}
	}
	return true
}

// class gives the class of an object, or the function that made it. Protocols 0
// and 1 say it by way of copy_reg.
func (f *file) class(of ref) pickle.GlobalUse {
	g := f.Global(f.Callee(of))
	switch strings.Replace(g.String(), "copy_reg.", "copyreg.", 1) {
	case "copyreg._reconstructor", "copyreg.__newobj__", "copyreg.__newobj_ex__":
		return f.Global(f.Index(f.Args(of), 0))
	}
	return g
}

// isClass tells whether an object is of a class of a library, wherever in it.
func (f *file) isClass(of ref, library, name string) bool {
	g := f.class(of)
	return g.Name == name && within(g.Module, library)
}

func within(module, library string) bool {
	return module == library || strings.HasPrefix(module, library+".")
}

// items are the entries of a list, tuple or set, or of an object of a class
// derived from one, in whichever way the protocol keeps them.
func (f *file) items(of ref) ref {
	if of.Kind() != pickle.Object {
		return of
	}
	for range f.Items(of) {
		return of
	}
	args := f.Args(of)
	if f.Global(f.Callee(of)).Name == "_reconstructor" {
		return f.Index(args, 2) // class, base, what the base is made of
	}
	if f.Callee(of).Kind() == pickle.Global && f.Len(args) == 1 {
		if x := f.Index(args, 0); x.Kind() == pickle.List || x.Kind() == pickle.Tuple {
			return x // as set([...])
		}
	}
	return of
}

type pair struct{ key, value ref }

// pairs are the keys and values of a dict, or of an object of a class derived
// from one, a key that is set twice with its last value.
func (f *file) pairs(of ref) []pair {
	var out []pair
	for k, v := range f.Pairs(of) {
		out = append(out, pair{k, v})
	}
	if len(out) > 0 || of.Kind() != pickle.Object {
		return f.lastOfEach(out)
	}
	inner := f.items(of)
	if inner.Kind() == pickle.Dict {
		return f.pairs(inner)
	}
	if inner.Kind() == pickle.List || inner.Kind() == pickle.Tuple { // OrderedDict([[key, value], ...])
		for entry := range f.Items(inner) {
			kv := slices.Collect(f.Items(entry))
			if (entry.Kind() == pickle.List || entry.Kind() == pickle.Tuple) && len(kv) == 2 {
				out = append(out, pair{kv[0], kv[1]})
			}
		}
	}
	return f.lastOfEach(out)
}

func (f *file) lastOfEach(all []pair) []pair {
	at := map[string]int{}
	out := all[:0]
	for _, p := range all {
		if f.Size(p.key) > maxName || p.key.Kind() != pickle.Text && p.key.Kind() != pickle.Bytes {
			out = append(out, p)
			continue
		}
		name, _ := f.Text(p.key)
		if i, ok := at[name]; ok {
			out[i].value = p.value
			continue
		}
		at[name] = len(out)
		out = append(out, p)
	}
	return out
}

// text gives a short text; "" for anything else.
func (f *file) text(v ref) string {
	if f.Size(v) > maxName {
		return ""
	}
	s, _ := f.Text(v)
	return s
}

// ints gives a tuple or list of whole numbers, None as 0; ok: it is one, of at
// most maxAxes numbers.
func (f *file) ints(v ref) (out []int, ok bool) {
	if k := v.Kind(); k != pickle.Tuple && k != pickle.List {
		return nil, false
	}
	for x := range f.Items(v) {
		if len(out) == maxAxes {
			return nil, false
		}
		n, ok := f.number(x)
		if x == pickle.Nothing {
			n, ok = 0, true
		}
		if !ok || n != float64(int(n)) {
			return nil, false
		}
		out = append(out, int(n))
	}
	return out, true
}

// number gives a number, however it is kept: plain, a NumPy scalar, an array of
// one value, or a shared variable of one.
func (f *file) number(v ref) (float64, bool) {
	if n, ok := f.Float(v); ok {
		return n, true
	}
	if v.Kind() != pickle.Object {
		return 0, false
	}
	a, err := f.array(v)
	if err != nil || a.Len() != 1 {
		return 0, false
	}
	return a.Float64()[0], true
}

// truth gives a bool, however it is kept; ok: it is one.
func (f *file) truth(v ref) (value, ok bool) {
	n, ok := f.number(v)
	return n != 0, ok
}

// bytes gives bytes: plain, a Python 2 str, or the Latin-1 text as which
// protocol 2 writes those of Python 3.
func (f *file) bytes(v ref) ([]byte, error) {
	if b, ok := f.Bytes(v); ok {
		return b, nil
	}
	text := v
	if v.Kind() == pickle.Object {
		switch g := f.Global(f.Callee(v)); g.String() {
		case "_codecs.encode":
			if f.Len(f.Args(v)) > 1 && !slices.Contains([]string{"latin1", "latin-1", "iso-8859-1"}, strings.ToLower(f.text(f.Index(f.Args(v), 1)))) {
				return nil, fmt.Errorf("found bytes written as text in the encoding %q, want latin1", f.text(f.Index(f.Args(v), 1)))
			}
			text = f.Index(f.Args(v), 0)
		case "builtins.bytes", "__builtin__.bytes", "builtins.bytearray", "__builtin__.bytearray": // bytes() is how an empty one is written
			if f.Len(f.Args(v)) == 0 {
				return nil, nil
			}
			return f.bytes(f.Index(f.Args(v), 0))
		}
	}
	if b, ok := f.Bytes(text); ok {
		return b, nil
	}
	if b, ok := f.Encoded(text); ok {
		return fromUTF8(b)
	}
	s, ok := f.Text(text)
	if !ok {
		return nil, fmt.Errorf("found %s, want bytes", f.Show(v))
	}
	return fromUTF8([]byte(s))
}

// fromUTF8 gives the bytes of a text of characters below 256. Of a network's
// weights every other byte is beyond ASCII, at random: so there are no branches.
func fromUTF8(b []byte) ([]byte, error) {
	out := make([]byte, len(b)+1)
	n, wrong, before := 0, byte(0), byte(0) // before: 1 if the byte before was the first of two, and its lowest bit above that
	for _, c := range b {
		first := c >> 7 & (c >> 6)
		wrong |= -first & (c&0xfe ^ 0xc2)  // only 0xc2 and 0xc3 begin characters from 128 to 255
		wrong |= c>>7&^(c>>6)&1 ^ before&1 // the second of two follows a first, and nothing else does
		out[n] = c | before&2<<5           // 0xc3: 64 more
		n += int(1 - first)
		before = first | first&c<<1
	}
	if wrong|before != 0 {
		return nil, fmt.Errorf("found a text with characters beyond Latin-1, want bytes")
	}
	return out[:n], nil
}
