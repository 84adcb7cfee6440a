package format

import (
	"runtime"
	"runtime/debug"
)

// Guard runs fn, which reads tensor views, and turns a fault in a mapping (a file made shorter by someone else, a disk that
// fails) into an error with ErrFault. It covers only what fn does in its own goroutine. Other panics go on.
func Guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface {
			runtime.Error
			Addr() uintptr
		}:
			err = &Error{Kind: ErrFault, Cause: r}
		default:
			panic(r)
		}
	}()
	return fn()
}
