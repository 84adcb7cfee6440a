// Package ready has the models that are in the program: one that finds faces, and one that finds their points. They have learned from
// drawn faces alone; `make ready` trains them anew. It must not know what a model file means.
package ready

import "embed"

// What these models are called where a model file is asked for. A file of such a name is meant by ./ready.
const (
	Points = "ready"
	Finder = "ready-finder"
)

//go:embed *.fkz
var files embed.FS

// File gives the bytes of the model file of that name, false for any other name.
func File(name string) ([]byte, bool) {
	if name != Points && name != Finder {
		return nil, false
	}
	data, err := files.ReadFile(name + ".fkz")
	return data, err == nil
}
