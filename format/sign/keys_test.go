package sign

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key.pem")
	key, err := NewKey(path)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ReadPrivateKey(path)
	if err != nil || !private.Public().(ed25519.PublicKey).Equal(key) {
		t.Errorf("the private key came back as another (%v)", err)
	}
	if got, err := ReadPublicKey(path + ".pub"); err != nil || !got.Equal(key) {
		t.Errorf("the public key came back as %x (%v)", got, err)
	}
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the private key's mode is %v", info.Mode())
	}
	if _, err := NewKey(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second key in its place: %v", err)
	}
	if err := os.Remove(path + ".pub"); err != nil {
		t.Fatal(err)
	}
	if _, err := NewKey(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second private key in its place: %v", err)
	}
	if _, err := os.Stat(path + ".pub"); err == nil {
		t.Error("a public key without its private one was left")
	}
	if again, err := ReadPrivateKey(path); err != nil || !again.Equal(private) {
		t.Errorf("the private key was replaced (%v)", err)
	}

	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{
		"found no PEM":               "hello",
		"found a block \"PUBLIC KEY": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"type *rsa.PrivateKey":       string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"asn1":                       string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})),
		"more than 65536 bytes":      strings.Repeat("x", 70_000),
	}
	for says, text := range bad {
		name := filepath.Join(dir, "bad.pem")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadPrivateKey(name); err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%v, want an error with %q", err, says)
		}
	}
}
