package sign

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/internal/plainfile"
)

// Keys for signing are Ed25519, in PEM as every tool writes them: a private one is PKCS#8 («PRIVATE KEY»), a public one
// SubjectPublicKeyInfo («PUBLIC KEY»).
const (
	privateKeyPEM = "PRIVATE KEY"
	publicKeyPEM  = "PUBLIC KEY"
	maxKeyFile    = 64 << 10 // bytes
)

// NewKey draws a key and writes the private one at path, readable by its owner alone, and the public one at path with
// «.pub» behind. Existing files are refused with atomicfile.ErrExists.
func NewKey(path string) (ed25519.PublicKey, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	open, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	// The public one first: what may be left alone after a failure is no secret.
	if err := writeKey(path+".pub", publicKeyPEM, open, 0o644); err != nil {
		return nil, err
	}
	if err := writeKey(path, privateKeyPEM, secret, 0o600); err != nil {
		_ = os.Remove(path + ".pub")
		return nil, err
	}
	return public, nil
}

func writeKey(path, kind string, der []byte, mode os.FileMode) error {
	f, err := atomicfile.Create(path, false)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := f.Chmod(mode); err != nil && mode&0o077 == 0 {
		return fmt.Errorf("%s: cannot be kept from others: %w", path, err)
	}
	if err := pem.Encode(f, &pem.Block{Type: kind, Bytes: der}); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Commit()
}

// ReadPrivateKey reads a private key.
func ReadPrivateKey(path string) (ed25519.PrivateKey, error) {
	v, err := readKey(path, privateKeyPEM, x509.ParsePKCS8PrivateKey)
	if err != nil {
		return nil, err
	}
	if key, ok := v.(ed25519.PrivateKey); ok {
		return key, nil
	}
	return nil, fmt.Errorf("%s: holds a key of type %T, want Ed25519", path, v)
}

// ReadPublicKey reads a public key.
func ReadPublicKey(path string) (ed25519.PublicKey, error) {
	v, err := readKey(path, publicKeyPEM, x509.ParsePKIXPublicKey)
	if err != nil {
		return nil, err
	}
	if key, ok := v.(ed25519.PublicKey); ok {
		return key, nil
	}
	return nil, fmt.Errorf("%s: holds a key of type %T, want Ed25519", path, v)
}

func readKey(path, kind string, parse func([]byte) (any, error)) (any, error) {
	f, _, err := plainfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxKeyFile {
		return nil, fmt.Errorf("%s: has more than %d bytes, want a key in PEM", path, maxKeyFile)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: found no PEM, want a block %q", path, kind)
	}
	if block.Type != kind {
		return nil, fmt.Errorf("%s: found a block %.40q, want %q", path, block.Type, kind)
	}
	v, err := parse(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}
