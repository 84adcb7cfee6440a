package demo

import (
	"context"
	"testing"
)

// BenchmarkFaces draws 2,000 faces, as many as the demo trains on.
func BenchmarkFaces(b *testing.B) {
	for b.Loop() {
		if _, err := Faces(context.Background(), 2000, 1); err != nil {
			b.Fatal(err)
		}
	}
}
