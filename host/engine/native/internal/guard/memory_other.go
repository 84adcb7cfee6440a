//go:build !unix

package guard

import "testing"

func memory(_ testing.TB, bytes int) []byte { return make([]byte, (bytes+15)&^15) }
