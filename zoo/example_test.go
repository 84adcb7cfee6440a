package zoo_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// A network is trained on drawn faces, measured on others, and asked for the points of some more.
func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "faces-")
	check(err)
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "net1.fkz")

	z := zoo.Open(zoo.Options{Backend: "go"})
	defer z.Close()
	trained, err := z.Train(ctx, zoo.TrainRequest{
		Request: train.Request{Architecture: "net1", Epochs: 2, Batch: 16, Output: path},
		Data:    zoo.DataRequest{Names: []string{"demo:64"}},
	}, nil)
	check(err)
	fmt.Println(len(trained.Model.History[0].TrainLoss), "epochs")

	models := zoo.ModelsRequest{Models: []string{path}}
	e, err := z.Evaluate(ctx, zoo.EvaluateRequest{ModelsRequest: models, Data: zoo.DataRequest{Names: []string{"demo:20:2"}}})
	check(err)
	fmt.Println(e.Rows, "faces measured, worse than the mean face:", e.RMSEPixels > e.MeanFace)

	ensemble, err := z.Ensemble(ctx, models) // opened once, for as many questions from as many goroutines as one likes
	check(err)
	defer ensemble.Close()
	images, err := z.Data(ctx, zoo.DataRequest{Names: []string{"demo:3:3"}})
	check(err)
	defer images.Close()
	check(ensemble.Each(ctx, images, nil, func(part *dataset.Set, found *answer.Prediction) error {
		fmt.Println(part.Len(), "faces answered with", len(found.Columns)/2, "points each")
		return nil
	}))
	// Output:
	// 2 epochs
	// 20 faces measured, worse than the mean face: true
	// 3 faces answered with 15 points each
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
