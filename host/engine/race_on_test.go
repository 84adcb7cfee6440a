//go:build race

package engine

// raced is set where the race detector looks on. GoMLX's own products don't bear it: the native device alone runs then.
const raced = true
