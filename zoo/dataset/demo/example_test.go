package demo_test

import (
	"context"
	"fmt"

	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
)

func ExampleFaces() {
	set, err := demo.Faces(context.Background(), 3, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	nose := set.Column("nose_tip_x")
	fmt.Printf("%d faces of %dx%d pixels; the first one's nose is at (%.1f, %.1f)\n",
		set.Len(), set.Height, set.Width, set.Row(0)[nose], set.Row(0)[nose+1])
	// Output: 3 faces of 96x96 pixels; the first one's nose is at (47.8, 44.5)
}
