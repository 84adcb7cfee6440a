// Package sign is signatures of model files, Ed25519's: what one covers, whether it is good, which of them outlive a change;
// and the files in which keys are kept.
//
// It works on headers in memory and must not know how model files are read or written.
package sign

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/header"
	"github.com/fkzoo/fkzoo/format/value"
)

// What can be wrong with a signature, for errors.Is.
var (
	ErrUnsigned  = errors.New("not signed")                 // by the key asked for
	ErrSignature = errors.New("signature that is not good") // malformed, or of something else than this file
)

const (
	ed25519Name = "ed25519"
	signedAs    = "fkz signature 1" // what a signed message begins with, so that it is good for nothing else
)

// Signature is one of a file's. It covers digest and provenance, and through the digest the tensors' SHA-256.
type Signature struct {
	Key  ed25519.PublicKey
	Good bool // it is by Key and of this file's digest and provenance
}

// Message is what a signature of this header signs.
func Message(h *header.Header) []byte {
	digest := h.Digest()
	e := value.NewEncoder()
	// Nothing here can fail: it writes to memory what has been encoded before.
	_ = e.EncodeArrayLen(3)
	_ = e.EncodeString(signedAs)
	_ = e.EncodeBytes(digest[:])
	e.Raw(h.Raw("provenance"))
	return e.Bytes()
}

// List reads the header's Ed25519 signatures; those of other algorithms, which a later version may bring, are passed over.
func List(h *header.Header) ([]Signature, error) {
	raw := h.Raw(header.SignaturesField)
	if raw == nil {
		return nil, nil
	}
	fail := func(format string, args ...any) error {
		return &fault.Error{Kind: ErrSignature, Part: header.SignaturesField, Detail: fmt.Sprintf(format, args...)}
	}
	v, err := value.Decode(raw)
	if err != nil {
		return nil, fail("%s", err)
	}
	entries, ok := v.([]any)
	if !ok {
		return nil, fail("is no array")
	}
	var list []Signature
	message := Message(h)
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
		signature, _ := m["signature"].([]byte)
		if len(key) != ed25519.PublicKeySize || len(signature) != ed25519.SignatureSize {
			return nil, fail("entry %d has a key of %d bytes and a signature of %d, want %d and %d", i, len(key), len(signature), ed25519.PublicKeySize, ed25519.SignatureSize)
		}
		if slices.ContainsFunc(list, func(s Signature) bool { return bytes.Equal(s.Key, key) }) {
			return nil, fail("the key %x is there twice", key)
		}
		list = append(list, Signature{Key: key, Good: ed25519.Verify(key, message, signature)})
	}
	return list, nil
}

// Add gives the entries of a signatures field with one by this key, of this header, in the place of one that the key may
// have had, sorted by key.
func Add(h *header.Header, entries []any, key ed25519.PrivateKey) []any {
	public := []byte(key.Public().(ed25519.PublicKey))
	entries = slices.DeleteFunc(entries, func(v any) bool {
		e, _ := v.(map[string]any)
		had, _ := e["key"].([]byte)
		return e["algorithm"] == ed25519Name && bytes.Equal(had, public)
	})
	entries = append(entries, map[string]any{"algorithm": ed25519Name, "key": public, "signature": ed25519.Sign(key, Message(h))})
	slices.SortStableFunc(entries, func(a, b any) int { return bytes.Compare(keyOf(a), keyOf(b)) })
	return entries
}

func keyOf(entry any) []byte {
	e, _ := entry.(map[string]any)
	key, _ := e["key"].([]byte)
	return key
}

// Settle drops the signatures that are not of this header: none may outlive a change of what it covers. The tensors'
// SHA-256 must be known.
func Settle(h *header.Header) error {
	i := slices.IndexFunc(h.Fields, func(f header.Field) bool { return f.Name == header.SignaturesField })
	if i < 0 {
		return nil
	}
	list, err := List(h)
	good := slices.DeleteFunc(list, func(s Signature) bool { return !s.Good })
	if err != nil || len(good) == 0 {
		h.Fields = slices.Delete(slices.Clone(h.Fields), i, i+1)
		return nil
	}
	v, err := value.Decode(h.Fields[i].Raw)
	if err != nil {
		return err
	}
	kept := slices.DeleteFunc(v.([]any), func(e any) bool {
		return !slices.ContainsFunc(good, func(s Signature) bool { return bytes.Equal(s.Key, keyOf(e)) })
	})
	h.Fields = slices.Clone(h.Fields)
	h.Fields[i].Raw, err = value.Encode(kept, header.SignaturesField)
	return err
}

// Same says whether two headers are the same to a signature.
func Same(h, other *header.Header) bool {
	return sha256.Sum256(Message(h)) == sha256.Sum256(Message(other))
}
