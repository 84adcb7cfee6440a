package request_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/request"
)

// A request's fault is told from others however it is wrapped, and keeps what it says in other words.
func TestIs(t *testing.T) {
	for _, c := range []struct {
		err  error
		is   bool
		text string
	}{
		{request.Errorf("batch", "found %d", -1), true, "batch: found -1"},
		{request.Errorf("", "found none"), true, "found none"},
		{fmt.Errorf("a: %w", &request.TwiceError{Field: "epochs", Value: "1", Setting: "recipe.epochs", Other: "2"}), true,
			"a: epochs: found 1, and recipe.epochs=2 among the settings, want one of them"},
		{errors.Join(&request.Error{Field: "data", Err: errors.New("found a file"), Cause: io.EOF}), true, "data: found a file"},
		{io.EOF, false, "EOF"}, {fmt.Errorf("a: %w", io.EOF), false, "a: EOF"},
	} {
		if request.Is(c.err) != c.is || c.err.Error() != c.text {
			t.Errorf("%q: found %v, want %q, %v", c.err, request.Is(c.err), c.text, c.is)
		}
	}
	if request.Is(nil) {
		t.Error("nil: found a fault")
	}
	for _, cause := range []error{nil, io.EOF} {
		if err := error(&request.Error{Err: io.ErrClosedPipe, Cause: cause}); !errors.Is(err, io.ErrClosedPipe) || errors.Is(err, io.EOF) != (cause != nil) {
			t.Errorf("found %v not to wrap what it is made of", err)
		}
	}
}
