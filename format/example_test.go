package format_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fkzoo/fkzoo/format"
)

// A model is written, read back and checked; a damaged one says what is damaged.
func Example() {
	dir, err := os.MkdirTemp("", "fkz")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "tiny.fkz")

	weights, err := format.NewTensor("dense/weights", format.Float32, []int{2, 2}, []float32{1, 2, 3, 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	blueprint, err := format.FromJSON([]byte(`{"blueprint": 1, "name": "tiny"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	meta := format.Meta{Blueprint: blueprint, Run: map[string]any{"seconds": 1.5}}
	if err := format.Write(path, meta, []format.Tensor{weights}, format.Options{}); err != nil {
		fmt.Println(err)
		return
	}

	f, err := format.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	x, err := f.Tensor("dense/weights") // a view on the mapped file
	if err != nil {
		fmt.Println(err)
		return
	}
	values, err := format.Values[float32](x)
	fmt.Println(x.Shape, values, err)
	fmt.Println("intact:", f.Verify() == nil)

	info, _ := f.Info("dense/weights")
	start, _ := f.Range(&info)
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte{1}, start); err != nil {
		fmt.Println(err)
		return
	}
	err = f.Verify()
	var damage *format.Error
	fmt.Println(errors.Is(err, format.ErrDamaged), errors.As(err, &damage), damage.Tensor)
	// Output:
	// [2 2] [1 2 3 4] <nil>
	// intact: true
	// true true dense/weights
}
