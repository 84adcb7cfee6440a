package ctxio_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/fkzoo/fkzoo/internal/ctxio"
)

// What is read comes through as it is, in whatever pieces, with its error.
func TestReader(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 30_000)
	for name, r := range map[string]io.Reader{
		"at once": bytes.NewReader(text), "halves": iotest.HalfReader(bytes.NewReader(text)), "the end with the last": iotest.DataErrReader(bytes.NewReader(text)),
	} {
		if found, err := io.ReadAll(ctxio.NewReader(t.Context(), r)); err != nil || !bytes.Equal(found, text) {
			t.Errorf("%s: found %d bytes, %v, want %d", name, len(found), err, len(text))
		}
	}
	var to bytes.Buffer
	broken := errors.New("broken")
	if n, err := ctxio.Copy(t.Context(), &to, io.MultiReader(bytes.NewReader(text), iotest.ErrReader(broken))); err != broken || n != int64(len(text)) {
		t.Errorf("found %d bytes, %v, want %d, %v", n, err, len(text), broken)
	}
}

// An end of the context ends a read that waits, and every later one, and nothing is written to who has left.
func TestReadThatWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	defer w.Close()
	reads := make(chan struct{})
	of := ctxio.NewReader(ctx, readFunc(func(p []byte) (int, error) {
		reads <- struct{}{}
		return r.Read(p)
	}))
	go func() {
		<-reads
		_, _ = w.Write([]byte("a"))
		<-reads // of the second read, so the first has ended
		cancel()
	}()
	p := make([]byte, 4)
	if n, err := of.Read(p); n != 1 || err != nil {
		t.Fatalf("found %d bytes, %v, want one", n, err)
	}
	for range 2 {
		if n, err := of.Read(p); n != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("found %d bytes, %v, want %v", n, err, context.Canceled)
		}
	}
	if _, err := w.Write([]byte("late")); err != nil { // the read left behind takes it
		t.Error(err)
	}
	if string(p) != "a\x00\x00\x00" {
		t.Errorf("found %q, want what was read before alone", p)
	}
}

// A reader's panic is that of who reads, who may recover.
func TestPanic(t *testing.T) {
	defer func() {
		if r := recover(); r == nil {
			t.Error("found no panic, want the reader's")
		}
	}()
	var none *bytes.Buffer
	_, _ = ctxio.NewReader(t.Context(), none).Read(make([]byte, 4))
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
