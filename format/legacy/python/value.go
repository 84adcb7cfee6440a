package python

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy/ndarray"
	"github.com/fkzoo/fkzoo/format/legacy/pickle"
)

// Ref is a value of the pickle.
type Ref = pickle.Ref

// Objects are the values of a pickle under examination. What is worked out once
// is remembered, so that a value to which a file refers a million times costs
// its work once.
type Objects struct {
	*pickle.Graph
	fields map[Ref]map[string]Ref // of dicts: the values of its text keys
	arrays map[Ref]arrayOrError
	left   int64 // see Spend
}

// New takes a pickle's values.
func New(g *pickle.Graph) *Objects {
	return &Objects{Graph: g, fields: map[Ref]map[string]Ref{}, arrays: map[Ref]arrayOrError{}, left: g.Length + minWork}
}

// minWork is what even the smallest file may spend.
const minWork = 1 << 16

// ErrReferences is that a file refers to the same things so often that what it says is far larger than it.
var ErrReferences = errors.New("found more references to the same values than a file of this size has")

// Spend counts what a file can name again and again at the cost of a byte or two. What a real file says takes more bytes
// than it has entries, so that the file's own size is the limit.
func (o *Objects) Spend(n int) error {
	if o.left -= int64(n); o.left < 0 {
		return ErrReferences
	}
	return nil
}

type arrayOrError struct {
	array *ndarray.Array
	err   error
}

// dict gives the values of a dict's text keys; the last one of each stands.
func (o *Objects) dict(d Ref) map[string]Ref {
	if m, ok := o.fields[d]; ok {
		return m
	}
	m := map[string]Ref{}
	for k, v := range o.Pairs(d) {
		if o.Size(k) <= maxName {
			if name, ok := o.Text(k); ok {
				m[name] = v
			}
		}
	}
	o.fields[d] = m
	return m
}

// maxName limits the names that are looked at, bytes.
const maxName = 1024

// Attr gives an object's attribute, or a dict's value; ok: it has one.
func (o *Objects) Attr(of Ref, name string) (v Ref, ok bool) {
	if of.Kind() == pickle.Dict {
		v, ok = o.dict(of)[name]
		return v, ok
	}
	for state := range o.States(of) {
		switch state.Kind() {
		case pickle.Dict:
			if x, has := o.dict(state)[name]; has {
				v, ok = x, true
			}
		case pickle.Tuple: // of a class with __slots__: its dict and its slots
			for i := range 2 {
				if x, has := o.dict(o.Index(state, i))[name]; has {
					v, ok = x, true
				}
			}
		}
	}
	return v, ok
}

// Has tells whether an object has all of these attributes.
func (o *Objects) Has(of Ref, names ...string) bool {
	for _, name := range names {
		if _, ok := o.Attr(of, name); !ok {
			return false
		}
	}
	return true
}

// Class gives the class of an object, or the function that made it. Protocols 0
// and 1 say it by way of copy_reg.
func (o *Objects) Class(of Ref) pickle.GlobalUse {
	g := o.Global(o.Callee(of))
	switch strings.Replace(g.String(), "copy_reg.", "copyreg.", 1) {
	case "copyreg._reconstructor", "copyreg.__newobj__", "copyreg.__newobj_ex__":
		return o.Global(o.Index(o.Args(of), 0))
	}
	return g
}

// IsClass tells whether an object is of a class of a library, wherever in it.
func (o *Objects) IsClass(of Ref, library, name string) bool {
	g := o.Class(of)
	return g.Name == name && Within(g.Module, library)
}

// Within tells whether a module is a library or lies in it.
func Within(module, library string) bool {
	return module == library || strings.HasPrefix(module, library+".")
}

// Sequence holds the entries of a list, tuple or set, or of an object of a class
// derived from one, in whichever way the protocol keeps them.
func (o *Objects) Sequence(of Ref) Ref {
	if of.Kind() != pickle.Object {
		return of
	}
	for range o.Items(of) {
		return of
	}
	args := o.Args(of)
	if o.Global(o.Callee(of)).Name == "_reconstructor" {
		return o.Index(args, 2) // class, base, what the base is made of
	}
	if o.Callee(of).Kind() == pickle.Global && o.Len(args) == 1 {
		if x := o.Index(args, 0); x.Kind() == pickle.List || x.Kind() == pickle.Tuple {
			return x // as set([...])
		}
	}
	return of
}

