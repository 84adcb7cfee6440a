package dataset_test

import (
	"context"
	"fmt"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
)

// Read a training file, keep the rows that have every column filled, and hold
// a fifth of them out.
func Example() {
	set, err := source.Read(context.Background(), "testdata/small.csv", source.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows, err := set.RowsWith(set.Columns...)
	if err != nil {
		fmt.Println(err)
		return
	}
	train, validation := dataset.Split(rows, 0.25, 1)
	fmt.Println(set.Len(), "rows,", len(rows), "complete:", len(train), "to train on,", len(validation), "held out")
	// Output: 7 rows, 4 complete: 3 to train on, 1 held out
}
