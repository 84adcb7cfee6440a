package convert

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// FuzzConvert: no bytes may panic, and what is converted is a model.
func FuzzConvert(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join(ownFiles, "*.pickle"))
	if err != nil || len(paths) == 0 {
		f.Fatalf("found no pickle: %v", err)
	}
	for _, path := range append(paths, own("plain.p0")+".bz2") {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &conversion{model: &model.Model{
			Document:   &blueprint.Document{Version: blueprint.Version, Name: "fuzz"},
			Weights:    engine.Arrays{},
			Provenance: model.Provenance{Receipt: model.Receipt{Bytes: len(data)}},
		}}
		if err := c.read(context.Background(), data); err != nil {
			return
		}
		if err := c.model.Check(); err != nil {
			t.Log(err) // an unusual recipe or name is refused there
		}
	})
}
