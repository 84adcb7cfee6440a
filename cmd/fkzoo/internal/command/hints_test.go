package command

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// A set that can't be written for want of squares is told of the flag that makes them, however the error is wrapped.
func TestHintForSquares(t *testing.T) {
	set := &dataset.Set{Source: "a.npy", Columns: []string{"a_x"}, Height: 1, Width: 2, Channels: 1, Bytes: []uint8{1, 2}, Points: []float32{1}, IDs: []string{"1"}}
	err := set.WriteCSV(context.Background(), io.Discard)
	if got, want := Hints(fmt.Errorf("a.csv: %w", err)), []string{"--size N makes the images square"}; !slices.Equal(got, want) {
		t.Errorf("%v: found the hints %q, want %q", err, got, want)
	}
}