// Pair is an entry of a dict.
type Pair struct{ Key, Value Ref }

// Mapping gives the keys and values of a dict, or of an object of a class derived
// from one, a key that is set twice with its last value.
func (o *Objects) Mapping(of Ref) []Pair {
	var out []Pair
	for k, v := range o.Pairs(of) {
		out = append(out, Pair{k, v})
	}
	if len(out) > 0 || of.Kind() != pickle.Object {
		return o.lastOfEach(out)
	}
	inner := o.Sequence(of)
	if inner.Kind() == pickle.Dict {
		return o.Mapping(inner)
	}
	if inner.Kind() == pickle.List || inner.Kind() == pickle.Tuple { // OrderedDict([[key, value], ...])
		for entry := range o.Items(inner) {
			kv := slices.Collect(o.Items(entry))
			if (entry.Kind() == pickle.List || entry.Kind() == pickle.Tuple) && len(kv) == 2 {
				out = append(out, Pair{kv[0], kv[1]})
			}
		}
	}
	return o.lastOfEach(out)
}

func (o *Objects) lastOfEach(all []Pair) []Pair {
	at := map[string]int{}
	out := all[:0]
	for _, p := range all {
		if o.Size(p.Key) > maxName || p.Key.Kind() != pickle.Text && p.Key.Kind() != pickle.Bytes {
			out = append(out, p)
			continue
		}
		name, _ := o.Text(p.Key)
		if i, ok := at[name]; ok {
			out[i].Value = p.Value
			continue
		}
		at[name] = len(out)
		out = append(out, p)
	}
	return out
}

// Name gives a text that is short, as names are; "" for anything else.
func (o *Objects) Name(v Ref) string {
	if o.Size(v) > maxName {
		return ""
	}
	s, _ := o.Text(v)
	return s
}

// Ints gives a tuple or list of whole numbers, None as 0; ok: it is one, of at
// most ndarray.MaxAxes numbers.
func (o *Objects) Ints(v Ref) (out []int, ok bool) {
	if k := v.Kind(); k != pickle.Tuple && k != pickle.List {
		return nil, false
	}
	for x := range o.Items(v) {
		if len(out) == ndarray.MaxAxes {
			return nil, false
		}
		n, ok := o.Number(x)
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

// Number gives a number, however it is kept: plain, a NumPy scalar, an array of
// one value, or a shared variable of one.
func (o *Objects) Number(v Ref) (float64, bool) {
	if n, ok := o.Float(v); ok {
		return n, true
	}
	if v.Kind() != pickle.Object {
		return 0, false
	}
	a, err := o.Array(v)
	if err != nil || a.Len() != 1 {
		return 0, false
	}
	return a.Float64()[0], true
}

// Bool gives a bool, however it is kept; ok: it is one.
func (o *Objects) Bool(v Ref) (value, ok bool) {
	n, ok := o.Number(v)
	return n != 0, ok
}

// Raw gives bytes: plain, a Python 2 str, or the Latin-1 text as which
// protocol 2 writes those of Python 3.
func (o *Objects) Raw(v Ref) ([]byte, error) {
	if b, ok := o.Bytes(v); ok {
		return b, nil
	}
	text := v
	if v.Kind() == pickle.Object {
		switch g := o.Global(o.Callee(v)); g.String() {
		case "_codecs.encode":
			if o.Len(o.Args(v)) > 1 && !slices.Contains([]string{"latin1", "latin-1", "iso-8859-1"}, strings.ToLower(o.Name(o.Index(o.Args(v), 1)))) {
				return nil, fmt.Errorf("found bytes written as text in the encoding %q, want latin1", o.Name(o.Index(o.Args(v), 1)))
			}
			text = o.Index(o.Args(v), 0)
		case "builtins.bytes", "__builtin__.bytes", "builtins.bytearray", "__builtin__.bytearray": // bytes() is how an empty one is written
			if o.Len(o.Args(v)) == 0 {
				return nil, nil
			}
			return o.Raw(o.Index(o.Args(v), 0))
		}
	}
	if b, ok := o.Bytes(text); ok {
		return b, nil
	}
	if b, ok := o.Encoded(text); ok {
		return fromUTF8(b)
	}
	s, ok := o.Text(text)
	if !ok {
		return nil, fmt.Errorf("found %s, want bytes", o.Show(v))
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
