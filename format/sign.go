package format

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// What can be wrong with a signature, for errors.Is.
var (
	ErrUnsigned  = errors.New("not signed")                 // by the key asked for
	ErrSignature = errors.New("signature that is not good") // malformed, or of something else than this file
)

const (
	signaturesField = "signatures"
	ed25519Name     = "ed25519"
	signedAs        = "fkz signature 1" // what a signed message begins with, so that it is good for nothing else
)

// Signature is one of a file's. It covers digest and provenance, and through the digest the tensors' SHA-256.
type Signature struct {
	Key   ed25519.PublicKey
	Good  bool // it is by Key and of this file's digest and provenance
	value []byte
}

// message is what a signature of this header signs.
func (h *header) message() []byte {
	digest := h.digest()
	e := newEncoder()
	// Nothing here can fail: it writes to memory what has been encoded before.
	_ = e.EncodeArrayLen(3)
	_ = e.EncodeString(signedAs)
	_ = e.EncodeBytes(digest[:])
	e.buf.Write(h.field("provenance"))
	return e.buf.Bytes()
}

// signatures reads the header's Ed25519 signatures; those of other algorithms, which a later version may bring, are passed over.
func (h *header) signatures() ([]Signature, error) {
	raw := h.field(signaturesField)
	if raw == nil {
		return nil, nil
	}
	fail := func(format string, args ...any) error {
		return &Error{Kind: ErrSignature, Part: signaturesField, Detail: fmt.Sprintf(format, args...)}
	}
	v, err := decodeValue(raw)
	if err != nil {
		return nil, fail("%s", err)
	}
	entries, ok := v.([]any)
	if !ok {
		return nil, fail("is no array")
	}
	var list []Signature
	message := h.message()
	for i, v := range entries {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, fail("entry %d is no map", i)
		}
		if name, ok := m["algorithm"].(string); !ok {
			return nil, fail("entry %d has no text as its algorithm", i)
		} else if name != ed25519Name {
			continue
		}
		key, _ := m["key"].([]byte)
		value, _ := m["signature"].([]byte)
		if len(key) != ed25519.PublicKeySize || len(value) != ed25519.SignatureSize {
			return nil, fail("entry %d has a key of %d bytes and a signature of %d, want %d and %d", i, len(key), len(value), ed25519.PublicKeySize, ed25519.SignatureSize)
		}
		if slices.ContainsFunc(list, func(s Signature) bool { return bytes.Equal(s.Key, key) }) {
			return nil, fail("the key %x is there twice", key)
		}
		list = append(list, Signature{Key: key, Good: ed25519.Verify(key, message, value), value: value})
	}
	return list, nil
}

// Signatures gives the file's Ed25519 signatures and says which are good. They cover what the header says; whether the
// tensors are what it says is Verify's to find out. A malformed field gives ErrSignature.
func (f *File) Signatures() ([]Signature, error) {
	list, err := f.h.signatures()
	return list, at(f.path, err)
}

// SignedBy gives nil where the file has a good signature by this key, else an error with ErrUnsigned or ErrSignature.
// It does not read the tensors: call Verify too.
func (f *File) SignedBy(key ed25519.PublicKey) error {
	list, err := f.Signatures()
	if err != nil {
		return err
	}
	for _, s := range list {
		if !bytes.Equal(s.Key, key) {
			continue
		}
		if s.Good {
			return nil
		}
		return &Error{Kind: ErrSignature, Path: f.path, Part: signaturesField,
			Detail: fmt.Sprintf("that by the key %x is not of this file's digest and provenance", []byte(key))}
	}
	return &Error{Kind: ErrUnsigned, Path: f.path, Detail: fmt.Sprintf("has no signature by the key %x, and %d by others", []byte(key), len(list))}
}

// Sign makes at path a file with f's content and a signature by this key, in the place of one that the key may have had.
// All of f is verified first. Path may be f's own, with Force.
func (f *File) Sign(path string, key ed25519.PrivateKey, o Options) error {
	if err := f.Verify(); err != nil {
		return err
	}
	if _, err := f.Signatures(); err != nil { // its entries are kept, so they must be such
		return err
	}
	m, err := f.Meta()
	if err != nil {
		return err
	}
	public := []byte(key.Public().(ed25519.PublicKey))
	old, _ := m.Extra[signaturesField].([]any)
	entries := slices.DeleteFunc(old, func(v any) bool {
		e, _ := v.(map[string]any)
		had, _ := e["key"].([]byte)
		return e["algorithm"] == ed25519Name && bytes.Equal(had, public)
	})
	entries = append(entries, map[string]any{"algorithm": ed25519Name, "key": public, "signature": ed25519.Sign(key, f.h.message())})
	slices.SortStableFunc(entries, func(a, b any) int { return bytes.Compare(keyOf(a), keyOf(b)) })
	if m.Extra == nil {
		m.Extra = map[string]any{}
	}
	m.Extra[signaturesField] = entries
	return f.Rewrite(path, m, o)
}

func keyOf(entry any) []byte {
	e, _ := entry.(map[string]any)
	key, _ := e["key"].([]byte)
	return key
}

// settle drops the signatures that are not of this header: none may outlive a change of what it covers. The tensors'
// SHA-256 must be known.
func (h *header) settle() error {
	i := slices.IndexFunc(h.fields, func(f rawField) bool { return f.name == signaturesField })
	if i < 0 {
		return nil
	}
	list, err := h.signatures()
	good := slices.DeleteFunc(list, func(s Signature) bool { return !s.Good })
	if err != nil || len(good) == 0 {
		h.fields = slices.Delete(slices.Clone(h.fields), i, i+1)
		return nil
	}
	v, err := decodeValue(h.fields[i].raw)
	if err != nil {
		return err
	}
	kept := slices.DeleteFunc(v.([]any), func(e any) bool {
		return !slices.ContainsFunc(good, func(s Signature) bool { return bytes.Equal(s.Key, keyOf(e)) })
	})
	h.fields = slices.Clone(h.fields)
	h.fields[i].raw, err = encodeValue(kept, signaturesField)
	return err
}

// covers says whether two headers are the same to a signature.
func (h *header) covers(other *header) bool {
	return sha256.Sum256(h.message()) == sha256.Sum256(other.message())
}
