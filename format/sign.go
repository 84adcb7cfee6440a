package format

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/header"
	"github.com/fkzoo/fkzoo/format/sign"
)

// Signatures gives the file's Ed25519 signatures and says which are good. They cover what the header says; whether the
// tensors are what it says is Verify's to find out. A malformed field gives ErrSignature.
func (f *File) Signatures() ([]sign.Signature, error) {
	list, err := sign.List(f.h)
	return list, fault.At(f.path, err)
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
		return &Error{Kind: ErrSignature, Path: f.path, Part: header.SignaturesField,
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
	old, _ := m.Extra[header.SignaturesField].([]any)
	if m.Extra == nil {
		m.Extra = map[string]any{}
	}
	m.Extra[header.SignaturesField] = sign.Add(f.h, old, key)
	return f.Rewrite(path, m, o)
}
